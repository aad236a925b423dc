"""Recipes: how the papers trained their classifiers, and how pretrained ones are fine-tuned."""

import dataclasses
import math
import typing
from typing import TYPE_CHECKING, Any, Literal

from stylezoo import classifiers
from stylezoo.training.augmentation import Augmentation
from stylezoo.training.loop_config import Decay, LoopConfig, StepDecay

if TYPE_CHECKING:
    import keras

Optimizer = Literal["sgd", "adam"]
OPTIMIZERS: tuple[Optimizer, ...] = typing.get_args(Optimizer)

_PHOTOGRAPH = Augmentation(short_side=(256 / 224, 256 / 224), test_short_side=256 / 224)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a classifier is trained.

    Attributes:
        paper: Source of the recipe.
        augmentation: How the pictures are varied.
        optimizer: Optimiser of the weights: ``"sgd"``, with momentum, or ``"adam"``.
        momentum: Momentum of ``"sgd"``: v <- momentum · v - rate · gradient.
        weight_decay: Weight decay. This times the kernels is added to the gradients of the kernels; biases
            and normalisations have none.
        learning_rate: Base learning rate.
        batch_size: Number of pictures in a step.
        epochs: Number of times that every picture is seen.
        decay_epochs: Epochs after which the learning rate drops, each time. By default, the rate
            follows ``decay`` instead.
        decay_factor: Factor by which the learning rate drops.
        decay: Decay of the learning rate without ``decay_epochs``; see
            :class:`~stylezoo.training.LoopConfig`.
        auxiliary_weight: Weight of the losses of GoogLeNet's auxiliary heads.
        clip_norm: Largest norm of the gradient, to which longer ones are scaled down; 0 for none.
        head_epochs: Epochs at the start in which only new, random layers of a pretrained network are
            trained, so that their large gradients don't destroy the pretrained ones.
        freeze_batch_norm: Whether the batch normalisations of a pretrained network stay as they are:
            they then normalise by their moving averages in training too. Statistics of a few
            pictures are worse.

    Raises:
        ValueError: If a value is out of its range.
    """

    paper: str
    augmentation: Augmentation = _PHOTOGRAPH
    optimizer: Optimizer = "sgd"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    learning_rate: float = 0.01
    batch_size: int = 256
    epochs: float = 90.0
    decay_epochs: float | None = None
    decay_factor: float = 0.1
    decay: Decay = "none"
    auxiliary_weight: float = 0.3
    clip_norm: float = 0.0
    head_epochs: float = 0.0
    freeze_batch_norm: bool = False

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"`optimizer` must be one of {', '.join(OPTIMIZERS)}. "
                f"Received: optimizer={self.optimizer!r}"
            )
        if not 0 <= self.momentum < 1:
            raise ValueError(f"`momentum` must be in [0, 1). Received: momentum={self.momentum}")
        for field in ("weight_decay", "auxiliary_weight", "head_epochs"):
            value = getattr(self, field)
            if not 0 <= value < math.inf:
                raise ValueError(f"`{field}` must be >= 0. Received: {field}={value}")
        for field in ("epochs", "decay_epochs"):
            value = getattr(self, field)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"`{field}` must be > 0. Received: {field}={value}")
        if not 0 < self.decay_factor <= 1:
            raise ValueError(
                f"`decay_factor` must be in (0, 1]. Received: decay_factor={self.decay_factor}"
            )

    def lasting(self, epochs: float) -> "Recipe":
        """Return the recipe for more or fewer epochs, its drops and head epochs scaled likewise.

        Raises:
            ValueError: If ``epochs`` is not > 0.
        """
        factor = epochs / self.epochs
        drops = self.decay_epochs and self.decay_epochs * factor
        head = self.head_epochs * factor
        return dataclasses.replace(self, epochs=epochs, decay_epochs=drops, head_epochs=head)

    def loop_config(self, num_pictures: int, **fields: Any) -> LoopConfig:
        """Return the configuration of the loop over a number of pictures.

        Args:
            num_pictures: The number of pictures of an epoch.
            **fields: Fields of the result that replace the recipe's.

        Raises:
            ValueError: As for :class:`~stylezoo.training.LoopConfig`.
        """
        batch_size = fields.get("batch_size", self.batch_size)
        steps_per_epoch = num_pictures / max(batch_size, 1)
        decay: Decay | StepDecay = self.decay
        if self.decay_epochs is not None:
            every = max(round(self.decay_epochs * steps_per_epoch), 1)
            decay = StepDecay(every, self.decay_factor)
        own = {
            "num_steps": max(math.ceil(self.epochs * steps_per_epoch), 1),
            "batch_size": batch_size,
            "learning_rate": self.learning_rate,
            "clip_norm": self.clip_norm,
            "decay": decay,
        }
        return LoopConfig(**own | fields)

    def make_optimizer(self, learning_rate: Any) -> "keras.optimizers.Optimizer":
        """Return Keras's optimiser for a learning rate or a schedule of rates."""
        import keras

        if self.optimizer == "adam":
            return keras.optimizers.Adam(learning_rate)
        return keras.optimizers.SGD(learning_rate, momentum=self.momentum)


