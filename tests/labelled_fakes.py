"""Pictures with a class each that are told apart in a few steps."""

import numpy as np
from PIL import Image

from stylezoo import images

CLASSES = ("across", "down", "plain")
SAMPLES = ("chelsea", "coffee", "rocket")


def picture(kind, seed, *, size=(28, 28)):
    """Noisy stripes across or down, or none, nearly in phase; uint8 [H, W], ``size`` is (height, width)."""
    rng = np.random.default_rng([seed, CLASSES.index(kind)])
    rows, columns = np.indices(size)
    wave = {"across": rows, "down": columns, "plain": 0 * rows}[kind]
    values = 0.5 + 0.35 * np.sin(wave * 2 * np.pi / 7 + rng.uniform(0, 1))
    return np.rint(255 * np.clip(values + rng.normal(0, 0.05, size), 0, 1)).astype(np.uint8)


def folder(path, *, number=8, classes=CLASSES, size=(28, 28), colour=False):
    """A folder of classes with ``number`` PNGs each; its path as text."""
    for kind in classes:
        (path / kind).mkdir(parents=True, exist_ok=True)
        for seed in range(number):
            pixels = picture(kind, seed, size=size)
            if colour:
                tints = np.random.default_rng(seed).uniform(0.5, 1, 3)
                pixels = np.rint(pixels[..., None] * tints).astype(np.uint8)
            Image.fromarray(pixels).save(path / kind / f"{seed}.png")
    return str(path)


def arrays(path, *, number=8, test=None):
    """The same as a NumPy file, with a test part of ``test`` pictures a class; its path as text."""
    contents = {}
    for part, count, first in (("train", number, 0), ("test", test, 100)):
        if count is not None:
            kinds = [kind for kind in CLASSES for _ in range(count)]
            contents[f"x_{part}"] = np.stack(
                [picture(kind, first + index) for index, kind in enumerate(kinds)]
            )
            contents[f"y_{part}"] = np.array([CLASSES.index(kind) for kind in kinds])
    np.savez(path, **contents)
    return str(path)


def crops(path, *, number):
    """A folder of ``number`` random squares of each of three sample pictures; its path as text."""
    for sample in SAMPLES:
        (path / sample).mkdir(parents=True)
        picture = Image.open(images.sample_path(sample)).convert("RGB")
        for seed in range(number):
            rng = np.random.default_rng([seed, SAMPLES.index(sample)])
            side = int(min(picture.size) * rng.uniform(0.5, 0.9))
            left, top = (int(rng.integers(length - side)) for length in picture.size)
            crop = picture.crop((left, top, left + side, top + side)).resize((224, 224))
            crop.save(path / sample / f"{seed}.jpg")
    return str(path)
