"""How well super-resolution brings back the photographs that were reduced."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from stylezoo import errors, generators, images
from stylezoo.evaluation.lpips import Lpips
from stylezoo.evaluation.scores import LPIPS_ARCHITECTURES
from stylezoo.evaluation.summaries import LPIPS_TITLES, markdown_table
from stylezoo.images import Image


@dataclasses.dataclass(frozen=True)
class Likeness:
    """How much a picture is like the photograph that it should be.

    Attributes:
        psnr: The peak signal-to-noise ratio over the three channels, dB; more is better. Johnson et al.
            2016 have that of the luminance, which is larger.
        lpips: The distance by architecture, less is better; see :class:`Lpips`.
    """

    psnr: float
    lpips: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Enlargement:
    """A photograph that was reduced, and enlarged again by a painter and by bicubic interpolation.

    Attributes:
        photograph: Name of the photograph.
        image: The painter's picture, [1, H, W, 3], float32, in [0, 1].
        bicubic: The interpolated picture, alike.
        likeness: How much the painter's picture is like the photograph.
        bicubic_likeness: How much the interpolated picture is.
    """

    photograph: str
    image: np.ndarray
    bicubic: np.ndarray
    likeness: Likeness
    bicubic_likeness: Likeness


def enlarge_and_score(
    painter: generators.Painter,
    photographs: Mapping[str, Image],
    *,
    lpips: Sequence[str] = LPIPS_ARCHITECTURES,
    callback: Callable[[], None] | None = None,
) -> list[Enlargement]:
    """Reduce photographs as in training, enlarge them, and compare them with what they were.

    Args:
        painter: A painter of enlargements.
        photographs: The photographs by name, each [1, H, W, 3] in [0, 1], whose sides are multiples of
            the painter's factor.
        lpips: The architectures of :class:`Lpips`.
        callback: Called after every photograph.

    Raises:
        ValueError: If the painter paints something else, or a photograph's size does not fit.
        WeightsError: If the weights of LPIPS can't be had.
    """
    if not isinstance(painter, generators.SuperResolution):
        raise ValueError(
            "`painter` must be one of super-resolution. "
            f"Received: a {type(painter).__name__} that paints {painter.paints}"
        )
    distances = [Lpips(architecture) for architecture in lpips]
    enlargements = []
    for name, photograph in photographs.items():
        with errors.renamed(image=name):
            enlargements.append(_enlarge(painter, name, photograph, distances))
        if callback:
            callback()
    return enlargements


def _enlarge(
    painter: generators.SuperResolution, name: str, photograph: Image, distances: Sequence[Lpips]
) -> Enlargement:
    size = tuple(photograph.shape[1:3])
    if any(side % painter.factor for side in size):
        raise ValueError(
            f"`image` must have sides that are multiples of {painter.factor}. Received: size={size}"
        )
    small = generators.degrade(tf.convert_to_tensor(photograph), painter.factor)
    enlarged = painter.paint(small)
    bicubic = np.clip(tf.image.resize(small, size, "bicubic"), 0, 1)

    def likeness(picture: np.ndarray) -> Likeness:
        return Likeness(
            float(tf.image.psnr(picture, photograph, 1.0)[0]),
            {each.architecture: float(each(picture, photograph)[0]) for each in distances},
        )

    return Enlargement(name, enlarged, bicubic, likeness(enlarged), likeness(bicubic))


def mean_likeness(likenesses: Sequence[Likeness]) -> Likeness:
    """Return the mean of each figure over one or more pictures."""
    return Likeness(
        float(np.mean([each.psnr for each in likenesses])),
        {
            name: float(np.mean([each.lpips[name] for each in likenesses]))
            for name in likenesses[0].lpips
        },
    )


def enlargements_table(enlargements: Sequence[Enlargement]) -> str:
    """Return a Markdown table with a row of figures for each photograph, and one of their means."""
    rows = [(each.photograph, each.bicubic_likeness, each.likeness) for each in enlargements]
    if len(rows) > 1:
        bicubic_mean = mean_likeness([bicubic for _, bicubic, _ in rows])
        rows.append(("mean", bicubic_mean, mean_likeness([model for *_, model in rows])))
    header = ["photograph", "PSNR bicubic", "PSNR model"]
    for name in rows[0][1].lpips:
        header += [f"{LPIPS_TITLES[name]} {by}" for by in ("bicubic", "model")]
    cells = []
    for name, bicubic, model in rows:
        row = [name, f"{bicubic.psnr:.2f}", f"{model.psnr:.2f}"]
        for architecture, distance in bicubic.lpips.items():
            row += [f"{distance:.3f}", f"{model.lpips[architecture]:.3f}"]
        cells.append(row)
    return markdown_table(header, cells)


def enlargements_sheet(
    enlargements: Sequence[Enlargement], photographs: Mapping[str, Image]
) -> np.ndarray:
    """Show a row for each photograph: bicubic interpolation, the painter's picture, the photograph.

    Returns:
        [1, H, W, 3], float32, in [0, 1].
    """
    pictures = [
        picture[0]
        for each in enlargements
        for picture in (each.bicubic, each.image, photographs[each.photograph])
    ]
    return images.contact_sheet(pictures, columns=3)
