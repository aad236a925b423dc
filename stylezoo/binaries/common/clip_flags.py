"""Flags of the commands that paint clips, and what these commands have in common."""

from typing import Any

from absl import flags

from stylezoo import video
from stylezoo.binaries.common import config_flags, options, reporting
from stylezoo.video.painted import Encoding

_ENCODING = config_flags.ConfigFlags(Encoding)
# Flags that don't decide what is painted.
_INDIFFERENT = {"output", "report", "overwrite", "traceback", "flagfile", "max_pixels"}


def define(values: flags.FlagValues) -> None:
    """Add the flags to ``values``."""
    options.define_output_flags(
        values,
        output="Clip to write: .mp4, .mov or .mkv (H.264), .webp or .gif, or a folder of frames.",
        report="Also write times, cuts and settings to this JSON file.",
    )
    _ENCODING.define(values)
    define_reading_flags(values)
    flags.DEFINE_string(
        "cuts",
        "auto",
        "Frames that begin a scene, which is painted anew: auto (look for them), none, or their numbers from "
        "0 with commas between them.",
        flag_values=values,
    )


def define_reading_flags(values: flags.FlagValues) -> None:
    """Add the flags of every command that reads clips."""
    flags.DEFINE_float(
        "frame_rate",
        video.DEFAULT_FRAME_RATE,
        "Frames a second of a folder of pictures; other clips know theirs.",
        flag_values=values,
    )


def open_clip(values: flags.FlagValues, path: str) -> video.Clip:
    """Open a clip by the flags of reading."""
    return video.open_clip(path, frame_rate=values.frame_rate, max_pixels=values.max_pixels)


def only_clip(values: flags.FlagValues, arguments: list[str]) -> video.Clip:
    """Open the one clip that is given; check that the flags go with it.

    Raises:
        ValueError, OSError, ModuleNotFoundError: If there is not one, or it can't be read or written.
    """
    if len(arguments) != 1:
        raise ValueError(
            "expected one clip: a video, an animation, a folder or pattern of frames. "
            f"Received: {' '.join(arguments) or 'none'}"
        )
    options.require(values, "output")
    clip = open_clip(values, arguments[0])
    _ = cuts(values)
    video.check_output(
        values.output, clip, sound=values.sound is not False, overwrite=values.overwrite
    )
    reporting.check_report(values)
    return clip


def cuts(values: flags.FlagValues) -> tuple[int, ...] | None:
    """Return the frames of --cuts; None for auto.

    Raises:
        ValueError: If they are no numbers.
    """
    if values.cuts in ("auto", "none"):
        return None if values.cuts == "auto" else ()
    numbers = values.cuts.split(",")
    if not all(number.isdecimal() for number in numbers):
        raise ValueError(f"`--cuts` must be auto, none or numbers. Received: {values.cuts}")
    return tuple(map(int, numbers))


def painted_clip(
    values: flags.FlagValues, command: str, clip: video.Clip, *, keep: int
) -> video.PaintedClip:
    """Return the painted frames of a clip, with those of an interrupted run of the same command.

    Args:
        values: The command's flags.
        command: The command's name.
        clip: The clip.
        keep: How many frames before a frame its painter looks at.
    """
    return video.PaintedClip(
        values.output,
        clip,
        settings=_settings(values, command, clip),
        encoding=_ENCODING.replace(values, Encoding()),
        quality=values.quality,
        keep=keep,
        overwrite=values.overwrite,
    )


def _settings(values: flags.FlagValues, command: str, clip: video.Clip) -> dict[str, Any]:
    path = clip.path.resolve()
    changed = path.stat().st_mtime_ns if path.exists() else None
    chosen = {name: values[name].value for name in values if name not in _INDIFFERENT}
    return {"command": command, "clip": str(path), "version of the clip": changed, **chosen}


def paint(
    values: flags.FlagValues, command: str, clip: video.Clip, painter: video.FramePainter
) -> video.Painting:
    """Paint a clip with a progress bar, from where an interrupted run stopped.

    Args:
        values: The command's flags.
        command: The command's name.
        clip: The clip.
        painter: What paints its frames.
    """
    target = painted_clip(values, command, clip, keep=painter.reach)
    first = target.count
    with reporting.bar(clip.path.name, "frame", total=clip.info.num_frames, initial=first) as bar:

        def callback(count: int) -> None:
            bar.update(count - bar.n)

        return video.paint_clip(
            clip, painter, target, size=values.size, cuts=cuts(values), callback=callback
        )


def report(
    values: flags.FlagValues, clip: video.Clip, painting: video.Painting, **settings: Any
) -> None:
    """Write the report, and raise what the clip's end is to be told as.

    Raises:
        BrokenClipError: If the clip ended before its end; what could be read is painted.
    """
    frames = painting.frames
    reporting.write_report(
        values,
        {
            "clip": str(clip.path),
            "frames": frames,
            "cuts": painting.cuts,
            "seconds": painting.seconds,
            "seconds_per_frame": painting.seconds / frames if frames else None,
            "flow_seconds": painting.flow_seconds,
            "broken": painting.broken,
            **settings,
            **reporting.circumstances(values),
        },
    )
    if painting.broken:
        raise video.BrokenClipError(f"{painting.broken}. `{values.output}` has what can be read.")
