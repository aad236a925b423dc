"""Training of decoders (Dosovitskiy & Brox 2016, "Generating Images with Perceptual Similarity Metrics").

The loss is that of pixels, of features of several networks, and of a discriminator. It differs from the paper
in the discriminator, which sees patches (Isola et al. 2017) and has the hinge loss (Lim & Ye 2017).
"""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stylezoo import errors, generators, images, losses
from stylezoo.generators import Decoder
from stylezoo.losses import Features
from stylezoo.objectives import TotalLoss
from stylezoo.perceptual import Perceptual
from stylezoo.progress import Callback
from stylezoo.training.content_pictures import Content
from stylezoo.training.loop_config import LoopConfig
from stylezoo.training.prior_config import PriorTraining
from stylezoo.training.tasks import without_folders
from stylezoo.training.trainer import scalar_seed, train

# Batches of photographs whose codes give the statistics of the code.
_STATISTICS_BATCHES = 64
_CRITIC_WIDTHS = (32, 64, 128)


@dataclasses.dataclass(frozen=True)
class PriorResult:
    """The result of a decoder's run.

    Attributes:
        decoder: The trained decoder, which is also in the preset ``model`` in the run's folder.
        skipped: The pictures that could not be read in this process, and why, by name.
    """

    decoder: Decoder
    skipped: Mapping[str, str]


def train_prior(
    config: PriorTraining, *, loop: LoopConfig, run: str, callback: Callback | None = None
) -> PriorResult:
    """Train a decoder of a classifier's features, or go on where a run stopped.

    Args:
        config: See :class:`PriorTraining`.
        loop: See :class:`~stylezoo.training.LoopConfig`.
        run: The run's folder.
        callback: See :func:`~stylezoo.training.trainer.train`.

    Raises:
        ValueError, OSError, FloatingPointError: As :func:`~stylezoo.training.trainer.train`.
        WeightsError: If a network's weights can't be had.
    """
    return train(
        functools.partial(_PriorTask, config),
        config=loop,
        describe=config.describe(),
        path=run,
        callback=callback,
    )


class _Networks(keras.Model):
    """The networks that are trained: a decoder and its discriminator."""

    def __init__(self, decoder: Decoder, critic: keras.Model) -> None:
        super().__init__()
        self.decoder = decoder
        self.critic = critic


