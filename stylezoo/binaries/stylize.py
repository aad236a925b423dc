"""Paint or enlarge photographs with a trained network.

Usage:
  stylezoo stylize PHOTO... --style=NAME --output=PICTURE|FOLDER [--model=MODEL] [--flags]

A PHOTO is a picture, a folder of them, or a pattern such as 'trip/*.jpg'. MODEL is a name that
`stylezoo models` lists with its styles, or a folder that `stylezoo train_style` wrote. --style=NAME
takes one style, --style=NAME:2,NAME:1 blends them; a MODEL of a single style needs none, and one of any
style (arbitrary.magenta) takes pictures: --style=a.jpg:2,b.jpg:1. --strength=0.7 takes 7 tenths of the
style and 3 of the photograph: by the network itself if it was trained for that, else by mixing painting
and photograph. A MODEL for super-resolution takes no style, and enlarges. In a FOLDER, pictures keep
their names.

Tilings, for pictures of more than --tile px:
  none   paints the picture at once; memory grows with it
  exact  paints tile by tile, the same picture; it takes two to three times as long as fast
  fast   paints tile by tile, nearly the same: the picture's statistics come from a part of its pixels
  auto   is none up to 2 million pixels, exact up to 16 million, then fast (the default)

Pictures that can't be read are skipped. The others are painted, and the exit status is 1.

Many machines share a folder by --shard=0/8, --shard=1/8 and so on: each takes every eighth picture in
the order of their names. --manifest=FILE gets a line of JSON for each picture once it is written; given
again, the same command paints what the manifest lacks.
"""

import concurrent.futures
import dataclasses
import itertools
import pathlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import images, reading
from stylezoo.binaries.common import options, painter_flags, quiet, reporting

if TYPE_CHECKING:
    from stylezoo.batch import Row
    from stylezoo.generators import Painter, StyleMix
    from stylezoo.progress import Progress


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="Picture to write; a folder for several, which is made if there is none.",
        report="Also write times, failures and settings to this JSON file.",
    )
    painter_flags.define(values, pictures="photographs")
    options.define_batch_flags(values)
    flags.DEFINE_string(
        "shard",
        None,
        "Share of the pictures that is painted, I/N for every N-th from the I-th on, counted from 0.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "manifest",
        None,
        "File of lines of JSON, one a picture: what it lists as painted is left out, and what is painted "
        "is added.",
        flag_values=values,
    )


@dataclasses.dataclass(frozen=True)
class _Job:
    """The file of a photograph, and the file that its painting goes to."""

    source: pathlib.Path
    target: pathlib.Path


@dataclasses.dataclass
class _Photograph:
    """A photograph that was read for a job; its pixels, [1, H, W, 3], are deleted once they are painted."""

    job: _Job
    pixels: np.ndarray


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; return its exit status."""
    photographs = options.pictures(arguments)
    options.require(values, "output")
    index, count = _shard(values)
    listed = _read_manifest(values)
    every_job = _jobs(values, photographs)
    jobs = [job for job in every_job[index::count] if not _is_painted(listed, job)]
    _check_outputs(values, jobs)
    reporting.check_report(values)
    quiet.import_tensorflow()
    from stylezoo import batch

    painter = batch.load_painter(values.model)
    # This comes before anything is painted, because a style may be unknown.
    mix = painter.mix_styles(values.style)
    start = time.monotonic()
    rows = _paint(values, jobs, painter, mix) if jobs else []
    failures = [row["error"] for row in rows if "error" in row]
    reporting.write_report(
        values,
        {
            "pictures": rows,
            "failed": len(failures),
            "seconds": time.monotonic() - start,
            "styles": dict(mix.shares),
            "generator": reporting.settings(painter.config),
            **reporting.circumstances(values),
        },
    )
    if failures:
        counted = f"{len(failures)} of {len(jobs)} pictures failed: " if jobs[1:] else ""
        raise ValueError(counted + "; ".join(failures))
    return 0


def _shard(values: flags.FlagValues) -> tuple[int, int]:
    """Return the index of the shard and the number of shards."""
    if values.shard is None:
        return 0, 1
    index, _, count = values.shard.partition("/")
    if not (index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise ValueError(f"`--shard` must be I/N with 0 <= I < N. Received: {values.shard}")
    return int(index), int(count)


def _read_manifest(values: flags.FlagValues) -> "dict[str, Row]":
    """Return the rows that --manifest has."""
    from stylezoo.batch import read_rows

    if values.manifest is None:
        return {}
    path = pathlib.Path(values.manifest)
    if not path.exists():
        images.check_output_path(path, overwrite=False, extensions=[".jsonl"])
        return {}
    text = reading.read_text(path)
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        # A command that was killed may have written half a line.
        with images.atomic_path(path, overwrite=True) as temporary:
            temporary.write_text(whole, encoding="utf-8")
    return read_rows(whole.splitlines())


def _is_painted(listed: "Mapping[str, Row]", job: _Job) -> bool:
    row = listed.get(str(job.source))
    return row is not None and row.error is None and job.target.exists()


def _record(values: flags.FlagValues, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows of the report to --manifest, if it was given."""
    from stylezoo.batch import Row

    if values.manifest is None:
        return
    lines = [
        Row(
            row["input"],
            output=row.get("output"),
            width=row.get("width"),
            height=row.get("height"),
            milliseconds=round(1000 * row["seconds"], 1) if "seconds" in row else None,
            error=row.get("error"),
        ).to_json()
        for row in rows
    ]
    with pathlib.Path(values.manifest).open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _jobs(values: flags.FlagValues, sources: list[pathlib.Path]) -> list[_Job]:
    """Return the jobs of all pictures."""
    output = pathlib.Path(values.output)
    if len(sources) == 1 and output.suffix and not output.is_dir():
        if values.format:
            raise ValueError("`--format` must come with a folder as --output")
        return [_Job(sources[0], output)]
    if output.suffix.lower() in images.IMAGE_EXTENSIONS or output.is_file():
        raise ValueError(
            f"`--output` must be a folder for {len(sources)} pictures. Received: {output}"
        )
    jobs: dict[pathlib.Path, _Job] = {}
    for source in sources:
        target = output / f"{source.stem}{_extension(values, source)}"
        if target in jobs:
            raise ValueError(
                f"`{jobs[target].source}` and `{source}` would both be written to `{target}`"
            )
        jobs[target] = _Job(source, target)
    return list(jobs.values())


