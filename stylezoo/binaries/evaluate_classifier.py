"""Measure how often a classifier is right about pictures with known classes.

Usage:
  stylezoo evaluate_classifier --network=NETWORK --weights=WEIGHTS --dataset=PICTURES [--flags]

WEIGHTS are the folder of a run of train_classifier, a weights file, a name of `stylezoo weights list`, or
imagenet. Classes are matched by name with --labels, one a line, which is labels.txt in the run's folder or
beside the weights file if it is there. PICTURES are those of train_classifier; of a dataset with a test part
that part is taken, and with --validation_fraction (and --seed) the part that train_classifier held out.
"""

import pathlib
import shlex
from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo import images
from stylezoo.binaries import classify
from stylezoo.binaries.common import flag_checks, options, quiet, reporting
from stylezoo.binaries.common.config_flags import ConfigFlags
from stylezoo.training.classifier_config import LabelledConfig

if TYPE_CHECKING:
    from stylezoo.training import LabelledPhotographs, Predictions

_WORST = 5
_DATA = ConfigFlags(LabelledConfig, skip=["held_out"])


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""

    def string(name: str, text: str) -> None:
        flags.DEFINE_string(name, None, text, flag_values=values)

    def count(name: str, default: int | None, text: str) -> None:
        flags.DEFINE_integer(name, default, text, 1, flag_values=values)

    string("network", "Architecture, such as lenet5 or resnet18.")
    string("weights", "Weights: a run's folder, a file, a name or imagenet; see above.")
    string("labels", "Text file with the names of the network's classes, one a line.")
    _DATA.define(values)
    count("batch_size", 32, "Number of pictures that the network sees at once.")
    count(
        "image_size",
        None,
        "Side of the network's input, in pixels. By default, the size that the weights were trained with.",
    )
    string("confusion", "Picture file to write the confusion matrix to.")
    options.define_file_flags(values, report="JSON file to write every figure to.")


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "network", "weights", "dataset")
    is_split = values.validation_fraction is not None
    flag_checks.needs(values, "seed", "--validation_fraction", met=is_split)
    if values.confusion:
        images.check_output_path(values.confusion, overwrite=values.overwrite)
    reporting.check_report(values)
    quiet.import_tensorflow()
    from stylezoo import training

    predictions, skipped = _predict(values)
    print(reporting.table([("PICTURES", "TOP-1", "TOP-5", "CROSS-ENTROPY"), _row(predictions)]))
    print(f"\n{_describe_worst(predictions)}")
    if skipped:
        print(f"{len(skipped)} pictures could not be read: {reporting.first_of(sorted(skipped))}")
    if values.confusion:
        picture = training.confusion_picture(predictions.confusion(), predictions.class_names)
        reporting.write_picture(values, picture, values.confusion)
    reporting.write_report(values, _report(values, predictions, skipped))
    return 0


def _predict(values: flags.FlagValues) -> "tuple[Predictions, dict[str, str]]":
    from stylezoo import classifiers, training

    architecture = classifiers.get(values.network)
    pictures = _pictures(values)
    size = values.image_size
    network = classifiers.build(
        values.network,
        weights=values.weights,
        input_shape=size and (size, size, architecture.channels),
    )
    num_classes = network.output_shape[-1]
    if num_classes != len(pictures.class_names):
        raise ValueError(
            f"`dataset` must have the {num_classes} classes of the weights. "
            f"Received: {len(pictures.class_names)}"
        )
    _, size, _, channels = network.input_shape
    augmentation = training.recipe(values.network).augmentation
    views = training.Views(pictures, augmentation, size, channels)
    with reporting.bar("recognise", "picture", total=len(pictures)) as bar:
        predictions = training.predict(
            training.scorer(network), views, batch_size=values.batch_size, callback=bar.update
        )
    return predictions, pictures.skipped


def _pictures(values: flags.FlagValues) -> "LabelledPhotographs":
    """Open the pictures, with the network's classes."""
    from stylezoo import classifiers, training

    if values.validation_fraction is None:
        pictures = training.open_labelled(values.dataset, data_dir=values.data_dir, part="test")
    else:
        _, pictures = _DATA.create(values).open()
    labels = (
        pathlib.Path(values.labels) if values.labels else classify.labels_beside(values.weights)
    )
    return pictures if labels is None else pictures.with_classes(classifiers.read_labels(labels))


def _row(predictions: "Predictions") -> tuple[str, str, str, str]:
    top_5 = "-" if predictions.top_5 is None else f"{predictions.top_5:.2%}"
    figures = f"{predictions.top_1:.2%}", top_5, f"{predictions.cross_entropy:.4f}"
    return str(len(predictions.labels)), *figures


def _describe_worst(predictions: "Predictions") -> str:
    parts = {name: part for name, part in predictions.by_class().items() if part is not None}
    worst = sorted(parts, key=lambda name: parts[name])[:_WORST]
    return f"Least recognised: {', '.join(f'{name} {parts[name]:.1%}' for name in worst)}."


def _report(
    values: flags.FlagValues, predictions: "Predictions", skipped: dict[str, str]
) -> dict[str, Any]:
    given = [values[name].serialize() for name in values if values[name].present]
    return {
        "command": shlex.join(["stylezoo", "evaluate_classifier", *given]),
        **reporting.circumstances(values),
        "num_pictures": len(predictions.labels),
        "top_1": predictions.top_1,
        "top_5": predictions.top_5,
        "cross_entropy": predictions.cross_entropy,
        "by_class": predictions.by_class(),
        "classes": list(predictions.class_names),
        "confusion": predictions.confusion().tolist(),
        "skipped": dict(skipped),
    }
