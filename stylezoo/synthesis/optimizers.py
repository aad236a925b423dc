"""Optimisers of a picture, chosen and configured: L-BFGS and Adam.

A configuration (:class:`LBFGS`, :class:`Adam`) starts a minimiser, which holds the state for one
picture size. Starting it from the minimiser of a smaller picture carries that one's state along.
"""

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from stylezoo.synthesis.minimizers import Loss, Minimizer
    from stylezoo.synthesis.parameters import ImageParameter


class OptimizerConfig(Protocol):
    """What starts a minimiser."""

    def start(
        self,
        parameter: "ImageParameter",
        loss: "Loss",
        previous: "Minimizer | None" = None,
        *,
        targets: tuple[Any, ...] = (),
    ) -> "Minimizer":
        """Return a minimiser of ``loss`` over ``parameter``.

        Args:
            parameter: The picture.
            loss: The loss.
            previous: The minimiser of a smaller picture, whose state is carried along.
            targets: What the loss takes beside the picture, as every step will.
        """


@dataclasses.dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) with bounds by projection.

    Attributes:
        learning_rate: Learning rate of Adam, in pixel values.
        beta_1: Decay of the first moment.
        beta_2: Decay of the second moment.
        epsilon: Number that is added to the root of the second moment.
    """

    learning_rate: float = 0.02
    beta_1: float = 0.9
    beta_2: float = 0.99
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        if not self.learning_rate > 0:
            raise ValueError(f"`learning_rate` must be > 0. Received: {self.learning_rate}")

    def start(
        self,
        parameter: "ImageParameter",
        loss: "Loss",
        previous: "Minimizer | None" = None,
        *,
        targets: tuple[Any, ...] = (),
    ) -> "Minimizer":
        """Return a minimiser; the moments of a smaller picture are resized."""
        from stylezoo.synthesis.minimizers import AdamMinimizer

        return AdamMinimizer(self, parameter, loss, previous)


@dataclasses.dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS (Nocedal & Wright 2006, algorithm 7.4) with bounds by projection.

    Differences: float32 throughout; a backtracking line search for sufficient decrease instead of the
    Wolfe conditions, so that a step costs one evaluation as a rule, and pairs without positive
    curvature are not kept; components that a bound holds are left out of the direction, and the
    projected step is what is remembered (Bertsekas 1982, "Projected Newton methods"). Where no step
    decreases the loss, the history is forgotten and the picture stays.

    Attributes:
        memory: Number of pairs of steps and gradient changes that are kept.
        exponent: The inverse of the initial Hessian scales spatial frequencies by f^(-2·exponent), which
            is the same as to optimise Fourier coefficients scaled by f^-exponent: coarse structure
            moves first. 0 for plain L-BFGS.
        first_step: Root mean square of the very first step, in pixel values.
        max_evaluations: Number of evaluations of one line search at most.
    """

    memory: int = 10
    exponent: float = 0.0
    first_step: float = 0.02
    max_evaluations: int = 10

    def __post_init__(self) -> None:
        if self.memory < 1:
            raise ValueError(f"`memory` must be >= 1. Received: memory={self.memory}")

    def start(
        self,
        parameter: "ImageParameter",
        loss: "Loss",
        previous: "Minimizer | None" = None,
        *,
        targets: tuple[Any, ...] = (),
    ) -> "Minimizer":
        """Return a minimiser; the pairs of a smaller picture are resized."""
        from stylezoo.synthesis.minimizers import LBFGSMinimizer

        return LBFGSMinimizer(self, parameter, loss, previous, targets)
