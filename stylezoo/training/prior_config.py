"""The configuration of a decoder's training; no TensorFlow, since flags are made from it."""

import dataclasses
import math
from typing import Any

from stylezoo import errors, perceptual
from stylezoo.generators.checks import check_at_least
from stylezoo.generators.decoder_config import DecoderConfig
from stylezoo.training.content_config import ContentConfig


@dataclasses.dataclass(frozen=True)
class PriorTraining:
    """Everything that decides the training of a decoder but its loop.

    Attributes:
        content: Photographs to train on. ``image_size`` is the side of the pictures that the decoder makes.
        network: Architecture of the classifier whose features are decoded.
        weights: Weights of the classifier: imagenet, a name of ``stylezoo weights list``, or a file.
        layer: Layer of the classifier whose features are decoded.
        widths: Numbers of channels of the decoder at full size, at half the size, and so on.
        comparators: Layers where the decoded picture is compared with the photograph, as NETWORK:LAYER;
            the layers of a network count as one term of the weight 1.
        pixel_weight: Weight of the difference of pixels, relative as that of features.
        adversarial_weight: Weight of the discriminator's opinion of the pictures; 0 for no discriminator.
        adversarial_from: Step from which on there is a discriminator, which should be when the other losses
            have settled.
        colour_jitter: Largest random change of the brightness of each colour, as a fraction.
        init_weights: Decoder to start from, a name or a preset's folder; its architecture must be the
            same. By default weights are random.

    Raises:
        ValueError: If a layer is unknown, a weight out of its range, or pictures are too small.
    """

    content: ContentConfig
    network: str = "squeezenet1_1"
    weights: str = "imagenet"
    layer: str = "fire9"
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    comparators: tuple[str, ...] = (
        "squeezenet1_1:fire3",
        "squeezenet1_1:fire5",
        "squeezenet1_1:fire9",
        "alexnet_owt:relu1",
        "alexnet_owt:relu2",
        "alexnet_owt:relu5",
    )
    pixel_weight: float = 3.0
    adversarial_weight: float = 0.05
    adversarial_from: int = 2000
    colour_jitter: float = 0.1
    init_weights: str | None = None

    def __post_init__(self) -> None:
        for field in ("pixel_weight", "adversarial_weight", "adversarial_from"):
            check_at_least(self, field, 0)
            if getattr(self, field) == math.inf:
                raise ValueError(f"`{field}` must be finite. Received: {field}=inf")
        if not 0 <= self.colour_jitter < 1:
            raise ValueError(
                f"`colour_jitter` must be in [0, 1). Received: colour_jitter={self.colour_jitter}"
            )
        with errors.renamed(taps="layer"):
            perceptual.check_taps(self.network, [self.layer])
        side = self.content.image_size
        for network, layers in (*self.compared.items(), (self.network, (self.layer,))):
            with errors.renamed(image="image_size"):
                perceptual.check_image_size(side, side, architecture=network, taps=layers)
        _ = self.architecture

    @property
    def architecture(self) -> DecoderConfig:
        """The decoder's architecture.

        Raises:
            ValueError: If there is no decoder from such features to pictures of such a size.
        """
        tap = perceptual.tap_info(self.network)[self.layer]
        side = self.content.image_size
        return DecoderConfig(
            network=self.network,
            weights=self.weights,
            layer=self.layer,
            code=(tap.size(side), tap.size(side), tap.channels),
            image_size=side,
            widths=self.widths,
        )

    @property
    def compared(self) -> dict[str, tuple[str, ...]]:
        """The layers of each network where pictures are compared.

        Raises:
            ValueError: If one is not NETWORK:LAYER, or unknown.
        """
        found: dict[str, tuple[str, ...]] = {}
        for each in self.comparators:
            network, colon, layer = each.partition(":")
            if not colon:
                raise ValueError(f"`comparators` must be NETWORK:LAYER,.... Received: {each}")
            with errors.renamed(taps="comparators", architecture="comparators"):
                perceptual.check_taps(network, [layer])
            found[network] = (*found.get(network, ()), layer)
        return found

    def describe(self) -> dict[str, Any]:
        """Return the configuration as JSON can hold it."""
        return {"task": "prior", **dataclasses.asdict(self)}
