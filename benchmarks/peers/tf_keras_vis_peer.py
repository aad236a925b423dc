"""The package tf-keras-vis."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from benchmarks.peers import worker


def attribution(inputs: Mapping[str, Any]) -> worker.Run:
    """SmoothGrad of eight samples over VGG-16 with random weights."""
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.scores import CategoricalScore

    del inputs
    model = keras.applications.VGG16(weights=None, classifier_activation=None)
    saliency = Saliency(model, clone=False)
    pictures = np.random.default_rng(0).uniform(size=(1, 224, 224, 3)).astype(np.float32)

    def run() -> worker.Figures:
        found = saliency(
            CategoricalScore([0]),
            pictures,
            smooth_samples=8,
            smooth_noise=0.15,
            normalize_map=False,
        )
        return {"pixels": int(np.asarray(found).size)}

    return run


if __name__ == "__main__":
    worker.serve({"attribution": attribution}, ("tensorflow", "keras", "tf-keras-vis"))
