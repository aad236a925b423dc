"""Every photograph in every style of a generator."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from stylezoo import generators, images
from stylezoo.evaluation.scores import Judge, Scores
from stylezoo.evaluation.worth import Optimization, PixelOptimizer, starting_pictures
from stylezoo.images import Image
from stylezoo.painting import Stylizer


@dataclasses.dataclass(frozen=True)
class Painting:
    """A generator's painting and how good it is.

    Attributes:
        photograph: name of what is painted.
        style: name of what it is painted like.
        image: [1, H, W, 3] float32 in [0, 1].
        scores: see :class:`Scores`.
        optimizations: of the same loss over pixels, by start; none until
            :func:`optimize_beside` has run.
    """

    photograph: str
    style: str
    image: np.ndarray
    scores: Scores
    optimizations: Mapping[str, Optimization] = dataclasses.field(default_factory=dict)

    def worth(self, start: str) -> float | None:
        """How many steps of the optimisation from ``start``; see :func:`worth_in_steps`."""
        return self.optimizations[start].worth(self.scores.total)


def paint_and_score(
    generator: generators.Generator, judge: Judge, *, callback: Callable[[], None] | None = None
) -> list[Painting]:
    """Paint every photograph of a judge in every one of its styles.

    Args:
        generator: paints photographs and has the judge's styles.
        judge: see :class:`Judge`.
        callback: called after every painting.

    Returns:
        Style by style, in the judge's order of styles and photographs.

    Raises:
        ValueError: if the generator paints no photographs, or lacks a style.
        FloatingPointError: if a loss is not finite.
    """
    check_styles(generator, judge.styles)
    stylizer = Stylizer(generator)
    paintings = []
    for style in judge.styles:
        for name, photograph in judge.photographs.items():
            picture = stylizer(photograph, generators.blend_weights(generator, style))
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
        judge: that scored the paintings.
        paintings: see :func:`paint_and_score`.
        num_steps: of every optimisation, >= 1.
        seed: of the noise, the same for all.
        callback: called after every step.

    Returns:
        The paintings with their :attr:`~Painting.optimizations`, by the names of
        :data:`~stylezoo.evaluation.worth.STARTS`.

    Raises:
        ValueError: if ``num_steps`` is not positive.
        FloatingPointError: if a loss or its gradient is not finite.
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
    """All paintings in one picture: a row for each photograph, itself and then each style.

    Returns:
        [1, H, W, 3] float32 in [0, 1].
    """
    pictures: list[Image] = []
    for name, photograph in judge.photographs.items():
        pictures += [photograph, *(each.image for each in paintings if each.photograph == name)]
    columns = len(pictures) // len(judge.photographs)
    return images.contact_sheet([picture[0] for picture in pictures], columns=columns)


def check_styles(generator: generators.Generator, styles: tuple[str, ...]) -> None:
    """Raise a ValueError unless a generator paints photographs in all of these styles."""
    if "image" not in generator.network.input or not generator.styles:
        raise ValueError(
            "`model` must be one that paints photographs. "
            f"Received: one of the type {type(generator.config).__name__}"
        )
    unknown = [style for style in styles if style not in generator.styles]
    if unknown:
        raise ValueError(
            f"`styles` must be among the model's, {', '.join(generator.styles)}. "
            f"Received: {', '.join(unknown)}"
        )
