"""Networks that paint photographs, as servers call them."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo import images
from stylezoo.export.limits import DEFAULT_MAX_SIDE, LARGEST_SIDE
from stylezoo.export.servables import graph_codecs
from stylezoo.export.servables.portable import check_size, portable_network, shapes_of
from stylezoo.export.servables.servable import (
    Call,
    Servable,
    Tensor,
    smooth_picture,
    strings,
)
from stylezoo.generators import Painter

_IMAGE = Tensor("float32", "[B, H, W, 3]", "RGB in [0, 1], of any size")
IMAGE_BYTES = Tensor("string", "[B]", "JPEG, PNG, GIF or BMP files, each of its own size")
MAX_SIDE = Tensor(
    "int32",
    "[B], [1] or []",
    f"longest side, px, to which larger pictures are reduced: {DEFAULT_MAX_SIDE} if not "
    f"given, at most {LARGEST_SIDE}",
)


ERROR = Tensor(
    "string", "[B]", "why a row failed, empty where it did not; a row alone fails as a whole"
)
_BAD_WEIGHTS = "`style_weights` must be finite, >= 0, not all 0"


class PhotographServable(Servable):
    """A painter of photographs; its noise, if it has any, is always the same.

    Args:
        painter: The painter.
        source: See :class:`Servable`.
        card: Its model card, Markdown.
    """

    network: Painter

    kind = "photographs"
    bytes_signature = "stylize_bytes"
    output = "stylized"
    # Not the sums of residuals at a quarter of the size, on which 8 bits lose most, nor what is at full size.
    eight_bits = r"_conv2|eighth_"

    def __init__(self, painter: Painter, source: str, card: str | None = None) -> None:
        super().__init__(painter, source, card)
        self._num_styles = painter.config.num_styles
        self.num_styles = max(self._num_styles, 1)

    def signatures(self) -> dict[str, Any]:  # noqa: D102
        image = tf.TensorSpec([None, None, None, 3], tf.float32, "image")
        data = tf.TensorSpec([None], tf.string, "image_bytes")
        # The rank is unknown: there is one for all pictures, or one for each where a server makes a batch.
        side = tf.TensorSpec(None, tf.int32, "max_side")
        default = tf.constant([DEFAULT_MAX_SIDE])
        if not self._num_styles:

            @tf.function(autograph=False, input_signature=[image])
            def serving_default(image: tf.Tensor) -> dict[str, tf.Tensor]:
                return {"stylized": self._paint(_filled(image))}

            @tf.function(autograph=False, input_signature=[data, side])
            def stylize_bytes(
                image_bytes: tf.Tensor, max_side: tf.Tensor = default
            ) -> dict[str, tf.Tensor]:
                return self._paint_files(image_bytes, max_side)

        else:
            weights = tf.TensorSpec([None, self._num_styles], tf.float32, "style_weights")

            @tf.function(autograph=False, input_signature=[image, weights])
            def serving_default(image: tf.Tensor, style_weights: tf.Tensor) -> dict[str, tf.Tensor]:
                return {"stylized": self._paint(_filled(image), _checked(style_weights))}

            @tf.function(autograph=False, input_signature=[data, weights, side])
            def stylize_bytes(
                image_bytes: tf.Tensor, style_weights: tf.Tensor, max_side: tf.Tensor = default
            ) -> dict[str, tf.Tensor]:
                return self._paint_files(image_bytes, max_side, style_weights)

        return {"serving_default": serving_default, self.bytes_signature: stylize_bytes}

    def _paint(self, image: Any, style_weights: Any = None) -> tf.Tensor:
        """Paint [B, H, W, 3] each in its style, [B, num_styles]."""
        if style_weights is not None:
            style_weights = tf.convert_to_tensor(style_weights)
        inputs = self.network.inputs_for(tf.convert_to_tensor(image), style=style_weights)
        return self.network(inputs, training=False)

    def _paint_files(
        self, image_bytes: tf.Tensor, max_side: tf.Tensor, *style_weights: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Paint files, [B], into files, [B], or say row by row why not."""
        batch = tf.shape(image_bytes)

        def paint(data: tf.Tensor, side: tf.Tensor, *weights: tf.Tensor) -> Any:
            wrong = graph_codecs.first_error(
                (side >= 1, "`max_side` must be >= 1"),
                *((_are_weights(each), _BAD_WEIGHTS) for each in weights),
            )
            side = tf.clip_by_value(side, 1, LARGEST_SIDE)
            image, bad_file = graph_codecs.decode(data, side, max_pixels=self.max_pixels)
            error = tf.where(tf.equal(wrong, ""), bad_file, wrong)
            # Outside of the branch, since what a branch is given stays in memory until its end.
            shown = graph_codecs.limit(image, side)[None]

            def painted() -> tf.Tensor:
                return graph_codecs.encode(self._paint(shown, *(each[None] for each in weights))[0])

            return tf.cond(tf.equal(error, ""), painted, lambda: tf.constant("")), error

        files, errors = graph_codecs.each(
            paint,
            image_bytes,
            tf.broadcast_to(max_side, batch),
            *style_weights,
            like=(tf.string, tf.string),
        )
        return graph_codecs.answers({"stylized_bytes": files}, errors)

    def tensors(self) -> dict[str, tuple[dict[str, Tensor], dict[str, Tensor]]]:  # noqa: D102
        weights = {}
        if self._num_styles:
            weights["style_weights"] = Tensor(
                "float32",
                f"[B, {self._num_styles}]",
                "how much of each style, of sum 1 for each picture",
            )
        return {
            "serving_default": (
                {"image": _IMAGE, **weights},
                {"stylized": Tensor("float32", "[B, H, W, 3]", "RGB in [0, 1]")},
            ),
            self.bytes_signature: (
                {"image_bytes": IMAGE_BYTES, **weights, "max_side": MAX_SIDE},
                {
                    "stylized_bytes": Tensor("string", "[B]", "JPEG files, empty where one failed"),
                    "error": ERROR,
                },
            ),
        }

    def calls(self) -> Iterator[Call]:  # noqa: D102
        for height, width, batch in self.picture_sizes():
            inputs = {"image": smooth_picture(height, width, seed=height, batch=batch)}
            yield Call(
                f"{batch}x{height}x{width}",
                "serving_default",
                inputs | self._weights(batch, seed=height),
            )
        files = strings(
            images.encode_image(smooth_picture(48, 72, seed=0), ".png"),
            images.encode_image(smooth_picture(120, 90, seed=1), ".jpg"),
        )
        # Each input has a row for each picture. A server that batches requests refuses others, and refuses a
        # model whose warm-up has them.
        side = np.array([64, 64], np.int32)
        yield Call(
            "PNG 48x72 and JPEG 120x90 reduced to 64",
            self.bytes_signature,
            {"image_bytes": files, "max_side": side} | self._weights(2, seed=0),
        )
        yield Call(
            "`max_side` left out",
            self.bytes_signature,
            {"image_bytes": files[:1]} | self._weights(1, seed=1),
        )

    def _weights(self, batch: int, *, seed: int) -> dict[str, np.ndarray]:
        if not self._num_styles:
            return {}
        drawn = np.random.default_rng(seed).dirichlet(np.ones(self._num_styles), batch)
        return {"style_weights": drawn.astype(np.float32)}

    def expected(self, call: Call) -> dict[str, np.ndarray]:  # noqa: D102
        weights = call.inputs.get("style_weights")
        if call.signature == "serving_default":
            return {"stylized": self._paint(call.inputs["image"], weights).numpy()}
        side = int(np.ravel(call.inputs.get("max_side", DEFAULT_MAX_SIDE))[0])
        painted = []
        for index, data in enumerate(call.inputs["image_bytes"]):
            image = images.decode_image(data)
            if max(image.shape[1:3]) > side:
                image = images.resize_longest_side(image, side)
            row = None if weights is None else weights[index : index + 1]
            painting = self._paint(image, row).numpy()
            painted.append(images.encode_image(painting, ".jpg"))
        return {"stylized_bytes": strings(*painted), "error": strings(*[b""] * len(painted))}

    def undecodable(self) -> tuple[Call, str] | None:  # noqa: D102
        good = images.encode_image(smooth_picture(16, 16, seed=0), ".jpg")
        inputs = {"image_bytes": strings(good, good[: len(good) // 2])}
        call = Call(
            "truncated JPEG",
            self.bytes_signature,
            inputs | self._weights(2, seed=0) | {"max_side": np.array([64, 64], np.int32)},
        )
        return call, "that can be decoded"

    def portable(  # noqa: D102
        self, size: tuple[int, int] | None = None
    ) -> keras.Model:
        shapes = shapes_of(self.network)
        if size is not None:
            check_size(self.network, *size)
            inputs = self.portable_inputs(np.zeros([1, *size, 3], np.float32), 0)
            shapes = {name: each.shape for name, each in inputs.items()}
        return portable_network(self.network, shapes, output=self.output)

    def portable_inputs(self, picture: np.ndarray, index: int) -> dict[str, np.ndarray]:  # noqa: D102
        # Each style is used alone, one after the other.
        rows = (index + np.arange(len(picture))) % self.num_styles
        weights = np.eye(self.num_styles, dtype=np.float32)[rows]
        inputs = self.network.inputs_for(picture, style=weights)
        return {name: np.asarray(each) for name, each in inputs.items()}

    def record(self) -> dict[str, Any]:  # noqa: D102
        return {**super().record(), "styles": list(self.network.style_rows)}


def _are_weights(weights: tf.Tensor) -> tf.Tensor:
    """Return whether the last axis has finite weights, >= 0, not all of them 0."""
    total = tf.reduce_sum(weights, axis=-1)
    return tf.reduce_all(weights >= 0, axis=-1) & (total > 0) & tf.math.is_finite(total)


def _checked(weights: tf.Tensor) -> tf.Tensor:
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.reduce_all(_are_weights(weights)), [_BAD_WEIGHTS])]
    ):
        return tf.identity(weights)


def _filled(image: tf.Tensor) -> tf.Tensor:
    """Return images, or fail if there are none."""
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.size(image) > 0, ["`image` must have pixels"])]
    ):
        return tf.identity(image)
