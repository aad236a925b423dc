from .augmentation import Augmentation
from .classifier_config import ClassifierTraining, LabelledConfig
from .classifier_training import ClassifierResult, train_classifier
from .content_config import ContentConfig
from .data import CropConfig, Photographs, centre_crops, crops, open_photographs
from .labelled import LabelledPhotographs, open_labelled
from .loop_config import DECAYS, DISTRIBUTIONS, PRECISIONS, LoopConfig, Precision, StepDecay
from .painter_configs import StyleTraining, SuperresTraining, TextureTraining
from .prior_config import PriorTraining
from .prior_training import PriorResult, train_prior
from .recipes import RECIPES, Recipe, finetuning_recipe, recipe
from .recognition import Predictions, confusion_picture, predict, scorer
from .style_training import train_style
from .superres_training import train_superres
from .tasks import TrainingResult
from .texture_training import train_texture
from .trainer import train
from .views import Views, colour_components

__all__ = [
    "DECAYS",
    "DISTRIBUTIONS",
    "PRECISIONS",
    "RECIPES",
    "Augmentation",
    "ClassifierResult",
    "ClassifierTraining",
    "ContentConfig",
    "CropConfig",
    "LabelledConfig",
    "LabelledPhotographs",
    "LoopConfig",
    "Photographs",
    "Precision",
    "Predictions",
    "PriorResult",
    "PriorTraining",
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
    "finetuning_recipe",
    "open_labelled",
    "open_photographs",
    "predict",
    "recipe",
    "scorer",
    "train",
    "train_classifier",
    "train_prior",
    "train_style",
    "train_superres",
    "train_texture",
]
