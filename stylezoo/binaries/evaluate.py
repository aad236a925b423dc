"""Say how good a painting, or a model, is: losses, LPIPS, and how many steps of L-BFGS it is worth.

Usage:
  stylezoo evaluate --picture=PAINTED --content=PHOTO --style=PAINTING [--flags]
  stylezoo evaluate --model=MODEL --content=FOLDER --style_images=PAINTING[,PAINTING...] [--flags]
  stylezoo evaluate --model=SUPERRES --content=FOLDER [--size=PX] [--sheet=PICTURE]
  stylezoo evaluate --clip=CLIP --painted=PAINTED [--style=PAINTING] [--plot=PICTURE] [--flags]
  stylezoo evaluate --clip=CLIP --model=MODEL --styles=NAME [--size=PX] [--flags]

The second paints every photograph of a folder, the largest centred square of it at --size, in every
style. With --against_steps=25,50,100 it also optimises pixels for the same loss, by L-BFGS from noise
and from the photograph, and says at which step that overtakes the model: so many steps it is worth.

The third reduces the squares, enlarges them by the model and by bicubic interpolation, and compares
both with the photographs. Its sheet has a row for each: bicubic, model, photograph.

The last two say how steady a painted clip is, or what a model paints of each frame alone: the temporal
error over 1 and 5 frames beside that of the clip itself, brightness and sharpness at the beginning and at
the end, and with --style the losses of the frames.

Tables are printed in Markdown. Losses are shares of the total, with the objective's weights; TV, the
total variation, is the mean of squared differences of neighbours, without a weight. LPIPS is the
distance from the photograph.
"""

import dataclasses
import pathlib
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo import images
from stylezoo.binaries.common import (
    clip_evaluation,
    config_flags,
    flag_checks,
    objective_flags,
    options,
    quiet,
    reporting,
)
from stylezoo.objectives.named import OBJECTIVES
from stylezoo.objectives.objective import Objective

if TYPE_CHECKING:
    import numpy as np

    from stylezoo.evaluation import Judge, Painting, Summary
    from stylezoo.generators import Painter

_SIZE = 256
_LARGEST = 768
_OBJECTIVE = "relative"
_ONLY_WITH_PICTURE = ("style",)
_NOT_WITH_CLIP = ("picture", "content", "style_images", "against_steps", "sheet")
_ONLY_WITH_STYLES = ("styles", "style_images", "style_size", "against_steps", "seed")
_ONLY_WITH_MODEL = ("styles", "style_images", "against_steps", "seed", "sheet")


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""

    def string(name: str, text: str, default: str | None = None) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def strings(name: str, text: str) -> None:
        flags.DEFINE_list(name, None, text, flag_values=values)

    def count(name: str, text: str) -> None:
        flags.DEFINE_integer(name, None, text, 1, flag_values=values)

    string("picture", "Painting that is evaluated.")
    string(
        "model",
        "Model that is evaluated: a name that `stylezoo models` lists, or a folder `model` of a run.",
    )
    string("content", "Photograph that was painted; for a model, a folder of photographs.")
    string("style", "Painting whose style the picture should have.")
    strings("styles", "Styles of the model by name; by default all.")
    strings(
        "style_images", "Paintings of the styles; the names of the files are those of the styles."
    )
    count(
        "size",
        config_flags.with_notes(
            "Side of the photographs' centre squares, in pixels; for a picture the longest side in which "
            f"it is compared, by default its own up to {_LARGEST} px.",
            *config_flags.default_note(_SIZE),
        ),
    )
    count(
        "style_size",
        "Longest side of the paintings, in pixels; by default the picture's, or for a model that of its "
        "training.",
    )
    objective_flags.define(values, default=_OBJECTIVE)
    strings(
        "against_steps",
        "Numbers of steps; pixels are optimised too, and the losses after so many steps shown.",
    )
    flags.DEFINE_integer(
        "seed", None, "Seed of the noise that pixels start from.", 0, flag_values=values
    )
    string("sheet", "Picture to write all paintings to, a row for each photograph.")
    clip_evaluation.define_flags(values)
    options.define_file_flags(values, report="Also write every figure to this JSON file.")


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    reporting.check_report(values)
    if values.clip:
        return _evaluate_clip(values)
    _reject(values, clip_evaluation.FLAGS, "--clip")
    if bool(values.picture) == bool(values.model):
        raise ValueError("either `--picture` or `--model` must be given")
    if values.sheet:
        images.check_output_path(values.sheet, overwrite=values.overwrite)
    return _evaluate_picture(values) if values.picture else _evaluate_model(values)


