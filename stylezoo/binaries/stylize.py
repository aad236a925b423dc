"""Paint photographs with a trained network, each in one pass.

Usage:
  stylezoo stylize PHOTO... --style=NAME --output=PICTURE|FOLDER [--model=MODEL] [--flags]

A PHOTO is a picture, a folder of them, or a pattern such as 'trip/*.jpg'. MODEL is a name that
`stylezoo models` lists with its styles, or a file that `stylezoo train_style` wrote. --style=NAME
takes one style, --style=NAME:2,NAME:1 blends them; a MODEL of a single style needs none. In a FOLDER,
pictures keep their names.

Tilings, of pictures of more than --tile px:
  none   the picture at once; memory grows with it
  exact  tile by tile, the same picture; two to three times as long as fast
  fast   tile by tile, close to it, with the picture's statistics estimated from a part of its pixels
  auto   none up to 2 million pixels, exact up to 16 million, then fast (the default)

What can't be read is skipped; the rest is painted, and the exit status is 1.
"""

import concurrent.futures
import dataclasses
import itertools
import pathlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import images
from stylezoo.binaries.common import options, quiet, reporting

if TYPE_CHECKING:
    from stylezoo.painting import Stylizer


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="The picture to write; a folder for several, made if it isn't there.",
        report="Also write times, failures and settings to this JSON file.",
    )

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def count(name: str, default: int | None, text: str) -> None:
        flags.DEFINE_integer(name, default, text, 1, flag_values=values)

    string("model", "conditional", "What paints.")
    string("style", None, "A style of the model, or NAME:WEIGHT,NAME:WEIGHT,...")
    count("size", None, "Longest side of the paintings, px; the photograph's if not given.")
    flags.DEFINE_bool("preserve_color", False, "Keep the photograph's colours.", flag_values=values)
    flags.DEFINE_enum(
        "format",
        None,
        [extension[1:] for extension in images.IMAGE_EXTENSIONS],
        "Of the pictures in a folder; the photograph's if not given.",
        flag_values=values,
    )
    string("tiling", "auto", "none, exact, fast or auto; see above.")
    count("tile", 768, "Side of a tile, px: less memory with less.")
    count("batch_size", 1, "Pictures of one size painted at once, which pays on GPUs only.")
    flags.DEFINE_integer(
        "seed", 0, "Of the noise that a texture network mixes in.", 0, flag_values=values
    )


@dataclasses.dataclass(frozen=True)
class _Job:
    """A photograph and where its painting goes."""

    source: pathlib.Path
    target: pathlib.Path


