"""From a small picture to a large one."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence

import tensorflow as tf

from stylezoo import images
from stylezoo.objectives import Targets, TotalLoss
from stylezoo.progress import Callback, Progress
from stylezoo.synthesis.configurations import OptimizationConfig, Size
from stylezoo.synthesis.loop import optimize_image
from stylezoo.synthesis.minimizers import Minimizer
from stylezoo.synthesis.parameters import ImageParameter, Pixels


def size_of(image: tf.Tensor) -> Size:
    """Return height and width of an image [B, H, W, C], px."""
    return image.shape[1], image.shape[2]


@dataclasses.dataclass(frozen=True)
class Level:
    """What was done at one size.

    Attributes:
        height: Height of the picture, px.
        width: Width of the picture, px.
        steps: Number of steps that were done.
        evaluations: Number of evaluations of loss and gradient.
        seconds: Wall time.
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
        image: The picture, [1, H, W, 3] float32 in [0, 1].
        losses: A dictionary for each step of all levels: ``total`` and each term's share of it.
        levels: The levels, in the order in which they were done.
    """

    image: tf.Tensor
    losses: list[dict[str, float]]
    levels: list[Level]


# (height, width) -> the loss of a picture of that size and its targets.
Problem = Callable[[Size], tuple[TotalLoss, Targets]]
# The picture that a level starts from -> the picture that its targets are matched to.
Matched = Callable[[tf.Tensor], tf.Tensor]


def coarse_to_fine(
    problem: Problem,
    initial: Callable[[Size], tf.Tensor],
    *,
    levels: list[tuple[Size, int]],
    config: OptimizationConfig,
    parametrize: Callable[[tf.Tensor], ImageParameter] = Pixels,
    detail_of: tf.Tensor | None = None,
    matched_to: Matched | None = None,
    before: Sequence[tuple[Size, int]] = (),
    after: Sequence[tuple[Size, int]] = (),
    callback: Callback | None = None,
) -> PyramidResult:
    """Minimise a loss at each level, starting from the enlarged result of the one before.

    The optimiser's state is enlarged with the picture.

    Args:
        problem: A function that returns the loss and its targets for a size.
        initial: A function that returns what the first level starts from, [1, H, W, 3] in [0, 1], for its
            size.
        levels: Sizes and steps, as :meth:`Schedule.levels` returns them.
        config: How the loss is minimised at every level.
        parametrize: A function that makes a parameter of the picture that a level starts from.
        detail_of: A picture [1, H, W, 3] whose detail is added to each enlarged result: what it has at
            the new size beyond its own reduction to the size before.
        matched_to: A function that makes the picture to which a level's targets are matched, once, of the
            one that it starts from. By default they are matched to the picture, every so many steps.
        before: Levels of the same work that are done already, for what ``callback`` is told.
        after: Levels of it that will follow.
        callback: A function that is called after every step, with steps counted over all levels, and with
            the share of the pixels that all steps see together.
    """
    image = initial(levels[0][0])
    minimizer: Minimizer | None = None
    losses: list[dict[str, float]] = []
    finished: list[Level] = []
    plan = [*before, *levels, *after]
    for size, steps in levels:
        began = time.perf_counter()
        loss, targets = problem(size)
        start = _enlarge(image, size, detail_of)
        if matched_to:
            targets = loss.match(matched_to(start), targets)
        parameter = parametrize(start)
        result, minimizer = optimize_image(
            loss,
            parameter,
            targets,
            config=dataclasses.replace(config, match_every=None) if matched_to else config,
            num_steps=steps,
            callback=_told(callback, plan, len(before) + len(finished)),
            previous=minimizer if isinstance(parameter, Pixels) else None,
        )
        image = tf.convert_to_tensor(result.image)
        losses += result.losses
        finished.append(
            Level(*size, len(result.losses), result.evaluations, time.perf_counter() - began)
        )
    return PyramidResult(image, losses, finished)


def _enlarge(image: tf.Tensor, size: Size, detail_of: tf.Tensor | None) -> tf.Tensor:
    """Return ``image`` at ``size``, with the detail of another picture that had no room before."""
    enlarged = images.resize(image, size)
    if detail_of is None or size_of(image) == size:
        return enlarged
    reduced = images.resize(detail_of, size_of(image))
    return enlarged + images.resize(detail_of, size) - images.resize(reduced, size)


def _told(
    callback: Callback | None, plan: Sequence[tuple[Size, int]], current: int
) -> Callback | None:
    """Return ``callback`` told of steps and work over all levels of a plan, of which one is current."""
    if callback is None:
        return None
    done, total = (sum(steps for _, steps in part) for part in (plan[:current], plan))
    work, all_work = (
        sum(height * width * steps for (height, width), steps in part)
        for part in (plan[:current], plan)
    )
    pixels = math.prod(plan[current][0])

    def told(progress: Progress) -> None:
        share = (work + pixels * progress.step) / all_work
        step = done + progress.step
        callback(dataclasses.replace(progress, step=step, num_steps=total, share=share))

    return told
