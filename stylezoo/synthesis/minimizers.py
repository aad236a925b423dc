"""Optimisers of a picture at work: L-BFGS and Adam, whole steps of which stay in the graph."""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from stylezoo import ops
from stylezoo.synthesis.optimizers import LBFGS, Adam
from stylezoo.synthesis.parameters import ImageParameter

Terms = dict[str, tf.Tensor]
# A function of the picture, and of a minimiser's `targets`, which returns the total and its terms.
Loss = Callable[..., tuple[tf.Tensor, Terms]]


class Evaluation(NamedTuple):
    """A loss and its gradient at one point.

    Attributes:
        total: The loss, a float32 scalar; NaN where the gradient is not finite.
        terms: Each term's share of the total.
        gradient: The gradient of ``total`` with respect to the parameter's variable.
    """

    total: tf.Tensor
    terms: Terms
    gradient: tf.Tensor


class Minimizer(abc.ABC):
    """An optimiser's state for one parameter.

    The loss is called with the picture, followed by what ``step`` and ``restart`` are called with. Other
    targets of the same shapes trace nothing again.

    Attributes:
        step: A function that does one step. It returns the total and the terms that the step ended at
            (those that it started from with Adam), and how many evaluations it took.
        stuck: Whether no further step can lower the loss (in float32).
    """

    def __init__(self, parameter: ImageParameter, loss: Loss) -> None:
        self.parameter = parameter
        self.stuck = tf.Variable(False)

        def evaluate(*targets: Any) -> Evaluation:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(parameter.variable)
                total, terms = loss(parameter.image(), *targets)
            gradient = tape.gradient(total, parameter.variable)
            # A line search backs out of a NaN, and the loop reports it.
            sound = tf.reduce_all(tf.math.is_finite(gradient))
            return Evaluation(tf.where(sound, total, float("nan")), terms, gradient)

        # One trace serves the first evaluation and every trial of a line search.
        self.evaluate = tf.function(evaluate, autograph=False)
        self.step = tf.function(self._step, autograph=False)

    @abc.abstractmethod
    def restart(self, *targets: Any) -> None:
        """Forget all steps, and begin from the parameter as it is now."""

    def retarget(self, *targets: Any) -> int:
        """Go on with other targets and what was learnt before; return the number of evaluations."""
        return 0

    @abc.abstractmethod
    def _step(self, *targets: Any) -> tuple[tf.Tensor, Terms, tf.Tensor]: ...


class AdamMinimizer(Minimizer):
    """The state of :class:`~stylezoo.synthesis.Adam`."""

    def __init__(
        self, config: Adam, parameter: ImageParameter, loss: Loss, previous: Minimizer | None
    ) -> None:
        super().__init__(parameter, loss)
        self._config = config
        shape = parameter.variable.shape
        self._first = tf.Variable(tf.zeros(shape))
        self._second = tf.Variable(tf.zeros(shape))
        self._steps = tf.Variable(0.0)
        if isinstance(previous, AdamMinimizer):
            self._carry(previous)

    def _carry(self, previous: "AdamMinimizer") -> None:
        """Take over the moments of a smaller picture."""
        ratio = _gradient_ratio(previous.parameter, self.parameter)
        shape = self.parameter.variable.shape
        self._first.assign(ratio * _resize(previous._first, shape))
        self._second.assign(ratio**2 * tf.maximum(_resize(previous._second, shape), 0.0))
        self._steps.assign(previous._steps)

    def restart(self, *targets: Any) -> None:
        """Begin anew with moments of zero."""
        for state in (self._first, self._second, self._steps):
            state.assign(tf.zeros_like(state))

    def _step(self, *targets: Any) -> tuple[tf.Tensor, Terms, tf.Tensor]:
        config = self._config
        total, terms, gradient = self.evaluate(*targets)
        steps = self._steps.assign_add(1.0)
        first = self._first.assign(config.beta_1 * self._first + (1 - config.beta_1) * gradient)
        second = self._second.assign(
            config.beta_2 * self._second + (1 - config.beta_2) * tf.square(gradient)
        )
        first = first / (1.0 - tf.pow(config.beta_1, steps))
        second = second / (1.0 - tf.pow(config.beta_2, steps))
        self.parameter.variable.assign_sub(
            config.learning_rate * first / (tf.sqrt(second) + config.epsilon)
        )
        self.parameter.project()
        return total, terms, tf.constant(1)


