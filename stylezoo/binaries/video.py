"""Paint a clip with a trained network.

Usage:
  stylezoo video CLIP --style=NAME --output=PAINTED [--model=MODEL] [--stabilize] [--flags]

A CLIP is a video file of any kind that ffmpeg reads, an animated GIF or WebP, a folder of frames or a
pattern such as 'shot/*.png'. MODEL and --style are those of `stylezoo stylize`. The sound is copied as it
is, and frames keep their times. --stabilize ends the flicker: each painted frame is blended with the one
before, warped along the optical flow, wherever that can be relied on. A new scene starts anew.

Frames that are painted are kept in a folder beside the output, PAINTED.unfinished, until all are. An
interrupted command goes on from there when it is given again.

A clip that is broken is painted as far as it can be read, and the exit status is 1.
"""

from absl import flags

from stylezoo import video
from stylezoo.binaries.common import clip_flags, painter_flags, quiet, reporting


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    clip_flags.define(values)
    painter_flags.define(values, pictures="frames")
    flags.DEFINE_bool(
        "stabilize", False, "Blend painted frames along the optical flow.", flag_values=values
    )
    flags.DEFINE_float(
        "stability",
        video.STABILITY,
        "Share of the warped frame before with --stabilize, from 0 to less than 1.",
        flag_values=values,
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; return its exit status."""
    clip = clip_flags.only_clip(values, arguments)
    quiet.import_tensorflow()
    from stylezoo import generators

    painter = generators.load(values.model)
    if painter.paints != generators.PHOTOGRAPHS:
        raise ValueError(f"`--model` must be one that paints photographs. Received: {values.model}")
    # This comes before anything is painted, because a style may be unknown.
    options = painter_flags.paint_options(values, painter.mix_styles(values.style))

    def paint(image):  # type: ignore[no-untyped-def]
        return painter.paint(image, **options)

    frame_painter: video.FramePainter = video.Unsteady(paint)
    if values.stabilize:
        frame_painter = video.Steady(paint, stability=values.stability)
    painting = clip_flags.paint(values, "video", clip, frame_painter)
    clip_flags.report(values, clip, painting, generator=reporting.settings(painter.config))
    return 0
