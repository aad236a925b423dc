"""Requests that TensorFlow Serving replays when it loads a model, so that no user waits for that."""

import os
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from stylezoo.errors import ExportError
from stylezoo.export.servables.servable import Arrays, Servable
from stylezoo.export.serving.protos import import_protos


def write_requests(path: str | os.PathLike[str], servable: Servable) -> None:
    """Write a file of ``PredictionLog`` records: one request of every signature and size.

    Its place is ``assets.extra/tf_serving_warmup_requests`` in a SavedModel. Requests name no model, and
    are small: a file is read whole at each load.
    """
    apis = import_protos()
    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for call in servable.calls():
            request = apis.PredictRequest()
            request.model_spec.signature_name = call.signature
            for name, value in call.inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value, _dtype(value)))
            log = apis.PredictionLog(predict_log=apis.PredictLog(request=request))
            writer.write(log.SerializeToString())


def read_requests(path: str | os.PathLike[str]) -> Iterator[tuple[str, Arrays]]:
    """Yield the requests of a file that :func:`write_requests` wrote: signatures and their inputs.

    Raises:
        ExportError: If the file can't be read.
    """
    from google.protobuf.message import DecodeError

    apis = import_protos()
    try:
        for record in tf.data.TFRecordDataset(os.fspath(path)).as_numpy_iterator():
            request = apis.PredictionLog.FromString(record).predict_log.request
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            yield request.model_spec.signature_name, inputs
    except (tf.errors.OpError, DecodeError, TypeError, ValueError) as error:
        raise ExportError(f"`{path}` is damaged: warm-up requests can't be read") from error


def _dtype(value: np.ndarray) -> tf.DType:
    return tf.string if value.dtype == object else tf.as_dtype(value.dtype)
