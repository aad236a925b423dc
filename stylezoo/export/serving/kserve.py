"""Requests by KServe's protocol, version 2 (Open Inference Protocol), which Triton speaks.

A model of that protocol has no signatures: a signature is a model MODEL.SIGNATURE of its own, as
:mod:`~stylezoo.export.serving.triton_configuration` writes them. The package ``tritonclient`` makes requests
and reads answers; by HTTP they travel as those of the other protocol do, since its own client bounds neither
an answer's bytes nor its time, and is not for several threads.
"""

import abc
import functools
import json
import types
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from stylezoo.export.serving import transport
from stylezoo.export.serving.client import (
    Client,
    Endpoint,
    ServerError,
    Signature,
    silence,
    understood,
)

_HEADER_LENGTH = "Inference-Header-Content-Length"


class _KserveClient(Client):
    """What both kinds have in common: ``library`` is the part of ``tritonclient`` for one of them."""

    def __init__(self, endpoint: Endpoint, library: types.ModuleType) -> None:
        super().__init__(endpoint)
        self._library = library

    @functools.cached_property
    def _signatures(self) -> dict[str, Signature]:
        prefix = f"{self.endpoint.model}."
        with self._understood():
            names = [name for name in self._index() if name.startswith(prefix)]
            found = {name.removeprefix(prefix): _signature(self._metadata(name)) for name in names}
        if not found:
            raise ServerError(f"{self.endpoint.url} answered: there is no model {prefix}SIGNATURE")
        return found

    def signatures(self) -> dict[str, Signature]:
        return self._signatures

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        given = [self._input(name, np.asarray(each)) for name, each in inputs.items()]
        with self._understood():
            result = self._infer(f"{self.endpoint.model}.{signature}", given)
            names = self._signatures[signature][1]
            outputs = {name: result.as_numpy(name) for name in names}
            if missing := [name for name, each in outputs.items() if each is None]:
                raise LookupError(*missing)
            return outputs

    def _input(self, name: str, values: np.ndarray) -> Any:
        from tritonclient import utils

        made = self._library.InferInput(name, values.shape, utils.np_to_triton_dtype(values.dtype))
        made.set_data_from_numpy(values)
        return made

    def _understood(self) -> Any:
        return understood(self.endpoint)

    @abc.abstractmethod
    def _index(self) -> Iterator[str]:
        """Yield the names of the server's models."""

    @abc.abstractmethod
    def _metadata(self, name: str) -> Mapping[str, Any]:
        """Return what the server tells of a model's inputs and outputs."""

    @abc.abstractmethod
    def _infer(self, name: str, inputs: list[Any]) -> Any:
        """Return the library's result of a request."""


class KserveRestClient(_KserveClient):
    """A client by HTTP: a header in JSON, and the tensors as they are."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint, _library("http"))

    def _index(self) -> Iterator[str]:
        for each in self._json("/v2/repository/index", b"{}"):
            yield each["name"]

    def _metadata(self, name: str) -> Mapping[str, Any]:
        return self._json(f"/v2/models/{urllib.parse.quote(name)}")

    def _json(self, path: str, body: bytes | None = None) -> Any:
        return json.loads(transport.ask(self.endpoint, path, body).content)

    def _infer(self, name: str, inputs: list[Any]) -> Any:
        client = self._library.InferenceServerClient
        body, length = client.generate_request_body(inputs)
        headers = {} if length is None else {_HEADER_LENGTH: str(length)}
        path = f"/v2/models/{urllib.parse.quote(name)}/infer"
        answer = transport.ask(self.endpoint, path, body, headers=headers)
        length = answer.headers.get(_HEADER_LENGTH)
        return client.parse_response_body(
            answer.content, header_length=None if length is None else int(length)
        )


class KserveGrpcClient(_KserveClient):
    """A client by gRPC."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint, _library("grpc"))
        self._client = self._library.InferenceServerClient(
            endpoint.address,
            ssl=endpoint.is_encrypted,
            channel_args=transport.channel_options(endpoint.retries),
        )
        # Names of headers are in lower case in HTTP/2.
        headers = {name.lower(): value for name, value in endpoint.headers.items()}
        self._patience = {"headers": headers, "client_timeout": endpoint.timeout}

    def _index(self) -> Iterator[str]:
        for each in self._ask(self._client.get_model_repository_index).models:
            yield each.name

    def _metadata(self, name: str) -> Mapping[str, Any]:
        return self._ask(self._client.get_model_metadata, name, as_json=True)

    def _infer(self, name: str, inputs: list[Any]) -> Any:
        return self._ask(self._client.infer, name, inputs)

    def _ask(self, method: Any, *arguments: Any, **options: Any) -> Any:
        from tritonclient import utils

        try:
            return method(*arguments, **options, **self._patience)
        except utils.InferenceServerException as error:
            status = (error.status() or "").removeprefix("StatusCode.")
            if status == "DEADLINE_EXCEEDED":
                raise silence(self.endpoint) from error
            text = f"{status}: {error.message()}"
            raise ServerError(f"{self.endpoint.url} answered: {text}") from error


def _signature(metadata: Mapping[str, Any]) -> Signature:
    shapes = {each["name"]: [int(side) for side in each["shape"]] for each in metadata["inputs"]}
    return shapes, [each["name"] for each in metadata["outputs"]]


def _library(kind: str) -> types.ModuleType:
    import importlib

    try:
        return importlib.import_module(f"tritonclient.{kind}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{error.name} is not installed: pip install 'stylezoo[kserve]'", name=error.name
        ) from error
