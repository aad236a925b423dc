"""What ImageNet's classes are called."""

import dataclasses
import functools
import importlib.resources


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
