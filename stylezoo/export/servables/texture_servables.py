"""Texture networks, as servers call them."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo import images
from stylezoo.export.limits import LARGEST_SIDE
from stylezoo.export.servables import graph_codecs
from stylezoo.export.servables.portable import check_size, portable_network, shapes_of
from stylezoo.export.servables.servable import Call, Servable, Tensor, strings
from stylezoo.generators import TextureNetwork


class TextureServable(Servable):
    """A painter of textures.

    Args:
        painter: The painter.
        source: See :class:`Servable`.
        card: Its model card, Markdown.
    """

    network: TextureNetwork

    kind = "textures"
    bytes_signature = "texture_bytes"
    output = "texture"

    def signatures(self) -> dict[str, Any]:  # noqa: D102
        seed = tf.TensorSpec([None], tf.int32, "seed")
        size = tf.TensorSpec([None, 2], tf.int32, "size")

        @tf.function(autograph=False, input_signature=[seed, size])
        def serving_default(seed: tf.Tensor, size: tf.Tensor) -> dict[str, tf.Tensor]:
            same = tf.debugging.Assert(
                tf.reduce_all(size == size[:1]), ["`size` must be the same in every row"]
            )
            with tf.control_dependencies([same]):
                size = tf.identity(size)
            return {"texture": graph_codecs.each(self._paint, seed, size, like=tf.float32)}

        @tf.function(autograph=False, input_signature=[seed, size])
        def texture_bytes(seed: tf.Tensor, size: tf.Tensor) -> dict[str, tf.Tensor]:
            def paint(seed: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
                return graph_codecs.encode(self._paint(seed, size))

            return {"texture_bytes": graph_codecs.each(paint, seed, size, like=tf.string)}

        return {"serving_default": serving_default, self.bytes_signature: texture_bytes}

    def _paint(self, seed: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        """Paint a texture, [H, W, 3], from a scalar seed and a size, [2]."""
        fits = tf.reduce_all((size >= 1) & (size <= LARGEST_SIDE))
        message = f"`size` must be 1 to {LARGEST_SIDE} px"
        with tf.control_dependencies([tf.debugging.Assert(fits, [message])]):
            height, width = tf.unstack(tf.identity(size))
        noise = self.network.noise((height, width), seed=seed)
        return self.network(noise, training=False)[0]

    def tensors(self) -> dict[str, tuple[dict[str, Tensor], dict[str, Tensor]]]:  # noqa: D102
        inputs = {
            "seed": Tensor("int32", "[B]", "the same seed gives the same texture"),
            "size": Tensor("int32", "[B, 2]", f"height and width, 1 to {LARGEST_SIDE} px"),
        }
        alike = {"size": Tensor("int32", "[B, 2]", inputs["size"].meaning + "; all rows alike")}
        return {
            "serving_default": (
                inputs | alike,
                {"texture": Tensor("float32", "[B, H, W, 3]", "RGB in [0, 1]")},
            ),
            self.bytes_signature: (
                inputs,
                {"texture_bytes": Tensor("string", "[B]", "JPEG files")},
            ),
        }

    def calls(self) -> Iterator[Call]:  # noqa: D102
        for height, width, seeds in ((64, 80, [1, 2]), (37, 53, [0]), (128, 64, [3])):
            yield Call(
                f"{len(seeds)}x{height}x{width}",
                "serving_default",
                _inputs(seeds, [(height, width)] * len(seeds)),
            )
        yield Call("64x64 and 40x90", self.bytes_signature, _inputs([0, 7], [(64, 64), (40, 90)]))

    def expected(self, call: Call) -> dict[str, np.ndarray]:  # noqa: D102
        textures = [
            self.network.paint(size=tuple(size), seed=int(seed))
            for seed, size in zip(call.inputs["seed"], call.inputs["size"].tolist(), strict=True)
        ]
        if call.signature == "serving_default":
            return {"texture": np.concatenate(textures)}
        files = [images.encode_image(each, ".jpg") for each in textures]
        return {"texture_bytes": strings(*files)}

    def undecodable(self) -> tuple[Call, str] | None:  # noqa: D102
        return Call("size 0", self.bytes_signature, _inputs([0], [(0, 64)])), "`size` must be 1"

    def portable(  # noqa: D102
        self, size: tuple[int, int] | None = None
    ) -> keras.Model:
        shapes = shapes_of(self.network)
        if size is not None:
            check_size(self.network, *size)
            noise = self.network.noise_shapes(*size)
            shapes = {name: (1, *shape) for name, shape in noise.items()}
        return portable_network(self.network, shapes, output=self.output)

    def portable_inputs(self, picture: np.ndarray, index: int) -> dict[str, np.ndarray]:  # noqa: D102
        noise = self.network.noise(picture.shape[1:3], batch=len(picture), seed=index)
        return {name: each.numpy() for name, each in noise.items()}


def _inputs(seeds: list[int], sizes: list[tuple[int, int]]) -> dict[str, np.ndarray]:
    return {"seed": np.array(seeds, np.int32), "size": np.array(sizes, np.int32)}
