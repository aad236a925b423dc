"""Requests by HTTP and channels of gRPC, bounded in bytes and time.

Nothing that a server answers is trusted: an answer is bounded in bytes and in the time that it takes as a
whole.
"""

import functools
import http.client
import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from stylezoo.export.serving.client import Endpoint, ServerError, silence

# Seconds before the first repetition. Each further wait is twice as long.
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 5.0
_UNAVAILABLE = http.HTTPStatus.SERVICE_UNAVAILABLE
_REQUEST_BYTES = 256 * 2**20
# The JPEG of 4096x4096 px has less than a third of it, and a parser makes forty times as much of brackets.
_ANSWER_BYTES = 32 * 2**20
_ERROR_BYTES = 2**16

_Result = TypeVar("_Result")


class Answer(NamedTuple):
    """The body of an answer, and its headers."""

    content: bytes
    headers: Mapping[str, str]


def ask(
    endpoint: Endpoint,
    path: str,
    body: bytes | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send a request by HTTP, and again while the server is unavailable.

    Args:
        endpoint: The server.
        path: The path at the server.
        body: What is posted; without it, the path is fetched.
        headers: Headers besides the endpoint's own.

    Raises:
        ServerError: If the server answers with an error, or not at all.
    """
    server, retries = endpoint.url.rstrip("/"), endpoint.retries
    given = {"Content-Type": "application/json", **endpoint.headers, **(headers or {})}
    request = urllib.request.Request(f"{server}{path}", body, given)
    deadline = time.monotonic() + endpoint.timeout
    for attempt in range(retries + 1):
        left = max(deadline - time.monotonic(), 1e-3)
        try:
            return _within(left, functools.partial(_fetch, request, left))
        except urllib.error.HTTPError as error:
            reason, again = _reason(error), error.code == _UNAVAILABLE
        except (TimeoutError, urllib.error.URLError) as error:
            cause = getattr(error, "reason", error)
            if isinstance(cause, TimeoutError):
                raise silence(endpoint) from error
            reason, again = str(cause), isinstance(cause, ConnectionRefusedError)
        except (http.client.HTTPException, ConnectionError) as error:
            raise ServerError(f"{server} is no {endpoint.speaker}: {error!r}") from error
        wait = min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT)
        if not again or attempt == retries or time.monotonic() + wait > deadline:
            raise ServerError(f"{server} answered: {reason}")
        time.sleep(wait)
    raise AssertionError("unreachable")


def channel_options(retries: int) -> list[tuple[str, Any]]:
    """Return the options of a channel of gRPC, which repeats requests by itself."""
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


def _fetch(request: urllib.request.Request, timeout: float) -> Answer:
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
    return Answer(content, response.headers)


def _reason(error: urllib.error.HTTPError) -> str:
    """Return what the server says of an error, from its JSON or as it is."""
    try:
        return str(json.loads(error.read(_ERROR_BYTES))["error"])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return f"{error.code} {error.reason}"
