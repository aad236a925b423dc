"""What papers and their authors' codes multiply their losses by: every factor once, with its source."""

import dataclasses

STYLE_LOSSES = ("gram", "moments", "sliced", "mrf", "neighbors")
"""The style losses: Gram matrices, moments, sliced Wasserstein distances, patches, and nearest
neighbours.
"""


@dataclasses.dataclass(frozen=True)
class Scaling:
    """How a source scales its losses, told as factors of this project's own terms.

    Those are: Gram matrices over H·W, whose squared differences are means over the C² entries; and the
    total variation as a mean over all values, which are in [0, 1].

    Attributes:
        style_losses: The style losses that the source has, or to which its factors can be carried over.
        content: The scale of :class:`~stylezoo.losses.ContentLoss`.
        patches: The scale of :class:`~stylezoo.losses.MRFLoss`.
        content_factor: A factor of the content loss.
        style_factor: A factor of the style loss.
        channel_power: The loss of a style layer of C channels is divided by C to this power.
        sums_layers: Whether the losses of several layers are added; they are averaged otherwise.
        features: What features are divided by: ``"one"``; ``"mean"``, the mean activation of their layer
            over the content and style pictures; ``"inputs"``, how much smaller than 255 the range is that
            the network's first layer gives to its inputs.
        tv_factor: A factor of the total variation.
        tv_sums: Whether the total variation is a sum over all values; it is a mean otherwise.
        temporal_factor: A factor of the temporal loss of clips.
    """

    style_losses: tuple[str, ...] = ("gram", "moments", "sliced")
    content: str = "mean"
    patches: str = "relative"
    content_factor: float = 1.0
    style_factor: float = 1.0
    channel_power: int = 0
    sums_layers: bool = True
    features: str = "one"
    tv_factor: float = 1.0
    tv_sums: bool = False
    temporal_factor: float = 1.0

    @property
    def relative(self) -> bool:
        """Whether squared differences are divided by the square of what they are differences to."""
        return self.content == "relative"

    def layer_weight(self, channels: int, share: float, num_layers: int) -> float:
        """Return the weight of a style layer.

        Args:
            channels: The number of its channels, C.
            share: Its share of the style loss; those of all layers add up to 1.
            num_layers: The number of style layers.
        """
        summed = share * num_layers if self.sums_layers else share
        return self.style_factor * summed / channels**self.channel_power


SCALINGS = {
    # Each layer's squared difference over the target's square (Mahendran & Vedaldi 2015, equation 2, for
    # content), averaged over layers, so that weights mean the same for every network and size.
    "relative": Scaling(style_losses=STYLE_LOSSES, content="relative", sums_layers=False),
    # Gatys et al. 2016. Equation 1 for content: ½ Σ. Equations 4 and 5 for style: Σ (G - A)² / (4 N² M²) is a
    # quarter of the mean over N² entries, weighted by w = 1/5 each. Their network was rescaled to a mean
    # activation of one in every filter over ImageNet; a mean activation of one in every layer over the
    # pictures at hand is what any weights allow.
    "gatys2016-paper": Scaling(
        content="half_sum", style_factor=1 / 4, sums_layers=False, features="mean"
    ),
    # github.com/leongatys/PytorchNeuralStyleTransfer: nn.MSELoss; GramMatrix over h·w; layer weights 1e3/n².
    "gatys2016-code": Scaling(style_factor=1e3, channel_power=2, features="mean"),
    # Li & Wand 2016. Equation 2: Σ over patches; equation 4: Σ for content; equation 5: Σ of squared
    # differences of neighbours. Features of a network of 0-255 inputs, and pixels in that range.
    "cnnmrf2016-paper": Scaling(
        style_losses=("mrf",),
        content="half_sum",
        content_factor=2.0,
        patches="sum",
        features="inputs",
        tv_factor=255.0**2,
        tv_sums=True,
    ),
    # github.com/chuanli11/CNNMRF: nn.MSECriterion for content; the gradient of patches is that of ½ Σ over
    # positions; that of the total variation that of ½ Σ.
    "cnnmrf2016-code": Scaling(
        style_losses=("mrf",),
        patches="overlaps",
        features="inputs",
        tv_factor=255.0**2 / 2,
        tv_sums=True,
    ),
    # github.com/jcjohnson/fast-neural-style: mean squared differences, Gram matrices over C·H·W; half the sum
    # of squared differences of neighbours, in 0-255 units, over a batch of 4 pictures of 3 x 256 x 256.
    "johnson2016": Scaling(
        style_losses=("gram",), channel_power=2, tv_factor=255**2 * (4 * 3 * 256 * 256) / 2
    ),
    # github.com/jcjohnson/neural-style, and github.com/manuelruder/artistic-videos made of it: mean squared
    # differences; Gram matrices over C·H·W; the gradient of ½ Σ for the total variation; the temporal loss is
    # a mean too. Features of a network of 0-255 inputs, and pixels in that range.
    "neural-style": Scaling(
        style_losses=("gram",),
        channel_power=2,
        features="inputs",
        tv_factor=255.0**2 / 2,
        tv_sums=True,
        temporal_factor=255.0**2,
    ),
    # github.com/magenta/magenta, image_stylization: the same as johnson2016 with Gram matrices over H·W.
    "dumoulin2017": Scaling(style_losses=("gram",)),
}
"""Scalings by name."""
