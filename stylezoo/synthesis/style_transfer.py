"""Style transfer by optimisation (Gatys et al. 2016; Li & Wand 2016; Kolkin et al. 2022)."""

import dataclasses
import functools
from collections.abc import Sequence

import tensorflow as tf

from stylezoo import errors, images
from stylezoo.objectives import Reference, StyleReferences, Targets, TotalLoss
from stylezoo.progress import Callback, Progress
from stylezoo.synthesis.configurations import PRESETS, Size, TransferConfig
from stylezoo.synthesis.parameters import LaplacianPyramid, Pixels
from stylezoo.synthesis.pyramid import Matched, PyramidResult, coarse_to_fine, size_of


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
        styles: Each [1, H, W, 3] in [0, 1], of any sizes.
        config: See :class:`TransferConfig`, :data:`PRESETS`.
        style_weights: How much each style counts; equally by default. The styles' statistics are
            averaged with them; patches of a style are similar in proportion to them; with one mask a
            style they weigh the regions' losses.
        masks: Regions of the content, [1, H, W, 1] in [0, 1] of its size. One a style, where that
            applies; or any number with ``style_masks``.
        style_masks: For each style the same regions of it, each of the style's size: a region takes
            after what it is in the styles. Patches are matched with the masks as features of their own
            (Champandard 2016, "Semantic Style Transfer"), statistics are guided (Gatys et al. 2017,
            section 4).
        initial: [1, H, W, 3] in [0, 1], the picture to start from instead of ``config.init``.
        callback: Called after every step.

    Returns:
        The picture and how it came about.

    Raises:
        ValueError: If numbers or sizes of styles, weights and masks don't fit, or a picture is too
            small for the layers.
        WeightsError: If the network's weights can't be had.
        FloatingPointError: If the loss stops being finite.
    """
    config = config.resolved()
    with errors.renamed(image="content"):  # as it comes: enlarging adds nothing to be seen
        config.objective.check_image_size(*size_of(content))
    size = images.fit_size(*size_of(content), config.size)
    # No level needs more pixels, and the pictures of a camera are large.
    original = images.resize(content, size)
    seen, styles = in_colours(config.preserve_color, original, styles)
    references = StyleReferences(
        config.objective,
        styles,
        style_weights=style_weights,
        masks=masks,
        style_masks=style_masks,
    )
    references.check_content(content)
    if initial is None and config.init != "noise":
        initial = seen if config.init == "content" else styles[0]
    if config.preserve_color == "luminance" and callback:
        callback = _recoloured(callback, original)
    levels = config.schedule.levels(*size, minimum=config.objective.minimum_size)
    last = [(size, config.final_steps)] if config.final_steps else []
    run = functools.partial(
        coarse_to_fine,
        config=config.optimization,
        parametrize=Pixels if config.parametrization == "pixels" else LaplacianPyramid,
    )
    result = run(
        _Problem(config, seen, references),
        functools.partial(_start, initial, config.seed),
        levels=levels,
        detail_of=seen if config.content_detail else None,
        matched_to=_blended(config, seen) if config.objective.style_loss == "neighbors" else None,
        after=last,
        callback=callback,
    )
    if last:
        by_layers = run(
            _Problem(_layer_by_layer(config), seen, references),
            lambda _: result.image,
            levels=last,
            before=levels,
            callback=callback,
        )
        result = _joined(result, by_layers)
    image = tf.clip_by_value(result.image, 0.0, 1.0)
    if config.match_style_colour and masks is None:
        image = match_style_colours(image, styles)
    if config.preserve_color == "luminance":
        image = recolour(original, image)
    return dataclasses.replace(result, image=image)


def _layer_by_layer(config: TransferConfig) -> TransferConfig:
    """Return the same for the last steps of neighbours, which compare each layer by itself."""
    neighbors = dataclasses.replace(config.objective.neighbors, hypercolumns=False)
    return dataclasses.replace(
        config, objective=dataclasses.replace(config.objective, neighbors=neighbors)
    )


def _blended(config: TransferConfig, content: tf.Tensor) -> Matched:
    """Return what makes the picture that a level's targets are matched to of the one it starts from.

    It is the content at the first level; later also what has been painted, enlarged, with the finest detail
    of the content (Kolkin et al. 2022, section 3.2, and their code).
    """
    seen: list[Size] = []

    def blended(start: tf.Tensor) -> tf.Tensor:
        size = size_of(start)
        photograph = images.resize(content, size)
        seen.append(size)
        if len(seen) == 1:
            return photograph
        coarse = images.resize(images.resize(photograph, seen[-2]), size)
        painted = start + photograph - coarse
        return config.content_share * photograph + (1.0 - config.content_share) * painted

    return blended


def _joined(first: PyramidResult, second: PyramidResult) -> PyramidResult:
    return PyramidResult(second.image, first.losses + second.losses, first.levels + second.levels)


def match_style_colours(image: tf.Tensor, styles: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return a picture with the colours of all styles, each of which counts as much as the others."""
    styles = [images.resize(style, size_of(image)) for style in styles]
    return images.match_colour(image, tf.concat(styles, axis=1))


