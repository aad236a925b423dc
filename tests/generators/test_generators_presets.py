"""Configurations: what each accepts, and those that have names."""

import dataclasses

import pytest

from stylezoo import generators
from stylezoo.generators import (
    PRESETS,
    JohnsonConfig,
    LightConfig,
    SuperResolutionConfig,
    TextureNetworkConfig,
)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: JohnsonConfig(normalization="layer"),
            r"`normalization` must be one of batch, .*'layer'",
        ),
        (
            lambda: JohnsonConfig(upsampling="bicubic"),
            r"`upsampling` must be one of nearest, .*'bicubic'",
        ),
        (lambda: JohnsonConfig(padding="same"), r"`padding` must be one of reflect, .*'same'"),
        (lambda: JohnsonConfig(widths=(32, 64)), r"`widths` must be 3 numbers >= 1.*\(32, 64\)"),
        (lambda: JohnsonConfig(widths=(32, 64, 0)), r"`widths` must be 3 numbers >= 1.*0\)"),
        (lambda: JohnsonConfig(kernel=4), r"`kernel` must be odd, >= 1.*kernel=4"),
        (lambda: JohnsonConfig(kernel=-1), r"`kernel` must be odd, >= 1.*kernel=-1"),
        (lambda: JohnsonConfig(num_blocks=-1), r"`num_blocks` must be >= 0.*num_blocks=-1"),
        (
            lambda: JohnsonConfig(num_blocks=4, padding="once"),
            r"`num_blocks` must be 5 with padding='once'.*4",
        ),
        (
            lambda: JohnsonConfig(padding="once", skips=True),
            r"`skips` must be False with padding='once'.*skips=True",
        ),
        (
            lambda: JohnsonConfig(normalization="conditional"),
            r"`num_styles` must be >= 1 with normalization='conditional', else 0.*num_styles=0",
        ),
        (lambda: JohnsonConfig(num_styles=1), r"`num_styles` must be .*else 0.*num_styles=1"),
        (lambda: JohnsonConfig(num_styles=-1), r"`num_styles` must be >= 0.*num_styles=-1"),
        (lambda: LightConfig(widths=(8, 8, 8)), r"`widths` must be 2 numbers >= 1"),
        (lambda: LightConfig(num_blocks=-1), r"`num_blocks` must be >= 0.*num_blocks=-1"),
        (lambda: LightConfig(num_styles=0), r"`num_styles` must be >= 1.*num_styles=0"),
        (lambda: TextureNetworkConfig(channels=0), r"`channels` must be >= 1.*channels=0"),
        (lambda: TextureNetworkConfig(num_scales=0), r"`num_scales` must be >= 1.*num_scales=0"),
        (
            lambda: TextureNetworkConfig(normalization="conditional"),
            r"`normalization` must be one of batch, instance\. .*'conditional'",
        ),
        (lambda: SuperResolutionConfig(factor=3), r"`factor` must be one of 4, 8.*factor=3"),
        (lambda: SuperResolutionConfig(width=0), r"`width` must be >= 1.*width=0"),
        (lambda: SuperResolutionConfig(num_blocks=-1), r"`num_blocks` must be >= 0"),
        (lambda: SuperResolutionConfig(upsampling="no"), r"`upsampling` must be one of .*'no'"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_presets_are_of_known_types():
    assert {type(config) for config in PRESETS.values()} == set(generators.TYPES.values())


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_its_configuration(preset):
    assert generators.generator_config(preset) == PRESETS[preset]


@pytest.mark.parametrize(
    ("preset", "width", "field", "expected"),
    [
        ("johnson", 0.5, "widths", (16, 32, 64)),
        ("johnson2016-paper", 2, "widths", (64, 128, 256)),
        ("light", 0.25, "widths", (4, 12)),
        ("texture_network", 1.5, "channels", 12),
        ("superres_x8", 0.75, "width", 48),
        ("texture_network", 0.01, "channels", 1),
        ("johnson", 1e-9, "widths", (1, 1, 1)),
    ],
)
def test_width_multiplies_channels_and_nothing_else(preset, width, field, expected):
    config = generators.generator_config(preset, width=width)
    assert getattr(config, field) == expected
    original = {field: getattr(PRESETS[preset], field)}
    assert dataclasses.replace(config, **original) == PRESETS[preset]


CONDITIONAL = [name for name, config in PRESETS.items() if config.num_styles]


def test_conditional_presets_take_any_number_of_styles():
    assert CONDITIONAL == ["conditional", "dumoulin2017", "light"]
    for preset in CONDITIONAL:
        config = generators.generator_config(preset, num_styles=7, width=0.5)
        assert config.num_styles == 7
        assert config == PRESETS[preset].scaled(0.5).with_styles(7)


@pytest.mark.parametrize("preset", [name for name in PRESETS if name not in CONDITIONAL])
def test_others_paint_one(preset):
    assert PRESETS[preset].with_styles(1) == PRESETS[preset]
    with pytest.raises(ValueError, match=r"`styles` must be one for a generator without .*: 2"):
        generators.generator_config(preset, num_styles=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preset": "vgg16"}, r"`generator` must be one of johnson, .*'vgg16'"),
        ({"preset": "light", "width": 0}, r"`width` must be > 0.*width=0"),
        ({"preset": "light", "width": -1}, r"`width` must be > 0.*width=-1"),
        ({"preset": "light", "width": float("nan")}, r"`width` must be > 0.*width=nan"),
        ({"preset": "light", "num_styles": 0}, r"`num_styles` must be >= 1.*0"),
        ({"preset": "conditional", "num_styles": 0}, r"`num_styles` must be >= 1.*0"),
        ({"preset": "johnson", "num_styles": 0}, r"`styles` must be one.*: 0"),
    ],
)
def test_generator_config_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        generators.generator_config(**arguments)
