"""Pictures that drive a unit up: gradient ascent with priors (Simonyan 2014, Yosinski 2015, Olah 2017)."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from stylezoo import classifiers, errors, losses, perceptual
from stylezoo.losses import IMAGE, Features
from stylezoo.objectives import TotalLoss
from stylezoo.progress import Callback
from stylezoo.synthesis import (
    FourierImage,
    ImageParameter,
    OptimizationConfig,
    Pixels,
    SynthesisResult,
    optimize_image,
)
from stylezoo.synthesis.optimizers import Adam, OptimizerConfig
from stylezoo.visualize import ascent
from stylezoo.visualize.ascent import GradientAscent
from stylezoo.visualize.rectifiers import with_rectifiers
from stylezoo.visualize.transforms import Jitter, Padding, Rotation, Scale, Transform, transform
from stylezoo.visualize.unit_scores import DiversityLoss, Objective, ScoreLoss, check_objective
from stylezoo.weights.input_scaling import IMAGENET_MEAN

PARAMETRIZATIONS = ("pixels", "fourier")
STARTS = ("grey", "noise")


@dataclasses.dataclass(frozen=True)
class ActivationConfig:
    """Everything that decides a picture but its objective.

    Attributes:
        network: architecture.
        weights: see :func:`stylezoo.perceptual.perceptual_network`.
        size: of the square pictures, px.
        parametrization: what is optimised: ``"pixels"`` or ``"fourier"`` coefficients.
        exponent: Fourier coefficients are scaled by frequency^-exponent: smoother with more.
        start: ``"grey"``, ImageNet's mean colour, or ``"noise"`` about it.
        optimizer: Adam, or :class:`~stylezoo.visualize.GradientAscent` with its regularisers, which are
            functions of pixels.
        steps: of it.
        average_decay: the result is the moving average of the pictures with this decay, in which what the
            random transforms do to single steps cancels; 0 for the last picture.
        transforms: that a picture must survive; see :mod:`stylezoo.visualize.transforms`.
        l2_weight: of the mean square of the difference to the mean colour.
        tv_weight: of the total variation.
        diversity_weight: of the likeness of the pictures of one batch.
        diversity_layer: to which they shall look different.
        seed: of everything random.
    """

    network: str = "efficientnet_lite0"
    weights: str = "imagenet"
    size: int = 224
    parametrization: str = "fourier"
    exponent: float = 1.0
    start: str = "noise"
    optimizer: OptimizerConfig = Adam(learning_rate=0.05)
    steps: int = 256
    average_decay: float = 0.0
    transforms: tuple[Transform, ...] = ()
    l2_weight: float = 0.0
    tv_weight: float = 0.0
    diversity_weight: float = 0.0
    diversity_layer: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, known in (
            ("parametrization", self.parametrization, PARAMETRIZATIONS),
            ("start", self.start, STARTS),
        ):
            if value not in known:
                raise ValueError(f"`{name}` must be one of {', '.join(known)}. Received: {value}")
        if self.size < 1:
            raise ValueError(f"`size` must be >= 1. Received: size={self.size}")
        if self.parametrization != "pixels" and isinstance(self.optimizer, GradientAscent):
            raise ValueError(
                "`parametrization` must be pixels for gradient ascent with regularisers"
            )

    def resolved(self) -> "ActivationConfig":
        """What is in force: this."""
        return self


class _RobustLoss(TotalLoss):
    """A loss whose network sees the picture through transforms; pixel terms see it as it is."""

    def __init__(
        self,
        terms: Sequence[losses.LossTerm],
        network: keras.Model,
        transforms: Sequence[Transform],
        seed: int,
    ) -> None:
        super().__init__(terms, network)
        self._transforms = tuple(transforms)
        self._random = tf.random.Generator.from_seed(seed)

    def features(self, image: tf.Tensor) -> Features:
        """Those of the picture after the transforms, and the picture before them."""
        seen = transform(image, self._transforms, self._random)
        return {**super().features(seen), IMAGE: tf.convert_to_tensor(image)}


def maximize(
    objective: Objective,
    *,
    config: ActivationConfig,
    batch: int = 1,
    start: tf.Tensor | None = None,
    callback: Callback | None = None,
) -> SynthesisResult:
    """Pictures with a high score.

    Args:
        objective: the score; may be another one for each picture of the batch.
        config: see :class:`ActivationConfig`.
        batch: how many pictures, all at once.
        start: [batch, H, W, 3] in [0, 1] to start from, in place of ``config.start`` and ``config.size``.
        callback: called after every step.

    Returns:
        The pictures; of the losses ``score`` is minus the mean score of the transformed pictures.

    Raises:
        ValueError: if the network lacks a layer or channel, or pictures are too small for it.
        WeightsError: if the network's weights can't be had, or lack the head that is asked for.
    """
    layers = objective.layers
    with errors.renamed(taps="layer"):
        perceptual.check_taps(config.network, layers, head=True)
    if start is None:
        start = initial(config, batch)
    size = start.shape[1], start.shape[2]
    with errors.renamed(image="size"):
        perceptual.check_image_size(*size, architecture=config.network, taps=layers)
    extra = (config.diversity_layer,) if config.diversity_weight and config.diversity_layer else ()
    network = perceptual.perceptual_network(
        config.network, (*layers, *extra), weights=config.weights
    )
    check_objective(objective, network.compute_output_shape((batch, *size, 3)))
    loss = _RobustLoss(
        _terms(objective, config),
        with_rectifiers(network, "redirected"),
        config.transforms,
        config.seed,
    )
    result, _ = optimize_image(
        loss,
        parameter(config, start),
        loss.targets({}),
        config=OptimizationConfig(config.optimizer, average_decay=config.average_decay),
        num_steps=config.steps,
        callback=callback,
    )
    return result


def scores(objective: Objective, config: ActivationConfig, images: np.ndarray) -> np.ndarray:
    """The scores of finished pictures, seen without transforms, [B] float32."""
    network = perceptual.perceptual_network(
        config.network, objective.layers, weights=config.weights
    )
    return np.asarray(objective(network(images)))


def ranks(judge: keras.Model, images: Sequence[np.ndarray], classes: Sequence[int]) -> np.ndarray:
    """How high another classifier ranks the class of each picture.

    Args:
        judge: of :func:`stylezoo.classifiers.build`, with a head.
        images: [H, W, 3] in [0, 1] each; seen as :func:`stylezoo.classifiers.classify` does.
        classes: one for each picture.

    Returns:
        [B] int, from 1, the likeliest; classes that are as likely are counted before it.
    """
    probabilities = np.stack(list(classifiers.classify(judge, (image[None] for image in images))))
    own = np.take_along_axis(probabilities, np.asarray(classes)[:, None], axis=1)
    return np.asarray((probabilities >= own).sum(axis=1))


def initial(config: ActivationConfig, batch: int) -> tf.Tensor:
    """What ``config`` starts from, [batch, size, size, 3] in [0, 1]."""
    shape = [batch, config.size, config.size, 3]
    start = tf.broadcast_to(tf.constant(IMAGENET_MEAN), shape)
    if config.start == "grey":
        return start
    # 0-255 noise of N(0, 10), as in Yosinski et al. 2015.
    noise = tf.random.stateless_normal(shape, seed=[config.seed, 0], stddev=10.0 / 255.0)
    return tf.clip_by_value(start + noise, 0.0, 1.0)


def parameter(config: ActivationConfig, start: tf.Tensor) -> ImageParameter:
    """The parametrisation of ``config``, of the pictures ``start``."""
    if config.parametrization == "fourier":
        return FourierImage(start, exponent=config.exponent)
    return Pixels(start)


def _terms(objective: Objective, config: ActivationConfig) -> list[losses.LossTerm]:
    terms: list[losses.LossTerm] = [ScoreLoss(objective)]
    if config.l2_weight:
        terms.append(losses.L2Loss(IMAGENET_MEAN, weight=config.l2_weight))
    if config.tv_weight:
        terms.append(losses.TotalVariationLoss(weight=config.tv_weight))
    if config.diversity_weight and config.diversity_layer:
        terms.append(DiversityLoss(config.diversity_layer, weight=config.diversity_weight))
    return terms


# Larger than those of Olah et al.: with a scale of 0.1 and turns of 10° fewer are recognised by others.
_ROBUST = (Padding(12), Jitter(48), Scale(0.5), Rotation(30))

PRESETS: dict[str, ActivationConfig] = {
    # Simonyan et al. 2014, section 2.
    "l2": ActivationConfig(
        parametrization="pixels",
        start="grey",
        optimizer=GradientAscent(0.01),
        l2_weight=1.0,
    ),
    **{
        f"yosinski{index + 1}": ActivationConfig(
            parametrization="pixels",
            start="noise",
            optimizer=GradientAscent(0.01, tuple(ascent.published(index))),
            steps=500,
        )
        for index in range(4)
    },
    "robust": ActivationConfig(transforms=_ROBUST),
    # For networks whose gradients are noisy, such as EfficientNet's: coarser, and averaged.
    "smooth": ActivationConfig(
        exponent=2.0,
        start="grey",
        optimizer=Adam(learning_rate=0.15),
        average_decay=0.95,
        transforms=_ROBUST,
    ),
}
