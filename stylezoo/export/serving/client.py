"""What every client of a server has in common: the address, the errors, and the questions.

TensorFlow is not imported by any of them.
"""

import abc
import contextlib
import dataclasses
import struct
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

_SCHEMES = ("http", "https", "grpc", "grpcs")
# What speaks a protocol, as errors call it.
_SPEAKERS = {"tensorflow_serving": "TensorFlow Serving", "kserve": "KServe"}

# The shapes of the inputs by name, with -1 where any number fits, and the names of the outputs.
Signature = tuple[dict[str, list[int]], list[str]]


class ServerError(OSError):
    """What a server answered in place of a result, or that it did not answer."""


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A model of a server, and how patiently the server is asked.

    Attributes:
        url: Address of the server: http(s)://HOST:PORT for REST, grpc(s)://HOST:PORT for gRPC.
        model: Name of the model at the server.
        protocol: What the server speaks: TensorFlow Serving's own protocol, or KServe's, version 2 (Open
            Inference Protocol), which Triton speaks. A model of the latter has no signatures, so that each
            signature is a model named MODEL.SIGNATURE there.
        timeout: Time that a request may take, its repetitions included, in seconds.
        retries: Number of times that a request is repeated at most. It is repeated only if the server is
            unavailable: a connection cannot be made, or it answers 503 or UNAVAILABLE.
        header: Headers of every request, as NAME:VALUE, such as a token: "Authorization:Bearer TOKEN". By
            default there are none.

    Raises:
        ValueError: If the address or the protocol is of another kind, a number is out of its range, a
            header is not NAME:VALUE, or a text has characters that can't be printed.
    """

    url: str = "http://localhost:8501"
    model: str = "conditional"
    protocol: Literal["tensorflow_serving", "kserve"] = "tensorflow_serving"
    timeout: float = 60.0
    retries: int = 4
    header: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise ValueError(
                "`url` must be http://HOST:PORT, https://HOST:PORT, grpc://HOST:PORT or "
                f"grpcs://HOST:PORT. Received: {self.url}"
            )
        if self.protocol not in _SPEAKERS:
            raise ValueError(
                f"`protocol` must be one of {', '.join(_SPEAKERS)}. Received: {self.protocol}"
            )
        if not self.timeout > 0:
            raise ValueError(f"`timeout` must be > 0. Received: timeout={self.timeout}")
        if self.retries < 0:
            raise ValueError(f"`retries` must be >= 0. Received: retries={self.retries}")
        if not self.model.isprintable():
            raise ValueError("`model` must be of printable characters")
        named = all(name and name.isascii() for name in self.headers)
        if not named or not all(":" in each and each.isprintable() for each in self.header):
            raise ValueError("`header` must be NAME:VALUE of printable characters")

    @property
    def is_grpc(self) -> bool:
        """Whether the server is asked by gRPC."""
        return urllib.parse.urlsplit(self.url).scheme.startswith("grpc")

    @property
    def is_encrypted(self) -> bool:
        """Whether the server is asked through TLS."""
        return urllib.parse.urlsplit(self.url).scheme.endswith("s")

    @property
    def address(self) -> str:
        """HOST:PORT of the server."""
        return urllib.parse.urlsplit(self.url).netloc

    @property
    def speaker(self) -> str:
        """What speaks the protocol, for people."""
        return _SPEAKERS[self.protocol]

    @property
    def headers(self) -> dict[str, str]:
        """The headers' values by their names."""
        pairs = (each.partition(":") for each in self.header)
        return {name.strip(): value.strip() for name, _, value in pairs}


class Client(abc.ABC):
    """A way to ask one model of a server.

    Args:
        endpoint: The model, its server, and the time that an answer may take.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    @abc.abstractmethod
    def signatures(self) -> dict[str, Signature]:
        """Return inputs and outputs of the model's signatures by their names.

        Raises:
            ServerError: If the server answers with an error, or not at all.
        """

    @abc.abstractmethod
    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a signature; strings are arrays of bytes.

        Raises:
            ServerError: If the server answers with an error, or not at all.
        """


def silence(endpoint: Endpoint) -> ServerError:
    """Return the error that a server did not answer in time."""
    return ServerError(f"{endpoint.url} did not answer in {endpoint.timeout} s")


@contextlib.contextmanager
def understood(endpoint: Endpoint) -> Iterator[None]:
    """Turn whatever an answer of another shape raises into one kind of error."""
    try:
        yield
    except ServerError:
        raise
    except (
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
        struct.error,
    ) as error:
        raise ServerError(
            f"{endpoint.url} sent an answer that is not {endpoint.speaker}'s "
            f"({type(error).__name__})"
        ) from error