@dataclasses.dataclass
class _Photograph:
    """What was read for a job; its pixels, [1, H, W, 3], are deleted once they are painted."""

    job: _Job
    pixels: np.ndarray


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; returns its exit status."""
    photographs = options.pictures(arguments)
    options.require(values, "output")
    jobs = _jobs(values, photographs)
    reporting.check_report(values)
    quiet.import_tensorflow()
    from stylezoo import generators
    from stylezoo.painting import Stylizer

    generator = generators.load(values.model)
    stylizer = Stylizer(
        generator,
        tiling=values.tiling,
        tile=values.tile,
        preserve_color=values.preserve_color,
        seed=values.seed,
    )
    weights = generators.blend_weights(generator, values.style)
    start = time.monotonic()
    rows = _paint(values, jobs, stylizer, weights)
    errors = [row["error"] for row in rows if "error" in row]
    reporting.write_report(
        values,
        {
            "pictures": rows,
            "failed": len(errors),
            "seconds": time.monotonic() - start,
            "styles": dict(zip(generator.styles, weights.tolist(), strict=True)),
            "generator": reporting.settings(generator.config),
            **reporting.circumstances(values),
        },
    )
    if errors:
        counted = f"{len(errors)} of {len(jobs)} pictures failed: " if jobs[1:] else ""
        raise ValueError(counted + "; ".join(errors))
    return 0


def _jobs(values: flags.FlagValues, sources: list[pathlib.Path]) -> list[_Job]:
    """What is to be painted and where to, which can be written as far as can be known now."""
    output = pathlib.Path(values.output)
    if len(sources) == 1 and output.suffix and not output.is_dir():
        if values.format:
            raise ValueError("`--format` must come with a folder as --output")
        return [_Job(sources[0], images.check_output_path(output, overwrite=values.overwrite))]
    if output.suffix.lower() in images.IMAGE_EXTENSIONS or output.is_file():
        raise ValueError(
            f"`--output` must be a folder for {len(sources)} pictures. Received: {output}"
        )
    if not output.exists():
        # It could be made: a file could.
        images.check_output_path(output, overwrite=False, extensions=[output.suffix.lower()])
    jobs: dict[pathlib.Path, _Job] = {}
    for source in sources:
        target = output / f"{source.stem}{_extension(values, source)}"
        if target in jobs:
            raise ValueError(
                f"`{jobs[target].source}` and `{source}` would both be written to `{target}`"
            )
        if output.exists():
            images.check_output_path(target, overwrite=values.overwrite)
        jobs[target] = _Job(source, target)
    return list(jobs.values())


def _extension(values: flags.FlagValues, source: pathlib.Path) -> str:
    if values.format:
        return f".{values.format}"
    return source.suffix if source.suffix.lower() in images.IMAGE_EXTENSIONS else ".png"


def _paint(
    values: flags.FlagValues, jobs: list[_Job], stylizer: "Stylizer", weights: np.ndarray
) -> list[dict[str, Any]]:
    """Read, paint and write; what became of each picture, as the report has it."""
    rows: list[dict[str, Any]] = []
    with reporting.bar("stylize", "picture", total=len(jobs)) as bar:
        photographs = _read(values, jobs, rows)
        for _, same_size in itertools.groupby(photographs, lambda each: each.pixels.shape):
            while batch := list(itertools.islice(same_size, values.batch_size)):
                rows += _paint_batch(values, batch, stylizer, weights)
                bar.update(len(rows) - bar.n)
        bar.update(len(rows) - bar.n)
    return rows


def _read(
    values: flags.FlagValues, jobs: list[_Job], rows: list[dict[str, Any]]
) -> Iterator[_Photograph]:
    """The photographs, each read while the one before is painted; ``rows`` gets the failures."""

    def read(job: _Job) -> _Photograph:
        pixels = images.read_image(job.source, max_pixels=values.max_pixels)
        if values.size is not None:
            pixels = images.resize_longest_side(pixels, values.size).numpy()
        return _Photograph(job, pixels)

    with concurrent.futures.ThreadPoolExecutor(1) as reader:
        following = reader.submit(read, jobs[0])
        for job, next_job in itertools.zip_longest(jobs, jobs[1:]):
            reading = following
            if next_job:
                following = reader.submit(read, next_job)
            try:
                photograph = reading.result()
            except (OSError, ValueError) as error:
                rows.append(_failure(job, error))
            else:
                yield photograph


def _paint_batch(
    values: flags.FlagValues,
    batch: list[_Photograph],
    stylizer: "Stylizer",
    weights: np.ndarray,
) -> Iterator[dict[str, Any]]:
    """Of one size; yields their rows."""
    start = time.monotonic()
    with reporting.bar(batch[0].job.source.name, "tile", leave=False) as bar:

        def callback(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        paintings = stylizer(_stacked(batch), weights, callback=callback)
    for photograph in batch:
        del photograph.pixels  # as much memory as encoding takes
    seconds = (time.monotonic() - start) / len(batch)
    _, height, width, _ = paintings.shape
    row = {
        "height": height,
        "width": width,
        "tiling": stylizer.mode(height, width),
        "seconds": seconds,
    }
    for photograph, painting in zip(batch, paintings, strict=True):
        job = photograph.job
        try:
            job.target.parent.mkdir(exist_ok=True)
            reporting.write_picture(values, painting, job.target)
        except (OSError, ValueError) as error:
            yield _failure(job, error)
        else:
            yield {"input": str(job.source), "output": str(job.target), **row}


def _stacked(batch: list[_Photograph]) -> np.ndarray:
    """[B, H, W, 3]; a single picture, which may be large, is not copied."""
    pixels = [photograph.pixels for photograph in batch]
    return np.concatenate(pixels) if pixels[1:] else pixels[0]


def _failure(job: _Job, error: Exception) -> dict[str, Any]:
    return {"input": str(job.source), "error": str(error)}
