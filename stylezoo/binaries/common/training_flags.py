"""What the commands that train share: flags, what they stand for, progress."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo.binaries.common import options, reporting

if TYPE_CHECKING:
    from stylezoo.training import (
        Callback,
        ClassifierResult,
        ContentConfig,
        LoopConfig,
        TrainingResult,
    )

    Train = Callable[..., TrainingResult | ClassifierResult]

_LOOP_FIELDS = (
    "batch_size",
    "learning_rate",
    "clip_norm",
    "decay",
    "precision",
    "distribution",
    "seed",
    "log_every",
    "save_every",
    "sample_every",
)


_GENERATORS = {
    "batch_size": "4",
    "learning_rate": "0.001",
    "clip_norm": "10",
    "decay": "none, cosine or ulyanov2016",
}


def define_loop_flags(values: flags.FlagValues, defaults: Mapping[str, str] = _GENERATORS) -> None:
    """The flags of every command that trains; what happens without some of them."""

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def count(name: str, text: str) -> None:
        flags.DEFINE_integer(name, None, text, 1, flag_values=values)

    string("run", None, "The run's folder: a new one, or one to go on with.")
    count("steps", "How many.")
    count("batch_size", f"Pictures a step ({defaults['batch_size']}).")
    flags.DEFINE_float(
        "learning_rate",
        None,
        f"At the start ({defaults['learning_rate']}).",
        0.0,
        flag_values=values,
    )
    flags.DEFINE_float(
        "clip_norm",
        None,
        f"Cut gradients down to this norm ({defaults['clip_norm']}); 0 for never.",
        0.0,
        flag_values=values,
    )
    string("decay", None, f"Of the learning rate: {defaults['decay']}.")
    string("precision", None, "float32, mixed_bfloat16 or mixed_float16.")
    string("distribution", None, "none, mirrored (GPUs) or multi_worker (by TF_CONFIG).")
    flags.DEFINE_integer("seed", None, "Of everything random (0).", 0, flag_values=values)
    count("log_every", "Steps between two records of the losses (20).")
    count("save_every", "Steps between two saved states (200).")
    count("sample_every", "Steps between two sample pictures with held-out losses (200).")
    count("image_size", "Side of the pictures trained on, px.")
    string("init_weights", None, "A model of the same configuration to start from.")


def define_generator_flags(values: flags.FlagValues) -> None:
    """The flags of every command that trains a generator."""
    define_loop_flags(values)
    flags.DEFINE_string("generator", None, "The network; see above.", flag_values=values)
    flags.DEFINE_float("width", 1.0, "Multiplies its channels.", 0.0, flag_values=values)


def define_content_flags(values: flags.FlagValues) -> None:
    """The flags of every command that trains on photographs."""
    flags.DEFINE_string(
        "content",
        None,
        "The photographs: a folder, or a TensorFlow Datasets name such as coco/2014:train.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "held_out",
        None,
        "The same, for losses and samples on the way; four of --content if not given.",
        flag_values=values,
    )
    flags.DEFINE_string("data_dir", None, "Of TensorFlow Datasets.", flag_values=values)
    flags.DEFINE_float(
        "min_scale",
        None,
        "Smallest crop, as a fraction of the photograph's shorter side (0).",
        0.0,
        1.0,
        flag_values=values,
    )


def loop_fields(values: flags.FlagValues) -> dict[str, Any]:
    """The fields of the loop's configuration that the flags say something of."""
    steps = {} if values.steps is None else {"num_steps": values.steps}
    return {**steps, **options.given(values, _LOOP_FIELDS)}


def content_config(values: flags.FlagValues) -> "ContentConfig":
    """What the flags say of the photographs."""
    from stylezoo.training import ContentConfig

    fields = ("content", "held_out", "data_dir", "image_size", "min_scale")
    return ContentConfig(**options.given(values, fields))


def run(values: flags.FlagValues, train: "Train", config: Any) -> int:
    """Train, or go on with, the generator that ``config`` describes; returns the exit status."""
    from stylezoo.training import LoopConfig

    run_loop(values, train, config, LoopConfig(**loop_fields(values)))
    print(f"{values.run}/model.h5")
    return 0


def run_loop(values: flags.FlagValues, train: "Train", config: Any, loop: "LoopConfig") -> None:
    """Train, or go on with, what ``config`` describes, with a bar; says what was skipped."""
    with _progress(values, loop) as callback:
        result = train(config, loop=loop, run=values.run, callback=callback)
    if result.skipped:
        print(
            f"{len(result.skipped)} pictures could not be read: {', '.join(sorted(result.skipped))}",
            file=sys.stderr,
        )


@contextlib.contextmanager
def _progress(values: flags.FlagValues, loop: "LoopConfig") -> "Iterator[Callback]":
    """A callback that shows a bar with the losses and the time left."""
    with reporting.bar(values.run, "step", total=loop.num_steps) as bar:

        def callback(step: int, losses: Mapping[str, float]) -> None:
            if not bar.n:  # a resumed run: what was done before says nothing of the speed
                bar.initial = bar.n = step - 1
            if losses:
                shown = {name: f"{value:.3g}" for name, value in losses.items()}
                bar.set_postfix(shown, refresh=False)
            bar.update(step - bar.n)

        yield callback
