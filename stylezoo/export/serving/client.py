"""Requests to TensorFlow Serving, by REST and by gRPC.

Nothing that a server answers is trusted: answers are bounded in bytes and in the time that they take as a
whole, and whatever is not as the protocol has it is one kind of error. TensorFlow is not imported.
"""

import abc
import base64
import contextlib
import dataclasses
import functools
import http.client
import json
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from stylezoo.export.serving import messages

# Seconds before the first repetition. Each further wait is twice as long.
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 5.0
_UNAVAILABLE = http.HTTPStatus.SERVICE_UNAVAILABLE
_REQUEST_BYTES = 256 * 2**20
# The JPEG of 4096x4096 px has less than a third of it, and a parser makes forty times as much of brackets.
_ANSWER_BYTES = 32 * 2**20
_ERROR_BYTES = 2**16
_SCHEMES = ("http", "https", "grpc", "grpcs")

# The shapes of the inputs by name, with -1 where any number fits, and the names of the outputs.
Signature = tuple[dict[str, list[int]], list[str]]
_Result = TypeVar("_Result")


class ServerError(OSError):
    """What a server answered in place of a result, or that it did not answer."""


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A model of a server, and how patiently the server is asked.

    Attributes:
        url: Address of the server: http(s)://HOST:PORT for REST, grpc(s)://HOST:PORT for gRPC.
        model: Name of the model at the server.
        timeout: Time that a request may take, its repetitions included, in seconds.
        retries: Number of times that a request is repeated at most. It is repeated only if the server is
            unavailable: a connection cannot be made, or it answers 503 or UNAVAILABLE.
        header: Headers of every request, as NAME:VALUE, such as a token: "Authorization:Bearer TOKEN". By
            default there are none.

    Raises:
        ValueError: If the address is of another kind, a number is out of its range, or a header has no
            name.
    """

    url: str = "http://localhost:8501"
    model: str = "conditional"
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
        if not self.timeout > 0:
            raise ValueError(f"`timeout` must be > 0. Received: timeout={self.timeout}")
        if self.retries < 0:
            raise ValueError(f"`retries` must be >= 0. Received: retries={self.retries}")
        for name, value in self.headers.items():
            if not name.isascii() or not name or not (name + value).isprintable():
                raise ValueError("`header` must be NAME:VALUE of printable characters")

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


def connect(endpoint: Endpoint) -> Client:
    """Return a client of the kind that the address asks for."""
    is_grpc = urllib.parse.urlsplit(endpoint.url).scheme.startswith("grpc")
    return GrpcClient(endpoint) if is_grpc else RestClient(endpoint)


class RestClient(Client):
    """A client by REST: JSON, with picture files in base64."""

    @functools.cached_property
    def _signatures(self) -> dict[str, Signature]:
        answer = self._request("/metadata")
        with _understood(self.endpoint):
            found = answer["metadata"]["signature_def"]["signature_def"]
            return {
                name: (
                    {key: _rest_shape(each) for key, each in signature["inputs"].items()},
                    list(signature["outputs"]),
                )
                for name, signature in found.items()
                if signature.get("inputs")
            }

    def signatures(self) -> dict[str, Signature]:  # noqa: D102
        return self._signatures

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:  # noqa: D102
        given = {name: _to_json(np.asarray(each)) for name, each in inputs.items()}
        body = {"signature_name": signature, "inputs": given}
        answer = self._request(":predict", json.dumps(body).encode())
        with _understood(self.endpoint):
            outputs, names = answer["outputs"], self._signatures[signature][1]
            if len(names) == 1:  # a single output comes without its name
                outputs = {names[0]: outputs}
            return {name: _from_json(outputs[name]) for name in names}

    def _request(self, path: str, body: bytes | None = None) -> Any:
        """Return the answer's JSON; try again while the server is unavailable."""
        server, retries = self.endpoint.url.rstrip("/"), self.endpoint.retries
        url = f"{server}/v1/models/{urllib.parse.quote(self.endpoint.model)}{path}"
        headers = {**self.endpoint.headers, "Content-Type": "application/json"}
        request = urllib.request.Request(url, body, headers)
        deadline = time.monotonic() + self.endpoint.timeout
        for attempt in range(retries + 1):
            left = max(deadline - time.monotonic(), 1e-3)
            try:
                content = _within(left, functools.partial(_fetch, request, left))
                with _understood(self.endpoint):
                    return json.loads(content)
            except urllib.error.HTTPError as error:
                reason, again = _rest_error(error), error.code == _UNAVAILABLE
            except (TimeoutError, urllib.error.URLError) as error:
                cause = getattr(error, "reason", error)
                if isinstance(cause, TimeoutError):
                    raise _silence(self.endpoint) from error
                reason, again = str(cause), isinstance(cause, ConnectionRefusedError)
            except (http.client.HTTPException, ConnectionError) as error:
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
        try:
            import grpc
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "grpc is not installed: pip install 'stylezoo[export]'", name="grpc"
            ) from error
        self._grpc, self._messages = grpc, messages.classes()
        url = urllib.parse.urlsplit(endpoint.url)
        options = _channel_options(endpoint.retries)
        if url.scheme == "grpcs":
            self._channel = grpc.secure_channel(url.netloc, grpc.ssl_channel_credentials(), options)
        else:
            self._channel = grpc.insecure_channel(url.netloc, options)

    @functools.cached_property
    def _signatures(self) -> dict[str, Signature]:
        request = self._messages.MetadataRequest(metadata_field=["signature_def"])
        answer = self._call("GetModelMetadata", request, self._messages.MetadataResponse)
        with _understood(self.endpoint):
            (packed,) = (each.value for each in answer.metadata if each.key == "signature_def")
            found = self._messages.SignatureMap.FromString(packed.value)
            return {
                each.key: (
                    {
                        info.key: [dim.size for dim in info.value.tensor_shape.dim]
                        for info in each.value.inputs
                    },
                    [info.key for info in each.value.outputs],
                )
                for each in found.signature_def
                if each.value.inputs
            }

    def signatures(self) -> dict[str, Signature]:  # noqa: D102
        return self._signatures

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:  # noqa: D102
        request = self._messages.PredictRequest()
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs.add(key=name).value.CopyFrom(messages.to_tensor(np.asarray(value)))
        answer = self._call("Predict", request, self._messages.PredictResponse)
        with _understood(self.endpoint):
            outputs = {each.key: messages.to_array(each.value) for each in answer.outputs}
            return {name: outputs[name] for name in self._signatures[signature][1]}

    def _call(self, method: str, request: Any, response: Any) -> Any:
        request.model_spec.name = self.endpoint.model
        call = self._channel.unary_unary(
            f"{messages.SERVICE}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=response.FromString,
        )
        # Names of headers are in lower case in HTTP/2.
        headers = [(name.lower(), value) for name, value in self.endpoint.headers.items()]
        try:
            return call(request, timeout=self.endpoint.timeout, metadata=headers)
        except self._grpc.RpcError as error:
            if error.code() == self._grpc.StatusCode.DEADLINE_EXCEEDED:
                raise _silence(self.endpoint) from error
            text = f"{error.code().name}: {error.details()}"
            raise ServerError(f"{self.endpoint.url} answered: {text}") from error