class _PriorTask:
    """The task of training decoders; see :class:`~stylezoo.training.trainer.Task`."""

    def __init__(self, config: PriorTraining, loop: LoopConfig) -> None:
        self._config = config
        self._content = Content(config.content, loop)
        initial = _initial(config)  # before weights of networks are fetched
        self._networks = _networks(config)
        self._losses = {
            network: TotalLoss(
                [losses.ContentLoss(layers, scale="relative", name=network)],
                self._networks[network],
            )
            for network, layers in config.compared.items()
        }
        pixels = losses.ContentLoss(
            [losses.IMAGE], weight=config.pixel_weight, scale="relative", name="pixels"
        )
        self._pixels = TotalLoss([pixels], None)
        self._decoder = initial or self._new()
        record = without_folders({**config.describe(), "loop": loop.deciding()})
        self._decoder.training_record = record
        self.network = _Networks(self._decoder, _critic(config.content.image_size))
        self._evaluate = tf.function(self._evaluate_shown, autograph=False)

    def _new(self) -> Decoder:
        """Return a decoder of random weights."""
        decoder = Decoder(self._config.architecture)
        decoder.statistics.assign_statistics(self._some_codes())
        return decoder

    def _some_codes(self) -> np.ndarray:
        """Return the codes of some photographs, for the statistics of the code."""
        batches = self._content.batches(first_step=0, num_steps=_STATISTICS_BATCHES, shard=(0, 1))
        return np.concatenate([self._code(self._features(batch)).numpy() for batch in batches])

    def _code(self, features: Mapping[str, Features]) -> tf.Tensor:
        return tf.cast(features[self._config.network][self._config.layer], tf.float32)

    def _features(self, photographs: tf.Tensor) -> dict[str, Features]:
        """Return the features of photographs by network, the code among them."""
        return {
            name: {losses.IMAGE: photographs, **network(photographs)}
            for name, network in self._networks.items()
        }

    @property
    def variables(self) -> list[Any]:
        """The weights of the decoder and of the discriminator."""
        return self.network.trainable_variables

    @property
    def head_variables(self) -> list[Any]:
        """No variables: all weights are trained from the first step."""
        return []

    @property
    def head_steps(self) -> int:
        """0, since no steps train a head alone."""
        return 0

    def batches(
        self, *, first_step: int, num_steps: int, shard: tuple[int, int]
    ) -> tf.data.Dataset:
        """Return batches of photographs."""
        return self._content.batches(first_step=first_step, num_steps=num_steps, shard=shard)

    def loss(self, batch: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the decoder's loss plus the discriminator's, of which each changes its own weights."""
        photographs = _vary_colours(batch, self._config.colour_jitter, scalar_seed(seed))
        features = self._features(photographs)
        decoded = self._decoder(self._code(features), training=True)
        shares = self._compare(features, decoded)
        if self._config.adversarial_weight:
            zero = tf.zeros([])
            fooled, judged = tf.cond(
                seed[1] >= self._config.adversarial_from,
                lambda: self._oppose(photographs, decoded),
                lambda: (zero, zero),
            )
            shares |= {"adversarial": self._config.adversarial_weight * fooled, "critic": judged}
        return tf.add_n(list(shares.values())), shares

    def _compare(
        self, features: Mapping[str, Features], decoded: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Return the losses of decoded pictures against the features of the photographs."""
        shares: dict[str, tf.Tensor] = {}
        own = features[self._config.network]
        for loss, of_photographs in (
            (self._pixels, own),
            *((loss, features[network]) for network, loss in self._losses.items()),
        ):
            targets = {term.name: term.target(of_photographs) for term in loss.terms}
            shares |= loss(decoded, targets)[1]
        return shares

    def _oppose(self, photographs: tf.Tensor, decoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return how badly the decoder fools the discriminator, and how badly that one judges."""
        critic = self.network.critic
        constants = [tf.stop_gradient(variable.value) for variable in critic.variables]
        fooled, _ = critic.stateless_call(constants, [], decoded)
        real, fake = critic(photographs), critic(tf.stop_gradient(decoded))
        judged = tf.reduce_mean(tf.nn.relu(1.0 - real)) + tf.reduce_mean(tf.nn.relu(1.0 + fake))
        return -tf.reduce_mean(fooled), judged

    def held_out(self) -> tuple[dict[str, float], np.ndarray]:
        """Return the losses of held-out photographs, and these beside what is decoded of them."""
        decoded, values = self._evaluate()
        rows = zip(self._content.shown.numpy(), decoded.numpy(), strict=True)
        sheet = images.contact_sheet([each for row in rows for each in row], columns=4)
        return {name: float(value) for name, value in values.items()}, sheet

    def _evaluate_shown(self) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        features = self._features(self._content.shown)
        decoded = self._decoder(self._code(features), training=False)
        shares = self._compare(features, decoded)
        return decoded, {**shares, "total": tf.add_n(list(shares.values()))}

    def optimizer(self, learning_rate: Any) -> keras.optimizers.Optimizer:
        """Return Adam."""
        return keras.optimizers.Adam(learning_rate)

    def save(self, folder: pathlib.Path) -> None:
        """Write the preset ``model``."""
        self._decoder.save_to_preset(folder / "model", overwrite=True)

    def result(self) -> PriorResult:
        """Return the decoder, and the pictures that were skipped."""
        return PriorResult(self._decoder, self._content.skipped)


def _initial(config: PriorTraining) -> Decoder | None:
    """Return the decoder to start from; None for random weights."""
    if config.init_weights is None:
        return None
    with errors.renamed(model="init_weights"):
        decoder = generators.load_decoder(config.init_weights)
    if decoder.config != config.architecture:
        raise ValueError(
            f"`init_weights` must be a decoder of this architecture. Received: "
            f"{config.init_weights}, of {decoder.config.layer} of {decoder.config.network}"
        )
    return decoder


def _networks(config: PriorTraining) -> dict[str, keras.Model]:
    """Return the networks that look at pictures, by name; the classifier also gives the code."""
    taps = {**config.compared}
    taps[config.network] = (*taps.get(config.network, ()), config.layer)
    weights = {config.network: config.weights}
    return {
        name: Perceptual(name, weights.get(name, "imagenet")).build(layers)
        for name, layers in taps.items()
    }


def _critic(side: int) -> keras.Model:
    """Return the discriminator: a score of each patch of a picture of a side, px."""
    layers: list[Any] = [keras.Input([side, side, 3]), keras.layers.Rescaling(2.0, -1.0)]
    for width in _CRITIC_WIDTHS:
        layers.append(keras.layers.Conv2D(width, 4, 2, padding="same"))
        layers.append(keras.layers.LeakyReLU(negative_slope=0.2))
    layers.append(keras.layers.Conv2D(1, 3, padding="same", dtype="float32"))
    return keras.Sequential(layers, name="critic")


def _vary_colours(photographs: tf.Tensor, jitter: float, seed: tf.Tensor) -> tf.Tensor:
    """Multiply each colour of each picture by a random factor."""
    factors = tf.random.stateless_uniform(
        [photographs.shape[0], 1, 1, 3], tf.stack([seed, 1]), 1.0 - jitter, 1.0 + jitter
    )
    return tf.clip_by_value(photographs * factors, 0.0, 1.0)