def _evaluate_clip(values: flags.FlagValues) -> int:
    """Print the figures of a painted clip, and return the exit status."""
    _reject(values, _NOT_WITH_CLIP, "--content")
    objective = objective_flags.objective(values, OBJECTIVES[_OBJECTIVE])
    _write_report(values, objective, **clip_evaluation.evaluate(values, objective))
    return 0


def _evaluate_picture(values: flags.FlagValues) -> int:
    """Print the scores of one picture, and return the exit status."""
    options.require(values, "content", "style")
    _reject(values, _ONLY_WITH_MODEL, "--model")
    paths = (values.picture, values.content, values.style)
    picture, content, style = (_read(values, path) for path in paths)
    quiet.import_tensorflow()
    from stylezoo import evaluation

    objective = objective_flags.objective(values, OBJECTIVES[_OBJECTIVE])
    _check_aspect(values, picture.shape[1:3], content.shape[1:3])
    side = options.longest_side(picture, values.size, most=_LARGEST)
    picture = images.resize_longest_side(picture, side)
    height, width = picture.shape[1:3]
    content = images.resize(content, (height, width))
    style_size = values.style_size or max(height, width)
    judge = evaluation.Judge(
        objective,
        photographs={values.content: content},
        styles={values.style: style},
        style_size=style_size,
    )
    scores = judge.scores(picture, photograph=values.content, style=values.style)
    print(evaluation.scores_table({values.picture: scores}, title="picture"))
    print(
        f"\n{_describe(values, objective)} Compared at {width}x{height} px. "
        f"Style pictures: longest side {style_size} px."
    )
    _write_report(
        values,
        objective,
        size=[height, width],
        style_size=style_size,
        scores=dataclasses.asdict(scores),
    )
    return 0


def _check_aspect(
    values: flags.FlagValues, size: tuple[int, int], content_size: tuple[int, int]
) -> None:
    """Raise a ValueError unless the photograph, resized, can have the picture's size."""
    expected = images.fit_size(*content_size, max(size))
    if max(abs(side - other) for side, other in zip(size, expected, strict=True)) > 1:
        (height, width), (content_height, content_width) = size, content_size
        raise ValueError(
            "`--picture` must have the aspect ratio of --content. "
            f"Received: {values.picture} of {width}x{height} px and "
            f"{values.content} of {content_width}x{content_height} px"
        )


def _evaluate_model(values: flags.FlagValues) -> int:
    """Print the scores of a model's paintings of a folder's photographs, and return the exit status."""
    options.require(values, "content")
    _reject(values, _ONLY_WITH_PICTURE, "--picture")
    photographs = _pictures(values.content)
    quiet.import_tensorflow()
    from stylezoo import generators

    painter = generators.load(values.model)
    if painter.paints == generators.ENLARGEMENTS:
        return _evaluate_enlargements(values, painter, photographs)
    return _evaluate_styles(values, painter, photographs)


