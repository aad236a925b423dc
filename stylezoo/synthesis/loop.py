"""The loop over a picture: steps, what they report, and when they end."""

import dataclasses
import time

import numpy as np
import tensorflow as tf

from stylezoo.objectives import Targets, TotalLoss
from stylezoo.progress import Callback, Progress
from stylezoo.synthesis.configurations import OptimizationConfig
from stylezoo.synthesis.minimizers import Minimizer
from stylezoo.synthesis.parameters import ImageParameter

# A run has converged when its loss has changed by less than a fraction over this many steps
# (Ruder et al. 2016, section 6: 1e-4 over 50).
_CONVERGENCE_SPAN = 50


@dataclasses.dataclass(frozen=True)
class SynthesisResult:
    """A finished picture.

    Attributes:
        image: The picture, [B, H, W, 3] float32 in [0, 1].
        losses: A dictionary for each step: ``total`` and each term's share of it.
        seconds: Wall time of the steps, tracing included.
        evaluations: Number of evaluations of loss and gradient: more than steps where a line search had
            to shorten its step.
    """

    image: np.ndarray
    losses: list[dict[str, float]]
    seconds: float
    evaluations: int


def optimize_image(
    loss: TotalLoss,
    parameter: ImageParameter,
    targets: Targets,
    *,
    config: OptimizationConfig,
    num_steps: int,
    callback: Callback | None = None,
    previous: Minimizer | None = None,
    minimizer: Minimizer | None = None,
) -> tuple[SynthesisResult, Minimizer]:
    """Minimise a loss over a picture.

    Args:
        loss: The loss of the picture.
        parameter: The picture; it is changed in place.
        targets: The targets of ``loss``.
        config: How the loss is minimised.
        num_steps: The number of steps at most; there are fewer when no step lowers the loss any more.
        callback: A function that is called after every step.
        previous: The minimiser of a smaller picture, whose state is carried along.
        minimizer: The minimiser that a call with this loss, parameter and optimiser returned, to be
            started anew: the step is not traced again for other targets of the same shapes.

    Returns:
        The result, and the minimiser to carry on from.

    Raises:
        FloatingPointError: If the loss or its gradient is not finite; the message names the step and the
            terms.
        ValueError: If ``num_steps`` is negative, or ``minimizer`` is of another parameter or given beside
            ``previous``.
    """
    if num_steps < 0:
        raise ValueError(f"`num_steps` must be >= 0. Received: num_steps={num_steps}")
    if minimizer and (previous or minimizer.parameter is not parameter):
        raise ValueError("`minimizer` must be of `parameter`, without `previous`")
    began = time.perf_counter()
    matching = _Matching(loss, parameter, targets, config.match_every)
    if minimizer is None:
        minimizer = config.optimizer.start(parameter, loss, previous, targets=(matching.targets,))
    else:
        minimizer.restart(matching.targets)
    averages = config.average_decay and num_steps
    average = _MovingAverage(parameter, config.average_decay) if averages else None
    picture = average.image if average else parameter.image
    history: list[dict[str, float]] = []
    evaluations = 0
    for step in range(1, num_steps + 1):
        evaluations += matching.renew(step, minimizer)
        total, terms, used = minimizer.step(matching.targets)
        if average:
            average.update()
        evaluations += int(used)
        history.append(_as_floats(total, terms))
        _check_finite(step, history[-1])
        if callback:
            callback(Progress(step, num_steps, history[-1], lambda: picture().numpy()))
        stuck = minimizer.stuck and matching.is_new
        if stuck or _has_converged(history, config.tolerance):
            break
    result = SynthesisResult(picture().numpy(), history, time.perf_counter() - began, evaluations)
    return result, minimizer


class _Matching:
    """The targets of a run, matched to its picture before the first step and after every so many.

    Attributes:
        targets: What steps compare with now.
        is_new: Whether they were matched right before the last step. A picture that is stuck then stays so.
    """

    def __init__(
        self, loss: TotalLoss, parameter: ImageParameter, targets: Targets, every: int | None
    ) -> None:
        self._loss = loss
        self._parameter = parameter
        self._unmatched = targets
        self._every = every
        self.targets = targets if every is None else self._match()
        self.is_new = True

    def renew(self, step: int, minimizer: Minimizer) -> int:
        """Match anew where it is time for that; return how many evaluations it took."""
        if self._every is None:
            return 0
        # Where a picture is stuck, another match may lead on.
        self.is_new = bool(minimizer.stuck) or (step - 1) % self._every == 0
        if not self.is_new or step == 1:
            return 0
        self.targets = self._match()
        return minimizer.retarget(self.targets)

    def _match(self) -> Targets:
        return self._loss.match(self._parameter.image(), self._unmatched)


class _MovingAverage:
    def __init__(self, parameter: ImageParameter, decay: float) -> None:
        self._parameter = parameter
        self._decay = decay
        self._sum = tf.Variable(tf.zeros_like(parameter.image()))
        self._weight = tf.Variable(0.0)
        self.update = tf.function(self._update, autograph=False)

    def _update(self) -> None:
        self._sum.assign(self._decay * self._sum + (1.0 - self._decay) * self._parameter.image())
        self._weight.assign(self._decay * self._weight + (1.0 - self._decay))

    def image(self) -> tf.Tensor:
        return tf.math.divide_no_nan(self._sum, self._weight)


def _as_floats(total: tf.Tensor, terms: dict[str, tf.Tensor]) -> dict[str, float]:
    return {"total": float(total), **{name: float(value) for name, value in terms.items()}}


def _check_finite(step: int, losses: dict[str, float]) -> None:
    wrong = [name for name, value in losses.items() if not np.isfinite(value)]
    if wrong:
        raise FloatingPointError(
            f"The loss or its gradient is not finite at step {step}: {', '.join(wrong)}"
        )


def _has_converged(history: list[dict[str, float]], tolerance: float) -> bool:
    if not tolerance or len(history) <= _CONVERGENCE_SPAN:
        return False
    before, now = history[-1 - _CONVERGENCE_SPAN]["total"], history[-1]["total"]
    return abs(before - now) < tolerance * abs(now)
