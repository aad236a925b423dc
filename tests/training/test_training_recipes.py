"""How the papers trained, in numbers."""

import dataclasses
import math

import keras
import pytest

from stylezoo import classifiers, training
from stylezoo.training import RECIPES, StepDecay, finetuning_recipe, recipe, trainer

IMAGENET = 1_281_167


def rates(config, epochs, *, num_pictures=IMAGENET):
    """The learning rate in the middle of epochs, counted from 0."""
    schedule = trainer._schedule(config)
    steps_an_epoch = num_pictures / config.batch_size
    return [float(schedule(int((epoch + 0.5) * steps_an_epoch))) for epoch in epochs]


@pytest.mark.parametrize(
    ("network", "batch_size", "weight_decay", "start", "drops"),
    [
        ("alexnet", 128, 5e-4, 0.01, {21: 1, 23: 0.1, 46: 0.01, 89: 0.001}),
        ("vgg_d", 256, 5e-4, 0.01, {17: 1, 19: 0.1, 38: 0.01, 73: 0.001}),
        ("googlenet", 32, 2e-4, 0.01, {7: 1, 8: 0.96, 16: 0.96**2, 59: 0.96**7}),
        ("resnet50", 256, 1e-4, 0.1, {29: 1, 30: 0.1, 59: 0.1, 60: 0.01, 89: 0.01}),
    ],
)
def test_papers(network, batch_size, weight_decay, start, drops):
    found = recipe(network)
    config = found.loop_config(IMAGENET)
    assert (config.batch_size, found.weight_decay) == (batch_size, weight_decay)
    assert (found.optimizer, found.momentum, config.clip_norm) == ("sgd", 0.9, 0)
    assert config.num_steps * batch_size == pytest.approx(found.epochs * IMAGENET, abs=batch_size)
    expected = [start * factor for factor in drops.values()]
    assert rates(config, drops) == pytest.approx(expected, rel=1e-5)


def test_augmentations():
    assert recipe("alexnet").augmentation.colour_noise == 0.1
    assert recipe("vgg16").augmentation.short_side == (256 / 224, 480 / 224)
    assert recipe("resnet18").augmentation.short_side == (256 / 224, 480 / 224)
    assert recipe("googlenet_bn").augmentation.area == (0.08, 1.0)
    assert recipe("googlenet").auxiliary_weight == 0.3
    assert not recipe("lenet5").augmentation.flip  # a mirrored 2 is none


def test_every_architecture_has_one():
    for name in classifiers.list_models():
        found = recipe(name)
        family = next((each for each in RECIPES if name.startswith(each)), None)
        if family:
            assert found is RECIPES[family], name
        else:
            assert (found.learning_rate, found.weight_decay) == (0.04, 1e-4), name
        # Every picture is seen as often as the recipe says, in batches of its size.
        steps = found.loop_config(1000).num_steps
        assert steps == math.ceil(found.epochs * 1000 / found.batch_size), name
    with pytest.raises(ValueError, match=r"must be one of .*vgg99"):
        recipe("vgg99")


def test_shorter():
    config = recipe("resnet18").lasting(9).loop_config(2560)
    assert config.num_steps == 90
    assert config.decay == StepDecay(30, 0.1)
    config = recipe("resnet18").lasting(0.001).loop_config(10, batch_size=4, seed=3)
    assert (config.num_steps, config.batch_size, config.seed) == (1, 4, 3)
    assert config.decay == StepDecay(1, 0.1)
    # Batches of another size see as many pictures.
    assert recipe("resnet18").lasting(9).loop_config(2560, batch_size=64).num_steps == 360
    # What is asked for goes before the recipe.
    config = recipe("lenet5").loop_config(100, num_steps=7, learning_rate=0.5, decay="cosine")
    assert (config.num_steps, config.learning_rate, config.decay) == (7, 0.5, "cosine")
    constant = dataclasses.replace(RECIPES["lenet5"], decay_epochs=None)
    assert constant.lasting(3).loop_config(100).decay == "none"


def test_fine_tuning():
    """A lower rate than the papers', the head first; pictures of digits aren't mirrored."""
    found = finetuning_recipe("resnet50")
    config = found.loop_config(30)
    assert config.learning_rate <= recipe("resnet50").learning_rate / 10
    assert (config.batch_size, config.decay, config.clip_norm) == (16, "cosine", 1)
    assert config.num_steps == math.ceil(found.epochs * 30 / 16)
    assert 0 < found.head_epochs < found.epochs / 2
    assert found.freeze_batch_norm
    assert found.lasting(found.epochs / 2).head_epochs == found.head_epochs / 2
    assert finetuning_recipe("lenet5").augmentation == recipe("lenet5").augmentation
    assert finetuning_recipe("vgg16").augmentation.area is not None
    assert finetuning_recipe("vgg16").augmentation.colour_noise == 0


def test_optimizers():
    sgd = recipe("vgg16").make_optimizer(0.5)
    assert isinstance(sgd, keras.optimizers.SGD)
    assert (float(sgd.learning_rate), sgd.momentum, sgd.nesterov) == (0.5, 0.9, False)
    adam = dataclasses.replace(RECIPES["vgg"], optimizer="adam").make_optimizer(0.5)
    assert isinstance(adam, keras.optimizers.Adam)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"optimizer": "lion"}, "`optimizer` must be one of sgd, adam. Received: optimizer='lion'"),
        ({"momentum": 1.0}, r"`momentum` must be in \[0, 1\)"),
        ({"weight_decay": -1.0}, "`weight_decay` must be >= 0"),
        ({"head_epochs": -1.0}, "`head_epochs` must be >= 0. Received: head_epochs=-1.0"),
        ({"auxiliary_weight": float("nan")}, "`auxiliary_weight` must be >= 0"),
        ({"epochs": 0}, "`epochs` must be > 0"),
        ({"decay_epochs": 0.0}, "`decay_epochs` must be > 0"),
        ({"decay_factor": 1.5}, r"`decay_factor` must be in \(0, 1\]"),
    ],
)
def test_bad_recipes(fields, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(RECIPES["resnet"], **fields)


@pytest.mark.parametrize(
    ("every", "factor", "message"),
    [(0, 0.1, "`every` must be >= 1"), (1, 0.0, r"`factor` must be in \(0, 1\]")],
)
def test_bad_decays(every, factor, message):
    with pytest.raises(ValueError, match=message):
        training.StepDecay(every, factor)
