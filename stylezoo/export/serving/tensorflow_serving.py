"""Requests to TensorFlow Serving, by REST and by gRPC, without TensorFlow."""

import base64
import functools
import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

import numpy as np

from stylezoo.export.serving import messages, transport
from stylezoo.export.serving.client import (
    Client,
    Endpoint,
    ServerError,
    Signature,
    silence,
    understood,
)


class RestClient(Client):
    """A client by REST: JSON, with picture files in base64."""

    @functools.cached_property
    def _signatures(self) -> dict[str, Signature]:
        answer = self._request("/metadata")
        with understood(self.endpoint):
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
        with understood(self.endpoint):
            outputs, names = answer["outputs"], self._signatures[signature][1]
            if len(names) == 1:  # a single output comes without its name
                outputs = {names[0]: outputs}
            return {name: _from_json(outputs[name]) for name in names}

    def _request(self, path: str, body: bytes | None = None) -> Any:
        """Return the answer's JSON."""
        model = urllib.parse.quote(self.endpoint.model)
        answer = transport.ask(self.endpoint, f"/v1/models/{model}{path}", body)
        with understood(self.endpoint):
            return json.loads(answer.content)


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
        options = transport.channel_options(endpoint.retries)
        if endpoint.is_encrypted:
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(endpoint.address, credentials, options)
        else:
            self._channel = grpc.insecure_channel(endpoint.address, options)

    @functools.cached_property
    def _signatures(self) -> dict[str, Signature]:
        request = self._messages.MetadataRequest(metadata_field=["signature_def"])
        answer = self._call("GetModelMetadata", request, self._messages.MetadataResponse)
        with understood(self.endpoint):
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
        with understood(self.endpoint):
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
                raise silence(self.endpoint) from error
            text = f"{error.code().name}: {error.details()}"
            raise ServerError(f"{self.endpoint.url} answered: {text}") from error


def _rest_shape(info: Mapping[str, Any]) -> list[int]:
    return [int(dim["size"]) for dim in info["tensor_shape"].get("dim", [])]


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
