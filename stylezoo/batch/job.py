"""A batch: pictures that match patterns, a task, and a folder for results and manifest."""

import dataclasses
import importlib
import io
import json
import logging
import pathlib
import time
from collections.abc import Sequence
from typing import Any

from stylezoo import errors, images
from stylezoo.batch.manifest import MANIFEST, Row, merge, read_rows
from stylezoo.batch.tasks import Task

# Names in the folder of the output: the job's settings, and a folder for what is unfinished, with the rows
# of the run.
_SETTINGS = "job.json"
_UNFINISHED = ".unfinished"
_ROWS = "rows-"

# The number of times that a pipeline is started: the local runner fails as a whole if a worker dies.
_ATTEMPTS = 3

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Job:
    """What to do with which pictures.

    Attributes:
        patterns: Files of pictures, in the patterns of any file system that Beam knows
            (``trip/*.jpg``, ``gs://bucket/**.png``).
        output: Folder for results and manifest, on any such file system.
        task: What is done with each picture.
        extension: Extension of what is written, with its dot; None for that of each picture.
        quality: Quality of JPEG and WebP files, 1 to 100.
        max_pixels: Pictures of more pixels are refused.
        batch_size: Number of pictures of one size that the network takes at once.
        overwrite: Whether what is there is made again.
    """

    patterns: tuple[str, ...]
    output: str
    task: Task
    extension: str | None
    quality: int
    max_pixels: int
    batch_size: int = 1
    overwrite: bool = False

    def path(self, *names: str) -> str:
        """Return the path of a file in the folder of the output."""
        return str(_file_systems().join(self.output, *names))

    def settings(self) -> dict[str, Any]:
        """Return what decides on the results, as JSON can hold it."""
        task = {"name": type(self.task).__name__, **dataclasses.asdict(self.task)}  # type: ignore[call-overload]
        return {"task": task, "extension": self.extension, "quality": self.quality}


def load_beam() -> Any:
    """Return the package ``apache_beam``.

    Raises:
        ModuleNotFoundError: If it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module("apache_beam")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "a batch needs Apache Beam, which is not installed. "
            'Run: pip install "stylezoo[beam]", or use `stylezoo stylize --shard`',
            name="apache_beam",
        ) from None


def run(job: Job, beam_options: Sequence[str]) -> list[Row]:
    """Run a batch, and write its manifest.

    Pictures are matched, shuffled among the workers, read, given to the network and written. Each result
    is written under another name first, so that nothing has its final name half-written. A result that is
    there already is left alone, so that the same job, run again, does what is missing.

    Args:
        job: The job.
        beam_options: Beam's own options, ``--runner=...`` and so on.

    Returns:
        The rows of the manifest, those of earlier runs included.

    Raises:
        ModuleNotFoundError: If Beam is not installed.
        ValueError: If the folder holds pictures or the results of other settings, and they are not to be
            overwritten.
        FileNotFoundError: If no picture matches.
        BatchError: If the runner fails three times. What was written until then is kept.
    """
    load_beam()
    matched_pictures(job)
    _claim(job)
    before = _read_manifest(job)
    after = _attempt(job, beam_options)
    merged = merge(before, after)
    write_file(job, MANIFEST, "".join(f"{row.to_json()}\n" for row in merged).encode())
    _clear(job)
    return merged


def _attempt(job: Job, beam_options: Sequence[str]) -> dict[str, Row]:
    """Run the pipeline until it succeeds, a few times at most, and return its rows."""
    for left in reversed(range(_ATTEMPTS)):
        _clear(job)
        try:
            _run_pipeline(job, beam_options)
        except RuntimeError as error:
            reason = errors.one_line(error)
            if not left:
                raise errors.BatchError(
                    f"the runner failed {_ATTEMPTS} times, the last time with: {reason}. "
                    "What is written is kept, and the same job goes on from there"
                ) from error
            _logger.warning("the runner failed, and is started again: %s", reason)
        else:
            break
    return read_rows(
        line for path in _matches(job, f"{_UNFINISHED}/{_ROWS}*") for line in _read_lines(path)
    )


def _run_pipeline(job: Job, beam_options: Sequence[str]) -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from stylezoo.batch.pipeline import rows_of

    with beam.Pipeline(options=PipelineOptions(list(beam_options))) as pipeline:
        lines = rows_of(pipeline, job) | "to JSON" >> beam.Map(Row.to_json)
        rows_file = job.path(_UNFINISHED, f"{_ROWS}{time.time_ns()}")
        lines | "write rows" >> beam.io.WriteToText(rows_file, file_name_suffix=".jsonl")


def is_picture(path: str) -> bool:
    """Return whether a file is a picture by its name."""
    return pathlib.PurePath(path).suffix.lower() in images.IMAGE_EXTENSIONS


def matched_pictures(job: Job) -> list[str]:
    """Return the pictures of a job.

    Raises:
        FileNotFoundError: If there are none.
    """
    results = _file_systems().match(list(job.patterns))
    found = [
        metadata.path
        for result in results
        for metadata in result.metadata_list
        if is_picture(metadata.path)
    ]
    if not found:
        raise FileNotFoundError(f"`{','.join(job.patterns)}` matches no picture.")
    return found


def written(job: Job) -> int:
    """Return the number of pictures that the folder of the output holds."""
    return sum(is_picture(path) for path in _matches(job, "*"))


def write_file(job: Job, name: str, content: bytes) -> str:
    """Write a file into the folder of the output, at once or not at all; return its path."""
    systems = _file_systems()
    temporary, path = job.path(_UNFINISHED, f"{time.time_ns()}-{name}"), job.path(name)
    with systems.create(temporary) as file:
        file.write(content)
    if systems.exists(path):
        systems.delete([path])
    systems.rename([temporary], [path])
    return path


def read_file(path: str) -> bytes:
    """Return the content of a file on any file system that Beam knows."""
    with _file_systems().open(path) as file:
        content: bytes = file.read()
    return content


def _file_systems() -> Any:
    return importlib.import_module("apache_beam.io.filesystems").FileSystems


def _claim(job: Job) -> None:
    """Make the folder, and note the job's settings in it, which it must agree with if it has any."""
    systems = _file_systems()
    path, settings = job.path(_SETTINGS), job.settings()
    if systems.exists(path) and not job.overwrite:
        found = json.loads(read_file(path))
        if found != json.loads(json.dumps(settings)):
            raise ValueError(
                f"`output` must be another folder, since {path} tells of another job. "
                "Give another one, or `--overwrite`"
            )
        return
    if not systems.exists(job.output):
        systems.mkdirs(job.output)
    elif written(job) and not job.overwrite:
        raise ValueError(
            "`output` must be a folder without pictures, or that of the same job. "
            f"Give another one, or `--overwrite`. Received: {job.output}"
        )
    write_file(job, _SETTINGS, f"{json.dumps(settings, indent=2)}\n".encode())


def _read_manifest(job: Job) -> dict[str, Row]:
    path = job.path(MANIFEST)
    if job.overwrite or not _file_systems().exists(path):
        return {}
    return read_rows(_read_lines(path))


def _read_lines(path: str) -> list[str]:
    return io.TextIOWrapper(io.BytesIO(read_file(path)), encoding="utf-8").readlines()


def _matches(job: Job, pattern: str) -> list[str]:
    (found,) = _file_systems().match([job.path(pattern)])
    return [metadata.path for metadata in found.metadata_list]


def _clear(job: Job) -> None:
    """Remove what is unfinished, if there is anything."""
    folder = job.path(_UNFINISHED)
    if _file_systems().exists(folder):
        _file_systems().delete([folder])
