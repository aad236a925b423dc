"""Style transfer by optimisation (Gatys, Ecker & Bethge 2016; Li & Wand 2016)."""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from stylezoo import images, losses, perceptual
from stylezoo.objectives import Reference, Targets, TiledLoss, TotalLoss
from stylezoo.synthesis.loop import Callback, Progress
from stylezoo.synthesis.optimizers import LBFGS, OptimizerConfig
from stylezoo.synthesis.pyramid import PyramidResult, Schedule, Size, coarse_to_fine, size_of
from stylezoo.synthesis.style_losses import (
    CNNMRF_SCALINGS,
    STYLE_LOSSES,
    PatchConfig,
    default_layers,
    feature_unit,
    style_loss,
    tv_unit,
)

PRESERVE_COLOR = ("none", "luminance", "histogram")
INITS = ("content", "noise", "style")
_GATYS = ("gatys2016-paper", "gatys2016-code")
SCALINGS = ("relative", *_GATYS, *CNNMRF_SCALINGS)

# Of ContentLoss, with what that has to be multiplied by: ½ Σ, mean; Σ, mean.
_CONTENT_SCALES = {
    "relative": ("relative", 1.0),
    "gatys2016-paper": ("half_sum", 1.0),
    "gatys2016-code": ("mean", 1.0),
    "cnnmrf2016-paper": ("half_sum", 2.0),
    "cnnmrf2016-code": ("mean", 1.0),
}

# Losses in units of the reference codes, given features whose mean activation is one; see
# `TransferConfig.scaling`.
_CODE_STYLE_WEIGHT = 1e3  # of layer with n channels: 1e3 / n² (PytorchNeuralStyleTransfer)
_PAPER_STYLE_FACTOR = 1 / 4  # mean over N² entries of (G - A)² / 4 is equation 4

# Pairs of L-BFGS in a tiled run: each is twice the picture's size, 160 MB at 3000 px.
_TILED_MEMORY = 5


