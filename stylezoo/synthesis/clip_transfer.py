"""Style transfer on clips by optimisation (Ruder, Dosovitskiy & Brox 2016)."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from stylezoo import images, video
from stylezoo.images import FloatArray
from stylezoo.losses import Target, temporal_target
from stylezoo.objectives import StyleReferences, Targets, TotalLoss
from stylezoo.progress import Callback
from stylezoo.synthesis.clip_config import ClipTransferConfig
from stylezoo.synthesis.configurations import Size, TransferConfig
from stylezoo.synthesis.loop import optimize_image
from stylezoo.synthesis.minimizers import Minimizer
from stylezoo.synthesis.parameters import Pixels
from stylezoo.synthesis.pyramid import size_of
from stylezoo.synthesis.style_transfer import in_colours, match_style_colours, recolour, transfer

# The number of a frame -> the masks of its regions, each [1, H, W, 1] in [0, 1].
MasksOf = Callable[[int], Sequence[FloatArray]]


class FrameOptimizer:
    """Paints frames of a clip in the style of other pictures, alone or so that they follow others.

    A frame depends on nothing but what is given for it, so that painting can go on after an interruption.

    Args:
        styles: Each [1, H, W, 3] in [0, 1], of any sizes.
        config: See :class:`ClipTransferConfig`.
        style_weights: As for :func:`~stylezoo.synthesis.transfer`.
        masks: Gives the regions of a frame by its number, as for :func:`~stylezoo.synthesis.transfer`. How
            much a region counts follows from its size in the first frame.
        style_masks: As for :func:`~stylezoo.synthesis.transfer`.
        callback: Called after every step of every frame.

    Raises:
        ValueError: If numbers or sizes of styles, weights and masks don't fit.
    """

    def __init__(
        self,
        styles: Sequence[tf.Tensor],
        *,
        config: ClipTransferConfig,
        style_weights: Sequence[float] | None = None,
        masks: MasksOf | None = None,
        style_masks: Sequence[Sequence[tf.Tensor]] | None = None,
        callback: Callback | None = None,
    ) -> None:
        self._config = config.resolved()
        self._styles = styles
        self._weighting: dict[str, Any] = {
            "style_weights": style_weights,
            "style_masks": style_masks,
        }
        self._masks = masks
        self._callback = callback
        self._run: _Run | None = None
        self._references(styles, 0)  # checks that all fits

    def alone(self, index: int, source: FloatArray) -> FloatArray:
        """Paint a frame as :func:`~stylezoo.synthesis.transfer` does.

        Args:
            index: The number of the frame, from 0.
            source: [1, H, W, 3] in [0, 1].

        Raises:
            ValueError: If the frame is too small, or its masks don't fit.
            WeightsError: If the network's weights can't be had.
            FloatingPointError: If the loss stops being finite.
        """
        result = transfer(
            source,
            self._styles,
            config=self._sized(source),
            masks=self._masks and self._masks(index),
            callback=self._callback,
            **self._weighting,
        )
        return np.asarray(result.image)

    def following(
        self, index: int, source: FloatArray, initial: FloatArray, temporal: Target | None = None
    ) -> FloatArray:
        """Paint a frame from a start that is nearly what it should be.

        Args:
            index: The number of the frame, from 0.
            source: [1, H, W, 3] in [0, 1].
            initial: What it starts from, of the same shape.
            temporal: What it should be like, and where; see :func:`~stylezoo.losses.temporal_target`.

        Raises:
            ValueError, WeightsError, FloatingPointError: As :meth:`alone`.
        """
        config = self._sized(source)
        if self._run is None or self._run.size != size_of(source):
            regions = self._references(self._styles, 0).regions
            self._run = _Run(self._config, size_of(source), self._styles, regions)
        content, styles = in_colours(config.preserve_color, source, self._styles)
        references = self._references(styles, index)
        references.check_content(source)
        if temporal is None:
            temporal = {"picture": initial, "weights": np.zeros_like(initial[..., :1])}
        changes = styles is not self._styles or self._masks is not None
        painted = self._run.paint(
            content,
            references,
            self._seen(initial),
            {**temporal, "picture": self._seen(temporal["picture"])},
            styles_change=changes,
            callback=self._callback,
        )
        if config.match_style_colour and self._masks is None:
            painted = match_style_colours(painted, styles)
        if config.preserve_color == "luminance":
            painted = recolour(source, painted)
        return np.asarray(painted)

    def _seen(self, painting: Any) -> tf.Tensor:
        """Return a painting in the colours in which it is optimised."""
        painting = tf.convert_to_tensor(painting, tf.float32)
        if self._config.transfer.preserve_color != "luminance":
            return painting
        return tf.repeat(images.luminance(painting), 3, axis=-1)

    def _sized(self, source: FloatArray) -> TransferConfig:
        return dataclasses.replace(self._config.transfer, size=max(size_of(source)))

    def _references(self, styles: Sequence[tf.Tensor], index: int) -> StyleReferences:
        return StyleReferences(
            self._config.transfer.objective,
            styles,
            masks=self._masks and self._masks(index),
            **self._weighting,
        )


class _Run:
    """The loss, the picture and its minimiser at one size, which all frames share: one trace serves all."""

    def __init__(
        self,
        config: ClipTransferConfig,
        size: Size,
        styles: Sequence[tf.Tensor],
        regions: dict[str, float] | None,
    ) -> None:
        self.size = size
        self._transfer = config.transfer
        self._steps = config.frame_steps
        self._loss = config.transfer.objective.build(
            pictures=styles,
            regions=regions,
            temporal_weight=config.temporal_weight,
            tile=config.transfer.tile,
            seed=config.transfer.seed,
        )
        self._parameter = Pixels(tf.zeros([1, *size, 3]))
        self._minimizer: Minimizer | None = None
        self._style_targets: Targets | None = None
        content = [term for term in self._loss.terms if term.reference == "content"]
        self._content = tf.function(
            lambda picture: _targets(content, self._loss, picture), autograph=False
        )

    def paint(
        self,
        content: tf.Tensor,
        styles: StyleReferences,
        initial: tf.Tensor,
        temporal: Target,
        *,
        styles_change: bool,
        callback: Callback | None,
    ) -> FloatArray:
        """Return the painting of a frame."""
        if self._style_targets is None or styles_change:
            self._style_targets = self._targets_of(styles)
        targets = {
            **self._style_targets,
            **self._content(tf.convert_to_tensor(content)),
            "temporal": {key: tf.convert_to_tensor(value) for key, value in temporal.items()},
        }
        self._parameter.variable.assign(initial)
        result, self._minimizer = optimize_image(
            self._loss,
            self._parameter,
            targets,
            config=self._transfer.optimization,
            num_steps=self._steps,
            callback=callback,
            minimizer=self._minimizer,
        )
        return result.image

    def _targets_of(self, styles: StyleReferences) -> Targets:
        """Return the targets of all terms but those of the content."""
        references = styles.at(self._transfer.style_scale * max(self.size))
        terms = [term for term in self._loss.terms if term.reference != "content"]
        loss = TotalLoss(terms, self._loss.network)
        return loss.targets(references, image_size=self.size)


def _targets(terms: Sequence[Any], loss: TotalLoss, picture: tf.Tensor) -> Targets:
    features = loss.features(picture)
    return {term.name: term.target(features) for term in terms}


class FrameTransfer:
    """A :class:`~stylezoo.video.FramePainter` that optimises frames, in one pass.

    The first frame of a scene is painted alone. Each other starts from the painting before, warped, and is
    compared with those before, wherever the optical flow can be relied on. What comes into view starts from
    the content where first frames do: few steps would not paint it over what is stretched there.

    Args:
        optimizer: What paints the frames.
        config: Its configuration.
    """

    def __init__(self, optimizer: FrameOptimizer, config: ClipTransferConfig) -> None:
        self._optimizer = optimizer
        self._offsets = config.offsets
        self._starts_from_content = config.transfer.init == "content"
        self.reach = max(config.offsets)

    def __call__(self, moment: video.Moment) -> FloatArray:
        """Paint a frame.

        Raises:
            ValueError, WeightsError, FloatingPointError: As :meth:`FrameOptimizer.alone`.
        """
        if moment.motion is None:
            return self._optimizer.alone(moment.index, moment.source)
        initial = video.remap(moment.past[-1].painted, moment.motion.flow)
        if self._starts_from_content:
            uncovered = moment.motion.uncovered
            initial = (1 - uncovered) * initial + uncovered * moment.source
        warped, weights = [], []
        for offset in self._offsets:
            if offset > len(moment.past):
                break
            before = moment.past[-offset]
            motion = moment.motion if offset == 1 else video.motion(before.source, moment.source)
            warped.append(video.remap(before.painted, motion.flow))
            weights.append(motion.weights)
        temporal = temporal_target(warped, weights) if warped else None
        return self._optimizer.following(moment.index, moment.source, initial, temporal)