def _channel_options(retries: int) -> list[tuple[str, Any]]:
    policy = {
        "maxAttempts": min(retries + 1, 5),  # gRPC allows no more
        "initialBackoff": f"{_FIRST_WAIT}s",
        "maxBackoff": f"{_LONGEST_WAIT}s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    service = {"methodConfig": [{"name": [{}], **({"retryPolicy": policy} if retries else {})}]}
    return [
        ("grpc.enable_retries", int(retries > 0)),
        ("grpc.service_config", json.dumps(service)),
        ("grpc.max_send_message_length", _REQUEST_BYTES),
        ("grpc.max_receive_message_length", _ANSWER_BYTES),
    ]


def _silence(endpoint: Endpoint) -> ServerError:
    return ServerError(f"{endpoint.url} did not answer in {endpoint.timeout} s")


@contextlib.contextmanager
def _understood(endpoint: Endpoint) -> Iterator[None]:
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
    ) as error:
        raise ServerError(
            f"{endpoint.url} sent an answer that is not TensorFlow Serving's "
            f"({type(error).__name__})"
        ) from error


def _within(seconds: float, function: Callable[[], _Result]) -> _Result:
    """Return what a function returns, or raise a TimeoutError.

    The time-out of a socket is for each part of an answer; a server that sends a byte now and then can
    make an answer last for ever. The thread that waits for it ends with the process at the latest.
    """
    results: queue.Queue[tuple[_Result | None, BaseException | None]] = queue.Queue(1)

    def work() -> None:
        try:
            results.put((function(), None))
        except BaseException as error:
            results.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        result, error = results.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def _fetch(request: urllib.request.Request, timeout: float) -> bytes:
    # No redirections: they would take the headers, a token among them, to another server.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    with opener.open(request, timeout=timeout) as response:
        content = response.read(_ANSWER_BYTES + 1)
    if len(content) > _ANSWER_BYTES:
        raise http.client.HTTPException(f"an answer of more than {_ANSWER_BYTES:,} bytes")
    return content


def _rest_shape(info: Mapping[str, Any]) -> list[int]:
    return [int(dim["size"]) for dim in info["tensor_shape"].get("dim", [])]


def _rest_error(error: urllib.error.HTTPError) -> str:
    """Return what the server says of an error, from its JSON or as it is."""
    try:
        return str(json.loads(error.read(_ERROR_BYTES))["error"])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return f"{error.code} {error.reason}"


def _to_json(values: np.ndarray) -> Any:
    if values.dtype != object:
        return values.tolist()
    return [{"b64": base64.b64encode(each).decode()} for each in values.tolist()]


def _from_json(values: Any) -> np.ndarray:
    first = values
    while isinstance(first, list) and first:
        first = first[0]
    if isinstance(first, Mapping):
        decoded = [base64.b64decode(each["b64"], validate=True) for each in values]
        return np.array([*decoded, None], object)[:-1]
    if isinstance(first, str):
        return np.vectorize(str.encode, otypes=[object])(np.asarray(values, object))
    return np.asarray(values, np.float32)