@dataclasses.dataclass(frozen=True)
class TransferConfig:
    """Everything that decides a style transfer but its pictures.

    Attributes:
        size: longest side of the result, px.
        network: architecture of the perceptual network.
        weights: see :func:`stylezoo.perceptual.perceptual_network`.
        pooling: ``"max"`` or ``"avg"``.
        content_layers: where content is compared; None for the architecture's usual ones.
        style_layers: where style is compared; None for the architecture's usual ones.
        content_weight: of the content loss.
        style_weight: of the style loss.
        tv_weight: of the total variation, mean over pixels of dx² + dy².
        style_loss: one of ``STYLE_LOSSES``.
        patches: of the style loss ``"mrf"``.
        style_scale: longest side of the style pictures, as a multiple of ``size``; larger than 1 for
            larger strokes.
        scaling: how losses are scaled, which decides what weights mean. ``"relative"``: each layer's
            squared difference over the target's square, averaged over layers, so that weights mean the
            same for every network and size. The others are the formulas of papers and of their authors'
            code. Those of Gatys et al. 2016 assume the authors' network, rescaled to a mean activation
            of one in every filter over ImageNet; here each layer is divided by its mean activation over
            the content and style pictures instead, which any weights allow. Those of Li & Wand 2016, for
            ``style_loss="mrf"`` only, assume a network of 0-255 inputs; the features of others are
            multiplied by how much less their first layer scales its input.
        preserve_color: ``"luminance"`` transfers luminance only, ``"histogram"`` first gives the style
            pictures the content's colours (Gatys et al. 2017, "Controlling Perceptual Factors",
            section 5).
        init: what the picture starts from, one of ``INITS``.
        dream_layer: a layer whose activation is amplified at the same time; None for none.
        dream_weight: of that term.
        optimizer: of the pixels.
        schedule: sizes and steps.
        content_detail: add the content's detail whenever the picture is enlarged. It saves about a
            dozen steps at full size.
        tolerance: stop a level when its loss changes by less than this fraction over 50 steps.
        average_decay: of the moving average of the pictures; 0 for the last picture.
        tile: evaluate in tiles of this side, px, so that memory hardly depends on ``size``; None for
            whole. L-BFGS then keeps five pairs at most.
        seed: of the noise and of random directions.
    """

    size: int = 512
    network: str = "vgg16"
    weights: str = "imagenet"
    pooling: str = "max"
    content_layers: tuple[str, ...] | None = None
    style_layers: tuple[str, ...] | None = None
    content_weight: float = 1.0
    style_weight: float = 10.0
    tv_weight: float = 0.0
    style_loss: str = "gram"
    patches: PatchConfig = PatchConfig()
    style_scale: float = 1.0
    scaling: str = "relative"
    preserve_color: str = "none"
    init: str = "content"
    dream_layer: str | None = None
    dream_weight: float = 1.0
    optimizer: OptimizerConfig = LBFGS(memory=20, exponent=0.5)
    schedule: Schedule = Schedule(smallest=128, initial_steps=60, steps=80, middle_steps=40)
    content_detail: bool = True
    tolerance: float = 0.0
    average_decay: float = 0.0
    tile: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for field, known in (
            ("style_loss", STYLE_LOSSES),
            ("scaling", SCALINGS),
            ("preserve_color", PRESERVE_COLOR),
            ("init", INITS),
        ):
            value = getattr(self, field)
            if value not in known:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(known)}. Received: {field}={value!r}"
                )
        for field in ("size", "style_scale"):
            if not 0 < getattr(self, field) < math.inf:
                raise ValueError(f"`{field}` must be > 0. Received: {field}={getattr(self, field)}")
        for field in ("content_weight", "style_weight", "tv_weight", "dream_weight"):
            if not 0 <= getattr(self, field) < math.inf:
                raise ValueError(
                    f"`{field}` must be finite, >= 0. Received: {field}={getattr(self, field)}"
                )
        for field, taps in (
            ("content_layers", self.content_taps),
            ("style_layers", self.style_taps),
            ("dream_layer", self.dream_taps),
        ):
            perceptual.check_taps(self.network, taps, name=field)
        ours, theirs = _GATYS, CNNMRF_SCALINGS
        if self.uses_patches:
            ours, theirs = theirs, ours
        if self.scaling in theirs:
            raise ValueError(
                f"`scaling` must be one of relative, {', '.join(ours)} with "
                f"style_loss={self.style_loss!r}. Received: scaling={self.scaling!r}"
            )
        if self.tile is not None and not style_loss(self.style_loss, self.style_taps).additive:
            raise ValueError(
                f"`tile` must not be set with style_loss={self.style_loss!r} (needs all positions)"
            )

    @property
    def content_taps(self) -> tuple[str, ...]:
        """``content_layers``, or the architecture's usual ones."""
        return self.content_layers or default_layers(self.network, self.style_loss)[0]

    @property
    def style_taps(self) -> tuple[str, ...]:
        """``style_layers``, or the architecture's usual ones."""
        return self.style_layers or default_layers(self.network, self.style_loss)[1]

    @property
    def uses_patches(self) -> bool:
        """Whether the style loss is that of patches."""
        return self.style_loss == "mrf"

    @property
    def needs(self) -> tuple[tuple[tuple[str, ...], int], ...]:
        """Layers, and how many features they need either way."""
        return (self.taps, 1), (self.style_taps, self.patches.size if self.uses_patches else 1)

    def variants(self, style: tf.Tensor) -> list[tuple[tf.Tensor, float]]:
        """A style picture as it is looked at, and how large then beside itself."""
        return list(self.patches.variants(style)) if self.uses_patches else [(style, 1.0)]

    @property
    def dream_taps(self) -> tuple[str, ...]:
        """``dream_layer``, if there is one."""
        return () if self.dream_layer is None else (self.dream_layer,)

    def resolved(self) -> "TransferConfig":
        """What is in force: with the usual layers written out, and a tiled run's short history."""
        optimizer = self.optimizer
        if self.tile is not None and isinstance(optimizer, LBFGS):
            memory = min(optimizer.memory, _TILED_MEMORY)
            optimizer = dataclasses.replace(optimizer, memory=memory)
        return dataclasses.replace(
            self,
            content_layers=self.content_taps,
            style_layers=self.style_taps,
            optimizer=optimizer,
        )

    @property
    def taps(self) -> tuple[str, ...]:
        """All layers that are looked at."""
        return tuple(dict.fromkeys((*self.style_taps, *self.content_taps, *self.dream_taps)))