RECIPES = {
    "lenet5": Recipe(
        "LeCun et al. 1998 had no momentum and a method of its own; this one is ours",
        Augmentation(max_shift=2 / 28, flip=False),
        weight_decay=5e-4,
        learning_rate=0.05,
        batch_size=64,
        epochs=16,
        decay_epochs=4,
        decay_factor=0.4,
    ),
    "alexnet": Recipe(
        "Krizhevsky et al. 2012, sections 4 and 5",
        dataclasses.replace(_PHOTOGRAPH, colour_noise=0.1),
        weight_decay=5e-4,
        batch_size=128,
        decay_epochs=22.5,
    ),
    "vgg": Recipe(
        "Simonyan & Zisserman 2015, section 3.1",
        dataclasses.replace(_PHOTOGRAPH, short_side=(256 / 224, 480 / 224), colour_noise=0.1),
        weight_decay=5e-4,
        epochs=74,
        decay_epochs=18.5,
    ),
    "googlenet": Recipe(
        "Szegedy et al. 2015, section 6; rate, weight decay and batches as Caffe's bvlc_googlenet",
        dataclasses.replace(_PHOTOGRAPH, area=(0.08, 1.0)),
        weight_decay=2e-4,
        batch_size=32,
        epochs=60,
        decay_epochs=8,
        decay_factor=0.96,
    ),
    "resnet": Recipe(
        "He et al. 2016, section 3.4; drops after 30 and 60 epochs of 90",
        dataclasses.replace(_PHOTOGRAPH, short_side=(256 / 224, 480 / 224), colour_noise=0.1),
        learning_rate=0.1,
        decay_epochs=30,
    ),
}
"""Recipes by the first part of an architecture's name.

Papers that lowered the rate "when the error stopped improving" did it three times; here that is
after every quarter.
"""

# Recipes of architectures whose papers trained in another way than the rest of their family.
_DEFAULT = dataclasses.replace(
    RECIPES["resnet"], paper="ResNet's, at a lower rate", learning_rate=0.04
)
_FINETUNED = dataclasses.replace(_PHOTOGRAPH, area=(0.25, 1.0))


def recipe(network: str) -> Recipe:
    """Return the recipe of an architecture's paper, for training from random weights.

    Raises:
        ValueError: If the architecture is unknown; the message lists the known ones.
    """
    name = classifiers.canonical(network)
    found = [each for family, each in RECIPES.items() if name.startswith(family)]
    return found[0] if found else _DEFAULT


def finetuning_recipe(network: str) -> Recipe:
    """Return the recipe for training a pretrained network further, on a small number of pictures.

    The new head is trained alone first, then everything, at a rate that falls to zero like a cosine.
    Batch normalisations stay as they are, gradients are clipped, and pictures are varied by crops of
    a quarter of their area or more (digits by shifts, as in their own recipe).

    Raises:
        ValueError: If the architecture is unknown; the message lists the known ones.
    """
    own = recipe(network)
    colour = classifiers.get(network).channels == 3
    return dataclasses.replace(
        own,
        paper="fine-tuning; ours",
        augmentation=_FINETUNED if colour else own.augmentation,
        learning_rate=0.01,
        batch_size=16,
        epochs=20.0,
        decay_epochs=None,
        decay="cosine",
        clip_norm=1.0,
        head_epochs=4.0,
        freeze_batch_norm=True,
    )
