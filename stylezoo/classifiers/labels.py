"""What ImageNet's classes are called."""

import dataclasses
import functools
import importlib.resources
import re


@dataclasses.dataclass(frozen=True)
class Label:
    """A class.

    Attributes:
        synset: its id in WordNet 3.0, such as ``"n02123045"``.
        name: its words there, such as ``"tabby, tabby cat"``; two classes are a ``"crane"``.
    """

    synset: str
    name: str


@functools.cache
def imagenet_labels() -> tuple[Label, ...]:
    """The 1000 classes of the ILSVRC 2012, in the order of the scores of every network here.

    That order, of the synsets, is torchvision's and keras.applications' too.
    """
    file = importlib.resources.files("stylezoo.classifiers") / "imagenet_classes.txt"
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(Label(*line.split("\t")) for line in lines)


def find_class(text: str) -> int:
    """The number of an ImageNet class by one of its names, by words of it, or by its synset.

    A whole name wins over words of others: ``"tiger"`` before ``"tiger cat"``. Case doesn't matter.

    Raises:
        ValueError: if no class, or more than one, is called so; those are listed with their numbers.
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
        raise ValueError(f"`class` must be a name of an ImageNet class. Received: {text}")
    listed = "; ".join(f"{index} {imagenet_labels()[index].name}" for index in found)
    raise ValueError(
        f"`class` must be one class. Received: {text}, which {len(found)} are called: {listed}"
    )
