"""From a small picture to a large one."""

import dataclasses
import math
import time
from collections.abc import Callable

import tensorflow as tf

from stylezoo import images
from stylezoo.objectives import Targets, TotalLoss
from stylezoo.synthesis.loop import Callback, Progress, optimize_image
from stylezoo.synthesis.optimizers import Minimizer, OptimizerConfig
from stylezoo.synthesis.parameters import Pixels

Size = tuple[int, int]


def size_of(image: tf.Tensor) -> Size:
    """Height and width of [B, H, W, C], px."""
    return image.shape[1], image.shape[2]


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How large the picture is at first, and for how many steps each size is optimised.

    Attributes:
        smallest: longest side of the first level, px; each level is about twice (as near as whole
            numbers of levels allow) the one before. None for one level at full size.
        initial_steps: at the first level.
        steps: at the last level, where it is not the first.
        middle_steps: at those between; None for as many as ``steps``.
    """

    smallest: int | None
    initial_steps: int
    steps: int
    middle_steps: int | None = None

    def __post_init__(self) -> None:
        if self.smallest is not None and self.smallest < 1:
            raise ValueError(f"`smallest` must be >= 1. Received: smallest={self.smallest}")
        fewest = min(self.initial_steps, self.steps, self.middle_steps or 0)
        if fewest < 0:
            raise ValueError(f"`steps` must be >= 0. Received: steps={fewest}")

    def levels(self, height: int, width: int, *, minimum: int = 1) -> list[tuple[Size, int]]:
        """(height, width) and steps of every level; no side is smaller than ``minimum``."""
        longest = max(height, width)
        smallest = self.smallest or longest
        smallest = max(smallest, math.ceil(minimum * longest / min(height, width)))
        doublings = max(round(math.log2(longest / smallest)), 0) if smallest < longest else 0
        sizes = []
        for level in range(doublings + 1):
            ratio = (smallest / longest) ** (1 - level / doublings) if doublings else 1.0
            sizes.append((max(round(height * ratio), 1), max(round(width * ratio), 1)))
        middle = self.steps if self.middle_steps is None else self.middle_steps
        steps = [self.initial_steps, *[middle] * (doublings - 1), *[self.steps] * bool(doublings)]
        return list(zip(sizes, steps, strict=True))


@dataclasses.dataclass(frozen=True)
class Level:
    """What was done at one size.

    Attributes:
        height: px.
        width: px.
        steps: done.
        evaluations: of loss and gradient.
        seconds: wall time.
    """

    height: int
    width: int
    steps: int
    evaluations: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class PyramidResult:
    """A finished picture.

    Attributes:
        image: [1, H, W, 3] float32 in [0, 1].
        losses: a dictionary a step over all levels, ``total`` and each term's share of it.
        levels: in the order in which they were done.
    """

    image: tf.Tensor
    losses: list[dict[str, float]]
    levels: list[Level]


# (height, width) -> the loss of a picture of that size and its targets.
Problem = Callable[[Size], tuple[TotalLoss, Targets]]


def coarse_to_fine(
    problem: Problem,
    initial: Callable[[Size], tf.Tensor],
    *,
    levels: list[tuple[Size, int]],
    optimizer: OptimizerConfig,
    bounds: tuple[tf.Tensor | float, tf.Tensor | float] = (0.0, 1.0),
    grey: bool = False,
    detail_of: tf.Tensor | None = None,
    tolerance: float = 0.0,
    average_decay: float = 0.0,
    match_every: int | None = None,
    callback: Callback | None = None,
) -> PyramidResult:
    """Minimise a loss at each level, starting from the enlarged result of the one before.

    The optimiser's state is enlarged with the picture.

    Args:
        problem: makes the loss for a size.
        initial: makes what the first level starts from, [1, H, W, 3] in [0, 1], for its size.
        levels: as :meth:`Schedule.levels` gives them.
        optimizer: of every level.
        bounds: of the pixels; see :class:`~stylezoo.synthesis.Pixels`.
        grey: see :class:`~stylezoo.synthesis.Pixels`.
        detail_of: a picture [1, H, W, 3] whose detail is added to each enlarged result: what it has at
            the new size beyond its own reduction to the size before.
        tolerance: see :func:`~stylezoo.synthesis.optimize_image`.
        average_decay: see :func:`~stylezoo.synthesis.optimize_image`.
        match_every: see :func:`~stylezoo.synthesis.optimize_image`.
        callback: called after every step, with steps counted over all levels.
    """
    image = initial(levels[0][0])
    minimizer: Minimizer | None = None
    losses: list[dict[str, float]] = []
    finished: list[Level] = []
    total_steps = sum(steps for _, steps in levels)
    for size, steps in levels:
        began = time.perf_counter()
        done = sum(steps for _, steps in levels[: len(finished)])
        loss, targets = problem(size)
        parameter = Pixels(_enlarge(image, size, detail_of), bounds=bounds, grey=grey)
        result, minimizer = optimize_image(
            loss,
            parameter,
            targets,
            optimizer=optimizer,
            num_steps=steps,
            callback=_shifted(callback, done, total_steps),
            tolerance=tolerance,
            average_decay=average_decay,
            match_every=match_every,
            previous=minimizer,
        )
        image = tf.convert_to_tensor(result.image)
        losses += result.losses
        finished.append(
            Level(*size, len(result.losses), result.evaluations, time.perf_counter() - began)
        )
    return PyramidResult(image, losses, finished)


def _enlarge(image: tf.Tensor, size: Size, detail_of: tf.Tensor | None) -> tf.Tensor:
    """``image`` at ``size``, with another picture's detail that it has no room for yet."""
    enlarged = images.resize(image, size)
    if detail_of is None or size_of(image) == size:
        return enlarged
    reduced = images.resize(detail_of, size_of(image))
    return enlarged + images.resize(detail_of, size) - images.resize(reduced, size)


def _shifted(callback: Callback | None, done: int, total: int) -> Callback | None:
    """``callback`` told of steps over all levels."""
    if callback is None:
        return None

    def shifted(progress: Progress) -> None:
        callback(dataclasses.replace(progress, step=done + progress.step, num_steps=total))

    return shifted
