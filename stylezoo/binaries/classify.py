"""Classify pictures by a network, and print the likeliest classes of each.

Usage:
  stylezoo classify IMAGE... [--network=squeezenet1_1] [--weights=imagenet] [--top=5] [--flags]

An IMAGE is a picture, a folder of pictures, or a pattern such as 'trip/*.jpg'. `stylezoo models` lists the
networks, `stylezoo weights list` their weights; a weights file must have the network's head. A network that
`stylezoo train_classifier` trained is --weights=RUN, the run's folder.

The network sees the largest centred square of each picture, without a margin of 1/16 on each side; with
--ten_crop it sees that square's corners and centre and their mirror images. A picture that can't be read is
skipped, the others are classified, and the exit status is 1.
"""

import json
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import images, reading
from stylezoo.binaries.common import options, quiet, reporting

if TYPE_CHECKING:
    from stylezoo.classifiers import Label

_Failures = dict[pathlib.Path, str]


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def count(name: str, default: int, text: str) -> None:
        flags.DEFINE_integer(name, default, text, 1, flag_values=values)

    def switch(name: str, text: str) -> None:
        flags.DEFINE_bool(name, False, text, flag_values=values)

    string("network", "squeezenet1_1", "Architecture, one of `stylezoo models`.")
    string(
        "weights",
        "imagenet",
        "Weights: imagenet, a name of `stylezoo weights list`, a file, or a run.",
    )
    string(
        "labels",
        None,
        "Text file with the names of the classes, one a line. By default, labels.txt in the run's folder "
        "or beside the weights, or ImageNet's names for 1000 classes.",
    )
    flags.DEFINE_integer(
        "image_size",
        None,
        "Side of the crops, in pixels. By default, the size that the weights were trained with.",
        1,
        flag_values=values,
    )
    count("top", 5, "Number of classes to show, the likeliest first.")
    switch("ten_crop", "Average over ten crops, which is slower and a little better.")
    count("batch_size", 16, "Number of crops that the network sees at once.")
    switch("json", "Print JSON.")
    options.define_reading_flags(values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    paths = options.pictures(arguments)
    names = None if values.labels is None else read_labels(values.labels)
    quiet.import_tensorflow()
    from stylezoo import classifiers

    shape = None
    if values.image_size is not None:
        channels = classifiers.get(values.network).channels
        shape = (values.image_size, values.image_size, channels)
    model = classifiers.build(values.network, weights=values.weights, input_shape=shape)
    if names is None:
        names = names_beside(values.weights)
    labels = _labels(values, names, num_classes=model.output_shape[-1])
    failures: _Failures = {}
    probabilities = classifiers.classify(
        model,
        _read(values, paths, failures),
        ten_crop=values.ten_crop,
        batch_size=values.batch_size,
    )
    with reporting.bar("classify", "picture", total=len(paths), leave=False) as bar:
        found = []
        for each in probabilities:
            found.append(classifiers.likeliest(each, labels, values.top))
            bar.update()
    read = [path for path in paths if path not in failures]
    _print(values, dict(zip(read, found, strict=True)), failures)
    if failures:
        counted = f"{len(failures)} of {len(paths)} pictures failed: " if paths[1:] else ""
        raise ValueError(counted + reporting.first_of(list(failures.values()), "; "))
    return 0


def read_labels(path: str) -> list[str]:
    """Return the names in the file of ``--labels``, one a line."""
    if not pathlib.Path(path).is_file():
        raise FileNotFoundError(f"`--labels` must be a file. Received: {path}")
    names = reading.read_text(path).splitlines()
    if not names:
        raise ValueError(f"`--labels` must have a name for each class. Received: {path}, with none")
    return names


def names_beside(weights: str) -> list[str] | None:
    """Return the names in the folder of a run, or of a file of weights, if there are any."""
    file = labels_beside(weights)
    return None if file is None else read_labels(str(file))


def labels_beside(weights: str) -> pathlib.Path | None:
    """Return the file where training writes the names of classes, in a run's folder or beside weights."""
    from stylezoo.classifiers import LABELS_FILE

    path = pathlib.Path(weights)
    file = path / LABELS_FILE if path.is_dir() else path.with_name(LABELS_FILE)
    return file if path.exists() and file.is_file() else None


def _labels(
    values: flags.FlagValues, names: list[str] | None, *, num_classes: int
) -> "list[Label] | None":
    """Check --labels and --top; return the names of the classes, None if they are unknown."""
    from stylezoo import classifiers

    if values.top > num_classes:
        raise ValueError(
            f"`--top` must be at most {num_classes}, the number of classes. Received: {values.top}"
        )
    imagenet = classifiers.imagenet_labels()
    if names is None:
        return list(imagenet) if num_classes == len(imagenet) else None
    if len(names) != num_classes:
        raise ValueError(
            f"`--labels` must have a line for each of {num_classes} classes. "
            f"Received: {len(names)} lines in {values.labels or 'labels.txt beside the weights'}"
        )
    return [classifiers.Label("", name) for name in names]


def _read(
    values: flags.FlagValues, paths: list[pathlib.Path], failures: _Failures
) -> Iterator[np.ndarray]:
    """Yield the pictures one by one; record those that can't be read in ``failures``."""
    for path in paths:
        try:
            image = images.read_image(path, max_pixels=values.max_pixels)
        except (OSError, ValueError) as error:
            failures[path] = str(error)
        else:
            yield image


def _print(
    values: flags.FlagValues, found: dict[pathlib.Path, list[dict[str, Any]]], failures: _Failures
) -> None:
    if values.json:
        rows = [{"image": str(path), "classes": classes} for path, classes in found.items()]
        rows += [{"image": str(path), "error": error} for path, error in failures.items()]
        print(json.dumps(rows, indent=2))
    elif found:
        print("\n\n".join(f"{path}\n{_table(classes)}" for path, classes in found.items()))


def _table(classes: list[dict[str, Any]]) -> str:
    return reporting.table(
        [(f"  {row.get('name', row['index'])}", f"{row['probability']:.4f}") for row in classes]
    )