PRESETS = {
    "fast": TransferConfig(),
    # Noise, average pooling, equal layer weights, α/β = 1e-3; the number of steps isn't given.
    "gatys2016-paper": TransferConfig(
        scaling="gatys2016-paper",
        network="vgg19",
        pooling="avg",
        content_weight=1e-3,
        style_weight=1.0,
        init="noise",
        optimizer=LBFGS(memory=20),
        schedule=Schedule(smallest=None, initial_steps=500, steps=500),
    ),
    # github.com/leongatys/PytorchNeuralStyleTransfer: 500 steps at 512 px, then 200 at 800 to 1024.
    "gatys2016-code": TransferConfig(
        scaling="gatys2016-code",
        network="vgg19",
        content_weight=1.0,
        style_weight=1.0,
        optimizer=LBFGS(memory=20),
        schedule=Schedule(smallest=512, initial_steps=500, steps=200),
        content_detail=False,
    ),
    "cnnmrf": TransferConfig(
        size=384,
        style_loss="mrf",
        style_weight=10.0,
        tv_weight=1.0,
        patches=PatchConfig(scales=1, rotations=1, every=5),
        schedule=Schedule(smallest=96, initial_steps=50, steps=50),
    ),
    # Relu3_1 and relu4_1 with weights of 1, all patches of 7 scales and 5 rotations; from noise.
    "cnnmrf2016-paper": TransferConfig(
        scaling="cnnmrf2016-paper",
        size=384,
        network="vgg19",
        style_loss="mrf",
        content_weight=1.0,
        style_weight=1.0,
        tv_weight=1e-3,
        init="noise",
        patches=PatchConfig(stride=1, scales=3, rotations=2),
        optimizer=LBFGS(),
        schedule=Schedule(smallest=64, initial_steps=200, steps=200),
        content_detail=False,
    ),
    # github.com/chuanli11/CNNMRF, run_trans.lua.
    "cnnmrf2016-code": TransferConfig(
        scaling="cnnmrf2016-code",
        size=384,
        network="vgg19",
        style_loss="mrf",
        content_weight=20.0,
        style_weight=1e-4,
        tv_weight=1e-3,
        patches=PatchConfig(scales=1, rotations=1),
        optimizer=LBFGS(memory=25),
        schedule=Schedule(smallest=96, initial_steps=100, steps=100),
        content_detail=False,
    ),
}


