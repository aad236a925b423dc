"""Pictures that a decoder makes of codes, as what an optimiser changes; see :class:`LearnedPrior`."""

import functools

import keras
import tensorflow as tf

from stylezoo.generators import Decoder
from stylezoo.perceptual import Perceptual
from stylezoo.visualize.priors import LearnedPrior


class DecodedImage:
    """The codes of pictures, in standard deviations from the mean code, kept within bounds.

    Args:
        decoder: The decoder.
        codes: Codes to start from, [B, h, w, C].
        size: Side of the pictures, px, that the decoder's are resized to.
        prior: What is done to codes after each step.
        seed: Seed of the noise.
    """

    def __init__(
        self, decoder: Decoder, codes: tf.Tensor, *, size: int, prior: LearnedPrior, seed: int = 0
    ) -> None:
        self._decoder, self._size, self._prior = decoder, size, prior
        statistics = decoder.statistics
        low, high = statistics.bounds(prior.deviations)
        self._bounds = statistics(low), statistics(high)
        self._random = tf.random.Generator.from_seed(seed)
        self._encoder = encoder(decoder) if prior.reconstruction else None
        initial = tf.clip_by_value(statistics(codes), *self._bounds)
        self.variable = tf.Variable(initial, name="codes")

    def _decode(self) -> tf.Tensor:
        statistics = self._decoder.statistics
        return self._decoder(self.variable * statistics.deviation + statistics.mean)

    def image(self) -> tf.Tensor:
        """Return the pictures, [B, size, size, 3] in [0, 1]."""
        size = (self._size, self._size)
        enlarged = tf.image.resize(self._decode(), size, "bicubic")
        return tf.clip_by_value(enlarged, 0.0, 1.0)

    def project(self) -> None:
        """Do what the prior asks for after a step, and clip to the bounds."""
        prior = self._prior
        codes = (1.0 - prior.decay) * self.variable
        if self._encoder:
            seen = self._encoder(self._decode())[self._decoder.config.layer]
            codes += prior.reconstruction * (self._decoder.statistics(seen) - codes)
        if prior.noise:
            codes += self._random.normal(tf.shape(codes), 0.0, prior.noise)
        self.variable.assign(tf.clip_by_value(codes, *self._bounds))

    def free(self, gradient: tf.Tensor) -> tf.Tensor:
        """Return 0 at a bound that the step would cross, 1 elsewhere."""
        low, high = self._bounds
        held = ((self.variable <= low) & (gradient > 0)) | (
            (self.variable >= high) & (gradient < 0)
        )
        return 1.0 - tf.cast(held, tf.float32)


@functools.lru_cache(maxsize=2)
def encoder(decoder: Decoder) -> keras.Model:
    """Return the network whose features the decoder decodes: images -> {layer: code}.

    Raises:
        WeightsError: If the network's weights can't be had.
    """
    config = decoder.config
    return Perceptual(config.network, config.weights).build([config.layer])


def encode(decoder: Decoder, images: tf.Tensor) -> tf.Tensor:
    """Return the codes of pictures, [B, h, w, C].

    Args:
        decoder: The decoder of the codes.
        images: [B, H, W, 3] in [0, 1]; they are resized to the side of the decoder's pictures.

    Raises:
        WeightsError: As :func:`encoder`.
    """
    side = decoder.config.image_size
    resized = tf.image.resize(images, (side, side), antialias=True)
    codes: tf.Tensor = encoder(decoder)(resized)[decoder.config.layer]
    return codes


def invert(decoder: Decoder, image: tf.Tensor) -> tuple[tf.Tensor, float]:
    """Invert the features of a picture in one pass (Dosovitskiy & Brox 2016).

    Args:
        decoder: The decoder of the features.
        image: [1, H, W, 3] in [0, 1]; it is resized to the side of the decoder's pictures.

    Returns:
        The picture, [1, side, side, 3] in [0, 1], and how far its features are from those of ``image``: the
        squared difference over the squared features.

    Raises:
        WeightsError: As :func:`encoder`.
    """
    code = encode(decoder, image)
    picture = decoder(code)
    difference = tf.reduce_sum(tf.math.squared_difference(encode(decoder, picture), code))
    return picture, float(difference / tf.reduce_sum(tf.square(code)))


def initial_codes(decoder: Decoder, start: str, *, batch: int, seed: int) -> tf.Tensor:
    """Return codes to start from, [batch, h, w, C]: the mean code, or noise of its deviations about it."""
    statistics = decoder.statistics
    shape = [batch, *decoder.config.code]
    noise = tf.zeros(shape)
    if start == "noise":
        noise = tf.random.stateless_normal(shape, seed=[seed, 0])
    return noise * statistics.deviation + statistics.mean
