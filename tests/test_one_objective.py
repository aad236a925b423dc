"""One objective: the same flags and the same losses, whoever minimises or measures it."""

import dataclasses
import re

import pytest
import tensorflow as tf
from configuring import with_fields
from PIL import Image

from stylezoo import generators, images, training
from stylezoo.binaries import evaluate, main, texture, train_style, train_texture, transfer
from stylezoo.binaries.common import synthesis_flags, transfer_flags
from stylezoo.evaluation import Judge
from stylezoo.objectives import OBJECTIVES, Objective
from stylezoo.synthesis import PRESETS, Adam, Schedule, TransferConfig
from stylezoo.synthesis import transfer as run_transfer
from stylezoo.training import style_training

SIZE = 48
# Sums of thousands of float32 products in another order, in graphs of another shape.
RTOL = 1e-4

# --- losses -----------------------------------------------------------------------------------

OF_PHOTOGRAPHS = {name: each for name, each in OBJECTIVES.items() if each.content_taps}
# What no named objective has.
SPECIAL = with_fields(
    OBJECTIVES["relative"],
    style_loss="sliced",
    style_layers=("relu1_2", "relu3_1"),
    style_layer_weights=(1.0, 3.0),
    tv_weight=2.0,
    dream_layer="relu2_2",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A photograph to train on, one that is held out, and a painting."""
    folder = tmp_path_factory.mktemp("pictures")
    for part, sample in (("seen", "rocket"), ("held_out", "astronaut")):
        (folder / part).mkdir()
        picture = Image.open(images.sample_path(sample)).convert("RGB")
        picture.resize((SIZE, SIZE)).save(folder / part / "photo.png")
    Image.open(images.sample_path("coffee")).resize((60, 50)).save(folder / "painting.png")
    return folder


@pytest.mark.parametrize("name", [*OF_PHOTOGRAPHS, "special"])
def test_a_network_reports_the_loss_that_transfer_reports(name, folder, random_weights):
    """Transfer, training and evaluation report the same losses of the same pictures."""
    objective = with_fields(
        OF_PHOTOGRAPHS.get(name, SPECIAL),
        network="vgg16",
        weights=str(random_weights("vgg16")),
        patch_scales=1,
        patch_rotations=0,
    )
    config = training.StyleTraining(
        generator=generators.LightConfig(widths=(3, 4), num_blocks=0, num_styles=1),
        styles=(str(folder / "painting.png"),),
        content=training.ContentConfig(
            str(folder / "seen"), str(folder / "held_out"), image_size=SIZE
        ),
        objective=objective,
        style_size=SIZE,
    )
    task = style_training._StyleTask(config, training.LoopConfig(num_steps=1, batch_size=1))
    reported, sheet = task.held_out()
    photograph = images.read_image(folder / "held_out" / "photo.png")
    painting = images.read_image(folder / "painting.png")
    painted = sheet[:, :, -SIZE:]

    transfer_config = TransferConfig(
        objective,
        size=SIZE,
        optimizer=Adam(),  # which reports the loss that a step starts from
        schedule=Schedule(smallest=None, initial_steps=1, steps=1),
    )
    (expected,) = run_transfer(
        photograph, [painting], config=transfer_config, initial=tf.constant(painted)
    ).losses
    assert min(expected["content"], expected["style"]) > 0
    assert {term: reported[term] for term in expected} == pytest.approx(expected, rel=RTOL)

    judge = Judge(
        objective,
        photographs={"photo": photograph},
        styles={"painting": painting},
        style_size=SIZE,
        lpips=(),
    )
    judged = judge.losses(painted, photograph="photo", style="painting")
    assert judged == pytest.approx(expected, rel=RTOL)


def test_what_is_minimised_measured_and_trained_for_by_default():
    config = training.StyleTraining(
        generators.JohnsonConfig(), ("painting.png",), training.ContentConfig("photographs")
    )
    assert config.objective == TransferConfig().objective == OBJECTIVES["relative"]


# --- flags ------------------------------------------------------------------------------------

FAMILY = {
    *("objective", "network", "weights", "pooling", "content_layers", "style_layers"),
    *("style_layer_weights", "content_weight", "style_weight", "tv_weight", "style_loss"),
    *("scaling", "dream_layer", "dream_weight", "patch_size", "patch_stride", "patch_scales"),
    *("patch_rotations", "match_every", "match_memory", "guide_weight", "hypercolumns"),
    *("right_angles", "key_grid", "layer_grid", "histogram_weight"),
}
NEEDED = {
    transfer: "--content=a.png --style=b.png --output=out.png",
    texture: "--source=b.png --output=out.png",
    train_style: "--content=photographs --styles=b.png --run=run",
    train_texture: "--source=b.png --run=run",
}


def parsed(command, *arguments):
    values = main._flag_values(command)
    values(["command", *NEEDED[command].split(), *arguments])
    return values


def objective_of(command, *arguments):
    """Return the objective that a command makes of its flags."""
    values = parsed(command, *arguments)
    if command is transfer:
        return transfer_flags.configure(values, synthesis_flags.preset(values, PRESETS)).objective
    config = command._configure(values)
    return (config[0] if isinstance(config, tuple) else config).objective


def without_default(text):
    """Return the help of a flag without the default, which is that of the command's objective."""
    return re.sub(r" \((default|one of)[^)]*\)", "", text)


def test_every_command_has_the_same_flags():
    families = []
    for command in (*NEEDED, evaluate):
        values = main._flag_values(command)
        assert set(values) >= FAMILY
        families.append({name: without_default(values[name].help) for name in FAMILY})
    assert all(family == families[0] for family in families)
    fields = {"objective"}
    parts = ("perceptual", "patches", "neighbors")
    for config in (Objective(), *(getattr(Objective(), part) for part in parts)):
        fields |= {field.name for field in dataclasses.fields(config)}
    assert fields - set(parts) == FAMILY


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_same_names_choose_the_same_objectives(name):
    chosen = f"--objective={name}"
    assert objective_of(transfer, chosen) == OBJECTIVES[name]
    assert objective_of(train_style, chosen) == OBJECTIVES[name]
    without = OBJECTIVES[name].without_content()
    assert objective_of(texture, chosen) == objective_of(train_texture, chosen) == without


def test_flags_change_the_objective_that_is_named():
    flags = [
        *("--objective=cnnmrf2016-code", "--network=vgg16", "--weights=w.h5", "--pooling=avg"),
        *("--style_layers=relu1_1,relu2_1", "--style_layer_weights=1,2.5", "--style_weight=3"),
        *("--tv_weight=0.5", "--patch_stride=1", "--match_every=4", "--guide_weight=2"),
        *("--dream_layer=relu3_1", "--dream_weight=0.25"),
    ]
    expected = with_fields(
        OBJECTIVES["cnnmrf2016-code"],
        network="vgg16",
        weights="w.h5",
        pooling="avg",
        style_layers=("relu1_1", "relu2_1"),
        style_layer_weights=(1.0, 2.5),
        style_weight=3.0,
        tv_weight=0.5,
        patch_stride=1,
        match_every=4,
        guide_weight=2.0,
        dream_layer="relu3_1",
        dream_weight=0.25,
    )
    for command in (texture, train_texture):
        assert objective_of(command, *flags) == expected.without_content()
    content = ["--content_layers=relu2_2", "--content_weight=7"]
    expected = with_fields(expected, content_layers=("relu2_2",), content_weight=7.0)
    for command in (transfer, train_style):
        assert objective_of(command, *flags, *content) == expected


def test_defaults_of_the_commands():
    assert objective_of(transfer) == objective_of(train_style) == OBJECTIVES["relative"]
    assert objective_of(texture) == objective_of(train_texture) == OBJECTIVES["texture"]
