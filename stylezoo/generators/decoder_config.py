"""The architecture of decoders; no TensorFlow, since flags are made from it."""

import dataclasses
import math

from stylezoo.generators.checks import MOST_SCALES, check_at_least, scaled


@dataclasses.dataclass(frozen=True)
class DecoderConfig:
    """The architecture of :class:`Decoder`.

    It is after Dosovitskiy & Brox 2016, "Inverting Visual Representations with Convolutional Networks". The
    layer's features are standardised, their mean over positions is added to each position, two convolutions
    look around, and upconvolutions (4x4, stride 2) double the size until it is the picture's. It differs from
    the paper in the pooled features, the numbers of channels, and the sigmoid at the end.

    Attributes:
        network: Architecture of the classifier whose features are decoded.
        weights: Weights of the classifier.
        layer: Layer of the classifier whose features are decoded.
        code: Height, width and channels of the features.
        image_size: Side of the pictures, px.
        widths: Numbers of channels at full size, at half the size, at a quarter of it and so on. The last
            holds for what is smaller.

    Raises:
        ValueError: If a field has a value that is not possible.
    """

    network: str
    layer: str
    code: tuple[int, int, int]
    weights: str = "imagenet"
    image_size: int = 128
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)

    def __post_init__(self) -> None:
        check_at_least(self, "image_size", 1)
        for field, count in (("code", 3), ("widths", len(self.widths) or 1)):
            values = getattr(self, field)
            if len(values) != count or min(values) < 1:
                raise ValueError(f"`{field}` must be numbers >= 1. Received: {field}={values}")
        if max(self.code[:2]) > self.image_size or self.doublings > MOST_SCALES:
            raise ValueError(
                f"`image_size` must be that of the code or larger, by at most {MOST_SCALES} doublings. "
                f"Received: image_size={self.image_size}, code={self.code}"
            )
        if self.image_size % 2**self.doublings:
            raise ValueError(
                f"`image_size` must be a multiple of {2**self.doublings}. "
                f"Received: image_size={self.image_size}"
            )

    @property
    def doublings(self) -> int:
        """How often the size is doubled: until the code's side, about, becomes the picture's."""
        return round(math.log2(self.image_size / max(self.code[:2])))

    @property
    def base_side(self) -> int:
        """The side that the code is resized to before the size is doubled."""
        return self.image_size // 2**self.doublings

    def width_at(self, doublings: int) -> int:
        """Return the number of channels where so many doublings are left."""
        return self.widths[min(doublings, len(self.widths) - 1)]

    def scaled(self, width: float) -> "DecoderConfig":
        """Return the same architecture with ``width`` times the channels."""
        return dataclasses.replace(self, widths=tuple(scaled(each, width) for each in self.widths))
