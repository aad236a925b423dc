"""Paint, classify or evaluate many pictures on many machines, with Apache Beam.

Usage:
  stylezoo batch --input=PATTERN[,PATTERN...] --output=FOLDER --style=NAME [--flags] [-- BEAM'S FLAGS]
  stylezoo batch --task=classify --input=PATTERN --output=FOLDER [--network=NAME] [-- BEAM'S FLAGS]
  stylezoo batch --task=evaluate --input=PATTERN --output=FOLDER --style=NAME --style_image=PAINTING [...]

PATTERN and FOLDER are on any file system that Beam knows: 'trip/*.jpg', 'gs://bucket/**.png'. FOLDER
gets the pictures, which keep their names, and manifest.jsonl: a line of JSON for each picture, with input,
output, width, height, milliseconds, and the error if there is one. Classes and scores go there too;
--task=evaluate paints the centre square of each picture at --size (256 by default) and gives the losses and
LPIPS that `stylezoo evaluate --model` means over all pictures.

Without Beam's flags the pipeline runs here, in --workers processes. Other runners take them, for example
`-- --runner=FlinkRunner --flink_master=HOST:8081`; all workers must see MODEL and have stylezoo installed.

A picture that can't be read goes to the manifest with its error, and the exit status is 1. The same
command does what is missing when it is given again, also after it was interrupted.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import tqdm
from absl import flags

from stylezoo import batch
from stylezoo.binaries.common import flag_checks, options, painter_flags, quiet

if TYPE_CHECKING:
    from stylezoo.batch import Job, Row, Task
    from stylezoo.progress import Callback, Progress

# The tasks, and the flags that each of them takes beside those of all.
_TASKS = {
    "stylize": (*painter_flags.NAMES, "format", "quality"),
    "classify": ("network", "top"),
    "evaluate": ("model", "style", "size", "style_image"),
}
# The local runner of Beam's own that starts processes; DirectRunner would fetch a program from the web.
_LOCAL = ("--runner=FnApiRunner", "--direct_running_mode=multi_processing")


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    flags.DEFINE_list("input", None, "Patterns of the pictures.", flag_values=values)
    flags.DEFINE_string(
        "output",
        None,
        "Folder for results and manifest, made if there is none.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "task", "stylize", list(_TASKS), "What is done with each.", flag_values=values
    )
    painter_flags.define(values, pictures="photographs")
    flags.DEFINE_string(
        "network", "efficientnet_lite0", "Classifier of --task=classify.", flag_values=values
    )
    flags.DEFINE_integer(
        "top", 5, "Number of classes of --task=classify.", 1, 1000, flag_values=values
    )
    flags.DEFINE_string(
        "style_image",
        None,
        "Painting that has the style, for --task=evaluate.",
        flag_values=values,
    )
    options.define_batch_flags(values)
    flags.DEFINE_integer(
        "workers",
        2,
        "Number of processes on this machine, where no runner is given.",
        1,
        1024,
        flag_values=values,
    )
    options.define_writing_flags(values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; return its exit status."""
    _check_flags(values)
    with quiet.silent_stderr():  # Beam warns of its extras when it is imported.
        batch.load_beam()
    quiet.import_tensorflow()
    task = _task(values)
    # What the workers would all fail at is found here, before any of them starts.
    task.load()
    job = batch.Job(
        patterns=tuple(values.input),
        output=values.output,
        task=task,
        extension=f".{values.format}" if values.format else None,
        quality=values.quality,
        max_pixels=values.max_pixels,
        batch_size=values.batch_size,
        overwrite=values.overwrite,
    )
    beam_options = arguments or [*_LOCAL, f"--direct_num_workers={values.workers}"]
    with _progress(job) as callback, quiet.silent_stderr():
        rows = batch.run(job, beam_options, callback=callback)
    return _summarize(rows, job.path(batch.MANIFEST))


@contextlib.contextmanager
def _progress(job: "Job") -> "Iterator[Callback]":
    """Yield a callback that shows how many of the pictures are written, if the task writes any."""
    # The workers' messages are silenced beside it, not the bar.
    with (
        os.fdopen(os.dup(2), "w", encoding="utf-8") as stderr,
        tqdm.tqdm(
            desc="batch",
            unit="picture",
            file=stderr,
            dynamic_ncols=True,
            delay=0.01,
            disable=not job.task.writes,
        ) as bar,
    ):

        def callback(progress: "Progress") -> None:
            bar.total = progress.num_steps
            bar.update(progress.step - bar.n)

        yield callback


def _check_flags(values: flags.FlagValues) -> None:
    """Raise a ValueError if a flag is given that the task does not take, or one is missing that it needs."""
    options.require(values, "input", "output")
    for name in sorted(set().union(*_TASKS.values())):
        tasks = [task for task, names in _TASKS.items() if name in names]
        needed = " or ".join(f"--task={task}" for task in tasks)
        flag_checks.needs(values, name, needed, met=values.task in tasks)
    if values.task == "evaluate":
        options.require(values, "style", "style_image")


def _task(values: flags.FlagValues) -> "Task":
    if values.task == "classify":
        return batch.Classify(values.network, top=values.top)
    if values.task == "evaluate":
        size = values.size or batch.Evaluate.size
        return batch.Evaluate(values.model, values.style, values.style_image, size=size)
    return batch.Stylize(
        values.model, painter_flags.paint_options(values, values.style), size=values.size
    )


def _summarize(rows: "list[Row]", manifest: str) -> int:
    """Print what became of the pictures, and return the exit status."""
    failed = [row for row in rows if row.error]
    print(f"{len(rows) - len(failed)} pictures done, {len(failed)} failed: {manifest}")
    if failed:
        first: Any = failed[0]
        raise ValueError(
            f"{len(failed)} of {len(rows)} pictures failed, the first of them "
            f"{first.input}: {first.error}"
        )
    return 0
