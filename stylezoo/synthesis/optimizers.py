"""Optimisers of a picture: L-BFGS and Adam, whole steps of which stay in the graph.

A configuration (:class:`LBFGS`, :class:`Adam`) starts a minimiser, which holds the state for one
picture size. Starting from the minimiser of a coarser picture carries its state along.
"""

import abc
import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from stylezoo.synthesis.parameters import ImageParameter

Loss = Callable[[tf.Tensor], tuple[tf.Tensor, dict[str, tf.Tensor]]]
Preconditioner = Callable[[tf.Tensor], tf.Tensor]


class Evaluation(NamedTuple):
    """A loss and its gradient at one point.

    Attributes:
        total: float32 scalar.
        terms: each term's share of the total.
        gradient: of ``total`` with respect to the parameter's variable.
    """

    total: tf.Tensor
    terms: dict[str, tf.Tensor]
    gradient: tf.Tensor


class Minimizer(abc.ABC):
    """An optimiser's state for one parameter."""

    def __init__(self, parameter: ImageParameter, loss: Loss) -> None:
        self.parameter = parameter

        def evaluate() -> Evaluation:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(parameter.variable)
                total, terms = loss(parameter.image())
            return Evaluation(total, terms, tape.gradient(total, parameter.variable))

        # One trace serves the first evaluation and every trial of a line search.
        self.evaluate = tf.function(evaluate)
        self.step = tf.function(self._step)

    @abc.abstractmethod
    def _step(self) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        """One step: the loss and its terms after it, and how many evaluations it took."""


