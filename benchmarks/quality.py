"""How good pictures are that each way of style transfer makes of the same photographs and paintings.

Usage: python -m benchmarks.quality --content=PHOTO... --style=PAINTING... [--way=NAME...] [--size=PX]
         [--folder=PICTURES] [--sheet=SHEET.jpg] [--output=RESULT.json]

A way is a preset of `stylezoo transfer` or a model of `stylezoo stylize`. Each paints the centre square of
every photograph after every painting, which is also the name of the style where a model has styles by name.
The judge takes `transfer`'s default objective, and LPIPS, the distance from the photograph; paintings have
--style_size for it and for `transfer`. Pictures that are in the folder are not made again, so that a run that
was interrupted goes on. Weights are fetched.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

from absl import app, flags

from benchmarks import results
from stylezoo import evaluation, generators, images, synthesis
from stylezoo.images import Image
from stylezoo.objectives import OBJECTIVES

_CONTENT = flags.DEFINE_multi_string("content", None, "Photograph.", required=True)
_STYLE = flags.DEFINE_multi_string("style", None, "Painting.", required=True)
_WAYS = flags.DEFINE_multi_string(
    "way",
    ["draft", "fast", "high", "cnnmrf", "nnst", "conditional", "light", "arbitrary.magenta"],
    "Preset of `transfer`, or model.",
)
_SIZE = flags.DEFINE_integer("size", 256, "Side of the squares, px.", 64)
_STYLE_SIZE = flags.DEFINE_integer("style_size", 512, "Longest side of the paintings, px.", 64)
_FOLDER = flags.DEFINE_string("folder", "out/quality", "Folder of the pictures.")
_SHEET = flags.DEFINE_string("sheet", None, "File for all pictures: a row for each pair.")
_OUTPUT = flags.DEFINE_string(
    "output", "out/benchmarks/quality.json", "File to write the figures to."
)

Paint = Callable[[Image, pathlib.Path], Image]


def painter_of(way: str) -> Paint:
    """Return the function that paints a photograph after the painting in a file."""
    if way in synthesis.PRESETS:
        config = dataclasses.replace(
            synthesis.PRESETS[way],
            size=_SIZE.value,
            style_scale=_STYLE_SIZE.value / _SIZE.value,
        )
        return lambda photograph, painting: (
            synthesis.transfer(photograph, [images.read_image(painting)], config=config).image
        )
    model = generators.load(way)
    return lambda photograph, painting: model.paint(
        photograph, style=painting.stem if model.styles else str(painting)
    )


def make(
    way: str, photographs: Mapping[str, Image], paintings: Mapping[str, pathlib.Path]
) -> dict[tuple[str, str], Image]:
    """Return a way's pictures by photograph and painting, made or read from the folder."""
    folder = pathlib.Path(_FOLDER.value) / way
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        (photograph, painting): folder / f"{photograph}_{painting}.png"
        for photograph in photographs
        for painting in paintings
    }
    missing = {pair: file for pair, file in files.items() if not file.exists()}
    if missing:
        paint = painter_of(way)
        for (photograph, painting), file in missing.items():
            images.write_image(file, paint(photographs[photograph], paintings[painting]))
    return {pair: images.read_image(file) for pair, file in files.items()}


def main(_: list[str]) -> None:
    """Paint and judge what the flags ask for."""
    contents = {pathlib.Path(path).stem: images.read_image(path) for path in _CONTENT.value}
    photographs = {
        name: images.centre_square(image, _SIZE.value) for name, image in contents.items()
    }
    paintings = {pathlib.Path(path).stem: pathlib.Path(path) for path in _STYLE.value}
    judge = evaluation.Judge(
        OBJECTIVES["relative"],
        photographs=photographs,
        styles={name: images.read_image(path) for name, path in paintings.items()},
        style_size=_STYLE_SIZE.value,
    )
    figures: dict[str, Any] = {}
    pictures: dict[str, dict[tuple[str, str], Image]] = {}
    for way in _WAYS.value:
        pictures[way] = make(way, photographs, paintings)
        scores = [
            judge.scores(picture, photograph=photograph, style=painting)
            for (photograph, painting), picture in pictures[way].items()
        ]
        figures[way] = dataclasses.asdict(evaluation.mean_scores(scores))
        results.write(_OUTPUT.value, "quality", figures)
    if _SHEET.value:
        cells = [
            picture[0]
            for photograph in photographs
            for painting in paintings
            for picture in (
                photographs[photograph],
                *(pictures[way][photograph, painting] for way in _WAYS.value),
            )
        ]
        sheet = images.contact_sheet(cells, columns=1 + len(_WAYS.value))
        images.write_image(_SHEET.value, sheet)


if __name__ == "__main__":
    app.run(main)
