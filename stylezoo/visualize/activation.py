"""Activation maximisation, which is gradient ascent with priors (Simonyan 2014, Yosinski 2015, Olah 2017)."""

import math
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from stylezoo import classifiers, errors, generators, losses, perceptual
from stylezoo.losses import IMAGE, Features
from stylezoo.objectives import TotalLoss
from stylezoo.progress import Callback
from stylezoo.synthesis import (
    FourierImage,
    ImageParameter,
    MagnitudeConstrainedImage,
    OptimizationConfig,
    Pixels,
    SynthesisResult,
    optimize_image,
)
from stylezoo.synthesis.optimizers import Adam
from stylezoo.visualize import spectrum
from stylezoo.visualize.activation_config import ActivationConfig, GradientAscent
from stylezoo.visualize.codes import DecodedImage, initial_codes
from stylezoo.visualize.crops import random_crops
from stylezoo.visualize.priors import (
    Blur,
    ClipContribution,
    ClipNorm,
    Crops,
    Decay,
    Jitter,
    LearnedPrior,
    Padding,
    Regularizer,
    Rotation,
    Scale,
)
from stylezoo.visualize.rectifiers import with_rectifiers
from stylezoo.visualize.transforms import transform
from stylezoo.visualize.unit_scores import DiversityLoss, Score, ScoreLoss, check_score
from stylezoo.weights.input_scaling import IMAGENET_MEAN


class _RobustLoss(TotalLoss):
    """A loss whose network sees random transforms or crops of a picture; pixel terms see it as it is."""

    def __init__(
        self,
        terms: Sequence[losses.LossTerm],
        network: keras.Model,
        config: ActivationConfig,
    ) -> None:
        super().__init__(terms, network)
        self._config = config
        self._random = tf.random.Generator.from_seed(config.seed)
        self._calls = tf.Variable(0.0, trainable=False)

    def features(self, image: tf.Tensor) -> Features:
        """Return the features of what the network sees of the picture, and the picture as it is."""
        seen = transform(image, self._config.transforms, self._random)
        if self._config.crops and self._config.crops.count:
            progress = self._calls / max(self._config.steps - 1, 1)
            seen = random_crops(seen, self._config.crops, tf.minimum(progress, 1.0), self._random)
            self._calls.assign_add(1.0)
        return {**super().features(seen), IMAGE: tf.convert_to_tensor(image)}


def maximize(
    objective: Score,
    *,
    config: ActivationConfig,
    batch: int = 1,
    start: tf.Tensor | None = None,
    callback: Callback | None = None,
) -> SynthesisResult:
    """Make pictures with a high score.

    Args:
        objective: The score, which may look at another unit for each picture of the batch.
        config: See :class:`ActivationConfig`.
        batch: Number of pictures, which are made at once.
        start: [batch, H, W, 3] in [0, 1] to start from, in place of ``config.start`` and ``config.size``;
            codes of the decoder, [batch, h, w, C], where there is one.
        callback: Called after every step.

    Returns:
        The pictures and their losses, among which ``score`` is minus the mean score of the transformed
        pictures.

    Raises:
        ValueError: If the network lacks a layer or channel, or pictures are too small for it.
        WeightsError: If the network's weights can't be had, or lack the head that is asked for.
    """
    layers = objective.layers
    with errors.renamed(taps="layer"):
        perceptual.check_taps(config.network, layers, head=True)
    picture = parameter(config, batch, start)
    size = picture.image().shape[1:3]
    seen = (config.crops.seen,) * 2 if config.crops else size
    with errors.renamed(image="seen" if config.crops else "size"):
        perceptual.check_image_size(*seen, architecture=config.network, taps=layers)
    extra = (config.diversity_layer,) if config.diversity_weight and config.diversity_layer else ()
    network = perceptual.Perceptual(config.network, config.weights).build((*layers, *extra))
    check_score(objective, network.compute_output_shape((batch, *seen, 3)))
    loss = _RobustLoss(_terms(objective, config), with_rectifiers(network, "redirected"), config)
    result, _ = optimize_image(
        loss,
        picture,
        loss.targets({}),
        config=OptimizationConfig(config.optimizer, average_decay=config.average_decay),
        num_steps=config.steps,
        callback=callback,
    )
    return result


def scores(objective: Score, config: ActivationConfig, images: np.ndarray) -> np.ndarray:
    """Return the scores of finished pictures without transforms, [B] float32."""
    network = perceptual.Perceptual(config.network, config.weights).build(objective.layers)
    return np.asarray(objective(network(images)))


def ranks(judge: keras.Model, images: Sequence[np.ndarray], classes: Sequence[int]) -> np.ndarray:
    """Return the rank that another classifier gives the class of each picture.

    Args:
        judge: A classifier with a head, as :func:`stylezoo.classifiers.build` makes it.
        images: [H, W, 3] in [0, 1] each, which :func:`stylezoo.classifiers.classify` shows the judge.
        classes: The number of a class for each picture.

    Returns:
        [B] int; 1 for the likeliest class. Of equally likely classes each has the last rank.
    """
    probabilities = np.stack(list(classifiers.classify(judge, (image[None] for image in images))))
    own = np.take_along_axis(probabilities, np.asarray(classes)[:, None], axis=1)
    return np.asarray((probabilities >= own).sum(axis=1))