@dataclasses.dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS (Nocedal & Wright 2006, algorithm 7.4) with bounds by projection.

    Differences: float32 throughout; a backtracking line search instead of the Wolfe conditions, so
    that a step costs one evaluation as a rule, and pairs without positive curvature are not kept;
    components that a bound holds are left out of the direction (Bertsekas 1982, two-metric
    projection), and the projected step is what is remembered.

    Attributes:
        memory: how many pairs are kept.
        exponent: pixels are preconditioned by frequency^(-2·exponent): the first steps then change
            coarse structure most, as if Fourier coefficients scaled by frequency^-exponent were
            optimised. 0 for plain L-BFGS.
        first_step: root mean square of the very first step, in pixel values.
        max_evaluations: of one line search.
    """

    memory: int = 10
    exponent: float = 0.0
    first_step: float = 0.02
    max_evaluations: int = 10

    def start(
        self, parameter: ImageParameter, loss: Loss, previous: Minimizer | None = None
    ) -> Minimizer:
        """The minimiser of ``loss`` over ``parameter``."""
        return _LBFGSMinimizer(self, parameter, loss, previous)


def frequency_filter(height: int, width: int, exponent: float) -> tf.Tensor:
    """Gains [H, W // 2 + 1] that fall with spatial frequency, of mean square 1.

    Frequencies are in cycles a pixel, at least one cycle a picture (so the mean is not infinite), as
    in Olah et al. 2017, "Feature Visualization", whose exponent is 1.
    """
    vertical = tf.minimum(tf.range(height), height - tf.range(height)) / height
    horizontal = tf.range(width // 2 + 1) / width
    frequency = tf.sqrt(tf.square(vertical)[:, None] + tf.square(horizontal)[None, :])
    frequency = tf.maximum(frequency, 1.0 / max(height, width))
    gains = tf.cast(tf.pow(frequency, -exponent), tf.float32)
    return gains / tf.sqrt(tf.reduce_mean(tf.square(gains)))


def apply_gains(gradient: tf.Tensor, gains: tf.Tensor) -> tf.Tensor:
    size = tf.shape(gradient)[1:3]
    planes = tf.transpose(gradient, [0, 3, 1, 2])
    spectrum = tf.signal.rfft2d(planes) * tf.cast(gains, tf.complex64)
    return tf.transpose(tf.signal.irfft2d(spectrum, fft_length=size), [0, 2, 3, 1])


def _dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(a * b)


class _LBFGSMinimizer(Minimizer):
    """The history is a ring of pairs; an empty slot has rho = 0 and so takes no part."""

    def __init__(
        self, config: LBFGS, parameter: ImageParameter, loss: Loss, previous: Minimizer | None
    ) -> None:
        super().__init__(parameter, loss)
        self.config = config
        shape = parameter.variable.shape
        self._gains = (
            frequency_filter(shape[1], shape[2], 2.0 * config.exponent) if config.exponent else None
        )
        self._steps = tf.Variable(tf.zeros([config.memory, *shape]))
        self._changes = tf.Variable(tf.zeros([config.memory, *shape]))
        self._rho = tf.Variable(tf.zeros([config.memory]))
        self._scale = tf.Variable(0.0)  # of the initial inverse Hessian; 0 before the first pair
        self._count = tf.Variable(0)  # pairs ever kept
        if previous is not None:
            self._carry(previous)
        first = self.evaluate()
        self._total = tf.Variable(first.total)
        self._terms = {name: tf.Variable(value) for name, value in first.terms.items()}
        self._gradient = tf.Variable(first.gradient)

    def _precondition(self, gradient: tf.Tensor) -> tf.Tensor:
        return gradient if self._gains is None else apply_gains(gradient, self._gains)

    def _direction(self, gradient: tf.Tensor, free: tf.Tensor) -> tf.Tensor:
        """Two-loop recursion over the components that no bound holds."""
        memory = self.config.memory
        slots = [(self._count - 1 - age) % memory for age in range(memory)]
        q = gradient * free
        alphas = []
        for slot in slots:
            alpha = self._rho[slot] * _dot(tf.gather(self._steps, slot), q)
            q -= alpha * tf.gather(self._changes, slot)
            alphas.append(alpha)
        q = self._precondition(q * free)
        first = self.config.first_step / (tf.sqrt(tf.reduce_mean(tf.square(q))) + 1e-30)
        q *= tf.where(self._scale > 0.0, self._scale, first)
        for slot, alpha in zip(reversed(slots), reversed(alphas), strict=True):
            beta = self._rho[slot] * _dot(tf.gather(self._changes, slot), q)
            q += (alpha - beta) * tf.gather(self._steps, slot)
        return -q * free

    def _forget(self) -> None:
        self._rho.assign(tf.zeros_like(self._rho))
        self._scale.assign(0.0)

    def _step(self) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        variable = self.parameter.variable
        start, gradient = tf.identity(variable), tf.identity(self._gradient)
        direction = self._direction(gradient, self.parameter.free(gradient))
        descends = _dot(direction, gradient) < 0.0

        def attempt(size, *_):
            variable.assign(start + size * direction)
            self.parameter.project()
            trial = self.evaluate()
            expected = _dot(gradient, variable - start)
            good = trial.total <= self._total + 1e-4 * expected
            quadratic = -0.5 * size * expected / (trial.total - self._total - expected)
            shorter = tf.where(
                tf.math.is_finite(quadratic),
                tf.clip_by_value(quadratic, 0.1 * size, 0.5 * size),
                0.1 * size,
            )
            return shorter, good, trial

        def again(number, size, good, _):
            return ~good & (number < self.config.max_evaluations)

        def body(number, size, good, trial):
            return (number + 1, *attempt(size))

        number, _, good, trial = tf.while_loop(again, body, (1, *attempt(tf.constant(1.0))))
        return self._finish(good & descends, start, gradient, trial) + (number,)

    def _finish(self, good, start, gradient, trial):
        variable = self.parameter.variable

        def keep():
            step, change = variable - start, trial.gradient - gradient
            curvature = _dot(step, change)
            enough = curvature > 1e-7 * tf.norm(step) * tf.norm(change)
            if True:
                def remember():
                    slot = self._count % self.config.memory
                    self._steps[slot].assign(step)
                    self._changes[slot].assign(change)
                    self._rho.scatter_nd_update([[slot]], [1.0 / curvature])
                    self._scale.assign(curvature / _dot(change, self._precondition(change)))
                    self._count.assign_add(1)
                    return 0
                tf.cond(enough, remember, lambda: 0)
            self._total.assign(trial.total)
            self._gradient.assign(trial.gradient)
            for name, value in trial.terms.items():
                self._terms[name].assign(value)
            return 0

        def revert():
            variable.assign(start)
            self._forget()
            return 0

        tf.cond(good, keep, revert)
        return (tf.identity(self._total), {k: tf.identity(v) for k, v in self._terms.items()})

    def _carry(self, previous):
        size = self.parameter.variable.shape[1:3]
        pixels = self.parameter.variable.shape.num_elements()
        ratio = previous.parameter.variable.shape.num_elements() / pixels
        for slot in range(self.config.memory):
            s = tf.image.resize(previous._steps[slot], size, 'bicubic')
            y = tf.image.resize(previous._changes[slot], size, 'bicubic') * ratio
            c = _dot(s, y)
            if previous._rho[slot] > 0 and c > 0:
                self._steps[slot].assign(s); self._changes[slot].assign(y)
                self._rho[slot].assign(1.0 / c)
        self._count.assign(previous._count)
        self._scale.assign(previous._scale / ratio)
