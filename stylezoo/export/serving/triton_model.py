"""The program by which Triton's Python backend runs a signature of a SavedModel.

``triton_configuration.py`` copies it into a model repository, as ``MODEL.SIGNATURE/VERSION/model.py``. It
imports nothing of stylezoo, so that the server needs TensorFlow alone.
"""

import json
import pathlib
import re
from typing import Any

import numpy as np
import tensorflow as tf

# Only Triton's own interpreter has this module.
import triton_python_backend_utils as triton

# What a failed assertion of the graph says, without the trace of nodes around it.
_ASSERTION = re.compile(r"assertion failed: \[(.*?)\](?: \[\[|\s*$)", re.DOTALL)


class TritonPythonModel:
    """A signature of a SavedModel; Triton knows this class by its name."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the SavedModel that the configuration names."""
        config = json.loads(args["model_config"])
        given = {name: each["string_value"] for name, each in config["parameters"].items()}
        folder = pathlib.Path(args["model_repository"], given["saved_model"])
        # The signature alone would not keep the variables alive.
        self._model = tf.saved_model.load(str(folder / args["model_version"]))
        self._signature = self._model.signatures[given["signature"]]
        self._inputs = [each["name"] for each in config["input"]]
        self._outputs = [each["name"] for each in config["output"]]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer requests, each by itself."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        given = {name: triton.get_input_tensor_by_name(request, name) for name in self._inputs}
        inputs = {
            name: tf.constant(each.as_numpy()) for name, each in given.items() if each is not None
        }
        try:
            found = self._signature(**inputs)
        except tf.errors.InvalidArgumentError as error:
            said = _ASSERTION.search(error.message)
            text = said[1] if said else error.message
            return triton.InferenceResponse(
                error=triton.TritonError(text, triton.TritonError.INVALID_ARG)
            )
        return triton.InferenceResponse(
            [triton.Tensor(name, np.asarray(found[name])) for name in self._outputs]
        )
