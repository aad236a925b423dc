"""How many steps of optimising pixels a painting is worth."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from stylezoo.evaluation.scores import Judge
from stylezoo.images import Image
from stylezoo.synthesis import LBFGS, Minimizer, OptimizationConfig, Pixels, optimize_image

STARTS = ("noise", "photograph")
"""The pictures that optimisations start from."""

# It optimises plain pixels, which are projected to [0, 1].
_OPTIMIZER = LBFGS(memory=20)


def worth_in_steps(totals: Sequence[float], total: float) -> float | None:
    """Return after how many steps an optimisation first reaches a loss.

    Args:
        totals: The loss of the optimisation after 0, 1, 2, ... steps.
        total: The loss to reach.

    Returns:
        Steps, with a fraction by linear interpolation within the one that passes ``total``; 0 if the
        start already does, None if no step does.

    Raises:
        ValueError: If there are no totals, or a loss is not finite.
    """
    if not len(totals) or not np.all(np.isfinite([*totals, total])):
        raise ValueError(f"`totals` must be finite, one or more. Received: {totals}, {total}")
    if totals[0] <= total:
        return 0.0
    for step, (before, after) in enumerate(itertools.pairwise(totals)):
        if after <= total:
            return step + (before - total) / (before - after)
    return None


@dataclasses.dataclass(frozen=True)
class Optimization:
    """The course of one optimisation.

    Attributes:
        totals: The loss after 0, 1, 2, ... steps.
        evaluations: Number of evaluations of loss and gradient: more than steps where a line search had
            to shorten its step.
        seconds: Wall time; the first optimisation's includes tracing.
    """

    totals: tuple[float, ...]
    evaluations: int
    seconds: float

    def worth(self, total: float) -> float | None:
        """Return after how many steps it first reached ``total``; see :func:`worth_in_steps`."""
        return worth_in_steps(self.totals, total)


class PixelOptimizer:
    """Optimisations of pixels as Johnson et al. 2016 compare their networks with.

    L-BFGS with pixels clipped to their range at every step (section 4.1), 20 pairs, no
    preconditioner, all at one size. Pictures of one size share one traced step.

    Args:
        judge: The judge whose objective is minimised.
        num_steps: The number of steps of each optimisation, >= 1.

    Raises:
        ValueError: If ``num_steps`` is not positive.
    """

    def __init__(self, judge: Judge, *, num_steps: int) -> None:
        if num_steps < 1:
            raise ValueError(f"`num_steps` must be >= 1. Received: num_steps={num_steps}")
        self._judge = judge
        self._num_steps = num_steps
        self._config = OptimizationConfig(_OPTIMIZER, match_every=judge.objective.match_every)
        self._prepared: dict[tuple[int, ...], tuple[Pixels, Minimizer]] = {}

    def run(
        self,
        initial: Image,
        *,
        photograph: str,
        style: str,
        callback: Callable[[], None] | None = None,
    ) -> tuple[Optimization, np.ndarray]:
        """Optimise the pixels of one picture.

        Args:
            initial: The picture to start from, [1, H, W, 3] in [0, 1], as large as the photograph.
            photograph: The name of the photograph that is painted.
            style: The name of the style that it is painted in.
            callback: A function that is called once a step, also for steps that could not lower the loss
                any more.

        Returns:
            The course of the optimisation, and the picture that it ends with, [1, H, W, 3] float32 in
            [0, 1].

        Raises:
            FloatingPointError: If the loss or its gradient is not finite.
        """
        start = self._judge.losses(initial, photograph=photograph, style=style)["total"]
        size = tuple(initial.shape)
        parameter, minimizer = self._prepared.get(size, (Pixels(initial), None))
        parameter.variable.assign(initial)
        result, minimizer = optimize_image(
            self._judge.loss,
            parameter,
            self._judge.targets(photograph, style),
            config=self._config,
            num_steps=self._num_steps,
            callback=callback and (lambda _: callback()),
            minimizer=minimizer,
        )
        self._prepared[size] = parameter, minimizer
        totals = [start, *(losses["total"] for losses in result.losses)]
        for _ in range(
            self._num_steps - len(result.losses)
        ):  # an optimisation that was stuck stays where it is
            totals.append(totals[-1])
            if callback:
                callback()
        return Optimization(tuple(totals), result.evaluations, result.seconds), result.image


def starting_pictures(photograph: Image, *, seed: int = 0) -> dict[str, Image]:
    """Return where optimisations start, by name: uniform noise in [0, 1], and the photograph."""
    noise = tf.random.stateless_uniform(photograph.shape, seed=[seed, 0])
    return dict(zip(STARTS, (noise, photograph), strict=True))


@dataclasses.dataclass(frozen=True)
class Average:
    """An average of worths, or a lower bound of it.

    Attributes:
        steps: The average; worths that were never reached count as the limit.
        exact: False if the average would be more with a larger limit.
    """

    steps: float
    exact: bool

    def __str__(self) -> str:
        return f"{'' if self.exact else '>'}{self.steps:.1f}"


def average_worth(
    worths: Sequence[float | None], *, limit: float, average: Callable[[Sequence[float]], float]
) -> Average:
    """Return an average of the worths of several paintings.

    Args:
        worths: The worth of each painting; None for one that the optimisation never reached.
        limit: The number of steps that each optimisation was given.
        average: The function that averages, e.g. ``np.mean`` or ``np.median``.
    """
    least, most = (
        float(average([unreached if worth is None else worth for worth in worths]))
        for unreached in (limit, math.inf)
    )
    return Average(least, exact=least == most)
