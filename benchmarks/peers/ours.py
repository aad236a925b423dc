"""This project's side of every task."""

import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from benchmarks.peers import keras_tasks, worker
from stylezoo import classifiers, generators, images, objectives, perceptual, visualize
from stylezoo.evaluation.lpips import Lpips
from stylezoo.synthesis import LBFGS, Pixels


def transfer(inputs: Mapping[str, Any]) -> worker.Run:
    """L-BFGS with ten pairs, from the photograph."""
    loss = objectives.Objective().build()
    content, style = (images.read_image(inputs[role]) for role in ("content", "style"))
    reference = objectives.Reference
    targets = loss.targets({"content": reference([content]), "style": reference([style])})
    parameter = Pixels(content)
    minimizer = LBFGS().start(parameter, lambda image: loss(image, targets))

    def run() -> worker.Figures:
        parameter.variable.assign(content)
        minimizer.restart()
        first = minimizer.evaluate().total
        for _ in range(inputs["steps"]):
            total, _, _ = minimizer.step()
        return {"initial_loss": float(first), "loss": float(total)}

    return run


def painting(inputs: Mapping[str, Any]) -> worker.Run:
    """Magenta's network of 26 styles, the picture whole."""
    painter = generators.load("multistyle26.magenta")
    photograph = images.read_image(inputs["content"])
    _, height, width, _ = photograph.shape

    def run() -> worker.Figures:
        picture = painter.paint(photograph, style="style7", tiling="none", stroke_size=None)
        return {"megapixels": height * width / 1e6, "mean": float(tf.reduce_mean(picture))}

    return run


def attribution(inputs: Mapping[str, Any]) -> worker.Run:
    """SmoothGrad of eight samples over VGG-16 with random weights."""
    del inputs
    model = classifiers.build("vgg16")
    network = keras.Model(model.input, {perceptual.SCORES: model.output})
    config = visualize.AttributionConfig(method="smoothgrad", samples=8)
    method = visualize.Attribution(network, visualize.Unit(perceptual.SCORES, 0), config)
    function = tf.function(method)
    pictures = tf.random.stateless_uniform([1, 224, 224, 3], seed=[0, 0])
    return lambda: {"pixels": int(function(pictures).numpy().size // 3)}


def network(inputs: Mapping[str, Any]) -> worker.Run:
    """ResNet-50's gradient of the mean score with respect to every weight, in training mode."""
    del inputs
    return keras_tasks.backward(classifiers.build("resnet50"))


def lpips(inputs: Mapping[str, Any]) -> worker.Run:
    """LPIPS by AlexNet of the photograph and its mirror image."""
    metric = tf.function(Lpips("alexnet_owt"))
    photograph = images.read_image(inputs["content"])
    other = tf.reverse(photograph, axis=[2])
    return lambda: {"distance": float(metric(photograph, other)[0])}


def codecs(inputs: Mapping[str, Any]) -> worker.Run:
    """Read and write a picture as every command does: colours, orientation, a whole file or none."""
    output = pathlib.Path(inputs["output"], "ours.jpg")

    def run() -> None:
        images.write_image(output, images.read_image(inputs["content"]), overwrite=True)

    return run


if __name__ == "__main__":
    worker.serve(
        {
            "transfer": transfer,
            "painting": painting,
            "attribution": attribution,
            "network": network,
            "lpips": lpips,
            "codecs": codecs,
        },
        ("tensorflow", "keras", "numpy", "pillow"),
    )