def transfer(
    content: tf.Tensor,
    styles: Sequence[tf.Tensor],
    *,
    config: TransferConfig = PRESETS["fast"],
    style_weights: Sequence[float] | None = None,
    masks: Sequence[tf.Tensor] | None = None,
    style_masks: Sequence[Sequence[tf.Tensor]] | None = None,
    initial: tf.Tensor | None = None,
    callback: Callback | None = None,
) -> PyramidResult:
    """Paint ``content`` in the style of other pictures.

    Args:
        content: [1, H, W, 3] in [0, 1].
        styles: each [1, H, W, 3] in [0, 1], of any sizes.
        config: see :class:`TransferConfig`, :data:`PRESETS`.
        style_weights: how much each style counts; equally by default. The styles' statistics are
            averaged with them; patches of a style are similar in proportion to them; with one mask a
            style they weigh the regions' losses.
        masks: regions of the content, [1, H, W, 1] in [0, 1] of its size. One a style, where that
            applies; or any number with ``style_masks``.
        style_masks: for each style the same regions of it, each of the style's size: a region takes
            after what it is in the styles. Patches are matched with the masks as features of their own
            (Champandard 2016, "Semantic Style Transfer"), statistics are guided (Gatys et al. 2017,
            section 4).
        initial: [1, H, W, 3] in [0, 1], what to start from instead of ``config.init``.
        callback: called after every step.

    Returns:
        The picture and how it came about.

    Raises:
        ValueError: if numbers or sizes of styles, weights and masks don't fit, or a picture is too
            small for the layers.
        WeightsError: if the network's weights can't be had.
        FloatingPointError: if the loss stops being finite.
    """
    _check_pictures(content, styles, style_weights, masks, style_masks)
    if masks is not None and config.style_loss == "sliced":
        raise ValueError("`style_loss` must not be 'sliced' with masks. Received: 'sliced'")
    size = images.fit_size(*size_of(content), config.size)
    # No level needs more of it, and a camera's pictures are large.
    content = images.resize(content, size)
    original = content
    if config.preserve_color == "histogram":
        styles = [images.match_colour(style, content) for style in styles]
    elif config.preserve_color == "luminance":
        grey = images.luminance(content)
        matched = [images.match_luminance(images.luminance(style), grey) for style in styles]
        styles = [tf.tile(style, [1, 1, 1, 3]) for style in matched]
        content = tf.tile(grey, [1, 1, 1, 3])
        callback = callback and _recoloured(callback, original)
    painting = _Painting(config, content, styles, style_weights, masks, style_masks)
    result = coarse_to_fine(
        painting.problem,
        painting.initial if initial is None else functools.partial(images.resize, initial),
        levels=config.schedule.levels(*size, minimum=painting.minimum_size),
        optimizer=config.resolved().optimizer,
        detail_of=content if config.content_detail else None,
        tolerance=config.tolerance,
        average_decay=config.average_decay,
        match_every=config.patches.every if config.uses_patches else None,
        callback=callback,
    )
    if config.preserve_color != "luminance":
        return result
    return dataclasses.replace(result, image=_recolour(original, result.image))


