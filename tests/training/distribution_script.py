"""Trains as one process of several, or over two devices of one: ``FOLDER NAME TASK FIELDS``.

A process of its own, since TensorFlow's devices and cluster are set before anything else is done.
FOLDER has photographs, classes, a painting and weights, and gets the run NAME and its result, NAME.preset
(of workers NAME.0.preset and so on; of classifiers .npz); FIELDS are those of the LoopConfig, as JSON, and
``stop``, the step after which it is interrupted, or
``kill``, the step after which worker 1 is killed the first time.
"""

import json
import os
import pathlib
import signal
import sys

import keras
import numpy as np
import tensorflow as tf

from stylezoo import classifiers, generators, objectives, perceptual, training
from stylezoo.classifiers.architecture import Architecture, averaging_head
from stylezoo.training import style_training, trainer


def style_config(folder, *, normalization):
    return training.StyleTraining(
        generator=generators.JohnsonConfig((2, 3, 4), num_blocks=1, normalization=normalization),
        styles=(str(folder / "painting.png"),),
        content=training.ContentConfig(str(folder / "photographs"), image_size=48),
        objective=objective(folder, content_layers=("relu2",)),
    )


def texture_training(folder):
    return training.TextureTraining(
        generator=generators.TextureNetworkConfig(channels=2, num_scales=2),
        source=str(folder / "painting.png"),
        objective=objective(folder, content_layers=()),
        image_size=48,
    )


def _trunk(b, x):
    x = b.conv(x, "conv1", 4)
    return b.tap(b.activate(b.batch_norm(x, "bn1"), "relu1"))


def _head(b, x, num_classes, size):
    return averaging_head(b, x, num_classes, size, dropout=0.5)


def classifier_training(folder):
    """With batch norm, whose moving averages are to be one, and dropout."""
    classifiers.ARCHITECTURES["tiny"] = Architecture(_trunk, _head, "none", input_size=16)
    return training.ClassifierTraining(
        "tiny", training.LabelledConfig(str(folder / "classes")), training.RECIPES["resnet"]
    )


def objective(folder, *, content_layers):
    return objectives.Objective(
        perceptual.Perceptual("alexnet_owt", str(folder / "alexnet.h5"), "avg"),
        content_layers=content_layers,
        style_layers=("relu1", "relu2"),
    )


def main():
    folder, name, task, fields = pathlib.Path(sys.argv[1]), *sys.argv[2:]
    fields = json.loads(fields)
    stop, kill = fields.pop("stop", None), fields.pop("kill", None)
    config = training.LoopConfig(**fields)
    if config.distribution == "mirrored":
        (device,) = tf.config.list_physical_devices("CPU")
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(device, two)
        # By itself it would take all GPUs, or a single CPU.
        trainer.strategy_of = lambda _: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    # Each replica has its own, so that no two ways of distribution would be alike.
    style_training._quantization_noise = lambda shape, seed: tf.zeros(shape)

    def interrupt(progress):
        if progress.step == stop:
            sys.exit()
        killed = folder / f"{name}.killed"
        if progress.step == kill and worker == 1 and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    worker = json.loads(os.environ.get("TF_CONFIG", "{}")).get("task", {}).get("index")
    options = {"loop": config, "run": str(folder / name), "callback": interrupt}
    stem = name if worker is None else f"{name}.{worker}"
    if task == "classifier":
        model = training.train_classifier(classifier_training(folder), **options).model
        arrays = {each.path: keras.ops.convert_to_numpy(each) for each in model.weights}
        np.savez(folder / f"{stem}.npz", **arrays)
        return
    if task == "texture":
        result = training.train_texture(texture_training(folder), **options)
    else:
        result = training.train_style(style_config(folder, normalization=task), **options)
    result.painter.save_to_preset(folder / f"{stem}.preset")


if __name__ == "__main__":
    main()
