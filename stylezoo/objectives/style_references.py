"""The style pictures of a painting: how much each counts, and where it applies."""

import dataclasses
import math
from collections.abc import Sequence

import tensorflow as tf

from stylezoo import errors, images
from stylezoo.objectives.objective import Objective
from stylezoo.objectives.total_loss import Reference


@dataclasses.dataclass(frozen=True)
class _Variant:
    """A style picture as an objective looks at it.

    Attributes:
        weight: How much it counts.
        index: Number of the style that it comes from.
        picture: [1, h, w, 3 + K]; the last K channels are its masks.
        zoom: Its longest side as a multiple of the style's.
    """

    weight: float
    index: int
    picture: tf.Tensor
    zoom: float

    @property
    def image(self) -> tf.Tensor:
        """The picture without its masks."""
        return self.picture[..., :3]

    @property
    def masks(self) -> tf.Tensor:
        """The masks, [1, h, w, K]."""
        return self.picture[..., 3:]


class StyleReferences:
    """The style pictures of one painting, at any size, with their weights and masks.

    Args:
        objective: How they are looked at.
        styles: The pictures, each [1, H, W, 3] in [0, 1], of any sizes.
        style_weights: How much each counts; equally by default.
        masks: Regions of the content, each [1, H, W, 1] in [0, 1]: one a style, where that applies; or any
            number with ``style_masks``.
        style_masks: For each style the same regions of it, each of the style's size.

    Raises:
        ValueError: If there are no styles, numbers or sizes of weights and masks don't fit, a mask is empty,
            or the style loss takes no masks.
    """

    def __init__(
        self,
        objective: Objective,
        styles: Sequence[tf.Tensor],
        *,
        style_weights: Sequence[float] | None = None,
        masks: Sequence[tf.Tensor] | None = None,
        style_masks: Sequence[Sequence[tf.Tensor]] | None = None,
    ) -> None:
        if not styles:
            raise ValueError("`styles` must have at least one picture. Received: none")
        if masks is not None and objective.style_loss == "sliced":
            raise ValueError("`style_loss` must not be 'sliced' with masks. Received: 'sliced'")
        if masks is not None and objective.histogram_weight:
            raise ValueError(
                f"`histogram_weight` must be 0 with masks. Received: {objective.histogram_weight}"
            )
        if style_masks is not None and not masks:
            raise ValueError("`style_masks` must come with `masks`. Received: none")
        _check_one_each("style_weights", style_weights, styles)
        _check_one_each(
            "masks" if style_masks is None else "style_masks", style_masks or masks, styles
        )
        _check_weights(style_weights)
        self._check_style_masks(styles, masks, style_masks)
        self._objective = objective
        self._masks = masks
        self._parted = style_masks is not None
        self._weights = list(style_weights or [1.0] * len(styles))
        pictures = styles
        if style_masks is not None:
            pictures = [
                tf.concat([style, *parts], axis=-1)
                for style, parts in zip(styles, style_masks, strict=True)
            ]
        self._variants = [
            _Variant(weight, index, picture, zoom)
            for index, (weight, style) in enumerate(zip(self._weights, pictures, strict=True))
            for picture, zoom in objective.variants(style)
        ]

    @staticmethod
    def _check_style_masks(
        styles: Sequence[tf.Tensor],
        masks: Sequence[tf.Tensor] | None,
        style_masks: Sequence[Sequence[tf.Tensor]] | None,
    ) -> None:
        for style, parts in zip(styles, style_masks or (), strict=False):
            if len(parts) != len(masks or ()):
                raise ValueError(
                    "`style_masks` must be as many for each style as `masks`. "
                    f"Received: {len(parts)} for {len(masks or ())} masks"
                )
            for mask in parts:
                _check_mask("style_masks", mask, "their style's size", style)

    def check_content(self, content: tf.Tensor) -> None:
        """Raise a ValueError if the masks are not of the content's size, or one is empty."""
        for mask in self._masks or ():
            _check_mask("masks", mask, "the content's size", content)

    def check_size(self, longest_side: float) -> None:
        """Raise a ValueError if a style, at this longest side, is too small for the objective's layers."""
        for variant in self._variants:
            if variant.zoom == 1.0:
                with errors.renamed(image="style"):
                    self._objective.check_image_size(*_fit(variant, longest_side))

    @property
    def regions(self) -> dict[str, float] | None:
        """The weights of style terms by name, where each region has its own; None for one term.

        Where parts are matched there is one term: masks are features of theirs.
        """
        if self._masks is None or self._objective.matches:
            return None
        # With style masks every region takes from all styles; otherwise it has one style and its weight.
        weights = [1.0] * len(self._masks) if self._parted else self._weights
        return {
            f"style_{number}": self._objective.style_weight * float(tf.reduce_mean(mask)) * weight
            for number, (mask, weight) in enumerate(zip(self._masks, weights, strict=True), start=1)
        }

    def at(self, longest_side: float) -> dict[str, Reference]:
        """Return the references of all style terms, by role.

        Args:
            longest_side: Side that the styles are resized to, px; more where a layer would have no features.
        """
        resized = [
            dataclasses.replace(
                variant, picture=images.resize(variant.picture, self._size(variant, longest_side))
            )
            for variant in self._variants
        ]
        pictures = [variant.image for variant in resized]
        weights = [variant.weight for variant in resized]
        if self._masks is None:
            return {"style": Reference(pictures, weights)}
        if self._objective.matches:
            guides = [self._guides(variant) for variant in resized]
            return {"style": Reference(pictures, weights, tf.concat(self._masks, -1), guides)}
        regions = zip(self.regions or (), self._masks, strict=True)
        if not self._parted:
            return {
                name: Reference([picture], mask=mask)
                for picture, (name, mask) in zip(pictures, regions, strict=True)
            }
        return {
            name: Reference(
                pictures, weights, mask, [each.masks[..., part : part + 1] for each in resized]
            )
            for part, (name, mask) in enumerate(regions)
        }

    def _guides(self, variant: _Variant) -> tf.Tensor:
        """Return the masks of a variant: its own, or 1 in that of its style and 0 in all others."""
        if self._parted:
            return variant.masks
        return tf.one_hot([[[variant.index]]], len(self._weights))

    def _size(self, variant: _Variant, longest_side: float) -> tuple[int, int]:
        """Return the size of a variant, or the nearest of its shape that has features at every layer."""
        size = _fit(variant, longest_side)
        factor = max(self._objective.minimum_size / min(size), 1.0)
        return round(size[0] * factor), round(size[1] * factor)


