"""Flags that say which network is looked at, and the functions that read them."""

import pathlib
import zipfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from absl import flags

from stylezoo import errors, images
from stylezoo.binaries import classify
from stylezoo.binaries.common import flag_checks
from stylezoo.weights.input_scaling import INPUT_SCALINGS

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from stylezoo.perceptual import Network, Perceptual


class Classes(NamedTuple):
    """The names of a network's classes.

    Attributes:
        of: What the classes are of, for messages.
        names: The names by number; numbers where no names are known.
    """

    of: str
    names: list[str]


def define(values: flags.FlagValues, *, default: str) -> None:
    """Add the flags that say which network is looked at."""

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    string(
        "network",
        default,
        "Architecture of the network that is looked at; `stylezoo models` lists them.",
    )
    string(
        "weights",
        "imagenet",
        "Weights of the network: imagenet, a name of `stylezoo weights list`, or a file.",
    )
    string(
        "keras_model",
        None,
        "A functional or sequential Keras model, FILE.keras, that is looked at in place of --network. It "
        "is read in Keras's safe mode, without custom code.",
    )
    flags.DEFINE_enum(
        "preprocessing",
        "unit",
        list(INPUT_SCALINGS),
        "What the --keras_model takes: [0, 1] (unit), [0, 255] (bytes), [-1, 1] (symmetric), or what "
        "networks of Caffe (caffe), of torchvision (torch) or EfficientNet-Lite (lite) do.",
        flag_values=values,
    )


def define_labels(values: flags.FlagValues) -> None:
    """Add the flag that names classes."""
    flags.DEFINE_string(
        "labels",
        None,
        "Text file with the names of the classes, one a line. By default, labels.txt in the run's folder "
        "or beside the weights or the --keras_model, or ImageNet's names for 1000 classes.",
        flag_values=values,
    )


def read(values: flags.FlagValues) -> "Network":
    """Return the name of the architecture, or the Keras model, that the flags ask for.

    Raises:
        ValueError: If both are given, or the file is no model whose layers can be looked at.
        FileNotFoundError: If there is no such file.
    """
    from stylezoo import perceptual

    flag_checks.needs(values, "preprocessing", "--keras_model", met=bool(values.keras_model))
    if values.keras_model is None:
        return str(values.network)
    for name in ("network", "weights"):
        if values[name].present:
            raise ValueError(f"`--{name}` must not be given with --keras_model")
    network = perceptual.KerasNetwork(_load(values.keras_model), values.preprocessing)
    with errors.renamed(model="keras_model"):
        _ = network.taps
    return network


def _load(file: str) -> "keras.Model":
    """Read a Keras model without custom code."""
    import keras

    path = pathlib.Path(file)
    if not path.is_file():
        raise FileNotFoundError(f"`--keras_model` must be a file. Received: {file}")
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise ValueError(f"`--keras_model` must be a .keras file. Received: {file}")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its layers do, from TypeError to KeyError
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ValueError(
            f"`--keras_model` must be a Keras model without custom code. Received: {file}. {first}"
        ) from error
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"`--keras_model` must be a Keras model. Received: {file}, a {type(model)}"
        )
    return model


def perceptual(values: flags.FlagValues, network: "Network") -> "Perceptual":
    """Return the network with the weights of the flags."""
    from stylezoo.perceptual import Perceptual

    return Perceptual(network, values.weights)


def classes(values: flags.FlagValues, network: "Network", *, count: int | None = None) -> Classes:
    """Return the names of a network's classes.

    Args:
        values: The command's flags.
        network: The network.
        count: Number of its classes; by default that of a Keras model, and as published of others, whose
            weights may have another.

    Raises:
        ValueError: If the names are not one for each class of a network whose number is known.
    """
    from stylezoo import classifiers, perceptual

    is_known = count is not None or values.keras_model is not None
    count = count or perceptual.num_channels(network, perceptual.SCORES)
    if values.labels is None:
        names = classify.names_beside(values.keras_model or values.weights)
    else:
        names = classify.read_labels(values.labels)
    if names is not None:
        if is_known and len(names) != count:
            raise ValueError(
                f"`--labels` must have a line for each of {count} classes. "
                f"Received: {len(names)} lines"
            )
        return Classes(str(network), names)
    labels = classifiers.imagenet_labels()
    if count == len(labels):
        return Classes("ImageNet", [label.name for label in labels])
    return Classes(str(network), [str(number) for number in range(count)])


def has_head(values: flags.FlagValues, network: "Network") -> bool:
    """Return whether a network has a head, and its weights too."""
    from stylezoo import classifiers

    if not isinstance(network, str):
        return network.num_classes is not None
    name = classifiers.canonical(network)
    return classifiers.has_top(classifiers.read_weights(name, values.weights, include_top=False))


def fitted(
    image: images.Image, *, network: "Network", taps: Iterable[str], size: int
) -> "tf.Tensor":
    """Return a picture as large as a network sees it, [1, H, W, 3].

    Args:
        image: [1, H, W, 3] in [0, 1].
        network: The network.
        taps: Layers that are looked at.
        size: Longest side, px. Networks whose taps need one size get the middle square in that size.

    Raises:
        ValueError: If the picture is too small for the network.
    """
    from stylezoo import perceptual

    taps = tuple(taps)
    if side := perceptual.fixed_size(network, taps):
        return images.centre_square(image, side)
    resized = images.resize_longest_side(image, size)
    height, width = resized.shape[1:3]
    perceptual.check_image_size(height, width, architecture=network, taps=taps)
    return resized
