"""A double of a server's protocol for tests, from the real messages and services. It is no server.

It answers with a SavedModel that TensorFlow's C++ runtime runs, and with failures that tests ask for.
"""

import base64
import concurrent.futures
import contextlib
import http.server
import json
import threading

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from stylezoo import export

INVALID, UNAVAILABLE = 3, 14


class Double:
    """Answers requests for the model `name`.

    Attributes:
        failures: (code, message) that the next calls of `predict` get, before any is answered.
        delay: seconds that each takes.
        calls: how many there were.
    """

    def __init__(self, path, name="light"):
        self.session = export.SavedModelSession(path)
        self.name = name
        self.failures = []
        self.delay = threading.Event()
        self.seconds = 0.0
        self.calls = 0

    def predict(self, signature, inputs):
        """(code, message or outputs)."""
        self.calls += 1
        self.delay.wait(self.seconds)
        if self.failures:
            return self.failures.pop(0)
        # Every input a batch of the same size, as where requests are batched.
        if len({np.shape(each)[:1] for each in inputs.values()}) != 1:
            return (
                INVALID,
                "Batching input tensors must have at least one dimension, the same in all",
            )
        try:
            return 0, self.session(signature, inputs)
        except export.RuntimeStatusError as error:
            return error.code, str(error)

    def signature_map(self):
        found = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in self.session.signatures.items():
            found.signature_def[name].CopyFrom(signature)
        return found


@contextlib.contextmanager
def rest(double):
    """Its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def reply(self, status, content):
            data = json.dumps(content).encode()
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.end_headers()
                self.wfile.write(data)

        def do_GET(self):
            assert self.path == f"/v1/models/{double.name}/metadata"
            found = json_format.MessageToDict(
                double.signature_map(), preserving_proto_field_name=True
            )
            self.reply(200, {"metadata": {"signature_def": found}})

        def do_POST(self):
            if self.path != f"/v1/models/{double.name}:predict":
                self.reply(404, {"error": "Servable not found for request"})
                return
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            signature = double.session.signatures[request["signature_name"]]
            if set(request["inputs"]) != set(signature.inputs):  # as TensorFlow Serving has it
                self.reply(400, {"error": "Missing named input"})
                return
            inputs = {
                name: decoded(value, signature.inputs[name].dtype)
                for name, value in request["inputs"].items()
            }
            code, found = double.predict(request["signature_name"], inputs)
            if code:
                self.reply(503 if code == UNAVAILABLE else 400, {"error": found})
                return
            outputs = {name: encoded(name, value) for name, value in found.items()}
            single = next(iter(outputs.values())) if len(outputs) == 1 else outputs
            self.reply(200, {"outputs": single})

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def decoded(value, dtype):
    if dtype == tf.string.as_datatype_enum:
        return np.array([*(base64.b64decode(each["b64"]) for each in value), None], object)[:-1]
    return np.array(value, tf.as_dtype(dtype).as_numpy_dtype)


def encoded(name, value):
    """The rule of the REST API: base64 for strings of outputs whose name ends so."""
    if value.dtype != object:
        return value.tolist()
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(each).decode()} for each in value]
    return np.vectorize(bytes.decode, otypes=[object])(value).tolist()


@contextlib.contextmanager
def rpc(double):
    """Its URL."""

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):  # noqa: N802
            if request.model_spec.name != double.name:
                context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request")
            inputs = {name: tf.make_ndarray(each) for name, each in request.inputs.items()}
            code, found = double.predict(request.model_spec.signature_name, inputs)
            if code:
                status = {UNAVAILABLE: grpc.StatusCode.UNAVAILABLE}
                context.abort(status.get(code, grpc.StatusCode.INVALID_ARGUMENT), found)
            answer = predict_pb2.PredictResponse()
            for name, value in found.items():
                answer.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            return answer

        def GetModelMetadata(self, request, context):  # noqa: N802
            assert request.model_spec.name == double.name
            answer = get_model_metadata_pb2.GetModelMetadataResponse()
            answer.metadata["signature_def"].Pack(double.signature_map())
            return answer

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"grpc://127.0.0.1:{port}"
    server.stop(None).wait()
