"""Train a network that says what is on a picture.

Usage:
  stylezoo train_classifier --network=NETWORK --dataset=PICTURES --run=FOLDER [--flags]

PICTURES are a folder with a folder of pictures for each class; or a NumPy file such as Keras's mnist.npz;
or the name of a TensorFlow Datasets dataset, such as cifar10. How it is trained is the network's paper's
unless flags say otherwise; --epochs makes everything shorter or longer, its drops of the learning rate too.

Interrupted at any moment, the same command goes on from the last saved state and ends with the same
weights. FOLDER gets the configuration, the states, TensorBoard's events, sample pictures,
model.weights.h5 and labels.txt, the classes' names; see evaluate_classifier.
"""

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo.binaries.common import options, quiet, training_flags
from stylezoo.binaries.common.config_flags import ConfigFlags
from stylezoo.training.loop_config import LoopConfig

if TYPE_CHECKING:
    from stylezoo.training import LabelledConfig, Recipe

_RECIPE_FIELDS = (
    "optimizer",
    "momentum",
    "weight_decay",
    "learning_rate",
    "decay_epochs",
    "decay_factor",
    "auxiliary_weight",
)
_AUGMENTATION_FIELDS = ("flip", "max_shift", "colour_noise")

# The recipe decides what is not given.
_LOOP = ConfigFlags(LoopConfig, names={"num_steps": "steps"}, show_defaults=False)


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    training_flags.define_run_flag(values)
    flags.DEFINE_string(
        "init_weights",
        None,
        "Model to start from; its network must be the same.",
        flag_values=values,
    )
    _LOOP.define(values)
    flags.DEFINE_integer(
        "image_size",
        None,
        "Side of the pictures that are trained on, in pixels.",
        flag_values=values,
    )
    flags.DEFINE_string("network", None, "Architecture: lenet5, resnet18, ...", flag_values=values)
    define_data_flags(values)
    flags.DEFINE_string(
        "held_out",
        None,
        "The same, to try the network on; if not given, --validation_fraction of --dataset.",
        flag_values=values,
    )

    def number(name: str, text: str) -> None:
        flags.DEFINE_float(name, None, text, 0.0, flag_values=values)

    number("epochs", "How often every picture is seen (the paper's).")
    flags.DEFINE_enum("optimizer", None, ("sgd", "adam"), "The paper's: sgd.", flag_values=values)
    number("momentum", "Of sgd (0.9).")
    number("weight_decay", "Times the kernels, what is added to their gradients.")
    number("decay_epochs", "After how many epochs the learning rate drops, each time.")
    number("decay_factor", "To what part of itself it drops.")
    number("auxiliary_weight", "Of the losses of GoogLeNet's heads on the side (0.3).")
    number("max_shift", "By which part of its side a picture is moved at most.")
    number("colour_noise", "Shift of colours along their principal components, sigma.")
    flags.DEFINE_bool("flip", None, "Mirror every other picture.", flag_values=values)


def define_data_flags(values: flags.FlagValues) -> None:
    """The flags of every command that reads pictures with classes."""
    flags.DEFINE_string(
        "dataset",
        None,
        "A folder with a folder for each class, an .npz file, or a TensorFlow Datasets name; the split "
        "after a colon.",
        flag_values=values,
    )
    flags.DEFINE_float(
        "validation_fraction",
        None,
        "Part of every class that is held out, chosen by --seed; if not given, the dataset's own test "
        "part, or a fifth if it has none.",
        0.0,
        1.0,
        flag_values=values,
    )
    flags.DEFINE_string("data_dir", None, "Of TensorFlow Datasets.", flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; returns its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "network", "dataset", "run")
    if values.steps is not None and values.epochs is not None:
        raise ValueError("`--steps` must not come with --epochs")
    quiet.import_tensorflow()
    from stylezoo import training, weights

    recipe = _recipe(values)
    config = training.ClassifierTraining(
        network=values.network,
        data=data_config(values),
        recipe=recipe,
        **options.given(values, ("image_size", "init_weights")),
    )
    pictures = config.data.open()
    loop = recipe.loop_config(len(pictures[0]), **_LOOP.given(values))
    train = functools.partial(training.train_classifier, pictures=pictures)
    training_flags.run_loop(values, train, config, loop)
    print(f"{values.run}/{weights.MODEL_FILE}")
    return 0


def data_config(values: flags.FlagValues) -> "LabelledConfig":
    """What the flags say of the pictures."""
    from stylezoo.training import LabelledConfig

    fields = ["dataset", "validation_fraction", "data_dir", "seed"]
    if "held_out" in values:
        fields.append("held_out")
    return LabelledConfig(**options.given(values, fields))


def _recipe(values: flags.FlagValues) -> "Recipe":
    """The paper's, with the flags in its place."""
    from stylezoo import training

    recipe = training.recipe(values.network)
    if values.epochs is not None:
        recipe = recipe.lasting(values.epochs)
    varied: dict[str, Any] = options.given(values, _AUGMENTATION_FIELDS)
    return dataclasses.replace(
        recipe,
        augmentation=dataclasses.replace(recipe.augmentation, **varied),
        **options.given(values, _RECIPE_FIELDS),
    )
