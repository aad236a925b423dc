"""How the papers trained their classifiers."""

import dataclasses
import math
from typing import Any

import keras

from stylezoo import classifiers
from stylezoo.training.augmentation import Augmentation
from stylezoo.training.loop_config import LoopConfig, StepDecay

OPTIMIZERS = ("sgd", "adam")

_PHOTOGRAPH = Augmentation(short_side=(256 / 224, 256 / 224), test_short_side=256 / 224)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a classifier is trained.

    Attributes:
        paper: where it is from.
        augmentation: of the pictures.
        optimizer: ``"sgd"``, with momentum, or ``"adam"``.
        momentum: of ``"sgd"``; v <- momentum · v - rate · gradient.
        weight_decay: times the kernels, what is added to their gradients; biases and normalisations
            have none.
        learning_rate: at the start.
        batch_size: pictures a step.
        epochs: how often every picture is seen.
        decay_epochs: after how many epochs the learning rate drops, again and again; None for never.
        decay_factor: to what part of itself.
        auxiliary_weight: of the losses of heads on the side.

    Raises:
        ValueError: for a value out of its range.
    """

    paper: str
    augmentation: Augmentation = _PHOTOGRAPH
    optimizer: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    learning_rate: float = 0.01
    batch_size: int = 256
    epochs: float = 90.0
    decay_epochs: float | None = None
    decay_factor: float = 0.1
    auxiliary_weight: float = 0.3

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"`optimizer` must be one of {', '.join(OPTIMIZERS)}. "
                f"Received: optimizer={self.optimizer!r}"
            )
        if not 0 <= self.momentum < 1:
            raise ValueError(f"`momentum` must be in [0, 1). Received: momentum={self.momentum}")
        for field in ("weight_decay", "auxiliary_weight"):
            if not 0 <= getattr(self, field) < math.inf:
                raise ValueError(f"`{field}` must be >= 0. Received: {getattr(self, field)}")
        for field in ("epochs", "decay_epochs"):
            value = getattr(self, field)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"`{field}` must be > 0. Received: {field}={value}")
        if not 0 < self.decay_factor <= 1:
            raise ValueError(
                f"`decay_factor` must be in (0, 1]. Received: decay_factor={self.decay_factor}"
            )

    def lasting(self, epochs: float) -> "Recipe":
        """The same in more or fewer epochs: drops come sooner or later by as much.

        Raises:
            ValueError: unless ``epochs`` > 0.
        """
        drops = self.decay_epochs and self.decay_epochs * epochs / self.epochs
        return dataclasses.replace(self, epochs=epochs, decay_epochs=drops)

    def loop_config(self, num_pictures: int, **fields: Any) -> LoopConfig:
        """The loop over so many pictures; ``fields`` are of the result and go before the recipe's.

        Raises:
            ValueError: as :class:`~stylezoo.training.LoopConfig`.
        """
        batch_size = fields.get("batch_size", self.batch_size)
        steps_an_epoch = num_pictures / max(batch_size, 1)
        decay: str | StepDecay = "none"
        if self.decay_epochs is not None:
            every = max(round(self.decay_epochs * steps_an_epoch), 1)
            decay = StepDecay(every, self.decay_factor)
        own = {
            "num_steps": max(math.ceil(self.epochs * steps_an_epoch), 1),
            "batch_size": batch_size,
            "learning_rate": self.learning_rate,
            "clip_norm": 0.0,
            "decay": decay,
        }
        return LoopConfig(**own | fields)

    def make_optimizer(self, learning_rate: Any) -> keras.optimizers.Optimizer:
        """Keras's, at a rate or a schedule of rates."""
        if self.optimizer == "adam":
            return keras.optimizers.Adam(learning_rate)
        return keras.optimizers.SGD(learning_rate, momentum=self.momentum)


# By the first part of an architecture's name. Papers that lowered the rate "when the error stopped
# improving" did it three times; here that is after every quarter.
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
# For architectures whose papers trained in another way.
_DEFAULT = dataclasses.replace(
    RECIPES["resnet"], paper="ResNet's, at a lower rate", learning_rate=0.04
)


def recipe(network: str) -> Recipe:
    """The recipe of an architecture's paper.

    Raises:
        ValueError: for an unknown architecture; the message lists the known ones.
    """
    name = classifiers.canonical(network)
    found = [each for family, each in RECIPES.items() if name.startswith(family)]
    return found[0] if found else _DEFAULT
