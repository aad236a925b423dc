"""The objective of style transfer, by optimisation or by training: content, style, smoothness."""

import dataclasses
import math

from stylezoo import losses, perceptual
from stylezoo.objectives.total_loss import TotalLoss

SCALINGS = ("relative", "johnson2016", "dumoulin2017")

# fast-neural-style takes half the sum of squared differences of neighbours, in 0-255 units, over a
# batch of 4 pictures of 3 x 256 x 256; ours are means in [0, 1].
_JOHNSON_TV = 255**2 * (4 * 3 * 256 * 256) / 2


@dataclasses.dataclass(frozen=True)
class StyleObjective:
    """What a painting should match.

    Attributes:
        network: architecture of the perceptual network.
        weights: see :func:`stylezoo.perceptual.perceptual_network`.
        pooling: ``"max"`` or ``"avg"``.
        content_layers: where content is compared; none for textures.
        style_layers: where Gram matrices are compared.
        content_weight: of the content loss.
        style_weight: of the style loss.
        tv_weight: of the total variation.
        scaling: what the weights multiply. ``"relative"``: squared differences over the target's
            square, averaged over layers. ``"johnson2016"``: mean squared differences, Gram matrices
            over C·H·W, summed over layers, as in fast-neural-style. ``"dumoulin2017"``: the same with
            Gram matrices over H·W, as in magenta. The last two assume weights with 0-255 inputs.
        style_layer_weights: one a style layer, its share of ``"relative"``; equal if not given.

    Raises:
        ValueError: for an unknown layer or scaling, a weight that is not finite and >= 0, or weights
            of layers that are not one each, or all 0.
    """

    network: str = "vgg16"
    weights: str = "imagenet"
    pooling: str = "max"
    content_layers: tuple[str, ...] = ("relu3_3",)
    style_layers: tuple[str, ...] = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
    content_weight: float = 1.0
    style_weight: float = 10.0
    tv_weight: float = 0.0
    scaling: str = "relative"
    style_layer_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.scaling not in SCALINGS:
            raise ValueError(
                f"`scaling` must be one of {', '.join(SCALINGS)}. Received: scaling={self.scaling!r}"
            )
        for field in ("content_weight", "style_weight", "tv_weight"):
            if not 0 <= getattr(self, field) < math.inf:
                raise ValueError(
                    f"`{field}` must be finite, >= 0. Received: {field}={getattr(self, field)}"
                )
        for field in ("content_layers", "style_layers"):
            perceptual.check_taps(self.network, getattr(self, field), name=field)
        if self.style_layer_weights is not None:
            self._check_layer_weights(self.style_layer_weights)

    def _check_layer_weights(self, weights: tuple[float, ...]) -> None:
        if self.scaling != "relative":
            raise ValueError(
                "`style_layer_weights` must not be given but with scaling='relative'. "
                f"Received: scaling={self.scaling!r}"
            )
        finite = all(0 <= weight < math.inf for weight in weights)
        if not finite or not sum(weights) or len(weights) != len(self.style_layers):
            raise ValueError(
                "`style_layer_weights` must be finite, >= 0, not all 0, one for each of "
                f"{', '.join(self.style_layers)}. Received: {', '.join(map(str, weights))}"
            )

    @property
    def taps(self) -> tuple[str, ...]:
        """All layers that are looked at."""
        return tuple(dict.fromkeys((*self.style_layers, *self.content_layers)))

    def build(self) -> TotalLoss:
        """The loss: terms ``style``, and ``content`` and ``tv`` where there are such.

        Raises:
            WeightsError: if the network's weights can't be had.
        """
        network = perceptual.perceptual_network(
            self.network, self.taps, weights=self.weights, pooling=self.pooling
        )
        terms: list[losses.LossTerm] = [self._style_term()]
        if self.content_layers:
            relative = self.scaling == "relative"
            # A content loss is a mean over its layers.
            summed = 1 if relative else len(self.content_layers)
            terms.append(
                losses.ContentLoss(
                    self.content_layers,
                    weight=self.content_weight * summed,
                    scale="relative" if relative else "mean",
                )
            )
        if self.tv_weight:
            scale = _JOHNSON_TV if self.scaling == "johnson2016" else 1.0
            terms.append(losses.TotalVariationLoss(weight=self.tv_weight * scale))
        return TotalLoss(terms, network)

    @property
    def _shares(self) -> list[float] | None:
        weights = self.style_layer_weights
        return None if weights is None else [weight / sum(weights) for weight in weights]

    def _style_term(self) -> losses.GramLoss:
        if self.scaling == "relative":
            return losses.GramLoss(
                self.style_layers, weight=self.style_weight, layer_weights=self._shares
            )
        infos = perceptual.tap_info(self.network)
        # Ours are over H·W.
        power = 2 if self.scaling == "johnson2016" else 0
        return losses.GramLoss(
            self.style_layers,
            weight=self.style_weight,
            layer_weights=[infos[tap].channels ** -float(power) for tap in self.style_layers],
            relative=False,
        )


OBJECTIVES = {
    "relative": StyleObjective(),
    # github.com/jcjohnson/fast-neural-style
    "johnson2016": StyleObjective(
        weights="vgg16.keras",
        style_weight=5.0,
        tv_weight=1e-6,
        scaling="johnson2016",
    ),
    # github.com/magenta/magenta, image_stylization: the last ReLU of each of four blocks.
    "dumoulin2017": StyleObjective(
        weights="vgg16.keras", style_weight=1e-4, scaling="dumoulin2017"
    ),
}
