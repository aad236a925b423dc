"""The pipeline of a batch, from files to rows of the manifest."""

import io
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import apache_beam as beam
import numpy as np
from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from PIL import Image

from stylezoo import errors, images
from stylezoo.batch.job import Job, read_file, record, write_file
from stylezoo.batch.manifest import Row
from stylezoo.batch.tasks import Outcome

# Paths of a picture and of its result.
_Paths: TypeAlias = tuple[str, str]


def pipeline_of(job: Job, targets: Mapping[str, str], beam_options: Sequence[str]) -> beam.Pipeline:
    """Return the pipeline of a job, which writes results and rows.

    What goes from one worker to another is names and rows, no pixels. No step gives its results to two
    others, has side inputs, or yields something when its bundle ends: Beam's runner for Dask cannot do that.

    Args:
        job: The job.
        targets: The names of the results by picture.
        beam_options: Beam's own options.

    Raises:
        ValueError: If there is no such runner.
    """
    paths = [(source, job.path(target)) for source, target in targets.items()]
    groups = [paths[i : i + job.batch_size] for i in range(0, len(paths), job.batch_size)]
    pipeline = beam.Pipeline(options=PipelineOptions(list(beam_options)))
    (
        pipeline
        | "pictures" >> beam.Create(groups)
        | "spread" >> beam.Reshuffle()
        | "apply" >> RunInference(_Handler(job).with_no_batching())
        | "record" >> beam.ParDo(_Record(job))
        # Beam's local runner sees that a worker is gone where it waits for data, even if there is none.
        | "end" >> beam.Reshuffle()
    )
    return pipeline


class _Picture(NamedTuple):
    """A picture that was read, [1, H, W, 3] in [0, 1], and the paths of both files."""

    source: str
    target: str
    pixels: np.ndarray


class _Handler(ModelHandler[_Paths, Row, Any]):
    """Read pictures, give those of one size to the network together, and write the results."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def load_model(self) -> Any:
        return self._job.task.load()

    def run_inference(
        self, batch: Sequence[_Paths], model: Any, inference_args: Any = None
    ) -> Iterator[Row]:
        del inference_args
        pictures = []
        for source, target in batch:
            found = self._read(source, target)
            if isinstance(found, Row):
                yield found
            else:
                pictures.append(found)
        pictures.sort(key=lambda picture: picture.pixels.shape)
        for _, same in itertools.groupby(pictures, lambda picture: picture.pixels.shape):
            yield from self._apply(model, list(same))

    def _read(self, source: str, target: str) -> _Picture | Row:
        """Return a picture; its row, if it can't be read or its result is there."""
        try:
            if self._job.task.writes and not self._job.overwrite and FileSystems.exists(target):
                with Image.open(io.BytesIO(read_file(target))) as result:
                    return Row(source, target, result.width, result.height)
            with errors.renamed(data=source):
                pixels = images.decode_image(read_file(source), max_pixels=self._job.max_pixels)
            return _Picture(source, target, self._job.task.prepare(pixels))
        except (OSError, ValueError) as error:
            return Row(source, error=errors.one_line(error))

    def _apply(self, model: Any, pictures: list[_Picture]) -> Iterator[Row]:
        start = time.monotonic()
        try:
            outcomes = self._job.task.apply(
                model, np.concatenate([picture.pixels for picture in pictures])
            )
        except (ValueError, FloatingPointError) as error:
            for picture in pictures:
                yield Row(picture.source, error=errors.one_line(error))
            return
        milliseconds = round(1000 * (time.monotonic() - start) / len(pictures), 1)
        for picture, outcome in zip(pictures, outcomes, strict=True):
            yield self._write(picture, outcome, milliseconds)

    def _write(self, picture: _Picture, outcome: Outcome, milliseconds: float) -> Row:
        """Write the result, if it is a picture, and return the row."""
        result = picture.pixels if outcome.picture is None else outcome.picture
        _, height, width, _ = result.shape
        output = None
        if outcome.picture is not None:
            output = picture.target
            extension = output[output.rindex(".") :]
            try:
                content = images.encode_image(result, extension, quality=self._job.quality)
                write_file(self._job, output, content)
            except (OSError, ValueError) as error:
                return Row(picture.source, error=errors.one_line(error))
        return Row(
            picture.source, output, width, height, milliseconds, outcome.classes, outcome.scores
        )


class _Record(beam.DoFn):
    """Write rows down, those of a bundle in a file."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def start_bundle(self) -> None:
        self._rows: list[Row] = []

    def process(self, element: Row) -> Sequence[Row]:
        self._rows.append(element)
        return ()

    def finish_bundle(self) -> None:
        if self._rows:
            record(self._job, self._rows)
