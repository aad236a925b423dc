"""The names of classes: ImageNet's, those of a training run, and the likeliest of predictions."""

import dataclasses
import functools
import importlib.resources
import pathlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stylezoo import reading

LABELS_FILE = "labels.txt"
"""The file of a run, or beside weights, that has the names of the classes, one a line."""


@dataclasses.dataclass(frozen=True)
class Label:
    """The name of a class.

    Attributes:
        synset: The class's id in WordNet 3.0, such as ``"n02123045"``; empty outside of ImageNet.
        name: The class's words, such as ``"tabby, tabby cat"``. Two classes of ImageNet are called
            ``"crane"``.
    """

    synset: str
    name: str


class Prediction(NamedTuple):
    """One of the likeliest classes of an image.

    Attributes:
        synset: The class's id in WordNet 3.0; empty outside of ImageNet.
        name: The class's words.
        probability: Its probability, or whatever number the network gives.
    """

    synset: str
    name: str
    probability: float


@functools.cache
def imagenet_labels() -> tuple[Label, ...]:
    """Return the 1000 classes of the ILSVRC 2012, in the order of every network's scores.

    That order, of the synsets, is torchvision's and keras.applications' too.
    """
    file = importlib.resources.files("stylezoo.classifiers") / "imagenet_classes.txt"
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(Label(*line.split("\t")) for line in lines)


def decode_predictions(
    predictions: npt.ArrayLike, top: int = 5, *, class_names: Sequence[str] | None = None
) -> list[list[Prediction]]:
    """Return the likeliest classes of each image, as ``keras.applications`` does.

    Names are WordNet's (``"Egyptian cat"``), where ``keras.applications`` has ``"Egyptian_cat"``.

    Args:
        predictions: Probabilities or scores, [B, num_classes].
        top: How many classes to return for each image.
        class_names: The names of the classes by number; None for ImageNet's.

    Returns:
        For each image ``top`` tuples (synset, name, probability), the likeliest first.

    Raises:
        ValueError: If ``predictions`` are not [B, number of names], or ``top`` is not 1 to that number.
    """
    array = np.asarray(predictions)
    labels = imagenet_labels() if class_names is None else [Label("", name) for name in class_names]
    if array.ndim != 2 or array.shape[1] != len(labels):
        raise ValueError(
            f"`predictions` must be [B, {len(labels)}], a number for each class name. "
            f"Received: {list(array.shape)}"
        )
    if not 1 <= top <= len(labels):
        raise ValueError(f"`top` must be 1 to {len(labels)}. Received: top={top}")
    best = np.argsort(-array, axis=1, kind="stable")[:, :top]
    return [
        [Prediction(labels[i].synset, labels[i].name, float(row[i])) for i in indices]
        for row, indices in zip(array, best.tolist(), strict=True)
    ]


def likeliest(
    probabilities: npt.NDArray[np.float32], labels: Sequence[Label] | None, count: int
) -> list[dict[str, Any]]:
    """Return the likeliest classes of one image as JSON can hold them, the likeliest first.

    Args:
        probabilities: [num_classes].
        labels: The names of the classes by number; None if they are unknown.
        count: Number of classes to return.

    Returns:
        For each class a dict of ``index`` and ``probability`` and, as far as they are known, ``name`` and
        ``synset``.
    """
    rows = []
    for index in np.argsort(-probabilities, kind="stable")[:count].tolist():
        row = {"index": index, "probability": float(probabilities[index])}
        if labels:
            label = labels[index]
            row |= {"name": label.name} | ({"synset": label.synset} if label.synset else {})
        rows.append(row)
    return rows


def read_labels(file: pathlib.Path) -> tuple[str, ...]:
    """Read the names of classes from a text file such as a run's ``labels.txt``, one a line.

    Raises:
        ValueError: If the file is not text in UTF-8, or does not hold different names.
        OSError: If the file can't be read.
    """
    names = tuple(reading.read_text(file).splitlines())
    if len(set(names)) < len(names) or not names:
        raise ValueError(f"`file` must hold different names, one a line. Received: {file}")
    return names


def find_class(text: str) -> int:
    """Return the number of an ImageNet class by one of its names, by words of it, or by its synset.

    A whole name wins over words of others: ``"tiger"`` before ``"tiger cat"``. Case is ignored.

    Args:
        text: A name, words of a name, or a synset.

    Raises:
        ValueError: If no class, or more than one, is called so; those are listed with their numbers.
    """
    wanted = text.strip().lower()
    names = [label.name.lower() for label in imagenet_labels()]
    synsets = [label.synset for label in imagenet_labels()]
    whole = [
        index
        for index, name in enumerate(names)
        if wanted == synsets[index] or wanted in name.split(", ")
    ]
    words = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)") if wanted else None
    found = whole or [index for index, name in enumerate(names) if words and words.search(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValueError(f"`text` must be a name of an ImageNet class. Received: text={text!r}")
    listed = "; ".join(f"{index} {imagenet_labels()[index].name}" for index in found)
    raise ValueError(
        f"`text` must name one ImageNet class. Received: text={text!r}, a name of {len(found)}: "
        f"{listed}"
    )
