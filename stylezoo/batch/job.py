"""A batch: pictures that match patterns, a task, and a folder for results and manifest."""

import concurrent.futures
import contextlib
import dataclasses
import importlib
import io
import json
import logging
import pathlib
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stylezoo import errors, images
from stylezoo.batch.manifest import MANIFEST, Row, merge, read_rows
from stylezoo.batch.tasks import Task
from stylezoo.progress import Callback, Progress

# Names in the folder of the output: the job's settings, and a folder for what is unfinished, with the rows
# of the run.
_SETTINGS = "job.json"
_UNFINISHED = ".unfinished"
_ROWS = "rows-"

# The number of times that a pipeline is started: the local runner fails as a whole if a worker dies.
_ATTEMPTS = 3
_SECONDS_BETWEEN_LOOKS = 2

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


def run(job: Job, beam_options: Sequence[str], *, callback: Callback | None = None) -> list[Row]:
    """Run a batch, and write its manifest.

    Pictures are matched, spread over the workers, read, given to the network and written. Each result
    is written under another name first, so that nothing has its final name half-written. A result that is
    there already is left alone, so that the same job, run again, does what is missing.

    Args:
        job: The job.
        beam_options: Beam's own options, ``--runner=...`` and so on.
        callback: Function that is called every two seconds with the number of pictures that are written;
            never, if the task writes none.

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
    sources = _matched_pictures(job)
    _claim(job)
    before = _read_manifest(job)
    targets, clashes = _targets(job, sources)
    _clear(job)
    with _watched(job, len(targets), callback):
        after = _attempt(job, targets, beam_options)
    merged = merge(before, {**after, **clashes})
    write_file(job, job.path(MANIFEST), _lines(merged))
    _clear(job)
    return merged


def _attempt(job: Job, targets: Mapping[str, str], beam_options: Sequence[str]) -> dict[str, Row]:
    """Run the pipeline until each picture has a row, a few times at most, and return the rows.

    Whatever the runner says, the rows say what is done.
    """
    from stylezoo.batch.pipeline import pipeline_of

    lost = dict(targets)
    for left in reversed(range(_ATTEMPTS)):
        pipeline = pipeline_of(job, lost, beam_options)
        cause: Exception | None = None
        try:
            pipeline.run().wait_until_finish()
        except Exception as error:  # what runners raise has no common base
            cause, reason = error, errors.one_line(error)
        rows = read_rows(
            line for path in _matches(job, f"{_UNFINISHED}/{_ROWS}*") for line in _read_lines(path)
        )
        lost = {source: target for source, target in targets.items() if source not in rows}
        if not lost:
            return rows
        if not cause:
            reason = f"it lost {len(lost)} of {len(targets)} pictures, the first of them {next(iter(lost))}"
        if left:
            _logger.warning("the runner failed, and is started again: %s", reason)
    raise errors.BatchError(
        f"the runner failed {_ATTEMPTS} times, the last time with: {reason}. "
        "What is written is kept, and the same job goes on from there"
    ) from cause


@contextlib.contextmanager
def _watched(job: Job, total: int, callback: Callback | None) -> Iterator[None]:
    """Tell ``callback`` now and then how many pictures are written."""
    if callback is None or not job.task.writes:
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LOOKS):
            callback(Progress(min(_written(job), total), total))

    with concurrent.futures.ThreadPoolExecutor(1) as watcher:
        watcher.submit(watch)
        try:
            yield
        finally:
            ended.set()


def _targets(job: Job, sources: Iterable[str]) -> tuple[dict[str, str], dict[str, Row]]:
    """Return the names of the results by picture, and rows for those whose name another one has."""
    firsts: dict[str, str] = {}
    clashes = {}
    for source in sorted(set(sources)):
        path = pathlib.PurePath(source)
        target = f"{path.stem}{job.extension or path.suffix}"
        first = firsts.setdefault(target, source)
        if first != source:
            error = f"`{first}` and `{source}` would both be written to `{target}`"
            clashes[source] = Row(source, error=error)
    return {source: target for target, source in firsts.items()}, clashes


def _is_picture(path: str) -> bool:
    """Return whether a file is a picture by its name."""
    return pathlib.PurePath(path).suffix.lower() in images.IMAGE_EXTENSIONS


def _matched_pictures(job: Job) -> list[str]:
    """Return the pictures of a job.

    Raises:
        FileNotFoundError: If there are none.
    """
    results = _file_systems().match(list(job.patterns))
    found = [
        metadata.path
        for result in results
        for metadata in result.metadata_list
        if _is_picture(metadata.path)
    ]
    if not found:
        raise FileNotFoundError(f"`{','.join(job.patterns)}` matches no picture.")
    return found


def _written(job: Job) -> int:
    """Return the number of pictures that the folder of the output holds."""
    return sum(_is_picture(path) for path in _matches(job, "*"))


def record(job: Job, rows: Iterable[Row]) -> None:
    """Write rows down, for the manifest at the end of the run."""
    path = job.path(_UNFINISHED, f"{_ROWS}{uuid.uuid4().hex}")
    write_file(job, path, _lines(rows))


def _lines(rows: Iterable[Row]) -> bytes:
    return "".join(f"{row.to_json()}\n" for row in rows).encode()


def write_file(job: Job, path: str, content: bytes) -> None:
    """Write a file, at once or not at all."""
    systems = _file_systems()
    temporary = job.path(_UNFINISHED, uuid.uuid4().hex)
    with systems.create(temporary) as file:
        file.write(content)
    if systems.exists(path):
        systems.delete([path])
    systems.rename([temporary], [path])


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
    elif _written(job) and not job.overwrite:
        raise ValueError(
            "`output` must be a folder without pictures, or that of the same job. "
            f"Give another one, or `--overwrite`. Received: {job.output}"
        )
    write_file(job, path, f"{json.dumps(settings, indent=2)}\n".encode())


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
