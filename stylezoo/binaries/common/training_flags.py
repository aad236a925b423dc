"""Flags, progress and messages that the commands which train have in common."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo.binaries.common import reporting
from stylezoo.binaries.common.config_flags import ConfigFlags
from stylezoo.training.loop_config import LoopConfig

if TYPE_CHECKING:
    from stylezoo.progress import Callback, Progress
    from stylezoo.training import ClassifierResult, PriorResult, TrainingResult

    Train = Callable[..., TrainingResult | ClassifierResult | PriorResult]

LOOP = ConfigFlags(LoopConfig, names={"num_steps": "steps"})


def define_run_flag(values: flags.FlagValues) -> None:
    """Define the flag of every command that trains, which names the run's folder."""
    flags.DEFINE_string(
        "run",
        None,
        "Folder of the run: a new one, or that of a run to go on with.",
        flag_values=values,
    )


def define_generator_flags(values: flags.FlagValues) -> None:
    """Define the flags of every command that trains a generator."""
    define_run_flag(values)
    LOOP.define(values)
    flags.DEFINE_string(
        "generator", None, "Name of the generator, one of those above.", flag_values=values
    )
    flags.DEFINE_float(
        "width",
        1.0,
        "Factor that the network's numbers of channels are multiplied by.",
        flag_values=values,
    )


def run(values: flags.FlagValues, train: "Train", config: Any) -> int:
    """Train the generator that ``config`` describes, and return the exit status."""
    run_loop(values, train, config, LOOP.create(values))
    print(f"{values.run}/model")
    return 0


def run_loop(values: flags.FlagValues, train: "Train", config: Any, loop: "LoopConfig") -> None:
    """Train what ``config`` describes, with a progress bar, and list the pictures that were skipped."""
    with _progress(values, loop) as callback:
        result = train(config, loop=loop, run=values.run, callback=callback)
    if result.skipped:
        print(
            f"{len(result.skipped)} pictures could not be read: "
            f"{reporting.first_of(sorted(result.skipped))}",
            file=sys.stderr,
        )


@contextlib.contextmanager
def _progress(values: flags.FlagValues, loop: "LoopConfig") -> "Iterator[Callback]":
    """Yield a callback that shows a progress bar with the losses."""
    with reporting.bar(values.run, "step", total=loop.num_steps) as bar:

        def callback(progress: "Progress") -> None:
            if not bar.n:  # what a resumed run did before says nothing of its speed
                bar.initial = bar.n = progress.step - 1
            if progress.losses:
                shown = {name: f"{value:.3g}" for name, value in progress.losses.items()}
                bar.set_postfix(shown, refresh=False)
            bar.update(progress.step - bar.n)

        yield callback