def in_colours(
    preserve_color: str, content: tf.Tensor, styles: Sequence[tf.Tensor]
) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
    """Return the content and the styles in the colours that they are compared in."""
    if preserve_color == "none":
        return content, styles
    if preserve_color == "linear":
        return content, [images.match_colour(style, content) for style in styles]
    if preserve_color == "histogram":
        return content, [images.match_colour_distribution(style, content) for style in styles]
    grey = images.luminance(content)
    matched = [images.match_luminance(images.luminance(style), grey) for style in styles]
    return tf.tile(grey, [1, 1, 1, 3]), [tf.tile(style, [1, 1, 1, 3]) for style in matched]


def _start(picture: tf.Tensor | None, seed: int, size: Size) -> tf.Tensor:
    """Return the start of a picture of ``size``: another picture, or uniform noise for None."""
    if picture is not None:
        return images.resize(picture, size)
    return tf.random.stateless_uniform([1, *size, 3], seed=[seed, 0])


def recolour(content: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """Return the luminance of ``image`` in the colours of the content."""
    content = images.resize(content, size_of(image))
    return images.replace_luminance(content, images.luminance(image))


def _recoloured(callback: Callback, content: tf.Tensor) -> Callback:
    """Return ``callback`` shown pictures in the colours of the content."""

    def recoloured(progress: Progress) -> None:
        callback(
            dataclasses.replace(progress, image=lambda: recolour(content, progress.image()).numpy())
        )

    return recoloured


class _Problem:
    """The loss of one painting, and its targets at any size.

    Args:
        config: The configuration of the transfer.
        content: [1, H, W, 3] in [0, 1], at the final size.
        styles: The style pictures.

    Raises:
        ValueError: If a picture is too small for the objective.
    """

    def __init__(self, config: TransferConfig, content: tf.Tensor, styles: StyleReferences) -> None:
        with errors.renamed(image="content"):
            config.objective.check_image_size(*size_of(content))
        styles.check_size(config.style_scale * max(size_of(content)))
        self._config = config
        self._content = content
        self._styles = styles
        self._loss: TotalLoss | None = None

    def __call__(self, size: Size) -> tuple[TotalLoss, Targets]:
        """Return the loss of a picture of ``size`` and its targets."""
        references: dict[str, Reference] = {}
        if self._config.objective.content_taps:
            references["content"] = Reference([images.resize(self._content, size)])
        references |= self._styles.at(self._config.style_scale * max(size))
        if self._loss is None:
            # Regions may share pictures. Mean activations are those of the first size at all sizes.
            pictures = {id(each): each for role in references.values() for each in role.images}
            self._loss = self._config.objective.build(
                pictures=list(pictures.values()),
                regions=self._styles.regions,
                tile=self._config.tile,
                seed=self._config.seed,
            )
        return self._loss, self._loss.targets(references, image_size=size)
