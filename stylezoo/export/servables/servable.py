"""The base of all models that can be served: their calls, and what a server must answer."""

import abc
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import keras
import numpy as np

from stylezoo import images
from stylezoo.export.limits import DEFAULT_MAX_PIXELS

Arrays = Mapping[str, np.ndarray]
"""Inputs or outputs of a model by name."""


@dataclasses.dataclass(frozen=True)
class Call:
    """A request: a signature and its inputs, strings as arrays of bytes.

    Attributes:
        what: A description of the request in a few words.
        signature: The signature's name.
        inputs: The inputs by name.
    """

    what: str
    signature: str
    inputs: Arrays


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An input or output of a signature, described for people."""

    dtype: str
    shape: str
    meaning: str


class Servable(abc.ABC):
    """A model that is to be exported.

    Args:
        network: The Keras model.
        source: Its name, or the name of its file or folder.
        card: Its model card, Markdown, if it has one.

    Attributes:
        kind: The kind of the model: one of the keys of :data:`stylezoo.export.KINDS`.
        bytes_signature: The signature that takes or gives picture files; None if there is none.
        output: The name of the network's only output.
        eight_bits: A regular expression of the layers whose convolutions can be computed in 8 bits; an empty
            one for all.
        num_styles: Number of the styles to choose from; 1 if there is no choice.
        max_pixels: The largest number of pixels that a picture file may have.
    """

    kind: ClassVar[str]
    bytes_signature: ClassVar[str | None] = None
    output: ClassVar[str] = ""
    eight_bits: ClassVar[str] = ""

    def __init__(self, network: keras.Model, source: str, card: str | None = None) -> None:
        self.network = network
        self.source = source
        self.card = card
        self.max_pixels = DEFAULT_MAX_PIXELS
        self.num_styles = 1

    def picture_sizes(self) -> list[tuple[int, int, int]]:
        """Return height, width and number of the pictures by which models of any size are compared."""
        return [(64, 80, 2), (37, 53, 1), (96, 96, 1)]

    @abc.abstractmethod
    def signatures(self) -> dict[str, Any]:
        """Return functions by the signature's name, with specifications of their inputs."""

    @abc.abstractmethod
    def tensors(self) -> dict[str, tuple[dict[str, Tensor], dict[str, Tensor]]]:
        """Describe inputs and outputs of each signature, for the model card."""

    @abc.abstractmethod
    def calls(self) -> Iterator[Call]:
        """Yield requests of every signature, in several sizes, to compare with :meth:`expected`."""

    @abc.abstractmethod
    def expected(self, call: Call) -> dict[str, np.ndarray]:
        """Return what the Keras model and this project's image code answer."""

    @abc.abstractmethod
    def undecodable(self) -> tuple[Call, str] | None:
        """Return a request whose last row must be refused and what must be said of it, if there can be one.

        The other rows must be answered, if there are any.
        """

    @abc.abstractmethod
    def portable(self, size: tuple[int, int] | None = None) -> keras.Model:
        """Build the network from operations that TFLite and ONNX have.

        Args:
            size: Height and width of its pictures, px, for batch 1; None for any size and batch.

        Raises:
            ValueError: If the network can't take the size.
        """

    @abc.abstractmethod
    def portable_inputs(self, picture: np.ndarray, index: int) -> dict[str, np.ndarray]:
        """Return inputs of :meth:`portable`.

        Args:
            picture: Pictures, [B, H, W, 3].
            index: Number of the style of the first of them, or of the noise.
        """

    def portable_expected(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """Return what the Keras model, as it was before :meth:`portable`, gives for those inputs."""
        given = {name: keras.ops.convert_to_tensor(each) for name, each in inputs.items()}
        network = self.network
        output = network(given if isinstance(network.input, dict) else given["image"])
        if not isinstance(output, dict):
            output = {self.output: output}
        return {name: each.numpy() for name, each in output.items()}

    def record(self) -> dict[str, Any]:
        """Return a record of the export's origin that JSON can hold."""
        return {
            "kind": self.kind,
            "model": self.source,
            "fingerprint": fingerprint(self.network),
            "max_pixels": self.max_pixels,
        }


def fingerprint(network: keras.Model) -> str:
    """Return the SHA-256 of a network's weights, names included."""
    digest = hashlib.sha256()
    for layer in network.layers:
        for variable in layer.weights:
            digest.update(f"{layer.name}/{variable.name} {variable.shape}".encode())
            digest.update(np.asarray(variable, "<f4").tobytes())
    return digest.hexdigest()


def smooth_picture(height: int, width: int, *, seed: int, batch: int = 1) -> np.ndarray:
    """Draw random blots that look alike at every size, [batch, H, W, 3] in [0, 1]."""
    coarse = np.random.default_rng(seed).uniform(size=(batch, 5, 7, 3))
    return images.resize(coarse.astype(np.float32), (height, width)).numpy()


def strings(*values: bytes) -> np.ndarray:
    """Return an array, [B], of bytes."""
    return np.array([*values, None], object)[:-1]
