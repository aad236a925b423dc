"""Style transfer by optimisation: what a step costs, and how soon the default preset gets there.

Usage: python -m benchmarks.transfer [--content=PHOTO --style=PAINTING] [--output=RESULT.json]

Pictures default to two that come with scikit-image. The part ``step`` measures the seconds a step of
Adam and L-BFGS at 256 and 512 px, and the share of it that is not the network; ``memory`` measures the peak
of whole processes, and ``quality`` the time to the loss of 200 plain L-BFGS steps.
"""

import contextlib
import dataclasses
import math
import pathlib
import time
from typing import Any

import tensorflow as tf
from absl import app, flags

from benchmarks import results
from stylezoo import images, objectives
from stylezoo.progress import Progress
from stylezoo.synthesis import (
    LBFGS,
    PRESETS,
    Adam,
    Pixels,
    Schedule,
    TransferConfig,
    transfer,
)

_PARTS = ("step", "memory", "quality")
_CONTENT = flags.DEFINE_string("content", None, "A photograph.")
_STYLE = flags.DEFINE_string("style", None, "A painting.")
_OUTPUT = flags.DEFINE_string("output", "out/benchmarks/transfer.json", "Where figures go.")
_ONLY = flags.DEFINE_multi_enum("part", list(_PARTS), _PARTS, "What to measure.")
_REPEATS = flags.DEFINE_integer("repeats", 5, "Of each timing.", 1)
_TILED_SIZE = flags.DEFINE_integer("tiled_size", 3000, "Of the tiled picture, px; 0 for none.", 0)


def _content() -> pathlib.Path:
    return pathlib.Path(_CONTENT.value or images.sample_path("chelsea"))


def _style() -> pathlib.Path:
    return pathlib.Path(_STYLE.value or images.sample_path("retina"))


def step_costs(size: int) -> dict[str, Any]:
    """Return the seconds of a step of each optimiser beside an evaluation of loss and gradient."""
    config = PRESETS["fast"]
    content = images.resize_longest_side(images.read_image(_content()), size)
    style = images.resize_longest_side(images.read_image(_style()), size)
    loss = config.objective.build()
    reference = objectives.Reference
    targets = loss.targets({"content": reference([content]), "style": reference([style])})

    def of(image: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return loss(image, targets)

    minimizers = {
        "adam": Adam().start(Pixels(content), of),
        "lbfgs": LBFGS().start(Pixels(content), of),
        "lbfgs_preconditioned": config.optimizer.start(Pixels(content), of),
    }
    for _ in range(LBFGS().memory):  # a full history is what a step costs in the long run
        for minimizer in minimizers.values():
            minimizer.step()
    evaluate = minimizers["adam"].evaluate
    seconds = results.alternate(
        {
            "evaluation": lambda: evaluate().total.numpy(),
            **{name: _one_step(minimizer) for name, minimizer in minimizers.items()},
        },
        repeats=_REPEATS.value,
    )
    share = {name: max(1.0 - seconds["evaluation"] / value, 0.0) for name, value in seconds.items()}
    return {"seconds": seconds, "share_outside_the_network": share}


def _one_step(minimizer: Any) -> Any:
    def run() -> None:
        # A line search that shortens costs more than one evaluation; that is not what is measured here.
        while int(minimizer.step()[2]) != 1:
            pass

    return run


def peak_memory(size: int, *extra: str, steps: int = 3) -> dict[str, Any]:
    """Return the peak resident memory of a whole ``stylezoo transfer``, and its seconds a step."""
    return results.cost(
        results.run_command(
            "transfer",
            f"--content={_content()}",
            f"--style={_style()}",
            f"--size={size}",
            f"--steps={steps}",
            *extra,
        )
    )


class _LossReached(Exception):  # noqa: N818 - not an error
    """The loss that was asked for has been reached."""


def time_to_quality(size: int) -> dict[str, Any]:
    """Return the time that the default preset takes to the loss of 200 plain L-BFGS steps, and to theirs."""
    content = images.read_image(_content())
    styles = [images.read_image(_style())]
    fast = dataclasses.replace(PRESETS["fast"], size=size)
    plain = dataclasses.replace(
        fast, optimizer=LBFGS(), schedule=Schedule(smallest=None, initial_steps=200, steps=0)
    )
    patient = dataclasses.replace(fast, schedule=dataclasses.replace(fast.schedule, steps=300))
    plain_seconds, plain_curve = _timed(content, styles, plain, until=None)
    goal = plain_curve[-1]
    seconds, curve = _timed(content, styles, patient, until=goal)
    default_steps = fast.schedule.steps
    coarse = _levels(content, fast)[:-1]
    full = math.prod(_levels(content, fast)[-1][0])
    pixels = sum(math.prod(level) * steps for level, steps in coarse) + full * len(curve)
    return {
        "plain_seconds": plain_seconds,
        "plain_loss": goal,
        "fast_seconds": seconds,
        "fast_steps_at_full_size": len(curve),
        "fast_loss": curve[-1],
        "fast_loss_after_its_default_steps": curve[min(default_steps, len(curve)) - 1],
        "reached": curve[-1] <= goal,
        "ratio": seconds / plain_seconds,
        "ratio_of_pixels_evaluated": pixels / (full * len(plain_curve)),
    }


def _levels(content: tf.Tensor, config: TransferConfig) -> list[tuple[tuple[int, int], int]]:
    """Return the sizes and steps of a transfer."""
    size = images.fit_size(content.shape[1], content.shape[2], config.size)
    return config.schedule.levels(*size)


def _timed(
    content: tf.Tensor, styles: list[tf.Tensor], config: TransferConfig, *, until: float | None
) -> tuple[float, list[float]]:
    """Return the seconds of a transfer, and its losses at full size; end early once one is ``until``."""
    coarse = sum(steps for _, steps in _levels(content, config)[:-1])
    curve: list[float] = []

    def callback(progress: Progress) -> None:
        if progress.step > coarse:
            curve.append(progress.losses["total"])
            if until is not None and curve[-1] <= until:
                raise _LossReached

    began = time.perf_counter()
    with contextlib.suppress(_LossReached):
        transfer(content, styles, config=config, callback=callback)
    return time.perf_counter() - began, curve


def main(argv: list[str]) -> None:
    """Run the parts that were asked for."""
    del argv
    figures: dict[str, Any] = {"content": _content().name, "style": _style().name}
    if "step" in _ONLY.value:
        figures["step"] = {f"{size} px": step_costs(size) for size in (256, 512)}
    if "memory" in _ONLY.value:
        figures["memory"] = {"512 px": peak_memory(512)}
        if _TILED_SIZE.value:
            size = _TILED_SIZE.value
            figures["memory"][f"{size} px, tiled"] = peak_memory(
                size, "--tile=256", f"--smallest={size}", steps=2
            )
    if "quality" in _ONLY.value:
        figures["quality"] = {"512 px": time_to_quality(512)}
    results.write(_OUTPUT.value, "transfer", figures)


if __name__ == "__main__":
    app.run(main)
