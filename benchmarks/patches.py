"""Speed of textures by patches: tree against exhaustive search, classical syntheses, CNNMRF.

Usage: python -m benchmarks.patches [--part=search] [--output=RESULT.json]

Pictures come with scikit-image. The part ``search`` looks up 9x9 neighbourhoods of 192x192 px sources as a
synthesis does, and compares the times and the mean squared distances to the neighbourhoods found. The part
``classic`` measures the seconds of whole syntheses, and ``cnnmrf`` the seconds a step and the peak memory of
whole transfers.
"""

import functools
import time
from typing import Any
from unittest import mock

import numpy as np
from absl import app, flags

from benchmarks import results
from stylezoo import classic, images
from stylezoo.classic import raster_scan

_PARTS = ("search", "classic", "cnnmrf")
_OUTPUT = flags.DEFINE_string(
    "output", "out/benchmarks/patches.json", "File to write the figures to."
)
_ONLY = flags.DEFINE_multi_enum("part", list(_PARTS), _PARTS, "Part to measure.")
_REPEATS = flags.DEFINE_integer("repeats", 5, "Number of repetitions of each timing.", 1)
_SIZE = flags.DEFINE_integer("size", 384, "Longest side of the transfer, px.", 1)

_SOURCES = ("brick", "grass", "gravel", "coffee")


def _crop(name: str, size: int) -> np.ndarray:
    """Return the corner [1, size, size, 3] of a sample at half its size."""
    picture = images.load_sample(name)
    half = images.resize(picture, (picture.shape[1] // 2, picture.shape[2] // 2)).numpy()
    return half[:, :size, :size]


class _Recorded(classic.ExhaustiveSearch):
    """An exhaustive search that keeps the vectors and queries of the last one made, the finest level's."""

    vectors: np.ndarray
    queries: list[np.ndarray]

    def __init__(self, vectors: np.ndarray) -> None:
        super().__init__(vectors)
        type(self).vectors, type(self).queries = vectors, []

    def nearest(self, queries: np.ndarray) -> np.ndarray:
        """Search as :class:`stylezoo.classic.ExhaustiveSearch` does."""
        self.queries.append(queries)
        return super().nearest(queries)


def search(name: str) -> dict[str, Any]:
    """Measure both searches with the queries of a synthesis of 160x160 px at the finest level."""
    config = classic.WeiLevoyConfig(search="exhaustive")
    with mock.patch.object(raster_scan, "ExhaustiveSearch", _Recorded):
        classic.wei_levoy(_crop(name, 192), (160, 160), config=config)
    known = _Recorded.vectors
    batches = _Recorded.queries[
        100:-100:4
    ]  # without the ends, where few pixels are looked up at once
    queries = np.concatenate(batches)
    began = time.perf_counter()
    tree = classic.TreeSearch(known, max_leaves=config.max_leaves)
    build_seconds = time.perf_counter() - began
    searches: dict[str, classic.Search] = {
        "exhaustive": classic.ExhaustiveSearch(known),
        "tree": tree,
    }

    def look_up(each: classic.Search) -> np.ndarray:
        return np.concatenate([each.nearest(batch) for batch in batches])

    distances = {
        kind: float(np.mean(np.sum((known[look_up(each)] - queries) ** 2, axis=1)))
        for kind, each in searches.items()
    }
    seconds = results.alternate(
        {kind: functools.partial(look_up, each) for kind, each in searches.items()},
        repeats=_REPEATS.value,
    )
    return {
        "vectors": list(known.shape),
        "queries_at_once": len(queries) / len(batches),
        "tree_build_seconds": build_seconds,
        "milliseconds_a_query": {
            kind: 1000 * value / len(queries) for kind, value in seconds.items()
        },
        "times_as_fast": seconds["exhaustive"] / seconds["tree"],
        "distance_ratio": distances["tree"] / distances["exhaustive"],
    }


def syntheses() -> dict[str, float]:
    """Return the seconds of each method for a grey and a coloured source."""
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
    """Measure a transfer with patches of a style at three scales and three angles."""
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
        figures["search"] = {name: search(name) for name in _SOURCES}
    if "classic" in _ONLY.value:
        figures["classic"] = syntheses()
    if "cnnmrf" in _ONLY.value:
        figures["cnnmrf"] = {f"match_every={every}": cnnmrf(every) for every in (1, 5)}
    results.write(_OUTPUT.value, "patches", figures)


if __name__ == "__main__":
    app.run(main)