def _check_outputs(values: flags.FlagValues, jobs: list[_Job]) -> None:
    """Raise an OSError or ValueError unless all outputs can be written, as far as that can be known now."""
    output = pathlib.Path(values.output)
    if all(job.target != output for job in jobs) and not output.exists():
        # A folder can be made where a file can.
        images.check_output_path(output, overwrite=False, extensions=[output.suffix.lower()])
        return
    for job in jobs:
        images.check_output_path(job.target, overwrite=values.overwrite)


def _extension(values: flags.FlagValues, source: pathlib.Path) -> str:
    if values.format:
        return f".{values.format}"
    return source.suffix if source.suffix.lower() in images.IMAGE_EXTENSIONS else ".png"


def _paint(
    values: flags.FlagValues, jobs: list[_Job], painter: "Painter", mix: "StyleMix"
) -> list[dict[str, Any]]:
    """Read, paint and write; return what became of each picture, as the report has it."""
    rows: list[dict[str, Any]] = []
    with reporting.bar("stylize", "picture", total=len(jobs)) as bar:
        photographs = _read(values, jobs, rows)
        for _, same_size in itertools.groupby(photographs, lambda each: each.pixels.shape):
            while batch := list(itertools.islice(same_size, values.batch_size)):
                rows += _paint_batch(values, batch, painter, mix)
                _record(values, rows[bar.n :])
                bar.update(len(rows) - bar.n)
        _record(values, rows[bar.n :])
        bar.update(len(rows) - bar.n)
    return rows


def _read(
    values: flags.FlagValues, jobs: list[_Job], rows: list[dict[str, Any]]
) -> Iterator[_Photograph]:
    """Yield photographs, each read while the one before is painted; ``rows`` gets the failures."""

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
    values: flags.FlagValues, batch: list[_Photograph], painter: "Painter", mix: "StyleMix"
) -> Iterator[dict[str, Any]]:
    """Paint photographs of one size and write them; yield their rows of the report."""
    start = time.monotonic()
    with reporting.bar(batch[0].job.source.name, "tile", leave=False) as bar:

        def callback(progress: "Progress") -> None:
            bar.total = progress.num_steps
            bar.update(progress.step - bar.n)

        paintings = painter.paint(
            _stacked(batch),
            **painter_flags.paint_options(values, mix),
            callback=callback,
        )
    for photograph in batch:
        del photograph.pixels  # as much memory as encoding takes
    seconds = (time.monotonic() - start) / len(batch)
    _, height, width, _ = paintings.shape
    row = {
        "height": height,
        "width": width,
        "tiling": painter.tiling_of(
            height // painter.factor,
            width // painter.factor,
            tiling=values.tiling,
            tile=values.tile,
        ),
        "seconds": seconds,
    }
    for photograph, painted in zip(batch, paintings, strict=True):
        job = photograph.job
        try:
            job.target.parent.mkdir(exist_ok=True)
            reporting.write_picture(values, painted, job.target)
        except (OSError, ValueError) as error:
            yield _failure(job, error)
        else:
            yield {"input": str(job.source), "output": str(job.target), **row}


def _stacked(batch: list[_Photograph]) -> np.ndarray:
    """Return [B, H, W, 3]; a single picture, which may be large, is not copied."""
    pixels = [photograph.pixels for photograph in batch]
    return np.concatenate(pixels) if pixels[1:] else pixels[0]


def _failure(job: _Job, error: Exception) -> dict[str, Any]:
    return {"input": str(job.source), "error": str(error)}
