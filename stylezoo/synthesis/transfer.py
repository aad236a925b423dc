"""Style transfer by optimisation (Gatys, Ecker & Bethge 2016)."""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from stylezoo import images, losses, perceptual
from stylezoo.objectives import Reference, Targets, TiledLoss, TotalLoss
from stylezoo.synthesis.loop import Callback, Progress
from stylezoo.synthesis.optimizers import LBFGS, OptimizerConfig
from stylezoo.synthesis.pyramid import PyramidResult, Schedule, Size, coarse_to_fine, size_of
from stylezoo.synthesis.style_losses import STYLE_LOSSES, default_layers, style_loss

PRESERVE_COLOR = ("none", "luminance", "histogram")
INITS = ("content", "noise", "style")
SCALINGS = ("relative", "gatys2016-paper", "gatys2016-code")

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
        style_scale: longest side of the style pictures, as a multiple of ``size``; larger than 1 for
            larger strokes.
        scaling: how losses are scaled, which decides what weights mean. ``"relative"``: each layer's
            squared difference over the target's square, averaged over layers, so that weights mean the
            same for every network and size. The two others are the formulas of the 2016 paper and of
            its authors' PyTorch code. Both assume the authors' network, rescaled to a mean activation
            of one in every filter over ImageNet; here each layer is divided by its mean activation over
            the content and style pictures instead, which any weights allow.
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
        if self.tile is not None and not style_loss(self.style_loss, self.style_taps).additive:
            raise ValueError(
                f"`tile` must not be set with style_loss={self.style_loss!r} (needs all positions)"
            )

    @property
    def content_taps(self) -> tuple[str, ...]:
        """``content_layers``, or the architecture's usual ones."""
        return self.content_layers or default_layers(self.network)[0]

    @property
    def style_taps(self) -> tuple[str, ...]:
        """``style_layers``, or the architecture's usual ones."""
        return self.style_layers or default_layers(self.network)[1]

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
}


