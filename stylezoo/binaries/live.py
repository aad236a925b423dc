"""Paint a camera, or a clip, in real time.

Usage:
  stylezoo live [CLIP] [--camera=0] [--model=light] [--style=NAME] [--size=256] [--flags]

The pictures are shown on a page of this computer, whose address is printed, or in a window with --window,
for which OpenCV must be a build with windows. Frames are dropped rather than shown late. These keys change
what is painted: n and p the style; + and - the share of the next style; q ends.
"""

from absl import flags

from stylezoo import video
from stylezoo.binaries.common import clip_flags, flag_checks, options, quiet
from stylezoo.video import live


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_reading_flags(values)
    clip_flags.define_reading_flags(values)
    flags.DEFINE_integer("camera", 0, "Number of the camera.", 0, flag_values=values)
    flags.DEFINE_string("model", "light", "Model that paints.", flag_values=values)
    flags.DEFINE_string("style", None, "Style to begin with.", flag_values=values)
    flags.DEFINE_integer("size", 256, "Longest side of the picture, px.", 16, flag_values=values)
    flags.DEFINE_bool("window", False, "Show a window of its own.", flag_values=values)
    flags.DEFINE_integer(
        "port", 8080, "Port of the page; 0 takes a free one.", 0, 65535, flag_values=values
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    if len(arguments) > 1:
        raise ValueError(f"expected one clip or none. Received: {' '.join(arguments)}")
    flag_checks.needs(values, "camera", "no CLIP", met=not arguments)
    clip = clip_flags.open_clip(values, arguments[0]) if arguments else None
    source = live.PlayedClip(clip) if clip else live.Camera(values.camera)
    try:
        return _play(values, source)
    finally:
        source.close()


def _play(values: flags.FlagValues, source: live.LiveSource) -> int:
    quiet.import_tensorflow()
    from stylezoo import generators

    painter = generators.load(values.model)
    if painter.paints != generators.PHOTOGRAPHS or not painter.styles:
        raise ValueError(
            f"`--model` must be one that paints photographs in named styles. Received: {values.model}"
        )
    if values.style is not None and values.style not in painter.styles:
        raise ValueError(
            f"`--style` must be one of {', '.join(painter.styles)}. Received: {values.style}"
        )
    choice = video.Choice(painter.styles)
    choice.index = painter.styles.index(values.style) if values.style else 0
    screen = live.Window() if values.window else live.Browser(values.port)
    if isinstance(screen, live.Browser):
        print(f"Look at {screen.url} (Ctrl+C ends).", flush=True)

    def paint(picture, shares):  # type: ignore[no-untyped-def]
        return painter.paint(picture, style=shares, stroke_size=None)

    try:
        rate = live.play(source, paint, screen, choice, size=values.size)
    finally:
        screen.close()
    print(f"{rate:.1f} frames a second on average.")
    return 0
