"""Textures by patches: the tree against looking at all, the classical syntheses, CNNMRF.

Usage: python -m benchmarks.patches [--part=search] [--output=RESULT.json]

Pictures come with scikit-image. Parts: `search` (9x9 neighbourhoods of 192x192 px sources, looked up in
batches as a synthesis does: seconds, and mean squared distance to what is found, as ratios), `classic`
(seconds of whole syntheses), `cnnmrf` (seconds a step and peak memory of whole transfers).
"""

import time
from typing import Any

import numpy as np
from absl import app, flags

from benchmarks import results
from stylezoo import classic, images

_PARTS = ("search", "classic", "cnnmrf")
_OUTPUT = flags.DEFINE_string("output", "out/benchmarks/patches.json", "Where figures go.")
_ONLY = flags.DEFINE_multi_enum("part", list(_PARTS), _PARTS, "What to measure.")
_REPEATS = flags.DEFINE_integer("repeats", 5, "Of each timing.", 1)
_SIZE = flags.DEFINE_integer("size", 384, "Of the transfer, px.", 1)

_GREY = ("brick", "grass", "gravel")
# A wavefront of a 256 px picture.
_BATCH = 51


def _crop(name: str, size: int, *, top: int = 0) -> np.ndarray:
    """[1, size, size, 3] of a sample at half its size."""
    picture = images.load_sample(name)
    half = images.resize(picture, (picture.shape[1] // 2, picture.shape[2] // 2)).numpy()
    return half[:, top : top + size, :size]


def _neighbourhoods(picture: np.ndarray) -> np.ndarray:
    """The causal part of all 9x9 windows, [N, 40 C]."""
    windows = np.lib.stride_tricks.sliding_window_view(picture[0], (9, 9), axis=(0, 1))
    flat = np.moveaxis(windows, 2, -1).reshape(-1, 81, picture.shape[-1])
    return np.ascontiguousarray(flat[:, :40].reshape(len(flat), -1), np.float32)


def search(name: str) -> dict[str, Any]:
    """Of neighbourhoods of one part of a picture in another part."""
    channels = 1 if name in _GREY else 3
    known = _neighbourhoods(_crop(name, 192)[..., :channels])
    others = _neighbourhoods(_crop(name, 192, top=8)[..., :channels])
    queries = np.random.default_rng(0).permutation(others)[: 20 * _BATCH]
    # Neighbourhoods of a synthesis are near those of its source, not among them.
    queries = queries + np.random.default_rng(1).normal(0, 0.02, queries.shape).astype(np.float32)
    began = time.perf_counter()
    tree = classic.TreeSearch(known)
    build_seconds = time.perf_counter() - began
    searches = {"exhaustive": classic.ExhaustiveSearch(known), "tree": tree}

    def look_up(each: classic.Search) -> np.ndarray:
        return np.concatenate([each.nearest(batch) for batch in np.split(queries, 20)])

    distances = {
        kind: float(np.mean(np.sum((known[look_up(each)] - queries) ** 2, axis=1)))
        for kind, each in searches.items()
    }
    seconds = results.alternate(
        {kind: lambda each=each: look_up(each) for kind, each in searches.items()},
        repeats=_REPEATS.value,
    )
    return {
        "vectors": list(known.shape),
        "tree_build_seconds": build_seconds,
        "seconds_a_thousand": {
            kind: 1000 * value / len(queries) for kind, value in seconds.items()
        },
        "times_as_fast": seconds["exhaustive"] / seconds["tree"],
        "distance_ratio": distances["tree"] / distances["exhaustive"],
    }


def syntheses() -> dict[str, float]:
    """Seconds of each method for a grey and a coloured source."""
    seconds = {}
    for name in ("brick", "coffee"):
        for method, source, size in (
            (classic.efros_leung, _crop(name, 64), (128, 128)),
            (classic.wei_levoy, _crop(name, 192), (256, 256)),
        ):
            began = time.perf_counter()
            method(source, size)
            seconds[f"{method.__name__}, {name}"] = time.perf_counter() - began
    return seconds


def cnnmrf(match_every: int) -> dict[str, Any]:
    """A transfer with patches of a style at three scales and three angles."""
    return results.cost(
        results.run_command(
            "transfer",
            "--method=cnnmrf",
            f"--content={images.sample_path('chelsea')}",
            f"--style={images.sample_path('retina')}",
            f"--size={_SIZE.value}",
            f"--smallest={_SIZE.value}",
            "--steps=10",
            "--patch_scales=1",
            "--patch_rotations=1",
            f"--match_every={match_every}",
        )
    )


def main(argv: list[str]) -> None:
    """Run the parts that were asked for."""
    del argv
    figures: dict[str, Any] = {}
    if "search" in _ONLY.value:
        figures["search"] = {name: search(name) for name in (*_GREY, "coffee")}
    if "classic" in _ONLY.value:
        figures["classic"] = syntheses()
    if "cnnmrf" in _ONLY.value:
        figures["cnnmrf"] = {f"match_every={every}": cnnmrf(every) for every in (1, 5)}
    results.write(_OUTPUT.value, "patches", figures)


if __name__ == "__main__":
    app.run(main)
