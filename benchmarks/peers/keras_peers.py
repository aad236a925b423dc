"""Networks of Keras, and Xplique, which looks at them."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from benchmarks.peers import keras_tasks, worker


def network(inputs: Mapping[str, Any]) -> worker.Run:
    """The ResNet-50 of ``keras.applications``."""
    del inputs
    return keras_tasks.backward(
        keras.applications.ResNet50(weights=None, classifier_activation=None)
    )


def attribution(inputs: Mapping[str, Any]) -> worker.Run:
    """Xplique's SmoothGrad of eight samples over VGG-16 with random weights."""
    from xplique.attributions import SmoothGrad

    del inputs
    model = keras.applications.VGG16(weights=None, classifier_activation=None)
    explainer = SmoothGrad(model, nb_samples=8, noise=0.15)
    pictures = np.random.default_rng(0).uniform(size=(1, 224, 224, 3)).astype(np.float32)
    targets = np.eye(1000, dtype=np.float32)[:1]
    return lambda: {"pixels": int(np.asarray(explainer(pictures, targets)).size)}


if __name__ == "__main__":
    worker.serve({"network": network, "attribution": attribution}, ("tensorflow", "keras"))
