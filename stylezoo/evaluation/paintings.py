"""Every photograph in every style of a painter."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from stylezoo import generators, images
from stylezoo.evaluation.scores import Judge, Scores
from stylezoo.evaluation.worth import Optimization, PixelOptimizer, starting_pictures
from stylezoo.images import Image

_STYLE_SIZE = 256


@dataclasses.dataclass(frozen=True)
class Painting:
    """A painting and how good it is.

    Attributes:
        photograph: Name of the photograph.
        style: Name of the style.
        image: [1, H, W, 3], float32, in [0, 1].
        scores: See :class:`Scores`.
        optimizations: Optimisations of the same loss over pixels, by start; none until
            :func:`optimize_beside` has run.
    """

    photograph: str
    style: str
    image: np.ndarray
    scores: Scores
    optimizations: Mapping[str, Optimization] = dataclasses.field(default_factory=dict)

    def worth(self, start: str) -> float | None:
        """Return how many steps of the optimisation from ``start`` it is worth.

        See :func:`worth_in_steps`.
        """
        return self.optimizations[start].worth(self.scores.total)


def paint_and_score(
    painter: generators.Painter, judge: Judge, *, callback: Callable[[], None] | None = None
) -> list[Painting]:
    """Paint every photograph of a judge in every one of its styles.

    Args:
        painter: A painter of photographs that has the judge's styles.
        judge: See :class:`Judge`.
        callback: Called after every painting.

    Returns:
        The paintings style by style, in the judge's order of styles and photographs.

    Raises:
        ValueError: If the painter paints no photographs, or lacks a style.
        FloatingPointError: If a loss is not finite.
    """
    check_styles(painter, judge.styles)
    paintings = []
    for style in judge.styles:
        for name, photograph in judge.photographs.items():
            picture = painter.paint(photograph, style={style: 1})
            scores = judge.scores(picture, photograph=name, style=style)
            paintings.append(Painting(name, style, picture, scores))
            if callback:
                callback()
    return paintings


def optimize_beside(
    judge: Judge,
    paintings: Sequence[Painting],
    *,
    num_steps: int,
    seed: int = 0,
    callback: Callable[[], None] | None = None,
) -> list[Painting]:
    """Optimise the pixels of what each painting shows, from noise and from the photograph.

    Args:
        judge: The judge that scored the paintings.
        paintings: See :func:`paint_and_score`.
        num_steps: Number of steps of every optimisation, >= 1.
        seed: Seed of the noise, the same for all.
        callback: Called after every step.

    Returns:
        The paintings with their :attr:`~Painting.optimizations`, by the names of
        :data:`~stylezoo.evaluation.worth.STARTS`.

    Raises:
        ValueError: If ``num_steps`` is not positive.
        FloatingPointError: If a loss or its gradient is not finite.
    """
    optimizer = PixelOptimizer(judge, num_steps=num_steps)
    finished = []
    for painting in paintings:
        names = {"photograph": painting.photograph, "style": painting.style}
        starts = starting_pictures(judge.photographs[painting.photograph], seed=seed)
        optimizations = {
            start: optimizer.run(initial, **names, callback=callback)[0]
            for start, initial in starts.items()
        }
        finished.append(dataclasses.replace(painting, optimizations=optimizations))
    return finished


def paintings_sheet(judge: Judge, paintings: Sequence[Painting]) -> np.ndarray:
    """Show all paintings in one picture: a row for each photograph, itself and then each style.

    Returns:
        [1, H, W, 3], float32, in [0, 1].
    """
    pictures: list[Image] = []
    for name, photograph in judge.photographs.items():
        pictures += [photograph, *(each.image for each in paintings if each.photograph == name)]
    columns = len(pictures) // len(judge.photographs)
    return images.contact_sheet([picture[0] for picture in pictures], columns=columns)


def style_size_of(painter: generators.Painter) -> int:
    """Return the longest side that a painter's style pictures had in its training, px; 256 if unknown."""
    size: int = painter.training_record.get("style_size", _STYLE_SIZE)
    return size


def check_styles(painter: generators.Painter, styles: tuple[str, ...]) -> None:
    """Raise a ValueError unless a painter paints photographs in all of these styles."""
    if painter.paints != generators.PHOTOGRAPHS or not painter.styles:
        raise ValueError(
            "`painter` must be one of photographs in styles with names. "
            f"Received: a {type(painter).__name__} that paints {painter.paints}"
        )
    unknown = [style for style in styles if style not in painter.styles]
    if unknown:
        raise ValueError(
            f"`styles` must be among the painter's, {', '.join(painter.styles)}. "
            f"Received: {', '.join(unknown)}"
        )