def initial(config: ActivationConfig, batch: int) -> tf.Tensor:
    """Return the pictures that ``config`` starts from, [batch, size, size, 3] in [0, 1]."""
    shape = [batch, config.size, config.size, 3]
    start = tf.broadcast_to(tf.constant(IMAGENET_MEAN), shape)
    if config.start == "grey":
        return start
    # Yosinski et al. 2015 draw noise from N(0, 10) for values of 0 to 255.
    noise = tf.random.stateless_normal(shape, seed=[config.seed, 0], stddev=10.0 / 255.0)
    return tf.clip_by_value(start + noise, 0.0, 1.0)


def parameter(
    config: ActivationConfig, batch: int, start: tf.Tensor | None = None
) -> ImageParameter:
    """Return the pictures to start from in the parametrisation of ``config``.

    Args:
        config: See :class:`ActivationConfig`.
        batch: Number of pictures.
        start: See :func:`maximize`.

    Raises:
        ValueError: If ``start`` is given for phases, which magnitudes of their own would not fit.
        OSError, WeightsError: If the decoder or its classifier's weights can't be had.
    """
    if config.prior:
        return _decoded(config, config.prior, batch, start)
    if config.parametrization == "maco":
        if start is not None:
            raise ValueError("`start` must not be given for the parametrisation maco")
        return _phases(config, batch)
    if start is None:
        start = initial(config, batch)
    if config.parametrization == "fourier":
        return FourierImage(start, exponent=config.exponent)
    return Pixels(start)


def _decoded(
    config: ActivationConfig, prior: LearnedPrior, batch: int, start: tf.Tensor | None
) -> DecodedImage:
    with errors.renamed(model="prior"):
        decoder = generators.load_decoder(prior.decoder)
    if start is None:
        start = initial_codes(decoder, config.start, batch=batch, seed=config.seed)
    return DecodedImage(decoder, start, size=config.size, prior=prior, seed=config.seed)


def _phases(config: ActivationConfig, batch: int) -> MagnitudeConstrainedImage:
    size = (config.size, config.size)
    magnitudes = spectrum.magnitudes(*size)
    phases = tf.zeros([batch, *magnitudes.shape])
    if config.start == "noise":
        phases = tf.random.stateless_uniform(phases.shape, [config.seed, 0], -math.pi, math.pi)
    return MagnitudeConstrainedImage(phases, magnitudes, size)


def _terms(objective: Score, config: ActivationConfig) -> list[losses.LossTerm]:
    """Return the loss terms: the score and the priors that have a weight."""
    terms: list[losses.LossTerm] = [ScoreLoss(objective)]
    if config.l2_weight:
        terms.append(losses.L2Loss(IMAGENET_MEAN, weight=config.l2_weight))
    if config.tv_weight:
        terms.append(losses.TotalVariationLoss(weight=config.tv_weight))
    if config.diversity_weight and config.diversity_layer:
        terms.append(DiversityLoss(config.diversity_layer, weight=config.diversity_weight))
    return terms


# These are larger than those of Olah et al.; with a scale of 0.1 and turns of 10° other networks recognise
# fewer pictures.
_ROBUST = (Padding(12), Jitter(48), Scale(0.5), Rotation(30))

_GENTLE = (Jitter(16), Scale(0.2), Rotation(10))

# The four sets of Yosinski et al. 2015, table 1.
_YOSINSKI: dict[str, tuple[Regularizer, ...]] = {
    "yosinski1": (Blur(0.5, 4), ClipNorm(50.0)),
    "yosinski2": (Decay(0.3), ClipNorm(20.0)),
    "yosinski3": (Decay(1e-4), Blur(1.0, 4)),
    "yosinski4": (Blur(0.5, 4), ClipContribution(90.0)),
}

PRESETS: dict[str, ActivationConfig] = {
    # Simonyan et al. 2014, section 2.
    "l2": ActivationConfig(
        parametrization="pixels",
        start="grey",
        optimizer=GradientAscent(0.01),
        l2_weight=1.0,
    ),
    **{
        name: ActivationConfig(
            parametrization="pixels",
            start="noise",
            optimizer=GradientAscent(0.01, regularizers),
            steps=500,
        )
        for name, regularizers in _YOSINSKI.items()
    },
    "robust": ActivationConfig(transforms=_ROBUST),
    # Fel et al. 2023, section 3; the sizes of crops, the noise and the rate are those of the authors' code.
    "maco": ActivationConfig(
        parametrization="maco", size=512, optimizer=Adam(learning_rate=0.3), crops=Crops()
    ),
    # Nguyen et al. 2016 have no transforms; without them other networks recognise fewer pictures.
    "decoder": ActivationConfig(
        parametrization="decoder",
        start="grey",
        optimizer=Adam(learning_rate=0.05),
        transforms=_GENTLE,
        prior=LearnedPrior(),
    ),
    # Nguyen et al. 2017.
    "ppgn": ActivationConfig(
        parametrization="decoder",
        start="noise",
        optimizer=Adam(learning_rate=0.05),
        transforms=_GENTLE,
        prior=LearnedPrior(decay=0.0, reconstruction=0.05, noise=0.02),
    ),
    # This is coarser, and averaged, for networks with noisy gradients, such as EfficientNet.
    "smooth": ActivationConfig(
        exponent=2.0,
        start="grey",
        optimizer=Adam(learning_rate=0.15),
        average_decay=0.95,
        transforms=_ROBUST,
    ),
}
"""Configurations of activation maximisation by name."""
