"""Train a classifier on pictures with classes, or fine-tune a pretrained one.

Usage:
  stylezoo train_classifier --network=NETWORK --dataset=PICTURES --run=FOLDER [--flags]
  stylezoo train_classifier --init_weights=imagenet --network=squeezenet1_1 --dataset=PICTURES --run=FOLDER

PICTURES are a folder with a folder of pictures for each class; or a NumPy file such as Keras's mnist.npz;
or the name of a TensorFlow Datasets dataset, such as cifar10.

Random weights are trained by the recipe of the network's paper, which needs many pictures. With
--init_weights the recipe is one for fine-tuning on a small number of pictures, from a few dozen on: the
new last layer is trained alone first, then everything at a low rate. Flags replace single values of the
recipe; --epochs makes all of it shorter or longer.

Interrupted at any moment, the same command goes on from the last saved state and ends with the same
weights. FOLDER gets the configuration, the states, TensorBoard's events, sample pictures,
model.weights.h5 and labels.txt, the names of the classes. classify and evaluate_classifier take it as
--weights=FOLDER.
"""

import functools
from typing import TYPE_CHECKING

from absl import flags

from stylezoo.binaries.common import flag_checks, options, quiet, training_flags
from stylezoo.binaries.common.config_flags import ConfigFlags
from stylezoo.training.classifier_config import ClassifierTraining, LabelledConfig
from stylezoo.training.loop_config import LoopConfig

if TYPE_CHECKING:
    from stylezoo.training import Recipe

# The recipe decides what is not given.
_LOOP = ConfigFlags(LoopConfig, names={"num_steps": "steps"}, show_defaults=False)
_CONFIG = ConfigFlags(
    ClassifierTraining,
    skip=[
        "data.seed",  # the loop's
        "recipe.paper",
        *(f"recipe.{field}" for field in ("learning_rate", "batch_size", "decay", "clip_norm")),
        *(
            f"recipe.augmentation.{field}"
            for field in ("short_side", "area", "aspect", "test_short_side")
        ),
    ],
    show_defaults=False,
)


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    training_flags.define_run_flag(values)
    _LOOP.define(values)
    _CONFIG.define(values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "network", "dataset", "run")
    if values.steps is not None and values.epochs is not None:
        raise ValueError("`--steps` must not come with --epochs")
    data = LabelledConfig(values.dataset, **options.given(values, ["seed"]))
    config = _CONFIG.create(values, data=data, recipe=_recipe(values))
    is_sgd = config.recipe.optimizer == "sgd"
    flag_checks.needs(values, "momentum", "a recipe of SGD, and this one is of Adam", met=is_sgd)
    quiet.import_tensorflow()
    from stylezoo import training, weights

    pictures = config.data.open()
    loop = config.recipe.loop_config(len(pictures[0]), **_LOOP.given(values))
    train = functools.partial(training.train_classifier, pictures=pictures)
    training_flags.run_loop(values, train, config, loop)
    print(f"{values.run}/{weights.MODEL_FILE}")
    return 0


def _recipe(values: flags.FlagValues) -> "Recipe":
    """Return the recipe for training or fine-tuning the network, for as many epochs as are asked for."""
    from stylezoo import training

    choose = training.finetuning_recipe if values.init_weights else training.recipe
    recipe = choose(values.network)
    return recipe if values.epochs is None else recipe.lasting(values.epochs)