def _evaluate_enlargements(
    values: flags.FlagValues, painter: "Painter", photographs: list[pathlib.Path]
) -> int:
    """Print how like photographs are to what super-resolution makes of them when they were reduced."""
    _reject(values, (*_ONLY_WITH_STYLES, *objective_flags.names()), "a model that has styles")
    size = values.size or _SIZE
    if size % painter.factor:
        raise ValueError(
            f"`--size` must be a multiple of {painter.factor} for {values.model}. Received: {size}"
        )
    from stylezoo import evaluation

    squares = _squares(values, photographs, size)
    with reporting.bar("enlarge", "picture", total=len(squares)) as bar:
        enlargements = evaluation.enlarge_and_score(painter, squares, callback=bar.update)
    print(evaluation.enlargements_table(enlargements))
    print(f"\nCentre squares of {size} px, reduced and enlarged {painter.factor} times.")
    if values.sheet:
        sheet = evaluation.enlargements_sheet(enlargements, squares)
        reporting.write_picture(values, sheet, values.sheet)
    _write_report(
        values,
        size=size,
        enlargements=[
            {
                "photograph": each.photograph,
                "bicubic": dataclasses.asdict(each.bicubic_likeness),
                "model": dataclasses.asdict(each.likeness),
            }
            for each in enlargements
        ],
    )
    return 0


def _squares(
    values: flags.FlagValues, photographs: list[pathlib.Path], size: int
) -> "dict[str, np.ndarray]":
    """Return the centre squares of photographs by the files' names."""
    return {path.name: images.centre_square(_read(values, path), size) for path in photographs}


def _evaluate_styles(
    values: flags.FlagValues, painter: "Painter", photographs: list[pathlib.Path]
) -> int:
    """Print the scores of paintings of photographs in a model's styles, and return the exit status."""
    options.require(values, "style_images")
    steps = _steps(values.against_steps)
    style_images = _by_stem(values.style_images)
    from stylezoo import evaluation

    objective = objective_flags.objective(values, OBJECTIVES[_OBJECTIVE])
    styles = _styles(values, painter, set(style_images))
    size = values.size or _SIZE
    style_size = values.style_size or evaluation.style_size_of(painter)
    judge = evaluation.Judge(
        objective,
        photographs=_squares(values, photographs, size),
        styles={name: _read(values, style_images[name]) for name in styles},
        style_size=style_size,
    )
    paintings = _paint(values, painter, judge, steps)
    summaries = evaluation.summarize(paintings)
    scores = {name: summary.scores for name, summary in summaries.items()}
    print(evaluation.scores_table(scores, title="style"))
    print(
        f"\nMeans over {len(photographs)} photographs, centre squares of {size} px. "
        f"{_describe(values, objective)} Style pictures: longest side {style_size} px."
    )
    if steps:
        print(f"\n{evaluation.worth_table(summaries, steps=steps)}\n\n{_describe_worth(summaries)}")
    if values.sheet:
        sheet = evaluation.paintings_sheet(judge, paintings)
        reporting.write_picture(values, sheet, values.sheet)
    _write_report(
        values,
        objective,
        size=size,
        style_size=style_size,
        summaries={name: dataclasses.asdict(each) for name, each in summaries.items()},
        paintings=[_as_json(painting) for painting in paintings],
    )
    return 0


def _paint(
    values: flags.FlagValues, painter: "Painter", judge: "Judge", steps: list[int]
) -> "list[Painting]":
    """Return the paintings, with optimisations beside them if there are ``steps``."""
    from stylezoo import evaluation

    num_pictures = len(judge.photographs) * len(judge.styles)
    with reporting.bar("paint", "picture", total=num_pictures) as bar:
        paintings = evaluation.paint_and_score(painter, judge, callback=bar.update)
    if not steps:
        return paintings
    total = len(paintings) * len(evaluation.STARTS) * steps[-1]
    with reporting.bar("optimise", "step", total=total) as bar:
        return evaluation.optimize_beside(
            judge, paintings, num_steps=steps[-1], seed=values.seed or 0, callback=bar.update
        )


def _reject(values: flags.FlagValues, names: tuple[str, ...], mode: str) -> None:
    """Raise a ValueError that names the first of these flags that is given."""
    for name in names:
        if values[name].value is not None:
            raise ValueError(f"`--{name}` must come with {mode}")