def _fit(variant: _Variant, longest_side: float) -> tuple[int, int]:
    longest_side = max(round(variant.zoom * longest_side), 1)
    height, width = variant.picture.shape[1:3]
    return images.fit_size(height, width, longest_side)


def _check_one_each(
    name: str, others: Sequence[object] | None, styles: Sequence[tf.Tensor]
) -> None:
    if others is not None and len(others) != len(styles):
        raise ValueError(
            f"`{name}` must be one a style. Received: {len(others)} for {len(styles)} styles"
        )


def _check_weights(weights: Sequence[float] | None) -> None:
    if weights is not None and not (min(weights) >= 0 and 0 < sum(weights) < math.inf):
        raise ValueError(
            f"`style_weights` must be finite, >= 0, not all 0. Received: {list(weights)}"
        )


def _check_mask(name: str, mask: tf.Tensor, size: str, picture: tf.Tensor) -> None:
    if tuple(mask.shape[1:3]) != tuple(picture.shape[1:3]):
        raise ValueError(
            f"`{name}` must have {size}, {picture.shape[2]}x{picture.shape[1]} px. "
            f"Received: {mask.shape[2]}x{mask.shape[1]} px"
        )
    if not float(tf.reduce_max(mask)) > 0:
        raise ValueError(f"`{name}` must not be empty. Received: a mask that is black everywhere")
