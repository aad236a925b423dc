"""The pictures of a folder that a layer finds most alike.

Usage:
  stylezoo visualize neighbours --images=FOLDER --image=PICTURE --output=PICTURE [--layer=LAYER] [--flags]

The sheet has a row for each picture of --image, which may be a folder or a pattern: the picture, and the
--top pictures of --images whose features have the smallest angle to its own, each with the cosine. Features
are the mean over the layer's positions. Pictures whose file is the query itself are left out.
"""

import pathlib
from typing import Any

import numpy as np
from absl import flags

from stylezoo import images
from stylezoo.binaries.common import options, quiet, reporting
from stylezoo.binaries.common.folder_features import FolderFeatures
from stylezoo.binaries.common.folder_features import define_flags as _define


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    _define(values, report="Also write neighbours, cosines and settings to this JSON file.")
    flags.DEFINE_string(
        "image",
        None,
        "Picture, folder or pattern whose neighbours are looked for.",
        flag_values=values,
    )
    flags.DEFINE_integer("top", 6, "Number of neighbours of each picture.", 1, flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "images", "image", "output")
    images.check_output_path(values.output, overwrite=values.overwrite)
    reporting.check_report(values)
    paths, queries = options.pictures([values.images]), options.pictures([values.image])
    quiet.import_tensorflow()
    from stylezoo import visualize

    features = FolderFeatures(values)
    query_vectors, vectors = features.of(queries), features.of(paths)
    order = visualize.neighbours(query_vectors, vectors, len(paths))
    cells, captions, rows = [], [], []
    for number, query in enumerate(queries):
        found = [index for index in order[number] if not _is_same(paths[index], query)]
        found = found[: values.top]
        cosines = [float(vectors[index] @ query_vectors[number]) for index in found]
        shown = [query, *(paths[index] for index in found)]
        cells += [features.thumbnail(path) for path in shown]
        captions += [query.name, *(f"{cosine:.3f}" for cosine in cosines)]
        missing = values.top - len(found)
        cells += [np.ones_like(cells[0])] * missing
        captions += [""] * missing
        rows.append(_row(query, [paths[index] for index in found], cosines))
    sheet = images.contact_sheet(cells, columns=1 + values.top, captions=captions)
    reporting.write_picture(values, sheet, values.output)
    print(_table(rows))
    reporting.write_report(
        values, {"layer": features.layer, "queries": rows, **reporting.circumstances(values)}
    )
    return 0


def _is_same(path: pathlib.Path, other: pathlib.Path) -> bool:
    return path.resolve() == other.resolve()


def _row(query: pathlib.Path, found: list[pathlib.Path], cosines: list[float]) -> dict[str, Any]:
    neighbours = [
        {"image": str(path), "cosine": cosine} for path, cosine in zip(found, cosines, strict=True)
    ]
    return {"image": str(query), "neighbours": neighbours}


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [
        (row["image"], each["image"], f"{each['cosine']:.4f}")
        for row in rows
        for each in row["neighbours"]
    ]
    return reporting.table([("PICTURE", "NEIGHBOUR", "COSINE"), *lines])
