"""Requests to TensorFlow Serving, by REST and by gRPC."""

import abc
import base64
import dataclasses
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

import numpy as np

from stylezoo.export.serving.protos import import_protos

# Seconds before the first repetition. Each further wait is twice as long.
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 5.0
_UNAVAILABLE = http.HTTPStatus.SERVICE_UNAVAILABLE
_MESSAGE_BYTES = 256 * 2**20

# The shapes of the inputs by name, with -1 where any number fits, and the names of the outputs.
Signature = tuple[dict[str, list[int]], list[str]]


class ServerError(OSError):
    """What a server answered in place of a result, or that it did not answer."""


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A model of a server, and how patiently the server is asked.

    Attributes:
        url: Address of the server: http(s)://HOST:PORT for REST, grpc://HOST:PORT for gRPC.
        model: Name of the model at the server.
        timeout: Time that a request may take, its repetitions included, in seconds.
        retries: Number of times that a request is repeated at most. It is repeated only if the server is
            unavailable: a connection cannot be made, or it answers 503 or UNAVAILABLE.

    Raises:
        ValueError: If the address is of another kind, or a number is out of its range.
    """

    url: str = "http://localhost:8501"
    model: str = "conditional"
    timeout: float = 60.0
    retries: int = 4

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https", "grpc") or not parts.hostname:
            raise ValueError(
                "`url` must be http://HOST:PORT, https://HOST:PORT or grpc://HOST:PORT. "
                f"Received: {self.url}"
            )
        if not self.timeout > 0:
            raise ValueError(f"`timeout` must be > 0. Received: timeout={self.timeout}")
        if self.retries < 0:
            raise ValueError(f"`retries` must be >= 0. Received: retries={self.retries}")


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


def connect(endpoint: Endpoint) -> Client:
    """Return a client of the kind that the address asks for."""
    is_grpc = urllib.parse.urlsplit(endpoint.url).scheme == "grpc"
    return GrpcClient(endpoint) if is_grpc else RestClient(endpoint)


class RestClient(Client):
    """A client by REST: JSON, with picture files in base64."""

    def signatures(self) -> dict[str, Signature]:  # noqa: D102
        answer = self._request("/metadata")
        found = answer["metadata"]["signature_def"]["signature_def"]
        return {
            name: (
                {key: _rest_shape(each) for key, each in signature["inputs"].items()},
                list(signature["outputs"]),
            )
            for name, signature in found.items()
            if signature.get("inputs")
        }

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:  # noqa: D102
        given = {name: _to_json(np.asarray(each)) for name, each in inputs.items()}
        body = {"signature_name": signature, "inputs": given}
        outputs = self._request(":predict", json.dumps(body).encode())["outputs"]
        names = self.signatures()[signature][1]
        if len(names) == 1:  # a single output comes without its name
            outputs = {names[0]: outputs}
        return {name: _from_json(each) for name, each in outputs.items()}

    def _request(self, path: str, body: bytes | None = None) -> Any:
        """Return the answer's JSON; try again while the server is unavailable."""
        server, retries = self.endpoint.url.rstrip("/"), self.endpoint.retries
        url = f"{server}/v1/models/{urllib.parse.quote(self.endpoint.model)}{path}"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        deadline = time.monotonic() + self.endpoint.timeout
        for attempt in range(retries + 1):
            try:
                left = deadline - time.monotonic()
                with urllib.request.urlopen(request, timeout=max(left, 1e-3)) as response:
                    return json.loads(response.read())
            except urllib.error.HTTPError as error:
                reason, again = _rest_error(error), error.code == _UNAVAILABLE
            except (TimeoutError, urllib.error.URLError) as error:
                cause = getattr(error, "reason", error)
                if isinstance(cause, TimeoutError):
                    raise _silence(self.endpoint) from error
                reason, again = str(cause), isinstance(cause, ConnectionRefusedError)
            except (http.client.HTTPException, ConnectionError, ValueError) as error:
                raise ServerError(f"{server} is no TensorFlow Serving: {error!r}") from error
            wait = min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT)
            if not again or attempt == retries or time.monotonic() + wait > deadline:
                raise ServerError(f"{server} answered: {reason}")
            time.sleep(wait)
        raise AssertionError("unreachable")


class GrpcClient(Client):
    """A client by gRPC, which retries by itself."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._protos = import_protos()
        retries = endpoint.retries
        policy = {
            "maxAttempts": min(retries + 1, 5),  # gRPC allows no more
            "initialBackoff": f"{_FIRST_WAIT}s",
            "maxBackoff": f"{_LONGEST_WAIT}s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        service = {"methodConfig": [{"name": [{}], **({"retryPolicy": policy} if retries else {})}]}
        options = [
            ("grpc.enable_retries", int(retries > 0)),
            ("grpc.service_config", json.dumps(service)),
            ("grpc.max_send_message_length", _MESSAGE_BYTES),
            ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ]
        target = urllib.parse.urlsplit(endpoint.url).netloc
        channel = self._protos.grpc.insecure_channel(target, options)
        self._stub = self._protos.PredictionServiceStub(channel)

    def signatures(self) -> dict[str, Signature]:  # noqa: D102
        request = self._protos.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = self.endpoint.model
        answer = self._call(self._stub.GetModelMetadata, request)
        found = self._protos.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)
        return {
            name: (
                {
                    key: [dim.size for dim in each.tensor_shape.dim]
                    for key, each in signature.inputs.items()
                },
                list(signature.outputs),
            )
            for name, signature in found.signature_def.items()
            if signature.inputs
        }

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:  # noqa: D102
        import tensorflow as tf

        request = self._protos.PredictRequest()
        request.model_spec.name = self.endpoint.model
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        answer = self._call(self._stub.Predict, request)
        return {name: tf.make_ndarray(each) for name, each in answer.outputs.items()}

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=self.endpoint.timeout)
        except self._protos.grpc.RpcError as error:
            if error.code() == self._protos.grpc.StatusCode.DEADLINE_EXCEEDED:
                raise _silence(self.endpoint) from error
            text = f"{error.code().name}: {error.details()}"
            raise ServerError(f"{self.endpoint.url} answered: {text}") from error


def _silence(endpoint: Endpoint) -> ServerError:
    return ServerError(f"{endpoint.url} did not answer in {endpoint.timeout} s")


def _rest_shape(info: Mapping[str, Any]) -> list[int]:
    return [int(dim["size"]) for dim in info["tensor_shape"].get("dim", [])]


def _rest_error(error: urllib.error.HTTPError) -> str:
    """Return what the server says of an error, from its JSON or as it is."""
    content = error.read().decode(errors="replace")
    try:
        return json.loads(content)["error"]
    except (ValueError, LookupError, TypeError):
        return f"{error.code} {error.reason}"


def _to_json(values: np.ndarray) -> Any:
    if values.dtype != object:
        return values.tolist()
    return [{"b64": base64.b64encode(each).decode()} for each in values.tolist()]


def _from_json(values: Any) -> np.ndarray:
    first = np.ravel(np.asarray(values, object))[:1]
    if first.size and isinstance(first[0], Mapping):
        decoded = [base64.b64decode(each["b64"]) for each in values]
        return np.array([*decoded, None], object)[:-1]
    if first.size and isinstance(first[0], str):
        return np.vectorize(str.encode, otypes=[object])(np.asarray(values, object))
    return np.asarray(values, np.float32)
