"""The configuration of DeepDream; no TensorFlow, since flags are made from it."""

import dataclasses
import math

from stylezoo import errors, perceptual
from stylezoo.perceptual import Network


@dataclasses.dataclass(frozen=True)
class Dreamed:
    """A layer, or a channel of it, that a dream amplifies.

    Attributes:
        layer: Tap of the network.
        channel: Index of the only channel that counts; None for all channels.
        weight: Factor of its score beside those of the other ones; negative to suppress it.
    """

    layer: str
    channel: int | None = None
    weight: float = 1.0


@dataclasses.dataclass(frozen=True)
class DreamConfig:
    """Everything that decides a dream but its picture.

    Attributes:
        dreamed: Layers and channels that are amplified.
        network: Architecture of the network that dreams, or a Keras model that takes pictures of any size, as
            :class:`~stylezoo.perceptual.KerasNetwork`.
        weights: Weights of the network: imagenet, a name of ``stylezoo weights list``, or a file.
        octaves: Number of sizes, from small to the picture's own. Those too small for the layers are
            left out.
        octave_scale: Ratio of each size to the one before.
        steps: Number of steps at each size.
        step_size: Mean absolute change of a pixel in one step, in pixel values. The authors take 1.5 of
            255.
        jitter: Largest random shift at every step of a picture that is a single tile, px.
        tile: Side of the parts that the network sees at once, px. Smaller ones need less memory.
        seed: Seed of the random shifts.

    Raises:
        ValueError: For an unknown layer or channel, or a number out of its range.
    """

    dreamed: tuple[Dreamed, ...]
    network: Network = "squeezenet1_1"
    weights: str = "imagenet"
    octaves: int = 4
    octave_scale: float = 1.4
    steps: int = 10
    step_size: float = 1.5 / 255.0
    jitter: int = 32
    tile: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.dreamed:
            raise ValueError("`dreamed` must name at least one layer. Received: none")
        with errors.renamed(taps="dreamed"):
            perceptual.check_taps(self.network, self.layers)
        self._check_channels()
        if side := perceptual.fixed_size(self.network, self.layers):
            raise ValueError(
                "`network` must take pictures of any size. "
                f"Received: {self.network}, which takes {side}x{side} px"
            )
        lowest_values = {"octaves": 1, "steps": 0, "jitter": 0, "tile": self.smallest, "seed": 0}
        for name, lowest in lowest_values.items():
            if getattr(self, name) < lowest:
                raise ValueError(
                    f"`{name}` must be >= {lowest}. Received: {name}={getattr(self, name)}"
                )
        for name, above in (("octave_scale", 1.0), ("step_size", 0.0)):
            if not above < getattr(self, name) < math.inf:
                raise ValueError(
                    f"`{name}` must be > {above}. Received: {name}={getattr(self, name)}"
                )

    def _check_channels(self) -> None:
        infos = perceptual.tap_info(self.network)
        for each in self.dreamed:
            count = infos[each.layer].channels
            if each.channel is not None and not 0 <= each.channel < count:
                raise ValueError(
                    f"`channel` of {each.layer} must be from 0 to {count - 1}. "
                    f"Received: channel={each.channel}"
                )

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that are looked at, each once."""
        return tuple(dict.fromkeys(each.layer for each in self.dreamed))

    @property
    def smallest(self) -> int:
        """The side of the smallest picture that has features at all layers, px."""
        infos = perceptual.tap_info(self.network)
        return max(infos[layer].minimum_size for layer in self.layers)
