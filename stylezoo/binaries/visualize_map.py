"""The pictures of a folder on one sheet, those that a layer finds alike beside each other (t-SNE).

Usage:
  stylezoo visualize map --images=FOLDER --output=PICTURE [--layer=LAYER] [--flags]

t-SNE (van der Maaten & Hinton 2008) gives the features of each picture a place on a plane, and each place is
moved to a cell of a grid, so that no picture hides another. Needs scikit-learn: pip install 'stylezoo[see]'.
"""

import math

import numpy as np
from absl import flags

from stylezoo import errors, images
from stylezoo.binaries.common import options, quiet, reporting
from stylezoo.binaries.common.folder_features import FolderFeatures
from stylezoo.binaries.common.folder_features import define_flags as _define


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    _define(values, report="Also write the place of each picture and settings to this JSON file.")
    flags.DEFINE_integer(
        "columns",
        None,
        "Number of columns of the sheet; by default about as many as rows.",
        1,
        flag_values=values,
    )
    flags.DEFINE_integer("seed", 0, "Seed of t-SNE.", 0, flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "images", "output")
    images.check_output_path(values.output, overwrite=values.overwrite)
    reporting.check_report(values)
    paths = options.pictures([values.images])
    if len(paths) < 2:
        raise ValueError(f"`--images` must be at least two pictures. Received: {values.images}")
    quiet.import_tensorflow()
    from stylezoo import visualize

    visualize.check_scikit_learn()
    features = FolderFeatures(values)
    columns = values.columns or math.ceil(math.sqrt(len(paths)))
    with errors.renamed(vectors="images"):
        places = visualize.map_to_grid(features.of(paths), columns=columns, seed=values.seed)
    blank = np.ones((values.thumbnail_size, values.thumbnail_size, 3), np.float32)
    cells = [blank] * (columns * -(-len(paths) // columns))
    for path, (row, column) in zip(paths, places.tolist(), strict=True):
        cells[row * columns + column] = features.thumbnail(path)
    reporting.write_picture(values, images.contact_sheet(cells, columns=columns), values.output)
    reporting.write_report(
        values,
        {
            "layer": features.layer,
            "places": [
                {"image": str(path), "row": row, "column": column}
                for path, (row, column) in zip(paths, places.tolist(), strict=True)
            ],
            **reporting.circumstances(values),
        },
    )
    return 0
