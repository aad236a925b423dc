"""Progress bars, pictures, tables and JSON reports of the commands."""

import contextlib
import dataclasses
import glob
import json
import pathlib
import platform
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import tqdm
from absl import flags

from stylezoo import images

if TYPE_CHECKING:
    from stylezoo.progress import Callback, Progress
    from stylezoo.synthesis import PyramidResult

_MOST_NAMES = 5
_VERSIONED = ("stylezoo", "tensorflow", "keras", "numpy", "pillow")


def check_outputs(values: flags.FlagValues, outputs: Iterable[str]) -> None:
    """Raise an OSError or ValueError now if an output could not be written later."""
    for output in map(pathlib.Path, outputs):
        images.check_output_path(output, overwrite=values.overwrite)
        if values.save_every and not values.overwrite:
            pattern = f"{glob.escape(output.stem)}_{'[0-9]' * 5}{glob.escape(output.suffix)}"
            for path in output.parent.glob(pattern):
                images.check_output_path(path, overwrite=False)
    check_report(values)


def check_report(values: flags.FlagValues) -> None:
    """Raise an OSError or ValueError now if the file of ``--report`` could not be written later."""
    if values.report:
        images.check_output_path(values.report, overwrite=values.overwrite, extensions=[".json"])


def intermediate_path(output: str, step: int) -> pathlib.Path:
    """Return the path of the picture after ``step`` steps."""
    path = pathlib.Path(output)
    return path.with_stem(f"{path.stem}_{step:05d}")


def bar(description: str, unit: str, **options: Any) -> tqdm.tqdm:
    """Return a progress bar with the time left, on standard error."""
    # The delay keeps it from showing before the first step: there may be an error instead.
    return tqdm.tqdm(
        desc=description, unit=unit, file=sys.stderr, dynamic_ncols=True, delay=0.01, **options
    )


@contextlib.contextmanager
def steps(description: str) -> "Iterator[Callback]":
    """Yield a callback that shows a progress bar with the time left.

    The bar counts work, because the last steps of a picture that grows take most of the time.
    """
    shape = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
    with bar(description, "%", total=100.0, bar_format=shape) as shown:

        def callback(progress: "Progress") -> None:
            share = progress.step / progress.num_steps if progress.share is None else progress.share
            step = f"{progress.step}/{progress.num_steps}"
            shown.set_postfix(step=step, loss=f"{progress.losses['total']:.4g}", refresh=False)
            shown.update(100.0 * share - shown.n)

        yield callback


@contextlib.contextmanager
def progress(values: flags.FlagValues, description: str, output: str) -> "Iterator[Callback]":
    """Yield a callback that shows a progress bar and writes the pictures of --save_every."""
    with steps(description) as show:

        def callback(progress: "Progress") -> None:
            show(progress)
            if values.save_every and progress.step % values.save_every == 0:
                path = intermediate_path(output, progress.step)
                write_picture(values, progress.image(), path)

        yield callback


def write_picture(
    values: flags.FlagValues, picture: images.Image, path: "str | pathlib.Path"
) -> None:
    """Write a picture with the quality of ``--quality``, over an existing one with ``--overwrite``."""
    images.write_image(path, picture, quality=values.quality, overwrite=values.overwrite)


def write_report(values: flags.FlagValues, content: Any) -> None:
    """Write the JSON of ``--report``, if it was given, at once or not at all."""
    if values.report:
        with images.atomic_path(values.report, overwrite=values.overwrite) as temporary:
            temporary.write_text(
                json.dumps(content, indent=2, default=str) + "\n", encoding="utf-8"
            )


def first_of(names: Sequence[str], separator: str = ", ") -> str:
    """Return the first names of a list that may be long, and how many more there are."""
    more = len(names) - _MOST_NAMES
    listed = separator.join(names[:_MOST_NAMES])
    return f"{listed} and {more:,} more" if more > 0 else listed


def note(text: str) -> None:
    """Say on standard error, in one line, what the user did not ask for but has to know."""
    print(f"note: {text}", file=sys.stderr)


def note_silent(names: Sequence[str], scores: Sequence[float]) -> None:
    """Say which units do not respond to their pictures, whose pictures then show nothing."""
    silent = [name for name, score in zip(names, scores, strict=True) if score == 0]
    if silent:
        note(f"silent on their pictures (score 0), which show nothing of them: {first_of(silent)}")


def caption(name: str, score: float) -> str:
    """Return the caption of a unit's picture: the first of its names, and its score."""
    return f"{name.split(',')[0]}: {score:.4g}" + (" (silent)" if score == 0 else "")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text, the first of which is the heading, as a table."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def report(values: flags.FlagValues, result: "PyramidResult", config: Any) -> dict[str, Any]:
    """Return a report of an optimisation and of every setting that was in force."""
    seconds = sum(level.seconds for level in result.levels)
    steps = len(result.losses)
    return {
        "steps": steps,
        "seconds": seconds,
        "seconds_per_step": seconds / steps if steps else None,
        "levels": [dataclasses.asdict(level) for level in result.levels],
        "losses": result.losses,
        "settings": settings(config.resolved()),
        **circumstances(values),
    }


def circumstances(values: flags.FlagValues) -> dict[str, Any]:
    """Return memory, versions, device and flags of the command, for the end of its report."""
    return {
        "peak_rss_mb": peak_rss_mb(),
        "versions": versions(),
        "device": device(),
        "flags": values.flag_values_dict(),
    }


def settings(config: Any) -> Any:
    """Return a configuration as JSON, with the type of each part."""
    if isinstance(config, tuple | list):
        return [settings(each) for each in config]
    if not dataclasses.is_dataclass(config):
        return config
    fields = {each.name: getattr(config, each.name) for each in dataclasses.fields(config)}
    return {
        "type": type(config).__name__,
        **{name: settings(value) for name, value in fields.items()},
    }


def peak_rss_mb() -> float:
    """Return the peak of the resident memory of this process, in MB (10^6 bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide a result."""
    import importlib.metadata

    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _VERSIONED},
    }


def device() -> str:
    """Return the name of the device that TensorFlow computes on."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return f"CPU ({platform.machine()})"
    details = tf.config.experimental.get_device_details(gpus[0])
    return f"GPU ({details.get('device_name', 'unknown')})"
