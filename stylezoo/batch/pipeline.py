"""The pipeline of a batch, from patterns to rows of the manifest."""

import io
import itertools
import pathlib
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
from apache_beam.io import fileio
from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference.base import ModelHandler, RunInference
from PIL import Image

from stylezoo import errors, images
from stylezoo.batch.job import Job, is_picture, read_file, write_file
from stylezoo.batch.manifest import Row
from stylezoo.batch.tasks import Outcome, Task

_DONE = "done"


class _Picture(NamedTuple):
    """A picture that was read, [1, H, W, 3] in [0, 1], and the name of the file for its result."""

    source: str
    target: str
    pixels: np.ndarray


class _Result(NamedTuple):
    """What the network made of a picture, or why it made nothing."""

    source: str
    target: str
    size: tuple[int, int]
    milliseconds: float
    outcome: Outcome | None
    error: str | None = None


def rows_of(pipeline: beam.Pipeline, job: Job) -> beam.PCollection[Row]:
    """Add a job to a pipeline, and return the rows of its manifest."""
    read = (
        pipeline
        | "patterns" >> beam.Create(job.patterns)
        | "match" >> fileio.MatchAll(fileio.EmptyMatchTreatment.ALLOW)
        | "pictures" >> beam.Filter(lambda metadata: is_picture(metadata.path))
        | "by target" >> beam.Map(_by_target, job)
        # It spreads the pictures over the workers too.
        | "same target" >> beam.GroupByKey()
        | "read" >> beam.ParDo(_Read(job)).with_outputs(_DONE, main="pictures")
    )
    done = (
        read["pictures"]
        | "apply" >> RunInference(_Handler(job.task, job.batch_size))
        | "write" >> beam.ParDo(_Write(job))
    )
    return (read[_DONE], done) | "rows" >> beam.Flatten()


def _by_target(metadata: Any, job: Job) -> tuple[str, str]:
    """Return the name of the file for the result, and the path of the picture."""
    path = pathlib.PurePath(metadata.path)
    return f"{path.stem}{job.extension or path.suffix}", metadata.path


class _Read(beam.DoFn):
    """Read pictures; what needs no network goes to the rows that are done."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, element: tuple[str, Iterable[str]]) -> Iterator[Any]:
        target, sources = element
        first, *others = sorted(sources)
        for other in others:
            error = f"`{first}` and `{other}` would both be written to `{target}`"
            yield beam.pvalue.TaggedOutput(_DONE, Row(other, error=error))
        path = self._job.path(target)
        try:
            if self._job.task.writes and not self._job.overwrite and FileSystems.exists(path):
                width, height = _size(read_file(path))
                row = Row(first, output=path, width=width, height=height)
                yield beam.pvalue.TaggedOutput(_DONE, row)
                return
            with errors.renamed(data=first):
                pixels = images.decode_image(read_file(first), max_pixels=self._job.max_pixels)
        except (OSError, ValueError) as error:
            yield beam.pvalue.TaggedOutput(_DONE, Row(first, error=errors.one_line(error)))
            return
        if self._job.task.size is not None:
            pixels = images.resize_longest_side(pixels, self._job.task.size).numpy()
        yield _Picture(first, target, pixels)


def _size(content: bytes) -> tuple[int, int]:
    """Return width and height of a picture that this project wrote, px."""
    with Image.open(io.BytesIO(content)) as picture:
        return picture.size


class _Handler(ModelHandler[_Picture, _Result, Any]):
    """Give pictures to the network of a task, those of one size together."""

    def __init__(self, task: Task, batch_size: int) -> None:
        self._task = task
        self._batch_size = batch_size

    def load_model(self) -> Any:
        return self._task.load()

    def batch_elements_kwargs(self) -> dict[str, Any]:
        return {"min_batch_size": 1, "max_batch_size": self._batch_size}

    def run_inference(
        self, batch: Sequence[_Picture], model: Any, inference_args: Any = None
    ) -> Iterator[_Result]:
        del inference_args
        by_size = sorted(batch, key=lambda picture: picture.pixels.shape)
        for shape, group in itertools.groupby(by_size, lambda picture: picture.pixels.shape):
            yield from self._apply(model, list(group), shape[1:3])

    def _apply(
        self, model: Any, pictures: list[_Picture], size: tuple[int, int]
    ) -> Iterator[_Result]:
        start = time.monotonic()
        outcomes: Sequence[Outcome | None]
        try:
            outcomes = self._task.apply(
                model, np.concatenate([picture.pixels for picture in pictures])
            )
            error = None
        except (ValueError, FloatingPointError) as problem:
            outcomes, error = [None] * len(pictures), errors.one_line(problem)
        milliseconds = 1000 * (time.monotonic() - start) / len(pictures)
        for picture, outcome in zip(pictures, outcomes, strict=True):
            yield _Result(picture.source, picture.target, size, milliseconds, outcome, error)


class _Write(beam.DoFn):
    """Write results that are pictures, and return the rows of all."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, element: _Result) -> Iterator[Row]:
        if element.outcome is None:
            yield Row(element.source, error=element.error)
            return
        (height, width), output = element.size, None
        picture = element.outcome.picture
        if picture is not None:
            _, height, width, _ = picture.shape
            extension = pathlib.PurePath(element.target).suffix
            try:
                content = images.encode_image(picture, extension, quality=self._job.quality)
                output = write_file(self._job, element.target, content)
            except (OSError, ValueError) as error:
                yield Row(element.source, error=errors.one_line(error))
                return
        yield Row(
            element.source,
            output=output,
            width=width,
            height=height,
            milliseconds=round(element.milliseconds, 1),
            classes=element.outcome.classes,
        )