def _read(values: flags.FlagValues, path: "str | pathlib.Path") -> "np.ndarray":
    return images.read_image(path, max_pixels=values.max_pixels)


def _steps(texts: list[str] | None) -> list[int]:
    """Return the steps of --against_steps; none if it was not given."""
    if texts is None:
        return []
    steps = [int(text) if text.isdecimal() else 0 for text in texts]
    flag_checks.check_number("against_steps", max(steps, default=0))
    if not steps or steps[0] < 1 or steps != sorted(set(steps)):
        raise ValueError(
            "`--against_steps` must be increasing integers >= 1. "
            f"Received: {','.join(texts) or 'none'}"
        )
    return steps


def _pictures(folder: str) -> list[pathlib.Path]:
    """Return the picture files in a folder, sorted."""
    path = pathlib.Path(folder)
    if not path.is_dir():
        raise NotADirectoryError(f"`--content` must be a folder. Received: {folder}")
    pictures = sorted(
        each for each in path.iterdir() if each.suffix.lower() in images.IMAGE_EXTENSIONS
    )
    if not pictures:
        raise ValueError(
            f"`--content` must hold pictures ({' '.join(images.IMAGE_EXTENSIONS)}). "
            f"Received: {folder}"
        )
    return pictures


def _by_stem(paths: list[str]) -> dict[str, str]:
    stems = {pathlib.Path(path).stem: path for path in paths}
    if len(stems) < len(paths):
        raise ValueError(
            f"`--style_images` must have different names. Received: {', '.join(paths)}"
        )
    return stems


def _styles(values: flags.FlagValues, painter: "Painter", given: set[str]) -> tuple[str, ...]:
    """Return the names of the styles to evaluate, each with a painting."""
    from stylezoo import errors, evaluation

    styles = tuple(dict.fromkeys(values.styles or painter.styles))
    with errors.renamed(painter="model"):
        evaluation.check_styles(painter, styles)
    missing = [style for style in styles if style not in given]
    if missing:
        raise ValueError(
            f"`--style_images` must have a picture for each style. Missing: {', '.join(missing)}"
        )
    unknown = sorted(given - set(painter.styles))
    if unknown:
        raise ValueError(
            f"`--style_images` must be named like the model's styles, "
            f"{', '.join(painter.styles)}. Received: {', '.join(unknown)}"
        )
    return styles


def _describe(values: flags.FlagValues, objective: Objective) -> str:
    return objective_flags.describe(objective, values.objective or _OBJECTIVE)


def _describe_worth(summaries: "Mapping[str, Summary]") -> str:
    from stylezoo import evaluation

    worths = {
        name: {start: averages["mean"] for start, averages in summary.worths.items()}
        for name, summary in summaries.items()
    }
    least = {
        start: min(worths, key=lambda name: worths[name][start].steps)
        for start in evaluation.STARTS
    }
    return (
        "Mean total loss of the model, and of L-BFGS over pixels after so many steps from each start. "
        "Worth: the step at which L-BFGS overtakes the model. Least: "
        + ", ".join(f"{worths[name][start]} from {start} ({name})" for start, name in least.items())
        + "."
    )


def _write_report(
    values: flags.FlagValues, objective: Objective | None = None, **figures: Any
) -> None:
    """Write figures to --report, with the command and what paintings are judged by."""
    given = [values[name].serialize() for name in values if values[name].present]
    reporting.write_report(
        values,
        {
            "command": shlex.join(["stylezoo", "evaluate", *given]),
            **reporting.circumstances(values),
            **({"objective": dataclasses.asdict(objective.resolved())} if objective else {}),
            **figures,
        },
    )


def _as_json(painting: "Painting") -> dict[str, Any]:
    return {
        "photograph": painting.photograph,
        "style": painting.style,
        "scores": dataclasses.asdict(painting.scores),
        "optimizations": {
            start: {**dataclasses.asdict(optimization), "worth": painting.worth(start)}
            for start, optimization in painting.optimizations.items()
        },
    }
