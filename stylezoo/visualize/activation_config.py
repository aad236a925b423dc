"""The configuration of activation maximisation; no TensorFlow, since flags are made from it."""

import dataclasses
import typing
from typing import TYPE_CHECKING, Any, Literal

from stylezoo.perceptual import Network
from stylezoo.synthesis.optimizers import Adam, OptimizerConfig
from stylezoo.visualize.priors import Crops, LearnedPrior, Regularizer, Transform

if TYPE_CHECKING:
    from stylezoo.synthesis.minimizers import Loss, Minimizer
    from stylezoo.synthesis.parameters import ImageParameter

Parametrization = Literal["pixels", "fourier", "maco", "decoder"]
Start = Literal["grey", "noise"]

PARAMETRIZATIONS: tuple[Parametrization, ...] = typing.get_args(Parametrization)
"""What may be optimised."""

STARTS: tuple[Start, ...] = typing.get_args(Start)
"""What an optimisation may start from."""

_LOWEST = {
    "size": 1,
    "exponent": 0,
    "steps": 0,
    "l2_weight": 0,
    "tv_weight": 0,
    "diversity_weight": 0,
    "seed": 0,
}


@dataclasses.dataclass(frozen=True)
class GradientAscent:
    """Gradient ascent by steps of one length, each followed by regularisers.

    It differs from Yosinski et al. 2015 in the length, which there is a rate times the gradient's length:
    the scores of different networks have gradients of very different lengths.

    Attributes:
        step_size: Mean absolute change of a pixel in a step of plain gradient ascent, in pixel values.
        regularizers: Regularisers that are applied after each step, in this order.

    Raises:
        ValueError: If ``step_size`` is not positive.
    """

    step_size: float = 0.01
    regularizers: tuple[Regularizer, ...] = ()

    def __post_init__(self) -> None:
        if not self.step_size > 0:
            raise ValueError(f"`step_size` must be > 0. Received: step_size={self.step_size}")

    def start(
        self,
        parameter: "ImageParameter",
        loss: "Loss",
        previous: "Minimizer | None" = None,
        *,
        targets: tuple[Any, ...] = (),
    ) -> "Minimizer":
        """Return a minimiser, which has no state but the number of steps."""
        from stylezoo.visualize.ascent import AscentMinimizer

        return AscentMinimizer(self, parameter, loss)


@dataclasses.dataclass(frozen=True)
class ActivationConfig:
    """Everything that decides a picture but its objective.

    Attributes:
        network: Architecture of the network that the pictures are made for, or a Keras model as
            :class:`~stylezoo.perceptual.KerasNetwork`.
        weights: Weights of the network: imagenet, a name of ``stylezoo weights list``, or a file.
        size: Side of the square pictures, px.
        parametrization: What is optimised: pixels, Fourier coefficients of decorrelated colours, their phases
            alone (maco), or the code that a decoder makes the picture of.
        exponent: Exponent of the Fourier coefficients' scale, frequency^-exponent. Pictures are smoother
            with a larger one.
        start: Picture to start from: ImageNet's mean colour, or noise about it. For phases and codes these
            are phases of 0 and the mean code, or noise.
        optimizer: Adam, or :class:`~stylezoo.visualize.GradientAscent` with its regularisers, which are
            functions of pixels.
        steps: Number of optimisation steps.
        average_decay: Decay of a moving average of the pictures, which is the result, so that what the
            random transforms do to single steps cancels. At 0 the last picture is the result.
        transforms: Random transforms that a picture must survive, of which the first is applied first.
        crops: Random crops that the network sees in place of the picture.
        prior: Decoder that makes the picture, for the parametrisation decoder alone.
        l2_weight: Weight of the mean squared difference to the mean colour.
        tv_weight: Weight of the total variation. Pictures are smoother with a larger one.
        diversity_weight: Weight of the likeness of the pictures of one batch.
        diversity_layer: Layer to which the pictures of one batch shall look different.
        seed: Seed of the noise and of the transforms.

    Raises:
        ValueError: For an unknown parametrisation or start, a number out of its range, gradient
            ascent of anything but pixels, or a prior without the parametrisation decoder or the other way
            round.
    """

    network: Network = "squeezenet1_1"
    weights: str = "imagenet"
    size: int = 224
    parametrization: Parametrization = "fourier"
    exponent: float = 1.0
    start: Start = "noise"
    optimizer: OptimizerConfig = Adam(learning_rate=0.05)
    steps: int = 256
    average_decay: float = 0.0
    transforms: tuple[Transform, ...] = ()
    crops: Crops | None = None
    prior: LearnedPrior | None = None
    l2_weight: float = 0.0
    tv_weight: float = 0.0
    diversity_weight: float = 0.0
    diversity_layer: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, known in (
            ("parametrization", self.parametrization, PARAMETRIZATIONS),
            ("start", self.start, STARTS),
        ):
            if value not in known:
                raise ValueError(
                    f"`{name}` must be one of {', '.join(known)}. Received: {name}={value!r}"
                )
        for name, lowest in _LOWEST.items():
            if not getattr(self, name) >= lowest:
                raise ValueError(
                    f"`{name}` must be >= {lowest}. Received: {name}={getattr(self, name)}"
                )
        if self.parametrization != "pixels" and isinstance(self.optimizer, GradientAscent):
            raise ValueError(
                "`parametrization` must be pixels for gradient ascent with regularisers. "
                f"Received: parametrization={self.parametrization!r}"
            )

        if (self.prior is None) == (self.parametrization == "decoder"):
            raise ValueError(
                "`parametrization` must be decoder with a prior, and only then. "
                f"Received: parametrization={self.parametrization!r}"
            )

    def resolved(self) -> "ActivationConfig":
        """Return the configuration that is in force, which is this one."""
        return self