def _recolour(content: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """The luminance of ``image`` in the content's colours."""
    content = images.resize(content, size_of(image))
    return images.replace_luminance(content, images.luminance(image))


def _recoloured(callback: Callback, content: tf.Tensor) -> Callback:
    """``callback`` shown pictures in the content's colours."""

    def recoloured(progress: Progress) -> None:
        callback(
            dataclasses.replace(
                progress, image=lambda: _recolour(content, progress.image()).numpy()
            )
        )

    return recoloured


@dataclasses.dataclass(frozen=True)
class _Style:
    """A style picture, or a variant of it.

    Attributes:
        index: which of the styles it is.
        picture: [1, h, w, 3 + K]; the last channels are its masks, if it has such.
        zoom: its longest side, as a multiple of the style's.
    """

    index: int
    picture: tf.Tensor
    zoom: float

    def resize(self, size: Size) -> "_Style":
        """The same at another size."""
        return dataclasses.replace(self, picture=images.resize(self.picture, size))

    @property
    def image(self) -> tf.Tensor:
        """The picture without its masks."""
        return self.picture[..., :3]

    @property
    def masks(self) -> tf.Tensor:
        """[1, h, w, K]."""
        return self.picture[..., 3:]


class _Painting:
    """One content with its styles: the loss at any size."""

    def __init__(
        self,
        config: TransferConfig,
        content: tf.Tensor,
        styles: Sequence[tf.Tensor],
        style_weights: Sequence[float] | None,
        masks: Sequence[tf.Tensor] | None,
        style_masks: Sequence[Sequence[tf.Tensor]] | None,
    ) -> None:
        self._config = config
        self._content = content
        self._weights = list(style_weights or [1.0] * len(styles))
        self._masks = masks
        self._parted = style_masks is not None
        if style_masks is not None:
            styles = [
                tf.concat([style, *parts], axis=-1)
                for style, parts in zip(styles, style_masks, strict=True)
            ]
        self._infos = perceptual.tap_info(config.network)
        self._activations: Mapping[str, float] | None = None
        self.minimum_size = max(
            self._infos[tap].side(features) for taps, features in config.needs for tap in taps
        )
        size = size_of(content)
        self._check_size("content", size)
        for style in styles:
            self._check_size("style", self._style_size(style, max(size)))
        self._styles = [
            _Style(index, picture, zoom)
            for index, style in enumerate(styles)
            for picture, zoom in config.variants(style)
        ]
        self._network = perceptual.perceptual_network(
            config.network, config.taps, weights=config.weights, pooling=config.pooling
        )
        self._unit = feature_unit(config.scaling, self._network)

    def _check_size(self, name: str, size: Size) -> None:
        for taps, features in self._config.needs:
            perceptual.check_image_size(
                *size, architecture=self._config.network, taps=taps, name=name, features=features
            )

    def _style_size(self, style: tf.Tensor, longest_side: float) -> Size:
        longest_side = max(round(self._config.style_scale * longest_side), 1)
        return images.fit_size(*size_of(style), longest_side)

    def initial(self, size: Size) -> tf.Tensor:
        """What a picture of ``size`` starts from."""
        if self._config.init == "content":
            return images.resize(self._content, size)
        if self._config.init == "style":
            return images.resize(self._styles[0].image, size)
        return tf.random.stateless_uniform([1, *size, 3], seed=[self._config.seed, 0])

    def problem(self, size: Size) -> tuple[TotalLoss, Targets]:
        """The loss of a picture of ``size`` and its targets."""
        content = images.resize(self._content, size)
        styles = [
            style.resize(self._enlarged(self._style_size(style.picture, style.zoom * max(size))))
            for style in self._styles
        ]
        if self._activations is None and self._config.scaling in _GATYS:
            pictures = [content, *(style.image for style in styles)]
            self._activations = _mean_activations(self._network, pictures)
        references = {"content": Reference([content]), **self._style_references(styles)}
        loss = self._loss(size)
        return loss, loss.targets(references, image_size=size)

    def _enlarged(self, size: Size) -> Size:
        """``size``, or the nearest of its shape that has features at every layer."""
        factor = max(self.minimum_size / min(size), 1.0)
        return round(size[0] * factor), round(size[1] * factor)

    def _style_references(self, styles: Sequence[_Style]) -> dict[str, Reference]:
        """One role if masks are features of patches, or there are none; else one a mask."""
        pictures = [style.image for style in styles]
        weights = [self._weights[style.index] for style in styles]
        if self._masks is None:
            return {"style": Reference(pictures, weights)}
        if self._config.uses_patches:
            count = len(self._masks)
            guides = [
                style.masks if self._parted else tf.one_hot([[[style.index]]], count)
                for style in styles
            ]
            return {"style": Reference(pictures, weights, tf.concat(self._masks, -1), guides)}
        if self._parted:
            return {
                name: Reference(
                    pictures, weights, mask, [style.masks[..., part : part + 1] for style in styles]
                )
                for part, (name, mask) in enumerate(self._regions())
            }
        return {
            name: Reference([picture], mask=mask)
            for picture, (name, mask) in zip(pictures, self._regions(), strict=True)
        }

    def _regions(self) -> list[tuple[str, tf.Tensor]]:
        """Names and masks of the regions that have a term of their own."""
        if self._masks is None or self._config.uses_patches:
            return []
        return [(f"style_{number}", mask) for number, mask in enumerate(self._masks, start=1)]

    def _loss(self, size: Size) -> TotalLoss:
        terms = [self._content_term(), *self._style_terms(), *self._other_terms(size)]
        tile = self._config.tile
        if tile is None or max(size) <= tile:
            return TotalLoss(terms, self._network)
        return TiledLoss(terms, self._network, infos=self._infos, tile=tile)

    def _content_term(self) -> losses.ContentLoss:
        config = self._config
        scale, factor = _CONTENT_SCALES[config.scaling]
        weight = factor * config.content_weight * self._unit**2
        if self._activations is not None:
            # One layer in the paper and its code; for several, their mean scale.
            values = [self._activations[tap] for tap in config.content_taps]
            weight /= (sum(values) / len(values)) ** 2
        return losses.ContentLoss(config.content_taps, weight=weight, scale=scale)

    def _style_terms(self) -> list[losses.LossTerm]:
        regions = self._regions()
        if not regions:
            return [self._style_term("style", self._config.style_weight)]
        # Parts of the styles are of all of them; a style for each region has the region's weight.
        weights = [1.0] * len(regions) if self._parted else self._weights
        return [
            self._style_term(name, self._config.style_weight * float(tf.reduce_mean(mask)) * weight)
            for (name, mask), weight in zip(regions, weights, strict=True)
        ]

    def _style_term(self, name: str, weight: float) -> losses.LayeredLoss:
        config = self._config
        return style_loss(
            config.style_loss,
            config.style_taps,
            seed=config.seed,
            patches=config.patches,
            weight=weight,
            layer_weights=self._layer_weights(),
            scaling=config.scaling,
            name=name,
        )

    def _layer_weights(self) -> list[float] | None:
        config = self._config
        if config.scaling in CNNMRF_SCALINGS:
            return [self._unit**2] * len(config.style_taps)
        if self._activations is None:
            return None
        power = 4 if config.style_loss == "gram" else 2
        return [
            self._layer_weight(tap) / self._activations[tap] ** power for tap in config.style_taps
        ]

    def _layer_weight(self, tap: str) -> float:
        if self._config.scaling == "gatys2016-code":
            return _CODE_STYLE_WEIGHT / self._infos[tap].channels ** 2
        return _PAPER_STYLE_FACTOR / len(self._config.style_taps)

    def _other_terms(self, size: Size) -> list[losses.LossTerm]:
        config = self._config
        terms: list[losses.LossTerm] = []
        if config.tv_weight:
            weight = config.tv_weight * tv_unit(config.scaling, size)
            terms.append(losses.TotalVariationLoss(weight=weight))
        if config.dream_taps:
            terms.append(losses.ActivationLoss(config.dream_taps, weight=config.dream_weight))
        return terms


def _mean_activations(network: keras.Model, pictures: Sequence[tf.Tensor]) -> dict[str, float]:
    """The mean absolute feature of each tap over pictures, each picture counting the same."""
    means = [
        {tap: tf.reduce_mean(tf.abs(features)) for tap, features in network(picture).items()}
        for picture in pictures
    ]
    return {tap: float(sum(mean[tap] for mean in means)) / len(means) for tap in means[0]}


def _check_pictures(
    content: tf.Tensor,
    styles: Sequence[tf.Tensor],
    style_weights: Sequence[float] | None,
    masks: Sequence[tf.Tensor] | None,
    style_masks: Sequence[Sequence[tf.Tensor]] | None,
) -> None:
    if not styles:
        raise ValueError("`styles` must have at least one picture. Received: none")
    if style_masks is not None and not masks:
        raise ValueError("`style_masks` must come with `masks`. Received: none")
    one_each: dict[str, Sequence[Any] | None] = {"style_weights": style_weights}
    one_each |= {"masks": masks} if style_masks is None else {"style_masks": style_masks}
    for name, others in one_each.items():
        if others is not None and len(others) != len(styles):
            raise ValueError(
                f"`{name}` must be one a style. Received: {len(others)} for {len(styles)} styles"
            )
    if style_weights is not None and not (
        min(style_weights) >= 0 and 0 < sum(style_weights) < math.inf
    ):
        raise ValueError(
            f"`style_weights` must be finite, >= 0, not all 0. Received: {list(style_weights)}"
        )
    for mask in masks or ():
        _check_mask("masks", mask, "the content's size", content)
    for style, parts in zip(styles, style_masks or (), strict=False):
        if len(parts) != len(masks or ()):
            raise ValueError(
                "`style_masks` must be as many for each style as `masks`. "
                f"Received: {len(parts)} for {len(masks or ())} masks"
            )
        for mask in parts:
            _check_mask("style_masks", mask, "their style's size", style)


def _check_mask(name: str, mask: tf.Tensor, size: str, picture: tf.Tensor) -> None:
    if tuple(mask.shape[1:3]) != tuple(picture.shape[1:3]):
        raise ValueError(
            f"`{name}` must have {size}, {picture.shape[2]}x{picture.shape[1]} px. "
            f"Received: {mask.shape[2]}x{mask.shape[1]} px"
        )
    if not float(tf.reduce_max(mask)) > 0:
        raise ValueError(f"`{name}` must not be empty. Received: a mask that is black everywhere")
