"""Paint a clip in the style of other pictures, by optimisation.

Usage:
  stylezoo transfer_video CLIP --style=PAINTING[,PAINTING...] --output=PAINTED [--flags]

Presets, the default first:
  fast                 a few steps a frame with a preconditioned L-BFGS, on VGG-16; coarse to fine for the
                       first frame of a scene
  ruder2016-paper      Ruder et al. 2016 by their code: up to 2000 steps for the first frame and 1000 for
                       each other, VGG-19
  ruder2016-multipass  15 passes over all frames, forward and backward by turns, of 100 steps a frame

Each frame starts from the painting before, warped along the optical flow, and is held to it and to those of
--offsets frames before, wherever the flow can be relied on. A new scene starts anew.

All that `stylezoo transfer` takes applies to each frame. A mask of --masks may be a picture, for all frames,
or a clip of as many frames. CLIP, PAINTED and interrupted runs are as in `stylezoo video`.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from stylezoo import images, video
from stylezoo.binaries.common import (
    clip_flags,
    config_flags,
    options,
    quiet,
    reporting,
    synthesis_flags,
    transfer_flags,
)
from stylezoo.synthesis.clip_config import CLIP_PRESETS, ClipTransferConfig
from stylezoo.synthesis.configurations import INITS

if TYPE_CHECKING:
    from stylezoo.images import FloatArray
    from stylezoo.synthesis import FrameOptimizer

_NAME = "transfer_video"
_PRESET = "fast"
_CONFIG = config_flags.ConfigFlags(CLIP_PRESETS[_PRESET], skip=["transfer"])


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    clip_flags.define(values)
    synthesis_flags.define_optimizer_flags(values)
    transfer_flags.define(
        values,
        init="What the first frame of a scene starts from: content, noise or style.",
        masks="Masks of the frames' size, one for each painting, which applies where its mask is white: "
        "pictures or clips.",
    )
    _CONFIG.define(values)
    flags.DEFINE_enum(
        "preset", _PRESET, list(CLIP_PRESETS), "Preset, as told above.", flag_values=values
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.require(values, "style")
    clip = clip_flags.only_clip(values, arguments)
    if values.init is not None and values.init not in INITS:
        raise ValueError(f"`--init` must be one of {', '.join(INITS)}. Received: {values.init}")
    styles = transfer_flags.read_styles(values)
    masks = _Masks(values, clip) if values.masks else None
    quiet.import_tensorflow()
    config = _configure(values)
    from stylezoo import synthesis

    values.size = config.transfer.size
    optimizer = synthesis.FrameOptimizer(
        styles.pictures,
        config=config,
        style_weights=styles.weights,
        masks=masks,
        style_masks=styles.masks,
    )
    if config.passes == 1:
        painter = synthesis.FrameTransfer(optimizer, config)
        painting = clip_flags.paint(values, _NAME, clip, painter)
    else:
        painting = _paint_in_passes(values, clip, optimizer, config)
    clip_flags.report(values, clip, painting, settings=reporting.settings(config.resolved()))
    return 0


def _configure(values: flags.FlagValues) -> ClipTransferConfig:
    """Return the preset as the flags change it."""
    preset = CLIP_PRESETS[values.preset]
    config: ClipTransferConfig = _CONFIG.replace(values, preset)
    return dataclasses.replace(config, transfer=transfer_flags.configure(values, preset.transfer))


def _paint_in_passes(
    values: flags.FlagValues,
    clip: video.Clip,
    optimizer: "FrameOptimizer",
    config: ClipTransferConfig,
) -> video.Painting:
    from stylezoo import synthesis

    total = clip.info.num_frames and clip.info.num_frames * config.passes
    with reporting.bar(clip.path.name, "frame", total=total) as bar:
        return synthesis.transfer_in_passes(
            clip,
            optimizer,
            clip_flags.painted_clip(values, _NAME, clip, keep=0),
            config=config,
            size=values.size,
            cuts=clip_flags.cuts(values),
            callback=lambda count: bar.update(count - bar.n),
        )


class _Masks:
    """The masks of each frame: pictures that hold for all, or clips.

    Raises:
        ValueError, OSError: If one can't be read, or is a clip of another length.
    """

    def __init__(self, values: flags.FlagValues, clip: video.Clip) -> None:
        self._values = values
        self._clips = [clip_flags.open_clip(values, path) for path in values.masks]
        for mask in self._clips:
            counts = (mask.info.num_frames, clip.info.num_frames)
            if counts[0] != 1 and None not in counts and counts[0] != counts[1]:
                raise ValueError(
                    "`--masks` must be pictures, or clips of as many frames as the clip, "
                    f"{counts[1]}. Received: {mask.path} of {counts[0]}"
                )
        self._readers = [_MaskReader(mask) for mask in self._clips]
        self._size: int | None = None

    def __call__(self, index: int) -> "Sequence[FloatArray]":
        """Return the masks of a frame, at the size at which it is painted."""
        return [video.sized(reader(index), self._values.size) for reader in self._readers]


class _MaskReader:
    """Reads the frames of a mask by number; numbers that grow are the quick ones."""

    def __init__(self, clip: video.Clip) -> None:
        self._clip = clip
        self._frames = enumerate(clip)
        self._last: tuple[int, FloatArray] | None = None

    def __call__(self, index: int) -> "FloatArray":
        if self._clip.info.num_frames == 1:
            index = 0
        if self._last is not None and index < self._last[0]:
            self._frames, self._last = enumerate(self._clip), None
        while self._last is None or self._last[0] < index:
            following = next(self._frames, None)
            if following is None:
                raise ValueError(
                    f"`--masks` must have a mask for each frame. Received: {self._clip.path}, "
                    f"which has none for frame {index + 1}"
                )
            self._last = (following[0], images.luma(following[1].image))
        return self._last[1]
