"""Classifiers, and classifiers cut open, as servers call them."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo import classifiers, errors, images, ops, perceptual
from stylezoo.export.servables import graph_codecs
from stylezoo.export.servables.photograph_servables import ERROR, IMAGE_BYTES
from stylezoo.export.servables.servable import (
    Arrays,
    Call,
    Servable,
    Tensor,
    smooth_picture,
    strings,
)

_TOP = 5


class Classifier(Servable):
    """A classifier with its head, of pictures of any size.

    Args:
        network: What :func:`stylezoo.classifiers.build` returned, for square images.
        source: See :class:`Servable`.
        labels: The classes' names; their numbers if not given.
    """

    kind = "classes"
    bytes_signature = "classify_bytes"
    output = "scores"

    def __init__(
        self, network: keras.Model, source: str, labels: Sequence[str] | None = None
    ) -> None:
        super().__init__(network, source)
        self._num_classes = network.output_shape[-1]
        self._labels = list(labels or map(str, range(self._num_classes)))
        self._top = min(_TOP, self._num_classes)
        self._crop = functools.partial(
            classifiers.crops, size=network.input_shape[1], channels=network.input_shape[-1]
        )

    def signatures(self) -> dict[str, Any]:  # noqa: D102
        labels = tf.constant(self._labels)

        @tf.function(
            autograph=False,
            input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, "image")],
        )
        def serving_default(image: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"scores": self._scores(self._crop(image))}

        @tf.function(
            autograph=False, input_signature=[tf.TensorSpec([None], tf.string, "image_bytes")]
        )
        def classify_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
            side = self.network.input_shape[1]

            def read(data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                image, error = graph_codecs.decode(
                    data, tf.constant(side), max_pixels=self.max_pixels, of=tf.reduce_min
                )
                return self._crop(image[None])[0], error

            cropped, failures = graph_codecs.each(read, image_bytes, like=(tf.float32, tf.string))
            cropped = tf.ensure_shape(cropped, [None, *self.network.input_shape[1:]])
            scores, indices = tf.math.top_k(self._scores(cropped), self._top)
            outputs = {"classes": tf.gather(labels, indices), "scores": scores}
            return graph_codecs.answers(outputs, failures)

        return {"serving_default": serving_default, self.bytes_signature: classify_bytes}

    def _scores(self, cropped: Any) -> tf.Tensor:
        return tf.nn.softmax(tf.cast(self.network(cropped, training=False), tf.float32))

    def tensors(self) -> dict[str, tuple[dict[str, Tensor], dict[str, Tensor]]]:  # noqa: D102
        image = Tensor(
            "float32", "[B, H, W, 3]", "RGB in [0, 1], of any size; its centred square is looked at"
        )
        return {
            "serving_default": (
                {"image": image},
                {"scores": Tensor("float32", f"[B, {self._num_classes}]", "probabilities")},
            ),
            self.bytes_signature: (
                {"image_bytes": IMAGE_BYTES},
                {
                    "classes": Tensor("string", f"[B, {self._top}]", "the likeliest, by name"),
                    "scores": Tensor("float32", f"[B, {self._top}]", "their probabilities"),
                    "error": ERROR,
                },
            ),
        }

    def calls(self) -> Iterator[Call]:  # noqa: D102
        for height, width, batch in ((64, 80, 2), (300, 231, 1)):
            inputs = {"image": smooth_picture(height, width, seed=height, batch=batch)}
            yield Call(f"{batch}x{height}x{width}", "serving_default", inputs)
        files = strings(
            images.encode_image(smooth_picture(200, 320, seed=0), ".png"),
            images.encode_image(smooth_picture(90, 70, seed=1), ".jpg"),
        )
        yield Call("PNG 200x320 and JPEG 90x70", self.bytes_signature, {"image_bytes": files})

    def expected(self, call: Call) -> dict[str, np.ndarray]:  # noqa: D102
        if call.signature == "serving_default":
            shown = np.split(call.inputs["image"], len(call.inputs["image"]))
        else:
            shown = [images.decode_image(data) for data in call.inputs["image_bytes"]]
        scores = np.stack(list(classifiers.classify(self.network, shown)))
        if call.signature == "serving_default":
            return {"scores": scores}
        order = np.argsort(-scores, axis=-1, kind="stable")[:, : self._top]
        names = np.array([label.encode() for label in self._labels], object)
        return {
            "classes": names[order],
            "scores": np.take_along_axis(scores, order, -1),
            "error": strings(*[b""] * len(scores)),
        }

    def picture_sizes(self) -> list[tuple[int, int, int]]:  # noqa: D102
        return [(*self.network.input_shape[1:3], 2)]

    def undecodable(self) -> tuple[Call, str] | None:  # noqa: D102
        good = images.encode_image(smooth_picture(16, 16, seed=0), ".png")
        call = Call("no picture", self.bytes_signature, {"image_bytes": strings(good, b"none")})
        return call, "that can be decoded"

    def portable(  # noqa: D102
        self, size: tuple[int, int] | None = None
    ) -> keras.Model:
        image = _image_input(self.network, size)
        scores = keras.layers.Softmax(name="softmax")(self.network(image))
        return keras.Model({"image": image}, {self.output: scores})

    def portable_inputs(self, picture: np.ndarray, index: int) -> dict[str, np.ndarray]:  # noqa: D102
        return {"image": picture}

    def portable_expected(self, inputs: Arrays) -> dict[str, np.ndarray]:  # noqa: D102
        return {self.output: self._scores(inputs["image"]).numpy()}


class FeatureExtractor(Servable):
    """A perceptual network: features of chosen layers, and their Gram matrices.

    Args:
        network: What :meth:`stylezoo.perceptual.Perceptual.build` returned.
        source: See :class:`Servable`.
        architecture: The name of its architecture.
        taps: The layers.
    """

    kind = "features"

    def __init__(
        self, network: keras.Model, source: str, architecture: str, taps: Sequence[str]
    ) -> None:
        super().__init__(network, source)
        self._architecture = architecture
        self.taps = tuple(taps)

    def signatures(self) -> dict[str, Any]:  # noqa: D102
        image = tf.TensorSpec([None, None, None, 3], tf.float32, "image")

        @tf.function(autograph=False, input_signature=[image])
        def features(image: tf.Tensor) -> dict[str, tf.Tensor]:
            return self.network(image, training=False)

        @tf.function(autograph=False, input_signature=[image])
        def gram(image: tf.Tensor) -> dict[str, tf.Tensor]:
            found = self.network(image, training=False)
            return {tap: ops.gram(each) for tap, each in found.items()}

        return {"serving_default": features, "features": features, "gram": gram}

    def tensors(self) -> dict[str, tuple[dict[str, Tensor], dict[str, Tensor]]]:  # noqa: D102
        image = {"image": Tensor("float32", "[B, H, W, 3]", "RGB in [0, 1], of any size")}
        infos = perceptual.tap_info(self._architecture)
        features = {
            tap: Tensor(
                "float32",
                f"[B, h, w, {infos[tap].channels}]",
                f"features, one every {infos[tap].stride} px",
            )
            for tap in self.taps
        }
        grams = {
            tap: Tensor(
                "float32",
                f"[B, {infos[tap].channels}, {infos[tap].channels}]",
                "Gram matrix, divided by h·w",
            )
            for tap in self.taps
        }
        default = {"serving_default": (image, features)}
        return {**default, "features": (image, features), "gram": (image, grams)}

    def calls(self) -> Iterator[Call]:  # noqa: D102
        for height, width, batch in self.picture_sizes()[:2]:
            inputs = {"image": smooth_picture(height, width, seed=height, batch=batch)}
            for signature in ("features", "gram"):
                yield Call(f"{batch}x{height}x{width}", signature, inputs)

    def expected(self, call: Call) -> dict[str, np.ndarray]:  # noqa: D102
        found = self.network(call.inputs["image"], training=False)
        finish = ops.gram if call.signature == "gram" else tf.identity
        return {tap: finish(each).numpy() for tap, each in found.items()}

    def picture_sizes(self) -> list[tuple[int, int, int]]:  # noqa: D102
        smallest = max(perceptual.tap_info(self._architecture)[t].minimum_size for t in self.taps)
        return [
            (max(height, smallest), max(width, smallest), batch)
            for height, width, batch in super().picture_sizes()
        ]

    def undecodable(self) -> tuple[Call, str] | None:  # noqa: D102
        return None

    def portable(  # noqa: D102
        self, size: tuple[int, int] | None = None
    ) -> keras.Model:
        if size is not None:
            with errors.renamed(image="image_size"):
                perceptual.check_image_size(*size, architecture=self._architecture, taps=self.taps)
        shape = (1, *size) if size else (None, None, None)
        image = keras.Input(batch_shape=(*shape, self.network.input_shape[-1]), name="image")
        return keras.Model({"image": image}, self.network(image))

    def portable_inputs(self, picture: np.ndarray, index: int) -> dict[str, np.ndarray]:  # noqa: D102
        return {"image": picture}

    def record(self) -> dict[str, Any]:  # noqa: D102
        return {**super().record(), "layers": list(self.taps)}


def _image_input(network: keras.Model, size: tuple[int, int] | None) -> Any:
    """Return the input of a classifier, which takes one size only."""
    shape = network.input_shape[1:]
    if size is not None and shape[:2] != size:
        raise ValueError(
            f"`image_size` must be {shape[0]}x{shape[1]} for this model. Received: {size[0]}x{size[1]}"
        )
    return keras.Input(batch_shape=(1 if size else None, *shape), name="image")
