"""Configurations: what each accepts, and those that have names."""

import dataclasses

import pytest

from stylezoo import generators
from stylezoo.generators import (
    ARCHITECTURES,
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
        (lambda: JohnsonConfig(padding="wrap"), r"`padding` must be one of reflect, .*'wrap'"),
        (lambda: JohnsonConfig(output="relu"), r"`output` must be one of sigmoid, .*'relu'"),
        (
            lambda: JohnsonConfig(expanding_widths=(8,)),
            r"`expanding_widths` must be 2 numbers >= 1.*\(8,\)",
        ),
        (
            lambda: JohnsonConfig(expanding_widths=(8, 4), skips=True),
            r"`skips` must be False with .*expanding widths. Received: skips=True",
        ),
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
            lambda: JohnsonConfig(padding="once", margin=4),
            r"`margin` must be 0 with padding='once'.*margin=4",
        ),
        (
            lambda: JohnsonConfig(padding="once", eighth_blocks=1),
            r"`eighth_blocks` must be 0 with padding='once'.*eighth_blocks=1",
        ),
        (lambda: JohnsonConfig(eighth_blocks=-1), r"`eighth_blocks` must be >= 0.*-1"),
        (lambda: JohnsonConfig(eighth_width=0), r"`eighth_width` must be >= 1.*0"),
        (lambda: JohnsonConfig(margin=2), r"`margin` must be a multiple of 4, >= 0.*margin=2"),
        (
            lambda: LightConfig(eighth_blocks=1, margin=4),
            r"`margin` must be a multiple of 8, >= 0.*margin=4",
        ),
        (lambda: LightConfig(margin=-4), r"`margin` must be a multiple of 4, >= 0.*margin=-4"),
        (
            lambda: LightConfig(upsampling="transposed"),
            r"`upsampling` must be one of nearest, bilinear.*'transposed'",
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


def test_expanding_widths_are_scaled_too():
    config = JohnsonConfig((32, 64, 128), expanding_widths=(16, 8)).scaled(0.5)
    assert (config.widths, config.expanding_widths) == ((16, 32, 64), (8, 4))


def test_every_family_has_named_architectures():
    families = {family.config_type for family in generators.FAMILIES.values()}
    assert {type(config) for config in ARCHITECTURES.values()} == families


@pytest.mark.parametrize(
    ("name", "width", "field", "expected"),
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
def test_width_multiplies_channels_and_nothing_else(name, width, field, expected):
    config = generators.generator_config(name, width=width)
    assert getattr(config, field) == expected
    scaled = {field, "eighth_width"} & {each.name for each in dataclasses.fields(config)}
    original = {each: getattr(ARCHITECTURES[name], each) for each in scaled}
    assert dataclasses.replace(config, **original) == ARCHITECTURES[name]


CONDITIONAL = [name for name, config in ARCHITECTURES.items() if config.num_styles]


def test_conditional_architectures_take_any_number_of_styles():
    assert CONDITIONAL == ["conditional", "dumoulin2017", "light"]
    for name in CONDITIONAL:
        config = generators.generator_config(name, num_styles=7, width=0.5)
        assert config.num_styles == 7
        widths = tuple(width // 2 for width in ARCHITECTURES[name].widths)
        eighth = ARCHITECTURES[name].eighth_width // 2
        assert config == dataclasses.replace(
            ARCHITECTURES[name], num_styles=7, widths=widths, eighth_width=eighth
        )


ANY_STYLE = ["arbitrary", "magenta-arbitrary"]


@pytest.mark.parametrize("name", ANY_STYLE)
def test_a_painter_of_any_style_is_the_same_for_any_number(name):
    assert generators.generator_config(name, num_styles=7) == ARCHITECTURES[name]


@pytest.mark.parametrize(
    "name", [name for name in ARCHITECTURES if name not in (*CONDITIONAL, *ANY_STYLE)]
)
def test_others_paint_one(name):
    assert ARCHITECTURES[name].with_styles(1) == ARCHITECTURES[name]
    with pytest.raises(ValueError, match=r"`num_styles` must be 1 without .*num_styles=2"):
        generators.generator_config(name, num_styles=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"generator": "vgg16"}, r"`generator` must be one of johnson, .*'vgg16'"),
        ({"generator": "light", "width": 0}, r"`width` must be > 0.*width=0"),
        ({"generator": "light", "width": -1}, r"`width` must be > 0.*width=-1"),
        ({"generator": "light", "width": float("nan")}, r"`width` must be > 0.*width=nan"),
        ({"generator": "light", "num_styles": 0}, r"`num_styles` must be >= 1.*0"),
        ({"generator": "conditional", "num_styles": 0}, r"`num_styles` must be >= 1.*0"),
        ({"generator": "johnson", "num_styles": 0}, r"`num_styles` must be 1.*num_styles=0"),
    ],
)
def test_generator_config_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        generators.generator_config(**arguments)


@pytest.mark.parametrize("name", ["", "two\nlines", "\udcff"])
def test_names_of_styles_can_be_printed(name):
    config = generators.LightConfig((1, 1), num_blocks=0, num_styles=2)
    with pytest.raises(ValueError, match="`styles` must be names of printable characters"):
        generators.build(config, styles=(name, "night"))
