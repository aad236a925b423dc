"""What the page must paint, painted by Keras: pictures for the tests in the browser.

Usage: python references.py FOLDER
"""

import pathlib
import sys

import numpy as np

from stylezoo import generators, images

SIZE = 256
TEXTURE_SIZE = 64


def uniform(count: int, seed: int) -> np.ndarray:
    """Return the numbers of src/noise.ts."""
    state = (seed + 1) * 0x9E3779B1 % 2**32 or 1
    numbers = []
    for _ in range(count + 16):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        numbers.append((state >> 8) / 2**24)
    return np.array(numbers[16:], np.float32)


def main(folder: pathlib.Path) -> None:
    """Write photographs, their paintings and a texture."""
    folder.mkdir(parents=True, exist_ok=True)

    def write(name: str, picture: np.ndarray) -> None:
        images.write_image(folder / f"{name}.png", np.asarray(picture)[0], overwrite=True)

    light = generators.load("light")
    sample = images.read_image(images.sample_path("astronaut"))
    write("photograph", images.resize(sample, (SIZE, SIZE)))
    photograph = images.read_image(folder / "photograph.png")
    wide = photograph[:, 48:208]
    write("wide", wide)
    margin = (SIZE - wide.shape[1]) // 2
    mirrored = np.pad(wide, [(0, 0), (margin, margin), (0, 0), (0, 0)], mode="symmetric")

    def paint(picture: np.ndarray, **options: object) -> np.ndarray:
        return np.asarray(light.paint(picture, stroke_size=None, **options))

    write("starry_night", paint(photograph, style="starry_night"))
    blend = {"starry_night": 1.0, "udnie": 0.25}
    write("blend", paint(photograph, style=blend, strength=0.7))
    write("wide_painted", paint(mirrored, style="the_scream")[:, margin:-margin])
    gravel = generators.load("gravel")
    shapes = sorted(gravel.noise_shapes(TEXTURE_SIZE, TEXTURE_SIZE).items())
    noise = {
        name: uniform(int(np.prod(shape)), 100 * 7 + index).reshape(1, *shape)
        for index, (name, shape) in enumerate(shapes)
    }
    write("texture", gravel(noise, training=False))
    (folder / "broken.jpg").write_bytes((folder / "photograph.png").read_bytes()[:500])


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