# Decrease demanded of a step, as a fraction of what the gradient promises (Nocedal & Wright 2006,
# section 3.1).
_SUFFICIENT_DECREASE = 1e-4
# Pairs at a greater angle carry float32 noise rather than curvature.
_MINIMUM_CURVATURE = 1e-6


class LBFGSMinimizer(Minimizer):
    """The state of :class:`~stylezoo.synthesis.LBFGS`.

    The history is a ring; an empty slot has a reciprocal of 0 and so takes no part.
    """

    def __init__(
        self,
        config: LBFGS,
        parameter: ImageParameter,
        loss: Loss,
        previous: Minimizer | None,
        targets: tuple[Any, ...],
    ) -> None:
        super().__init__(parameter, loss)
        self._config = config
        shape = parameter.variable.shape
        self._gains = None
        if config.exponent:
            self._gains = ops.frequency_gains(shape[1], shape[2], exponent=2.0 * config.exponent)
        self._steps = tf.Variable(tf.zeros([config.memory, *shape]))
        self._changes = tf.Variable(tf.zeros([config.memory, *shape]))
        self._reciprocals = tf.Variable(tf.zeros([config.memory]))  # 1 / (step · change)
        self._scale = tf.Variable(0.0)  # the initial inverse Hessian's; 0 before the first pair
        self._slot = tf.Variable(0)  # where the next pair goes
        if isinstance(previous, LBFGSMinimizer):
            self._carry(previous)
        first = self.evaluate(*targets)
        self._total = tf.Variable(first.total)
        self._terms = {name: tf.Variable(value) for name, value in first.terms.items()}
        self._gradient = tf.Variable(first.gradient)

    def restart(self, *targets: Any) -> None:
        """Begin anew without pairs."""
        self._forget()
        self.retarget(*targets)

    def retarget(self, *targets: Any) -> int:
        """Go on with the pairs as they are."""
        self.stuck.assign(False)
        self._arrive(self.evaluate(*targets))
        return 1

    def _step(self, *targets: Any) -> tuple[tf.Tensor, Terms, tf.Tensor]:
        start = tf.identity(self.parameter.variable)
        direction = self._direction()
        trial, evaluations, decreased = self._search(start, direction, targets)
        tf.cond(decreased, lambda: self._accept(start, trial), lambda: self._reject(start))
        terms = {name: tf.identity(value) for name, value in self._terms.items()}
        return tf.identity(self._total), terms, evaluations

    def _direction(self) -> tf.Tensor:
        """Return the direction of the two-loop recursion, over the components that no bound holds.

        The loops are the graph's own: as many copies of their bodies as there are slots would take
        longer to trace than the loss.
        """
        memory = self._config.memory
        free = self.parameter.free(self._gradient)
        slots = (self._slot - 1 - tf.range(memory)) % memory  # the newest first

        def back(
            age: tf.Tensor, direction: tf.Tensor, alphas: tf.TensorArray
        ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
            alpha = tf.gather(self._reciprocals, slots[age]) * _dot(
                tf.gather(self._steps, slots[age]), direction
            )
            direction -= alpha * tf.gather(self._changes, slots[age])
            return age + 1, direction, alphas.write(age, alpha)

        def forth(age: tf.Tensor, direction: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            beta = tf.gather(self._reciprocals, slots[age]) * _dot(
                tf.gather(self._changes, slots[age]), direction
            )
            direction += (alphas.read(age) - beta) * tf.gather(self._steps, slots[age])
            return age - 1, direction

        _, direction, alphas = tf.while_loop(
            lambda age, *_: age < memory,
            back,
            (tf.constant(0), self._gradient * free, tf.TensorArray(tf.float32, memory)),
            parallel_iterations=1,
        )
        direction = self._precondition(direction * free)
        first = self._config.first_step * tf.math.rsqrt(
            tf.reduce_mean(tf.square(direction)) + 1e-30
        )
        direction *= tf.where(self._scale > 0.0, self._scale, first)
        _, direction = tf.while_loop(
            lambda age, _: age >= 0,
            forth,
            (tf.constant(memory - 1), direction),
            parallel_iterations=1,
        )
        return -direction * free

    def _search(
        self, start: tf.Tensor, direction: tf.Tensor, targets: tuple[Any, ...]
    ) -> tuple[Evaluation, tf.Tensor, tf.Tensor]:
        """Backtrack along the projected direction; the last trial stays in the parameter."""

        def attempt(size: tf.Tensor) -> tuple[Evaluation, tf.Tensor, tf.Tensor]:
            self.parameter.variable.assign(start + size * direction)
            self.parameter.project()
            trial = self.evaluate(*targets)
            promised = _dot(self._gradient, self.parameter.variable - start)
            decreased = trial.total <= self._total + _SUFFICIENT_DECREASE * promised
            minimum = 0.5 * promised / (promised - (trial.total - self._total))
            shorter = tf.where(tf.math.is_finite(minimum), tf.clip_by_value(minimum, 0.1, 0.5), 0.1)
            return trial, decreased & (promised < 0.0), shorter * size

        def again(
            count: tf.Tensor, _: Evaluation, decreased: tf.Tensor, __: tf.Tensor
        ) -> tf.Tensor:
            return ~decreased & (count < self._config.max_evaluations)

        count, trial, decreased, _ = tf.while_loop(
            again,
            lambda count, trial, decreased, size: (count + 1, *attempt(size)),
            (tf.constant(1), *attempt(tf.constant(1.0))),
            parallel_iterations=1,
        )
        return trial, count, decreased

    def _accept(self, start: tf.Tensor, trial: Evaluation) -> tf.Operation:
        step = self.parameter.variable - start
        change = trial.gradient - self._gradient
        curvature = _dot(step, change)
        curved = curvature > _MINIMUM_CURVATURE * tf.norm(step) * tf.norm(change)
        tf.cond(curved, lambda: self._remember(step, change, curvature), tf.no_op)
        self._arrive(trial)
        return tf.no_op()

    def _arrive(self, point: Evaluation) -> None:
        self._total.assign(point.total)
        self._gradient.assign(point.gradient)
        for name, value in point.terms.items():
            self._terms[name].assign(value)

    def _remember(self, step: tf.Tensor, change: tf.Tensor, curvature: tf.Tensor) -> tf.Operation:
        slot = tf.identity(self._slot)
        self._steps[slot].assign(step)
        self._changes[slot].assign(change)
        self._reciprocals[slot].assign(1.0 / curvature)
        self._scale.assign(curvature / _dot(change, self._precondition(change)))
        self._slot.assign((slot + 1) % self._config.memory)
        return tf.no_op()

    def _reject(self, start: tf.Tensor) -> tf.Operation:
        self.parameter.variable.assign(start)
        # Without a history the direction was that of steepest descent, and no other one is left.
        self.stuck.assign(tf.reduce_all(self._reciprocals == 0.0))
        self._forget()
        return tf.no_op()

    def _forget(self) -> None:
        self._reciprocals.assign(tf.zeros_like(self._reciprocals))
        self._scale.assign(0.0)

    def _precondition(self, gradient: tf.Tensor) -> tf.Tensor:
        return gradient if self._gains is None else _apply_gains(gradient, self._gains)

    def _carry(self, previous: "LBFGSMinimizer") -> None:
        """Take over the pairs of a smaller picture that still show positive curvature."""
        ratio = _gradient_ratio(previous.parameter, self.parameter)
        shape = self.parameter.variable.shape
        memory = previous._config.memory
        for age in range(memory, 0, -1):  # the oldest first
            slot = int(previous._slot - age) % memory
            step = _resize(previous._steps[slot], shape)
            change = ratio * _resize(previous._changes[slot], shape)
            curvature = _dot(step, change)
            if previous._reciprocals[slot] > 0 and curvature > 0:
                self._remember(step, change, curvature)


def _apply_gains(image: tf.Tensor, gains: tf.Tensor) -> tf.Tensor:
    planes = tf.transpose(image, [0, 3, 1, 2])
    spectrum = tf.signal.rfft2d(planes) * tf.cast(gains, tf.complex64)
    planes = tf.signal.irfft2d(spectrum, fft_length=tf.shape(image)[1:3])
    return tf.transpose(planes, [0, 2, 3, 1])


def _dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(a * b)


def _gradient_ratio(smaller: ImageParameter, larger: ImageParameter) -> float:
    """Return by how much gradients shrink: a mean over pixels spreads over more of them."""
    ratio: float = smaller.variable.shape.num_elements() / larger.variable.shape.num_elements()
    return ratio


def _resize(image: tf.Tensor, shape: tf.TensorShape) -> tf.Tensor:
    return tf.image.resize(image, shape[1:3], method="bicubic", antialias=True)
