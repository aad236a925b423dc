"""Tasks that this project and Keras's own networks do by the same code."""

from typing import Any

import tensorflow as tf

from benchmarks.peers import worker


def backward(model: Any) -> worker.Run:
    """Return a run of the gradient of the mean score with respect to every weight, in training mode."""
    variables = model.trainable_variables
    images = tf.random.stateless_uniform([1, 224, 224, 3], seed=[0, 0])

    @tf.function(autograph=False)
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            score = tf.reduce_mean(model(images, training=True))
        gradients = tape.gradient(score, variables)
        # One number, so that all of them are computed and none is copied.
        return tf.add_n([tf.reduce_sum(gradient) for gradient in gradients])

    return lambda: {"parameters": model.count_params(), "gradient": float(step())}
