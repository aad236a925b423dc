"""A painter of any style: Ghiasi et al. 2017."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo import errors, images
from stylezoo.generators.blending import Style, StyleMix, picture_shares
from stylezoo.generators.blocks import Blocks, entered, painted
from stylezoo.generators.configs import ArbitraryConfig
from stylezoo.generators.mobilenet import average_features
from stylezoo.generators.painter import Painter, checked_pictures

_VECTOR = "style_vector"


@keras.saving.register_keras_serializable("stylezoo")
class Arbitrary(Painter):
    """Ghiasi et al.'s network, which paints as any picture does: see :class:`ArbitraryConfig`.

    Inputs are a dict of ``image``, [B, H, W, 3] in [0, 1] of any size, and ``style_vector``,
    [B, vector_size]. The output is [B, H, W, 3] in [0, 1].

    A style is the path of a picture, ``"a.jpg:2,b.jpg:1"``, ``{"a.jpg": 2, "b.jpg": 1}``, or a
    picture, [H, W, 3] or [1, H, W, 3], float, in [0, 1]. A blend's vector is the mean of the pictures'
    vectors (section 3.3 of the paper); ``strength`` draws it towards the vector of the photograph
    itself.

    Attributes:
        predictor: The style-prediction network, a functional model: squares of ``config.style_size``
            px, [B, style_size, style_size, 3] in [0, 1], to their vectors.
    """

    config_type = ArbitraryConfig
    config: ArbitraryConfig

    def __init__(self, config: ArbitraryConfig, **options: Any) -> None:
        super().__init__(config, **options)
        # The predictor stands beside the painter's own layers, so that a style is looked at once for all
        # photographs and tiles. Keras saves and trains it as an attribute.
        self.predictor = _predictor(config)

    def style_vectors(self, pictures: Any) -> np.ndarray:
        """Return the vectors of pictures' styles.

        Args:
            pictures: [B, H, W, 3], float, in [0, 1]; the network sees their middles.

        Returns:
            [B, vector_size], float32.
        """
        return self.predict_vectors(tf.convert_to_tensor(pictures)).numpy()

    def predict_vectors(self, pictures: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """Return what :meth:`style_vectors` does as a tensor, in a traced function too."""
        squares = images.centre_square(pictures, self.config.style_size)
        return self.predictor(squares, training=training)

    def mix_styles(self, style: Style | None = None) -> StyleMix:
        """Look at the pictures whose styles are wanted; see :meth:`Painter.mix_styles`.

        Raises:
            OSError, ValueError: If a picture can't be read or is no picture, or if none is given.
        """
        if style is None:
            raise ValueError("`style` must be given: a picture, whatever its style")
        if isinstance(style, StyleMix):
            return style
        if isinstance(style, str | Mapping):
            shares = picture_shares(style)
            vectors = [self.style_vectors(images.read_image(path))[0] for path in shares]
            code = np.average(vectors, axis=0, weights=list(shares.values()))
            return StyleMix(shares, code.astype(np.float32))
        picture = np.asarray(style)
        with errors.renamed(image="style"):
            picture = checked_pictures(picture[None] if picture.ndim == 3 else picture)
        if len(picture) > 1:
            raise ValueError(f"`style` must be one picture. Received: shape={picture.shape}")
        return StyleMix({"picture": 1.0}, self.style_vectors(picture)[0])

    def inputs_for(
        self, image: Any, *, style: Any = None, seed: Any = 0, varied: bool = False
    ) -> dict[str, Any]:
        """Return all that the network takes to paint pictures; see :meth:`Painter.inputs_for`."""
        del seed, varied
        return {"image": image, _VECTOR: style}

    def _own_codes(self, pictures: np.ndarray) -> np.ndarray:
        return self.style_vectors(pictures)

    def parts(self) -> dict[str, keras.Model]:
        """Return itself and the style-prediction network; see :meth:`Painter.parts`."""
        return {"": self, "predictor/": self.predictor}

    @classmethod
    def _connect(cls, config: ArbitraryConfig) -> tuple[dict[str, Any], Any]:
        inputs = {
            "image": keras.Input([None, None, 3], name="image"),
            _VECTOR: keras.Input([config.vector_size], name=_VECTOR),
        }
        x = _transform(config, inputs["image"], inputs[_VECTOR])
        return inputs, painted(x, inputs["image"])


def _predictor(config: ArbitraryConfig) -> keras.Model:
    side = config.style_size
    picture = keras.Input([side, side, 3], name="style_image")
    batch = config.normalization == "batch"
    features = average_features(picture, width=config.prediction_width, batch=batch)
    vector = keras.layers.Dense(config.vector_size, dtype="float32", name=_VECTOR)(features)
    return keras.Model(picture, vector, name="predictor")


def _transform(config: ArbitraryConfig, image: Any, vector: Any) -> Any:
    """Paint as Johnson et al.'s network does, in the style that a vector describes."""
    contracting = Blocks(config.normalization, padding="reflect")
    styled = Blocks("predicted", padding="reflect", style=vector)
    full, half, quarter = config.widths
    x = entered(image, config.stride, mirrored=config.kernel // 2)
    x = contracting.conv(x, full, config.kernel, name="conv_in")
    x = contracting.conv(x, half, 3, strides=2, name="down1")
    x = contracting.conv(x, quarter, 3, strides=2, name="down2")
    for index in range(config.num_blocks):
        x = styled.residual(x, name=f"block{index + 1}")
    x = styled.upsample(x, half, kind="nearest", name="up1")
    x = styled.upsample(x, full, kind="nearest", name="up2")
    return styled.conv(x, 3, config.kernel, activate=False, name="conv_out")