def transfer(
    content: tf.Tensor,
    styles: Sequence[tf.Tensor],
    *,
    config: TransferConfig = PRESETS["fast"],
    style_weights: Sequence[float] | None = None,
    masks: Sequence[tf.Tensor] | None = None,
    initial: tf.Tensor | None = None,
    callback: Callback | None = None,
) -> PyramidResult:
    """Paint ``content`` in the style of other pictures.

    Args:
        content: [1, H, W, 3] in [0, 1].
        styles: each [1, H, W, 3] in [0, 1], of any sizes.
        config: see :class:`TransferConfig`, :data:`PRESETS`.
        style_weights: how much each style counts; equally by default. The styles' statistics are
            averaged with them; with masks they weigh the regions' losses.
        masks: one a style, [1, H, W, 1] in [0, 1] of the content's size: where it applies.
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
    _check_pictures(content, styles, style_weights, masks)
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
    painting = _Painting(config, content, styles, style_weights, masks)
    result = coarse_to_fine(
        painting.problem,
        painting.initial if initial is None else functools.partial(images.resize, initial),
        levels=config.schedule.levels(*size, minimum=painting.minimum_size),
        optimizer=config.resolved().optimizer,
        detail_of=content if config.content_detail else None,
        tolerance=config.tolerance,
        average_decay=config.average_decay,
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


class _Painting:
    """One content with its styles: the loss at any size."""

    def __init__(
        self,
        config: TransferConfig,
        content: tf.Tensor,
        styles: Sequence[tf.Tensor],
        style_weights: Sequence[float] | None,
        masks: Sequence[tf.Tensor] | None,
    ) -> None:
        self._config = config
        self._content, self._styles = content, styles
        self._style_weights = style_weights
        self._masks = masks
        self._infos = perceptual.tap_info(config.network)
        self._activations: Mapping[str, float] | None = None
        self.minimum_size = max(self._infos[tap].minimum_size for tap in config.taps)
        size = size_of(content)
        self._check_size("content", size)
        for style in styles:
            self._check_size("style", self._style_size(style, max(size)))
        self._network = perceptual.perceptual_network(
            config.network, config.taps, weights=config.weights, pooling=config.pooling
        )

    def _check_size(self, name: str, size: Size) -> None:
        perceptual.check_image_size(
            *size, architecture=self._config.network, taps=self._config.taps, name=name
        )

    def _style_size(self, style: tf.Tensor, longest_side: int) -> Size:
        longest_side = max(round(self._config.style_scale * longest_side), 1)
        return images.fit_size(*size_of(style), longest_side)

    def initial(self, size: Size) -> tf.Tensor:
        """What a picture of ``size`` starts from."""
        if self._config.init == "content":
            return images.resize(self._content, size)
        if self._config.init == "style":
            return images.resize(self._styles[0], size)
        return tf.random.stateless_uniform([1, *size, 3], seed=[self._config.seed, 0])

    def problem(self, size: Size) -> tuple[TotalLoss, Targets]:
        """The loss of a picture of ``size`` and its targets."""
        content = images.resize(self._content, size)
        styles = [
            images.resize(style, self._enlarged(self._style_size(style, max(size))))
            for style in self._styles
        ]
        if self._activations is None and self._config.scaling != "relative":
            self._activations = _mean_activations(self._network, [content, *styles])
        references = {"content": Reference([content])}
        if self._masks is None:
            references["style"] = Reference(styles, self._style_weights)
        else:
            for name, style, mask in zip(self._region_names(), styles, self._masks, strict=True):
                references[name] = Reference([style], mask=mask)
        loss = self._loss(self._network, tiled=max(size) > (self._config.tile or max(size)))
        return loss, loss.targets(references, image_size=size)

    def _enlarged(self, size: Size) -> Size:
        """``size``, or the nearest of its shape that has features at every layer."""
        factor = max(self.minimum_size / min(size), 1.0)
        return round(size[0] * factor), round(size[1] * factor)

    def _loss(self, network: keras.Model, *, tiled: bool) -> TotalLoss:
        terms = [self._content_term(), *self._style_terms(), *self._other_terms()]
        if not tiled:
            return TotalLoss(terms, network)
        assert self._config.tile is not None
        return TiledLoss(terms, network, infos=self._infos, tile=self._config.tile)

    def _content_term(self) -> losses.ContentLoss:
        config = self._config
        weight = config.content_weight
        if self._activations is not None:
            # One layer in the paper and its code; for several, their mean scale.
            values = [self._activations[tap] for tap in config.content_taps]
            weight /= (sum(values) / len(values)) ** 2
        scale = {"relative": "relative", "gatys2016-paper": "half_sum", "gatys2016-code": "mean"}
        return losses.ContentLoss(config.content_taps, weight=weight, scale=scale[config.scaling])

    def _style_terms(self) -> list[losses.LossTerm]:
        if self._masks is None:
            return [self._style_term("style", self._config.style_weight)]
        shares = [float(tf.reduce_mean(mask)) for mask in self._masks]
        weights = self._style_weights or [1.0] * len(shares)
        return [
            self._style_term(name, self._config.style_weight * share * weight)
            for name, share, weight in zip(self._region_names(), shares, weights, strict=True)
        ]

    def _region_names(self) -> list[str]:
        return [f"style_{region}" for region in range(1, len(self._styles) + 1)]

    def _style_term(self, name: str, weight: float) -> losses.StatisticsLoss:
        config = self._config
        layer_weights = None
        if self._activations is not None:
            power = 4 if config.style_loss == "gram" else 2
            layer_weights = [
                self._layer_weight(tap) / self._activations[tap] ** power
                for tap in config.style_taps
            ]
        return style_loss(
            config.style_loss,
            config.style_taps,
            seed=config.seed,
            weight=weight,
            layer_weights=layer_weights,
            relative=config.scaling == "relative",
            name=name,
        )

    def _layer_weight(self, tap: str) -> float:
        if self._config.scaling == "gatys2016-code":
            return _CODE_STYLE_WEIGHT / self._infos[tap].channels ** 2
        return _PAPER_STYLE_FACTOR / len(self._config.style_taps)

    def _other_terms(self) -> list[losses.LossTerm]:
        config = self._config
        terms: list[losses.LossTerm] = []
        if config.tv_weight:
            terms.append(losses.TotalVariationLoss(weight=config.tv_weight))
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
) -> None:
    if not styles:
        raise ValueError("`styles` must have at least one picture. Received: none")
    for name, others in (("style_weights", style_weights), ("masks", masks)):
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
        if tuple(mask.shape[1:3]) != tuple(content.shape[1:3]):
            raise ValueError(
                "`masks` must have the content's size, "
                f"{content.shape[2]}x{content.shape[1]} px. "
                f"Received: {mask.shape[2]}x{mask.shape[1]} px"
            )
        if not float(tf.reduce_max(mask)) > 0:
            raise ValueError("`masks` must not be empty. Received: a mask that is black everywhere")
