"""Loops over a generator's weights: configurations, photographs, trainers, runs."""

from stylezoo.training.content import ContentConfig
from stylezoo.training.data import CropConfig, Photographs, centre_crops, crops, open_photographs
from stylezoo.training.loop import (
    DECAYS,
    DISTRIBUTIONS,
    PRECISIONS,
    Callback,
    LoopConfig,
    TrainingResult,
    train,
)
from stylezoo.training.style import StyleTraining, train_style
from stylezoo.training.superres import SuperresTraining, train_superres
from stylezoo.training.texture import TEXTURE_OBJECTIVE, TextureTraining, train_texture

__all__ = [
    "DECAYS",
    "DISTRIBUTIONS",
    "PRECISIONS",
    "TEXTURE_OBJECTIVE",
    "Callback",
    "ContentConfig",
    "CropConfig",
    "LoopConfig",
    "Photographs",
    "StyleTraining",
    "SuperresTraining",
    "TextureTraining",
    "TrainingResult",
    "centre_crops",
    "crops",
    "open_photographs",
    "train",
    "train_style",
    "train_superres",
    "train_texture",
]
