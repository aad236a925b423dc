"""What the commands that train share: flags, what they stand for, progress."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo.binaries import options, reporting

if TYPE_CHECKING:
    from stylezoo.training import Callback, ContentConfig, LoopConfig, TrainingResult

    Train = Callable[..., TrainingResult]

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


def define_loop_flags(values: flags.FlagValues) -> None:
    """The flags of every command that trains."""

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def count(name: str, text: str) -> None:
        flags.DEFINE_integer(name, None, text, 1, flag_values=values)

    string("run", None, "The run's folder: a new one, or one to go on with.")
    string("generator", None, "The network; see above.")
    flags.DEFINE_float("width", 1.0, "Multiplies its channels.", 0.0, flag_values=values)
    count("steps", "How many.")
    count("batch_size", "Pictures a step (4).")
    flags.DEFINE_float("learning_rate", None, "Of Adam (0.001).", 0.0, flag_values=values)
    flags.DEFINE_float(
        "clip_norm",
        None,
        "Cut gradients down to this norm (10); 0 for never.",
        0.0,
        flag_values=values,
    )
    string("decay", None, "Of the learning rate: none, cosine or ulyanov2016.")
    string("precision", None, "float32, mixed_bfloat16 or mixed_float16.")
    string("distribution", None, "none, mirrored (GPUs) or multi_worker (by TF_CONFIG).")
    flags.DEFINE_integer("seed", None, "Of everything random (0).", 0, flag_values=values)
    count("log_every", "Steps between two records of the losses (20).")
    count("save_every", "Steps between two saved states (200).")
    count("sample_every", "Steps between two sample pictures with held-out losses (200).")
    count("image_size", "Side of the pictures trained on, px.")
    string("init_weights", None, "A model of the same configuration to start from.")


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


def _loop_config(values: flags.FlagValues) -> "LoopConfig":
    """What the flags say of the loop."""
    from stylezoo.training import LoopConfig

    steps = {} if values.steps is None else {"num_steps": values.steps}
    return LoopConfig(**steps, **options.given(values, _LOOP_FIELDS))


def content_config(values: flags.FlagValues) -> "ContentConfig":
    """What the flags say of the photographs."""
    from stylezoo.training import ContentConfig

    fields = ("content", "held_out", "data_dir", "image_size", "min_scale")
    return ContentConfig(**options.given(values, fields))


def run(values: flags.FlagValues, train: "Train", config: Any) -> int:
    """Train, or go on with, what ``config`` describes; returns the command's exit status."""
    loop = _loop_config(values)
    with _progress(values, loop) as callback:
        result = train(config, loop=loop, run=values.run, callback=callback)
    if result.skipped:
        print(
            f"{len(result.skipped)} pictures could not be read: {', '.join(sorted(result.skipped))}",
            file=sys.stderr,
        )
    print(f"{values.run}/model.h5")
    return 0


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
