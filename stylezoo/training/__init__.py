"""Loops over weights, of generators and classifiers: configurations, pictures, trainers, runs."""

from stylezoo.training.augmentation import Augmentation, Views, colour_components
from stylezoo.training.classifier_training import (
    LABELS_FILE,
    MODEL_FILE,
    ClassifierResult,
    ClassifierTraining,
    read_labels,
    train_classifier,
)
from stylezoo.training.content_pictures import ContentConfig
from stylezoo.training.data import CropConfig, Photographs, centre_crops, crops, open_photographs
from stylezoo.training.labelled import LabelledConfig, LabelledPhotographs, open_labelled
from stylezoo.training.recipes import RECIPES, Recipe, recipe
from stylezoo.training.recognition import Predictions, confusion_picture, predict, scorer
from stylezoo.training.style_training import StyleTraining, train_style
from stylezoo.training.superres_training import SuperresTraining, train_superres
from stylezoo.training.tasks import TrainingResult
from stylezoo.training.texture_training import TEXTURE_OBJECTIVE, TextureTraining, train_texture
from stylezoo.training.trainer import (
    DECAYS,
    DISTRIBUTIONS,
    PRECISIONS,
    Callback,
    LoopConfig,
    StepDecay,
    train,
)

__all__ = [
    "DECAYS",
    "DISTRIBUTIONS",
    "LABELS_FILE",
    "MODEL_FILE",
    "PRECISIONS",
    "RECIPES",
    "TEXTURE_OBJECTIVE",
    "Augmentation",
    "Callback",
    "ClassifierResult",
    "ClassifierTraining",
    "ContentConfig",
    "CropConfig",
    "LabelledConfig",
    "LabelledPhotographs",
    "LoopConfig",
    "Photographs",
    "Predictions",
    "Recipe",
    "StepDecay",
    "StyleTraining",
    "SuperresTraining",
    "TextureTraining",
    "TrainingResult",
    "Views",
    "centre_crops",
    "colour_components",
    "confusion_picture",
    "crops",
    "open_labelled",
    "open_photographs",
    "predict",
    "read_labels",
    "recipe",
    "scorer",
    "train",
    "train_classifier",
    "train_style",
    "train_superres",
    "train_texture",
]
