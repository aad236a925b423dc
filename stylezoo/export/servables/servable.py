"""What can be served: a network, what servers call with which inputs, and what they must answer."""

import abc
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from stylezoo import images

Arrays = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Call:
    """A request: a signature and its inputs, strings as arrays of bytes.

    Attributes:
        what: in a few words.
        signature: its name.
        inputs: by name.
    """

    what: str
    signature: str
    inputs: Arrays


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An input or output of a signature, for people: its meaning, with shape and range."""

    dtype: str
    shape: str
    meaning: str


class Servable(abc.ABC):
    """A model that is to be exported.

    Args:
        network: the Keras model.
        source: the model: a name, or a file's name without its folder.

    Attributes:
        kind: what it does: one of the values of :data:`stylezoo.export.KINDS`.
        bytes_signature: the one that takes or gives picture files; None if there is none.
        output: what the network's only output is called.
    """

    kind: ClassVar[str]
    bytes_signature: ClassVar[str | None] = None
    output: ClassVar[str] = ""

    def __init__(self, network: keras.Model, source: str) -> None:
        self.network = network
        self.source = source

    @abc.abstractmethod
    def signatures(self) -> dict[str, Any]:
        """Functions by the signature's name, with specifications of their inputs."""

    @abc.abstractmethod
    def tensors(self) -> dict[str, tuple[dict[str, Tensor], dict[str, Tensor]]]:
        """Inputs and outputs of each signature, for the model card."""

    @abc.abstractmethod
    def calls(self) -> Iterator[Call]:
        """Requests of every signature, in several sizes, to compare with :meth:`expected`."""

    @abc.abstractmethod
    def expected(self, call: Call) -> dict[str, np.ndarray]:
        """What the Keras model and this project's image code answer."""

    @abc.abstractmethod
    def undecodable(self) -> tuple[Call, str] | None:
        """A request that must be refused and what the refusal must say, if there can be one."""

    @abc.abstractmethod
    def mobile(self, height: int, width: int, *, calibration: Sequence[Arrays] = ()) -> keras.Model:
        """The network for one size, of operations that TFLite has: a dict of named inputs of batch 1.

        Args:
            height: of its pictures, px.
            width: likewise.
            calibration: for 8 bits, typical inputs of :meth:`mobile_inputs`.

        Raises:
            ValueError: for a size that it can't take.
        """

    @abc.abstractmethod
    def mobile_inputs(self, picture: np.ndarray, index: int) -> dict[str, np.ndarray]:
        """Inputs of :meth:`mobile`: a picture, [1, H, W, 3], and what else there is, by ``index``."""

    def mobile_expected(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """What the Keras model, as it was before :meth:`mobile`, gives for those inputs."""
        given = {name: keras.ops.convert_to_tensor(each) for name, each in inputs.items()}
        network = self.network
        output = network(given if isinstance(network.input, dict) else given["image"])
        if not isinstance(output, dict):
            output = {self.output: output}
        return {name: each.numpy() for name, each in output.items()}

    def record(self) -> dict[str, Any]:
        """What an export says of its origin, as JSON can hold it."""
        return {
            "kind": self.kind,
            "model": self.source,
            "fingerprint": fingerprint(self.network),
        }

    @property
    def card(self) -> str | None:
        """The card of the model, Markdown, if it has one."""
        return None


def fingerprint(network: keras.Model) -> str:
    """SHA-256 of a network's weights, names included."""
    digest = hashlib.sha256()
    for layer in network.layers:
        for variable in layer.weights:
            digest.update(f"{layer.name}/{variable.name} {variable.shape}".encode())
            digest.update(np.asarray(variable, "<f4").tobytes())
    return digest.hexdigest()


def smooth_picture(height: int, width: int, *, seed: int, batch: int = 1) -> np.ndarray:
    """Random blots that look alike at every size, [batch, H, W, 3] in [0, 1]."""
    coarse = np.random.default_rng(seed).uniform(size=(batch, 5, 7, 3))
    return images.resize(coarse.astype(np.float32), (height, width)).numpy()


def strings(*values: bytes) -> np.ndarray:
    """[B] of bytes."""
    return np.array([*values, None], object)[:-1]
