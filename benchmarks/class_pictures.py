"""How well pictures of classes are recognised by another network, and how natural they are.

Usage: python -m benchmarks.class_pictures --folder=PICTURES [--preset=NAME...] [--network=NAME...]
         [--photographs=FOLDER] [--output=RESULT.json]

Pictures of every 25th class of ImageNet are made by each preset for each network. The other network ranks
the class of each. With --photographs the Fréchet distance of the pictures' features to those of photographs
is measured too: pooled features of EfficientNet-Lite0, their leading 64 components. Only distances of as many
pictures are to be compared. Pictures that are in the folder are not made again, so that a run which was
interrupted goes on. Weights are fetched.
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import app, flags

from benchmarks import results
from stylezoo import classifiers, evaluation, images, perceptual, visualize

_NETWORKS = ("squeezenet1_1", "efficientnet_lite0")
_BATCH = 8

_OUTPUT = flags.DEFINE_string(
    "output", "out/benchmarks/class_pictures.json", "File to write the figures to."
)
_FOLDER = flags.DEFINE_string("folder", "out/class_pictures", "Folder of the pictures.")
_PRESETS = flags.DEFINE_multi_string(
    "preset", ["l2", "yosinski4", "robust", "maco"], "Preset of `visualize activation`."
)
_PRIOR = flags.DEFINE_string("prior", None, "Decoder of the presets decoder and ppgn.")
_MADE_FOR = flags.DEFINE_multi_enum(
    "network", list(_NETWORKS), _NETWORKS, "Network that pictures are made for."
)
_EVERY = flags.DEFINE_integer("every", 25, "Distance between the classes.", 1)
_PHOTOGRAPHS = flags.DEFINE_string("photographs", None, "Folder of photographs.")
_STEPS = flags.DEFINE_integer("steps", None, "Number of steps in place of the presets'.", 1)
_CROPS = flags.DEFINE_string(
    "crops",
    None,
    "Size and crops in place of maco's, for less time: SIZE,COUNT,SEEN,LARGEST,SMALLEST.",
)


def make(network: str, preset: str, classes: Sequence[int]) -> list[np.ndarray]:
    """Return the pictures of classes, [H, W, 3] each, made or read from the folder."""
    folder = pathlib.Path(_FOLDER.value) / network / preset
    folder.mkdir(parents=True, exist_ok=True)
    config = configured(network, preset)
    files = {each: folder / f"{each:03d}.png" for each in classes}
    missing = [each for each, file in files.items() if not file.exists()]
    size = 1 if config.crops else _BATCH
    for begin in range(0, len(missing), size):
        batch = tuple(missing[begin : begin + size])
        result = visualize.maximize(
            visualize.Unit(perceptual.SCORES, batch), config=config, batch=len(batch)
        )
        for each, picture in zip(batch, result.image, strict=True):
            images.write_image(files[each], picture[None])
    return [np.asarray(images.read_image(file)[0]) for file in files.values()]


def configured(network: str, preset: str) -> visualize.ActivationConfig:
    """Return the preset's configuration for a network, with what the flags change."""
    preset_config = visualize.PRESETS[preset]
    steps = _STEPS.value or preset_config.steps
    config = dataclasses.replace(preset_config, network=network, steps=steps)
    if config.prior and _PRIOR.value:
        prior = dataclasses.replace(config.prior, decoder=_PRIOR.value)
        config = dataclasses.replace(config, prior=prior)
    if not config.crops or not _CROPS.value:
        return config
    size, count, seen, largest, smallest = map(float, _CROPS.value.split(","))
    crops = visualize.Crops(int(count), largest, smallest, int(seen))
    return dataclasses.replace(config, size=int(size), crops=crops)


def recognised(
    judge: Any, pictures: Sequence[np.ndarray], classes: Sequence[int]
) -> dict[str, Any]:
    """Return how many pictures a judge recognises, and the rank of each picture's class."""
    ranks = visualize.ranks(judge, pictures, classes)
    return {
        "pictures": len(ranks),
        "top1": int((ranks == 1).sum()),
        "top5": int((ranks <= 5).sum()),
        "ranks": ranks.tolist(),
    }


def photographs_features(network: Any) -> np.ndarray:
    """Return the pooled features of the photographs, kept beside the pictures."""
    file = pathlib.Path(_FOLDER.value) / "photographs.npy"
    if not file.exists():
        paths = sorted(pathlib.Path(_PHOTOGRAPHS.value).rglob("*.jpg"))
        features = evaluation.pooled_features(network, map(images.read_image, paths))
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, features)
    found: np.ndarray = np.load(file)
    return found


def main(_: list[str]) -> None:
    """Measure what the flags ask for."""
    classes = range(0, 1000, _EVERY.value)
    seeing = perceptual.Perceptual("efficientnet_lite0").build(["top"])
    real = photographs_features(seeing) if _PHOTOGRAPHS.value else None
    figures: dict[str, Any] = {}
    for network in _MADE_FOR.value:
        [other] = set(_NETWORKS) - {network}
        judge = classifiers.build(other, weights="imagenet")
        figures[network] = {"judge": other}
        for preset in _PRESETS.value:
            pictures = make(network, preset, classes)
            figures[network][preset] = recognised(judge, pictures, classes)
            if real is not None:
                made = evaluation.pooled_features(seeing, (each[None] for each in pictures))
                figures[network][preset]["frechet"] = evaluation.frechet_distance(real, made)
            results.write(_OUTPUT.value, "class_pictures", figures)


if __name__ == "__main__":
    app.run(main)
