"""`stylezoo evaluate --clip`: how steady a painted clip, or a model, is."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo import images, video
from stylezoo.binaries.common import clip_flags, quiet, reporting

if TYPE_CHECKING:
    from stylezoo.evaluation import FrameFigures, FrameLosses
    from stylezoo.images import FloatArray
    from stylezoo.objectives.objective import Objective

FLAGS = ("painted", "frames", "plot")


def define_flags(values: flags.FlagValues) -> None:
    """Add the flags of clips to ``values``."""
    flags.DEFINE_string("clip", None, "Clip that was painted.", flag_values=values)
    flags.DEFINE_string("painted", None, "Painted clip that is evaluated.", flag_values=values)
    flags.DEFINE_integer(
        "frames", None, "Evaluate so many of the first frames only.", 1, flag_values=values
    )
    flags.DEFINE_string(
        "plot", None, "Picture to write the temporal errors over time to.", flag_values=values
    )
    clip_flags.define_reading_flags(values)


def evaluate(values: flags.FlagValues, objective: "Objective") -> dict[str, Any]:
    """Print the figures of a painted clip, and return them for the report.

    Raises:
        ValueError, OSError, ModuleNotFoundError: If clips can't be read, or don't fit.
    """
    if bool(values.painted) == bool(values.model):
        raise ValueError("either `--painted` or `--model` must be given with --clip")
    if values.plot:
        images.check_output_path(values.plot, overwrite=values.overwrite)
    clip = clip_flags.open_clip(values, values.clip)
    painted = values.painted and clip_flags.open_clip(values, values.painted)
    style = values.style and images.read_image(values.style, max_pixels=values.max_pixels)
    quiet.import_tensorflow()
    from stylezoo import evaluation

    pairs = _painted_pairs(values, clip, painted) if painted else _model_pairs(values, clip)
    if values.frames:
        pairs = itertools.islice(pairs, values.frames)
    losses = _losses(values, objective, style, painted or clip) if values.style else None
    figures: list[FrameFigures] = []
    with reporting.bar("evaluate", "frame", total=values.frames or clip.info.num_frames) as bar:
        for each in evaluation.frame_figures(pairs, losses=losses):
            figures.append(each)
            bar.update()
    print(evaluation.temporal_table(figures))
    print(
        f"\n{len(figures)} frames. The temporal error is the root mean square difference in [0, 1] of a "
        "frame and the one so many before, warped to it, where the flow can be relied on."
    )
    if values.plot:
        lines = {
            "painted": [each.short for each in figures],
            "clip": [each.clip_short for each in figures],
        }
        plot = evaluation.plot_lines(lines, title="Temporal error", x_title="frame")
        reporting.write_picture(values, plot, values.plot)
    means = {
        field: evaluation.mean_figure(figures, field)
        for field in ("short", "long", "clip_short", "clip_long", "brightness", "sharpness")
    }
    return {"means": means, "frames": [dataclasses.asdict(each) for each in figures]}


def _losses(
    values: flags.FlagValues, objective: "Objective", style: Any, clip: video.Clip
) -> "FrameLosses":
    from stylezoo import evaluation

    style_size = values.style_size or max(clip.info.height, clip.info.width)
    return evaluation.FrameLosses(objective, style, style_size=style_size)


def _painted_pairs(
    values: flags.FlagValues, clip: video.Clip, painted: video.Clip
) -> "Iterator[tuple[FloatArray, FloatArray]]":
    """Yield frames and paintings, at the size of the paintings."""
    size = (painted.info.height, painted.info.width)
    expected = images.fit_size(clip.info.height, clip.info.width, max(size))
    # H.264 leaves an odd row or column out.
    if max(abs(side - other) for side, other in zip(size, expected, strict=True)) > 2:
        raise ValueError(
            "`--painted` must have the aspect ratio of --clip. "
            f"Received: {size[1]}x{size[0]} and {clip.info.width}x{clip.info.height} px"
        )
    for index, (frame, painting) in enumerate(itertools.zip_longest(clip, painted)):
        if painting is None and index and values.frames is None:
            raise ValueError(
                f"`--painted` must have as many frames as --clip. Received: {index} only"
            )
        if frame is None or painting is None:
            raise ValueError("`--clip` must have as many frames as --painted. Received: fewer")
        yield images.resize(frame.image, size).numpy(), painting.image


def _model_pairs(
    values: flags.FlagValues, clip: video.Clip
) -> "Iterator[tuple[FloatArray, FloatArray]]":
    """Yield frames and what a model paints of each alone."""
    from stylezoo import generators

    painter = generators.load(values.model)
    if values.styles and len(values.styles) > 1:
        raise ValueError("`--styles` must be one with --clip. Received: several")
    mix = painter.mix_styles(values.styles[0] if values.styles else None)
    for frame in clip:
        source = video.sized(frame.image, values.size)
        yield source, painter.paint(source, style=mix)
