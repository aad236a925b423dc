"""The part of a picture that a classifier sees: random in training, the middle in evaluation."""

import dataclasses
import math

import numpy as np

from stylezoo import images
from stylezoo.images import FloatArray

# How often a random area is drawn before the middle is taken.
_ATTEMPTS = 10


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How pictures are varied in training. Sides are in units of the side of the network's input.

    Attributes:
        short_side: Range of the shorter side to which a picture is reduced, uniform, before a square
            is cut out at a random place. (256/224, 480/224) is the scale jittering of Simonyan &
            Zisserman 2015, section 3.1; (1, 1) keeps all of a square picture.
        area: Range of the part of the picture's area that is cut out instead and stretched to a
            square. (0.08, 1) is that of Szegedy et al. 2015, section 6; None cuts squares.
        aspect: Range of width : height of that part, log-uniform.
        max_shift: Largest shift of a picture in each direction, as a part of its shorter side; the
            pixels at its edge are repeated.
        flip: Whether to mirror every other picture, at random.
        colour_noise: Standard deviation of a shift of the colours along their principal components
            (Krizhevsky et al. 2012, section 4.1); 0 for none.
        test_short_side: Shorter side to which a picture is reduced in evaluation, before the middle
            square is cut out.

    Raises:
        ValueError: If a number is out of its range.
    """

    short_side: tuple[float, float] = (1.0, 1.0)
    area: tuple[float, float] | None = None
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    max_shift: float = 0.0
    flip: bool = True
    colour_noise: float = 0.0
    test_short_side: float = 1.0

    def __post_init__(self) -> None:
        self._check("short_side", "1 <= low <= high", self.short_side, 1, math.inf)
        self._check("test_short_side", ">= 1", (self.test_short_side,) * 2, 1, math.inf)
        self._check("aspect", "0 < low <= high", self.aspect, 1e-3, 1e3)
        self._check("max_shift", "0 to 1", (self.max_shift,) * 2, 0, 1)
        self._check("colour_noise", ">= 0", (self.colour_noise,) * 2, 0, math.inf)
        if self.area is not None:
            self._check("area", "0 < low <= high <= 1", self.area, 1e-6, 1)

    def _check(
        self, name: str, what: str, values: tuple[float, float], lowest: float, highest: float
    ) -> None:
        low, high = values
        if not lowest <= low <= high <= highest or math.isinf(high):
            raise ValueError(f"`{name}` must be {what}. Received: {name}={getattr(self, name)}")

    def random_view(self, picture: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return a random part of a picture, [H, W, C] -> [h, w, C], to be resized to a square."""
        if self.max_shift:
            picture = _shifted(picture, self.max_shift, rng)
        if self.area is None:
            picture = self._random_square(picture, rng)
        else:
            picture = self._random_area(picture, self.area, rng)
        return picture[:, ::-1] if self.flip and rng.random() < 0.5 else picture

    def _random_square(self, picture: FloatArray, rng: np.random.Generator) -> FloatArray:
        shorter = min(picture.shape[:2])
        side = max(round(shorter / rng.uniform(*self.short_side)), 1)
        return _cut(picture, side, side, rng)

    def _random_area(
        self, picture: FloatArray, area: tuple[float, float], rng: np.random.Generator
    ) -> FloatArray:
        height, width, _ = picture.shape
        for _ in range(_ATTEMPTS):
            pixels = height * width * rng.uniform(*area)
            low, high = map(math.log, self.aspect)
            aspect = math.exp(rng.uniform(low, high))
            h, w = round(math.sqrt(pixels / aspect)), round(math.sqrt(pixels * aspect))
            if 0 < h <= height and 0 < w <= width:
                return _cut(picture, h, w, rng)
        return middle(picture, 1.0)


def middle(picture: FloatArray, short_side: float) -> FloatArray:
    """Return the square in the middle of a picture, [H, W, C], whose side is 1/``short_side`` of its own."""
    height, width, _ = picture.shape
    side = max(round(min(height, width) / short_side), 1)
    return images.centre_crop(picture, side, side)


def _cut(picture: FloatArray, height: int, width: int, rng: np.random.Generator) -> FloatArray:
    top = rng.integers(picture.shape[0] - height + 1)
    left = rng.integers(picture.shape[1] - width + 1)
    return picture[top : top + height, left : left + width]


def _shifted(picture: FloatArray, fraction: float, rng: np.random.Generator) -> FloatArray:
    height, width, _ = picture.shape
    reach = round(fraction * min(height, width))
    padded = np.pad(picture, ((reach, reach), (reach, reach), (0, 0)), "edge")
    return _cut(padded, height, width, rng)
