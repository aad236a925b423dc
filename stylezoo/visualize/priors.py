"""The priors of activation maximisation as values; no TensorFlow, since flags are made from them.

Regularisers change the picture after a step (:func:`~stylezoo.visualize.regularize`), and transforms change
it before the network sees it (:func:`~stylezoo.visualize.transform`). Crops are what the network sees in
place of the whole picture, and a learned prior is what makes the picture of a code.
"""

import dataclasses


class Regularizer:
    """A change of the picture after a step of plain gradient ascent.

    :func:`~stylezoo.visualize.regularize` makes it. A new kind is a subclass, with a function that is
    registered there.
    """


@dataclasses.dataclass(frozen=True)
class Decay(Regularizer):
    """Shrinks all pixels towards the mean colour, which is a prior of small contrast.

    Attributes:
        rate: Fraction of every pixel's difference to the mean colour that is taken away after each step.

    Raises:
        ValueError: If the fraction is not in [0, 1].
    """

    rate: float

    def __post_init__(self) -> None:
        _check("rate", self.rate, highest=1)


@dataclasses.dataclass(frozen=True)
class Blur(Regularizer):
    """Blurs the picture, which takes away the high frequencies that natural images have little of.

    Attributes:
        sigma: Standard deviation of the Gaussian that blurs the picture, px.
        every: Number of steps from one blur to the next, since a blur costs time.

    Raises:
        ValueError: If a number is out of its range.
    """

    sigma: float
    every: int = 4

    def __post_init__(self) -> None:
        _check("sigma", self.sigma)
        if self.every < 1:
            raise ValueError(f"`every` must be >= 1. Received: every={self.every}")


@dataclasses.dataclass(frozen=True)
class ClipNorm(Regularizer):
    """Sets the pixels of the smallest norms to the mean colour.

    Attributes:
        percentile: Percentage of the pixels, those of the smallest norms, that are set to the mean colour
            after each step.

    Raises:
        ValueError: If the percentage is not in [0, 100].
    """

    percentile: float

    def __post_init__(self) -> None:
        _check("percentile", self.percentile, highest=100)


@dataclasses.dataclass(frozen=True)
class ClipContribution(Regularizer):
    """Sets the pixels that matter least for the score to the mean colour.

    How much a pixel matters is ``|Σ x · ∂score/∂x|`` over its colours: to first order, by how much the
    score would change if the pixel had the mean colour.

    Attributes:
        percentile: Percentage of the pixels, those that matter least for the score, that are set to the
            mean colour after each step.

    Raises:
        ValueError: If the percentage is not in [0, 100].
    """

    percentile: float

    def __post_init__(self) -> None:
        _check("percentile", self.percentile, highest=100)


class Transform:
    """A random affine map of the picture about its middle.

    :func:`~stylezoo.visualize.transform` makes it. A new kind is a subclass, with a function that is
    registered with ``stylezoo.visualize.transforms.matrices``.
    """


@dataclasses.dataclass(frozen=True)
class Padding(Transform):
    """A frame of the picture's mean colour, for which the picture is reduced.

    Attributes:
        pixels: Width of a grey frame that the picture gets before the network sees it, px.

    Raises:
        ValueError: If the width is negative.
    """

    pixels: float

    def __post_init__(self) -> None:
        _check("pixels", self.pixels)


@dataclasses.dataclass(frozen=True)
class Jitter(Transform):
    """A random shift.

    Attributes:
        pixels: Largest random shift in each direction before the network sees the picture, px. It is
            limited to a quarter of the picture's shorter side.

    Raises:
        ValueError: If the shift is negative.
    """

    pixels: float

    def __post_init__(self) -> None:
        _check("pixels", self.pixels)


@dataclasses.dataclass(frozen=True)
class Scale(Transform):
    """A random change of size.

    Attributes:
        fraction: Largest random change of size before the network sees the picture, as a fraction: 0.1
            stands for 0.9 to 1.1 times.

    Raises:
        ValueError: If the fraction is not in [0, 1).
    """

    fraction: float

    def __post_init__(self) -> None:
        if not 0 <= self.fraction < 1:
            raise ValueError(f"`fraction` must be in [0, 1). Received: fraction={self.fraction}")


@dataclasses.dataclass(frozen=True)
class Rotation(Transform):
    """A random turn.

    Attributes:
        degrees: Largest random turn in either direction before the network sees the picture, degrees.

    Raises:
        ValueError: If the angle is not in [0, 360].
    """

    degrees: float

    def __post_init__(self) -> None:
        _check("degrees", self.degrees, highest=360)


@dataclasses.dataclass(frozen=True)
class Crops:
    """Random squares of a picture, which the network sees in place of the picture (Fel et al. 2023).

    Their middles are normal about the picture's, with a standard deviation of 0.15 of its side; their sides
    have one of 0.05 about a mean that falls from the first to the last step. Each is resized to what the
    network takes.

    Attributes:
        count: Number of crops of a picture that the network sees in each step; 0 shows it the picture.
        largest: Mean side of the crops of the first step, as a fraction of the picture's.
        smallest: Mean side of the crops of the last step, as a fraction of the picture's.
        seen: Side that crops are resized to for the network, px.
        noise: Standard deviation of the noise that is added to crops, as a fraction of the range from black
            to white.

    Raises:
        ValueError: If a number is out of its range.
    """

    count: int = 32
    largest: float = 0.5
    smallest: float = 0.05
    seen: int = 224
    noise: float = 0.04

    def __post_init__(self) -> None:
        _check("count", self.count)
        for name in ("largest", "smallest"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(
                    f"`{name}` must be in (0, 1]. Received: {name}={getattr(self, name)}"
                )
        if self.seen < 1:
            raise ValueError(f"`seen` must be >= 1. Received: seen={self.seen}")
        _check("noise", self.noise)


@dataclasses.dataclass(frozen=True)
class LearnedPrior:
    """A decoder, which makes pictures of codes, and what is done to a code after each step.

    Sources: Nguyen et al. 2016, "Synthesizing the preferred inputs for neurons in neural networks via deep
    generator networks", for bounds and decay; Nguyen et al. 2017, "Plug & Play Generative Networks", for
    reconstruction and noise (equation 11, of the joint model without its denoiser's own network: a code is
    reconstructed as the features of the picture that is made of it).

    Attributes:
        decoder: Decoder that makes the pictures: a name of ``stylezoo models``, or a preset's folder, which
            ``stylezoo train_prior`` writes.
        deviations: Largest difference of a code's value from the mean of its channel over photographs, in
            standard deviations. None is less than the least over photographs.
        decay: Fraction of a code's difference from the mean code that is taken away after each step.
        reconstruction: Fraction of the way that a code goes, after each step, towards the features of the
            picture that is made of it.
        noise: Standard deviation of the noise that a code gets after each step, in standard deviations of
            its channel. Pictures of several seeds differ more with it.

    Raises:
        ValueError: If a number is out of its range.
    """

    decoder: str = "decoder"
    deviations: float = 3.0
    decay: float = 0.005
    reconstruction: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if not self.deviations > 0:
            raise ValueError(f"`deviations` must be > 0. Received: deviations={self.deviations}")
        _check("decay", self.decay, highest=1)
        _check("reconstruction", self.reconstruction, highest=1)
        _check("noise", self.noise)


def _check(name: str, value: float, *, highest: float = float("inf")) -> None:
    """Raise a ValueError unless a value is between 0 and the highest one."""
    if not 0 <= value <= highest:
        allowed = ">= 0" if highest == float("inf") else f"in [0, {highest:g}]"
        raise ValueError(f"`{name}` must be {allowed}. Received: {name}={value}")
