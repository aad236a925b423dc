"""Clips: what flow, stabilising and live painting cost, and how exact the flow is.

Usage: python -m benchmarks.video [--pair=FIRST,SECOND,TRUE.flo] [--output=RESULT.json]

The part ``painting`` measures the seconds a frame of a network alone and stabilised, by turns, and the share
of the flow; ``memory`` measures the peak of whole processes over clips of two lengths; ``flow`` measures the
flow, and with --pair, two pictures with their true flow in Middlebury's format, its end-point error and the
temporal error of a network's paintings along the true flow.
"""

import pathlib
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from absl import app, flags

import stylezoo
from benchmarks import results
from stylezoo import images, video

_PARTS = ("painting", "memory", "flow")
_MODEL = flags.DEFINE_string("model", "light", "A network that paints photographs.")
_PAIR = flags.DEFINE_list("pair", None, "Two pictures and their true flow.")
_OUTPUT = flags.DEFINE_string("output", "out/benchmarks/video.json", "Where figures go.")
_ONLY = flags.DEFINE_multi_enum("part", list(_PARTS), _PARTS, "What to measure.")
_REPEATS = flags.DEFINE_integer("repeats", 10, "Of each timing.", 1)
_SIZES = (256, 512)
_UNKNOWN = 1e9  # Middlebury's mark of a pixel whose flow is not known


def _frame(size: int, index: int) -> np.ndarray:
    """Return a frame of a photograph that moves by 2 px, [1, 3/4 size, size, 3]."""
    photo = images.resize_longest_side(images.load_sample("chelsea"), 2 * size).numpy()
    left = 2 * index % (size // 2)
    return np.asarray(photo[:, : size * 3 // 4, left : left + size])


def painting_costs(size: int) -> dict[str, Any]:
    """Return the seconds of a frame, alone and stabilised, and of the flow in it."""
    painter = stylezoo.load(_MODEL.value)
    style = painter.styles[0]

    def paint(image: np.ndarray) -> np.ndarray:
        return painter.paint(image, style=style, stroke_size=None)

    first, second = _frame(size, 0), _frame(size, 1)
    past = (video.Past(first, paint(first)),)
    steady = video.Steady(paint)

    def stabilized() -> None:
        steady(video.Moment(1, second, past, video.motion(first, second)))

    seconds = results.alternate(
        {
            "alone": lambda: paint(second),
            "stabilized": stabilized,
            "flow": lambda: video.motion(first, second),
        },
        repeats=_REPEATS.value,
    )
    return {
        "seconds": seconds,
        "frames_a_second": {name: 1 / seconds[name] for name in ("alone", "stabilized")},
        "share_of_flow": seconds["flow"] / seconds["stabilized"],
    }


def peak_memory(num_frames: int) -> float:
    """Return the peak memory, MB, of a process that paints a clip of so many frames, stabilised."""

    def frames() -> Iterator[video.Frame]:
        return video.at_rate(_frame(320, index) for index in range(num_frames))

    with tempfile.TemporaryDirectory() as folder:
        clip = pathlib.Path(folder, "clip.mp4")
        video.write_clip(clip, frames(), video.Timing.constant(25))
        painted = f"--output={folder}/painted.mp4"
        style = f"--style={stylezoo.load(_MODEL.value).styles[0]}"
        command = ["video", str(clip), f"--model={_MODEL.value}", style, "--stabilize", painted]
        return float(results.run_command(*command)["peak_rss_mb"])


def read_flow(path: str) -> np.ndarray:
    """Read a flow in Middlebury's format, [1, H, W, 2], px."""
    data = pathlib.Path(path).read_bytes()
    width, height = np.frombuffer(data, "<i4", 2, offset=4)
    return np.frombuffer(data, "<f4", offset=12).reshape(1, height, width, 2)


def flow_quality(first: np.ndarray, second: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return the end-point error of the flow, px, and temporal errors along the true flow.

    The errors are the root mean square differences of the second picture, fetched along the true flow, and
    the first: of the photographs, and of their paintings, each painted alone.
    """
    began = time.perf_counter()
    flow = video.optical_flow(first, second)
    seconds = time.perf_counter() - began
    known = (np.abs(truth) < _UNKNOWN).all(-1, keepdims=True)
    truth = np.where(known, truth, 0).astype(np.float32)
    weights = known * video.consistency(truth, video.optical_flow(second, first))

    def error(one: np.ndarray, other: np.ndarray) -> float:
        squares = np.square(video.remap(other, truth) - one).mean(-1, keepdims=True)
        return float(np.sqrt((weights * squares).sum() / weights.sum()))

    painter = stylezoo.load(_MODEL.value)
    paintings = [painter.paint(each, style=painter.styles[0]) for each in (first, second)]
    return {
        "seconds": seconds,
        "end_point_error_px": float(np.linalg.norm(flow - truth, axis=-1)[known[..., 0]].mean()),
        "temporal_error_of_photographs": error(first, second),
        "temporal_error_of_paintings": error(*paintings),
    }


def main(argv: list[str]) -> None:
    """Run the parts that were asked for."""
    del argv
    figures: dict[str, Any] = {"model": _MODEL.value}
    if "painting" in _ONLY.value:
        figures["painting"] = {f"{size} px": painting_costs(size) for size in _SIZES}
    if "memory" in _ONLY.value:
        figures["memory"] = {f"{count} frames": peak_memory(count) for count in (50, 500)}
    if "flow" in _ONLY.value and _PAIR.value:
        first, second, truth = _PAIR.value
        figures["flow"] = flow_quality(
            images.read_image(first), images.read_image(second), read_flow(truth)
        )
    results.write(_OUTPUT.value, "video", figures)


if __name__ == "__main__":
    app.run(main)
