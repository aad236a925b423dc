"""Make a model ready to serve: a SavedModel for TensorFlow Serving, a TFLite file for GPUs, an ONNX file.

Usage:
  stylezoo export --model=MODEL [--format=saved_model] [--output=exports] [--version=N]
  stylezoo export --model=MODEL --format=tflite --image_size=HxW|any [--quantize=none|float16|int8]
  stylezoo export --model=MODEL --format=onnx

MODEL is a name that `stylezoo models` lists, or a folder `model` that `stylezoo train_style` or
`train_texture` wrote. A classifier is exported with its head, or with --layers=LAYER,... as a network that
gives the features of these layers and their Gram matrices.

  saved_model   OUTPUT/NAME/VERSION/: signatures for arrays and for picture files, warm-up requests
  tflite        OUTPUT/NAME/NAME_HxW_QUANTIZE.tflite: builtin operators only, for one size and picture;
                with --image_size=any for all, on CPUs alone and several times slower
  onnx          OUTPUT/NAME/NAME.onnx: pictures of any size, any number of them

A version is never replaced. int8 is compared on photographs, in every style.
OUTPUT/NAME/README.md, the card, tells what goes in and what comes out.
Everything is loaded back by a runtime that knows nothing of Keras, and compared, before it gets its name.
"""

import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from stylezoo import errors
from stylezoo.binaries.common import config_flags, flag_checks, options, quiet, reporting
from stylezoo.export.limits import DEFAULT_MAX_PIXELS
from stylezoo.export.tflite_config import TfliteConfig

if TYPE_CHECKING:
    from stylezoo.export import Check, Servable

_TFLITE = config_flags.ConfigFlags(TfliteConfig, skip=["size"])


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    define_model_flags(values)
    flags.DEFINE_enum(
        "format",
        "saved_model",
        ["saved_model", "tflite", "onnx"],
        "Kind of export, as told above.",
        flag_values=values,
    )
    string("output", "exports", "Folder of all exports.")
    string("name", None, "Name of the export; by default that of the model or of its folder.")
    string(
        "image_size",
        None,
        "Height and width of the pictures of a .tflite file, px, as HxW, or any.",
    )
    _TFLITE.define(values)
    flags.DEFINE_bool(
        "overwrite", False, "Replace an existing .tflite or .onnx file.", flag_values=values
    )
    flags.DEFINE_integer(
        "max_pixels",
        DEFAULT_MAX_PIXELS,
        "Number of pixels above which a SavedModel refuses picture files.",
        1,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "version",
        None,
        "Version of a SavedModel; by default the one after the last.",
        1,
        flag_values=values,
    )


def define_model_flags(values: flags.FlagValues) -> None:
    """Add the flags that say which model is meant."""
    flags.DEFINE_string(
        "model",
        None,
        "Model that is exported: a name that `stylezoo models` lists, or a folder.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "weights",
        None,
        "Weights of a classifier: imagenet, a name of `stylezoo weights list`, or a file, whose classes are "
        "called as labels.txt beside it says. By default imagenet.",
        flag_values=values,
    )
    flags.DEFINE_list(
        "layers", [], "Layers of a classifier whose features are exported.", flag_values=values
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "model", "output")
    config = _tflite_config(values)
    quiet.import_tensorflow()
    from stylezoo import export

    name = values.name or pathlib.Path(values.model).stem
    export.check_name(name)
    servable = load_model(values, model=values.model, layers=values.layers)
    servable.max_pixels = values.max_pixels
    if values.format == "saved_model":
        path, checks = export.export_saved_model(
            servable, values.output, name=name, version=values.version
        )
    else:
        file = {"name": name, "overwrite": values.overwrite}
        with quiet.silent_stderr():  # converters and interpreters say what no user asked for
            if config is None:
                path, checks = export.export_onnx(servable, values.output, **file)
            else:
                path, checks = export.export_tflite(servable, values.output, config, **file)
    print_checks(checks)
    print(path)
    return 0


def _tflite_config(values: flags.FlagValues) -> TfliteConfig | None:
    """Return the configuration of a TFLite file; None for other formats."""
    for name in ("version", "max_pixels"):
        is_met = values.format == "saved_model"
        flag_checks.needs(values, name, "--format=saved_model", met=is_met)
    if values.format != "tflite":
        for name in ("image_size", "photographs", "quantize"):
            if values[name].value is not None:
                raise ValueError(f"`--{name}` must come with --format=tflite")
        return None
    if values.image_size == "any":
        with errors.renamed(size="image_size"):
            return _TFLITE.create(values, size=None)
    sides = (values.image_size or "").split("x")
    if len(sides) != 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise ValueError(
            f"`--image_size` must be HEIGHTxWIDTH in px, or any. Received: {values.image_size or 'nothing'}"
        )
    config: TfliteConfig = _TFLITE.create(values, size=(int(sides[0]), int(sides[1])))
    return config


def load_model(values: flags.FlagValues, *, model: str, layers: Sequence[str]) -> "Servable":
    """Load a model with the weights that the flags name."""
    from stylezoo import export
    from stylezoo.binaries import classify

    labels = classify.names_beside(values.weights) if values.weights else None
    return export.load(model, weights=values.weights, layers=layers, labels=labels)


def print_checks(checks: "list[Check]") -> None:
    """Print a table of the comparisons, with their errors and limits."""
    rows = [("RUNTIME", "COMPARED", "ERROR", "LIMIT")]
    for check in checks:
        compared = check.limit == check.limit  # NaN where there is nothing to measure
        figures = (f"{check.error:.1e}", f"{check.limit:.1e}") if compared else ("", "")
        rows.append((check.runtime, check.what, *figures))
    print(reporting.table(rows))
