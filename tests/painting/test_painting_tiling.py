"""Pictures painted tile by tile against the same painted whole."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from generators_helpers import inputs_for, network_of
from networks import random_image

from stylezoo import generators, images, layers, painting
from stylezoo.painting import colouring, engine, moment_sampling, sections
from stylezoo.painting.tiling import Lattice, Tiling, cut

# Float32 sums in another order, through a dozen normalisations; 1/255 is 4e-3.
ATOL = 1e-4

CONFIGS = {
    "reflect": generators.JohnsonConfig((3, 4, 6), num_blocks=1),
    "once": generators.JohnsonConfig((3, 4, 6), upsampling="transposed", padding="once"),
    "zero": generators.JohnsonConfig((3, 4, 6), num_blocks=1, kernel=5, padding="zero"),
    "batch": generators.JohnsonConfig(
        (3, 4, 6), normalization="batch", upsampling="transposed", padding="once"
    ),
    "conditional": generators.JohnsonConfig(
        (3, 4, 6), num_blocks=1, normalization="conditional", normalize_output=True, num_styles=3
    ),
    "skips": generators.JohnsonConfig(
        (3, 4, 6), num_blocks=2, normalization="conditional", num_styles=3, skips=True
    ),
    "light": generators.LightConfig((4, 6), num_blocks=2, num_styles=3),
    "light skips": generators.LightConfig((4, 6), num_blocks=1, num_styles=3, skips=True),
    "eighth": generators.JohnsonConfig(
        (3, 4, 6),
        num_blocks=1,
        normalization="conditional",
        num_styles=3,
        skips=True,
        upsampling="bilinear",
        eighth_blocks=2,
        eighth_width=5,
        margin=8,
    ),
    "texture": generators.TextureNetworkConfig(stylize=True, channels=2, num_scales=2),
}
configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
SUPER_RESOLUTION = generators.SuperResolutionConfig(width=3, num_blocks=1)


def generator_of(config):
    """Return a painter whose moments matter: its scales and shifts are random."""
    painter, random = network_of(config), np.random.default_rng(0)
    for layer in painter.layers:
        for variable in layer.weights:
            if len(variable.shape) < 4:  # not a kernel
                variable.assign(random.uniform(0.5, 1.5, variable.shape))
    return painter


WEIGHTS = np.float32([0.2, 0.5, 0.3])


def style_of(painter):
    return dict(zip(painter.styles, WEIGHTS, strict=False)) or None


def photograph(height, width):
    """Return a picture that differs everywhere, so that the moments of its tiles are not the picture's."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(x / (3 + c) + y * y / 900) * y / height for c in range(3)]
    noise = random_image(height, width).numpy()[0] * (x / width)[..., None]
    return np.float32(np.clip(0.5 + 0.3 * np.stack(waves, -1) + 0.4 * (noise - 0.5), 0, 1))[None]


def all_inputs(config, picture):
    inputs = inputs_for(config, picture.shape[1:3], image=tf.constant(picture))
    if config.num_styles:
        inputs["style_weights"] = tf.constant(WEIGHTS[None])
    return inputs


def paint(generator, picture, **options):
    return generator.paint(picture, style=style_of(generator), **options)


@configs
def test_exact_is_the_picture_painted_whole(config):
    generator, picture = generator_of(config), photograph(97, 150)
    whole = paint(generator, picture, tiling="none")
    expected = generator(all_inputs(config, picture))
    np.testing.assert_allclose(whole, expected, rtol=0, atol=1e-5)
    exact = paint(generator, picture, tiling="exact", tile=40)
    assert exact.dtype == np.float32
    np.testing.assert_allclose(exact, whole, rtol=0, atol=ATOL)
    assert np.ptp(whole) > 0.1


@pytest.mark.parametrize(("size", "tile"), [((64, 65), 64), ((131, 60), 61), ((30, 90), 20)])
def test_exact_whatever_the_size_of_tiles(size, tile):
    generator, picture = generator_of(CONFIGS["reflect"]), photograph(*size)
    whole = paint(generator, picture, tiling="none")
    exact = paint(generator, picture, tiling="exact", tile=tile)
    np.testing.assert_allclose(exact, whole, rtol=0, atol=ATOL)


def test_exact_without_keeping_features(monkeypatch):
    monkeypatch.setattr(engine, "_KEPT_BYTES", 0)
    generator, picture = generator_of(CONFIGS["light"]), photograph(97, 122)
    whole = paint(generator, picture, tiling="none")
    exact = paint(generator, picture, tiling="exact", tile=64)
    np.testing.assert_allclose(exact, whole, rtol=0, atol=ATOL)


def test_moments_of_the_tiles_themselves_would_show():
    """Tiles leave no seams, which is what all this is for."""
    generator, picture = generator_of(CONFIGS["light"]), photograph(96, 128)
    whole = paint(generator, picture, tiling="none")
    apart = np.concatenate([paint(generator, picture[:, :, i : i + 64]) for i in (0, 64)], axis=2)
    assert np.abs(apart - whole).max() > 0.1


def with_moments(network, inputs, moments):
    """Evaluate a network whole, with given moments."""
    extra = {
        f"{name}_{which}": (keras.Input(value.shape[1:], name=f"{name}_{which}"), value)
        for name, pair in moments.items()
        for which, value in zip(("mean", "variance"), pair, strict=True)
    }
    given = {name: each for name, (each, _) in extra.items()}
    rewired = painting.rewire(
        network,
        lambda layer, _: (given[f"{layer.name}_mean"], given[f"{layer.name}_variance"]),
        extra_inputs=given,
    )
    return rewired({**inputs, **{name: value for name, (_, value) in extra.items()}})


@configs
def test_fast_has_no_seams(config, monkeypatch):
    """Tiles paint what the whole network paints with the same moments, whatever they are."""
    random, estimates = np.random.default_rng(0), []

    def estimate(self, *_):
        estimates.append(
            {
                layer.name: [
                    tf.constant(
                        random.uniform(0.1, 1.0, [1, 1, 1, layer.scale.shape[-1]]), "float32"
                    )
                    for _ in range(2)
                ]
                for layer in painting.normalization_layers(generator)
            }
        )
        return estimates[0]

    monkeypatch.setattr(moment_sampling.Sampler, "estimate", estimate)
    generator, picture = generator_of(config), photograph(97, 150)
    fast = paint(generator, picture, tiling="fast", tile=48)
    assert len(estimates) == bool(painting.normalization_layers(generator))
    moments = estimates[0] if estimates else {}
    whole = with_moments(generator, all_inputs(config, picture), moments)
    np.testing.assert_allclose(fast, whole, rtol=0, atol=1e-5)


def test_fast_is_close():
    """Estimated moments are near those of the whole, for a picture that is sampled in part."""
    generator = generator_of(CONFIGS["light"])
    picture = images.resize(images.load_sample("astronaut"), (400, 400)).numpy()
    whole = paint(generator, picture, tiling="none")
    fast = paint(generator, picture, tiling="fast", tile=128)
    assert 0 < np.mean(np.abs(fast - whole)) < 0.01


def test_patches_are_spread_over_the_picture(monkeypatch):
    monkeypatch.setattr(moment_sampling, "_SAMPLED_PIXELS", 20 * 48**2)
    generator = generator_of(CONFIGS["light"])
    sampler = moment_sampling.Sampler(generator, _lattices(generator), stride=4)
    patches = list(sampler._patches(480, 960))
    begins = {(patch.rows.begin, patch.columns.begin) for patch in patches}
    assert len(begins) == len(patches)
    assert 20 <= len(patches) <= 28
    assert {row for row, _ in begins} == {0, 144, 288, 432}
    assert {patch.rows.end - patch.rows.begin for patch in patches} == {48}
    assert max(patch.columns.end for patch in patches) == 960
    assert all(value % 4 == 0 for begin in begins for value in begin)


def _lattices(network):
    return sections.lattices(network, painting.normalization_layers(network), {"image": 1})


def test_estimates_of_a_picture_of_one_patch_are_its_moments():
    generator, kept = generator_of(CONFIGS["light"]), {}
    sampler = moment_sampling.Sampler(generator, _lattices(generator), stride=4)
    inputs = inputs_for(generator.config, (48, 48))
    sources = sections.Sources(inputs, {"image": Lattice()})
    estimated = sampler.estimate(sources, 48, 48)

    def keep(layer, x):
        kept[layer.name] = layers.instance_moments(x)
        return kept[layer.name]

    keeping = painting.rewire(generator, keep)
    expected = keras.Model(keeping.input, kept)(inputs)
    assert estimated.keys() == expected.keys()
    for name, pair in expected.items():
        np.testing.assert_allclose(estimated[name], pair, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tiling", ["none", "exact", "fast"])
def test_a_batch_is_painted_like_one_after_the_other(tiling):
    generator = generator_of(CONFIGS["light"])
    pictures = np.concatenate([photograph(60, 70), random_image(60, 70).numpy()])
    together = paint(generator, pictures, tiling=tiling, tile=40)
    alone = [paint(generator, each[None], tiling=tiling, tile=40) for each in pictures]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=0, atol=1e-5)


@pytest.mark.parametrize("tiling", ["none", "exact", "fast"])
def test_nothing_is_traced_twice(tiling):
    """Nothing is traced again, neither for tiles of different sizes nor for another picture."""
    generator = generator_of(CONFIGS["light"])
    for size in ((50, 97), (130, 70), (45, 50)):
        paint(generator, random_image(*size), tiling=tiling, tile=40)
    stylizer = generator._engine
    if tiling == "none":
        traced = [stylizer._whole]
    elif tiling == "fast":
        traced = [stylizer._undivided._output, stylizer._sampler._measure]
    else:
        traced = [section._output for section in stylizer._divided]
        traced += [each for section in stylizer._divided for each in section._moments.values()]
        assert len(traced) == 3 + len(painting.normalization_layers(generator))
    assert {each.experimental_get_tracing_count() for each in traced} == {1}


@pytest.mark.parametrize("tiling", ["exact", "fast"])
def test_callback_counts_the_tiles(tiling):
    generator, calls = generator_of(CONFIGS["light"]), []
    paint(
        generator,
        photograph(96, 130),
        tiling=tiling,
        tile=48,
        callback=lambda progress: calls.append((progress.step, progress.num_steps)),
    )
    # Of two by three tiles; one pass for each of 8 normalisations, one for each of three sections.
    total = 6 * (8 + 3) if tiling == "exact" else 6
    assert calls == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize("tiling", ["none", "exact"])
def test_preserve_color(tiling, monkeypatch):
    monkeypatch.setattr(colouring, "_BAND", 7)
    generator, picture = generator_of(CONFIGS["light"]), 0.4 + 0.2 * photograph(60, 70)
    painting = paint(generator, picture, tiling=tiling, tile=40)
    kept = paint(generator, picture, tiling=tiling, tile=40, preserve_color=True)
    expected = images.replace_luminance(picture, images.luminance(painting))
    np.testing.assert_allclose(kept, expected, rtol=0, atol=1e-6)


def test_seed_of_the_noise():
    generator, picture = generator_of(CONFIGS["texture"]), photograph(40, 50)
    first, again, other = (paint(generator, picture, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-2


def test_auto_chooses_by_size():
    painter = generator_of(CONFIGS["light"])
    assert painter.tiling_of(1080, 1920) == "none"
    assert painter.tiling_of(2000, 2000) == "exact"
    assert painter.tiling_of(4000, 4000) == "exact"
    assert painter.tiling_of(5000, 5000) == "fast"
    # A picture of one tile is painted whole whatever was asked for.
    assert painter.tiling_of(100, 90, tiling="fast", tile=100) == "none"
    assert painter.tiling_of(101, 90, tiling="fast", tile=100) == "fast"
    # What counts is the painting.
    enlarging = generator_of(SUPER_RESOLUTION)
    assert enlarging.tiling_of(192, 100, tiling="fast") == "none"
    assert enlarging.tiling_of(193, 100, tiling="fast") == "fast"
    assert enlarging.tiling_of(500, 500) == "exact"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tiling": "slow"}, "`tiling` must be one of auto, none, exact, fast. Received: .*slow"),
        ({"tile": 0}, "`tile` must be >= 1. Received: tile=0"),
        ({"image": np.zeros([1, 8, 8, 4], np.float32)}, "`image` must be .*Received: shape="),
        ({"image": np.zeros([8, 8, 3], np.float32)}, "`image` must be .batch, height"),
        (
            {"image": np.zeros([1, 8, 8, 3], np.uint8)},
            r"`image` must be .* float, in \[0, 1\]\. Received: .*dtype=uint8",
        ),
        ({"image": np.zeros([1, 0, 8, 3], np.float32)}, "`image` must be"),
        ({"image": None}, "`image` must be"),
        ({"size": (8, 8)}, "`size` must be given to painters of textures only"),
        ({"style": None}, "`style` must be given: one or more of style_1, style_2, style_3"),
        ({"strength": 1.1}, r"`strength` must be in \[0, 1\]. Received: strength=1.1"),
        ({"strength": float("nan")}, "`strength` must be in"),
    ],
)
def test_bad_arguments(options, message):
    arguments = {
        "image": np.zeros([1, 8, 8, 3], np.float32),
        "style": "style_1",
        **options,
    }
    with pytest.raises(ValueError, match=message):
        generator_of(CONFIGS["light"]).paint(**arguments)


def test_network_that_can_not_be_painted_in_tiles():
    image = keras.Input([None, None, 3], name="image")
    network = keras.Model({"image": image}, keras.layers.Conv2D(3, 3, padding="same")(image))
    whole = painting.Engine(network, painting.Geometry(1, 1, {"image": 1}, 1))
    inputs = {"image": np.zeros([1, 24, 24, 3], np.float32)}
    assert whole.paint(inputs, tiling="none", tile=8).shape == (1, 24, 24, 3)
    with pytest.raises(ValueError, match="`network` must have a layer `PadToMultiple`"):
        whole.paint(inputs, tiling="exact", tile=8)


@pytest.mark.parametrize("upsampling", ["nearest", "transposed"])
@pytest.mark.parametrize("tiling", ["exact", "fast"])
def test_enlarged_tile_by_tile_is_the_picture_enlarged_whole(tiling, upsampling):
    config = generators.SuperResolutionConfig(width=3, num_blocks=1, upsampling=upsampling)
    painter, picture = generator_of(config), photograph(37, 50)
    whole = painter.paint(picture, tiling="none")
    assert whole.shape == (1, 148, 200, 3)
    np.testing.assert_allclose(whole, painter({"image": picture}), rtol=0, atol=1e-5)
    tiled = painter.paint(picture, tiling=tiling, tile=62)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("options", [{"strength": 0.5}, {"preserve_color": True}])
def test_nothing_is_mixed_into_what_is_enlarged(options):
    with pytest.raises(ValueError, match="`strength` must be 1 and `preserve_color` False for"):
        generator_of(SUPER_RESOLUTION).paint(photograph(9, 9), **options)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_strength_without_an_identity_mixes_in_lab(strength, monkeypatch):
    monkeypatch.setattr(colouring, "_BAND", 7)
    painter, picture = generator_of(CONFIGS["light"]), photograph(40, 50)
    full = paint(painter, picture)
    mixed = paint(painter, picture, strength=strength)
    if strength == 1:
        np.testing.assert_array_equal(mixed, full)
    lab = strength * images.rgb_to_lab(full) + (1 - strength) * images.rgb_to_lab(picture)
    np.testing.assert_allclose(mixed, np.clip(images.lab_to_rgb(lab), 0, 1), rtol=0, atol=1e-5)
    if strength == 0:
        np.testing.assert_allclose(mixed, picture, rtol=0, atol=1e-5)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_strength_with_an_identity_mixes_scales_and_shifts(strength):
    """The row `identity` takes the rest, and a share of what it loses of the photograph is added."""
    config = CONFIGS["light"]
    painter = generators.Light(config, styles=("night", "identity", "day"))
    painter.set_weights(generator_of(config).get_weights())
    assert painter.styles == ("night", "day")
    picture = photograph(40, 50)
    mixed = painter.paint(picture, style={"night": 1, "day": 3}, strength=strength)

    def paint_rows(*weights):
        return painter({"image": picture, "style_weights": np.float32([weights])})

    blended = paint_rows(strength / 4, 1 - strength, 3 * strength / 4)
    expected = np.clip(blended + (1 - strength) * (picture - paint_rows(0, 1, 0)), 0, 1)
    np.testing.assert_allclose(mixed, expected, rtol=0, atol=1e-5)
    if strength == 0:
        np.testing.assert_allclose(mixed, picture, rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="`style` must be one or more of night, day"):
        painter.paint(picture, style="identity")


@pytest.mark.parametrize("stride_border", [(1, 0), (4, 0), (2, 5), (1, 0, 4)])
def test_every_position_is_owned_once(stride_border):
    lattice = Lattice(*stride_border)
    tiling = Tiling(64, 92, tile=24, margin=12)
    tiles = list(tiling)
    assert len(tiles) == len(tiling) == 3 * 4
    owners = np.zeros([lattice.positions(64), lattice.positions(92)], int)
    numbered = np.arange(owners.size).reshape(owners.shape)
    for tile in tiles:
        owners[tile.owned(lattice)] += 1
        top, left, bottom, right = tile.window(lattice)
        seen = numbered[tile.seen(lattice)]
        np.testing.assert_array_equal(seen[top:bottom, left:right], numbered[tile.owned(lattice)])
    assert (owners == 1).all()


@pytest.mark.parametrize("side", [1, 3, 9])
def test_cut_mirrors_like_the_network(side):
    picture = random_image(side, 10).numpy()
    padded = layers.PadToMultiple(4, 12)(picture)
    part = cut(picture, slice(0, 12), slice(4, 12))
    np.testing.assert_array_equal(part, padded[:, :, 4:12])


def test_lattices():
    network = generators.build(CONFIGS["once"])
    found = sections.lattices(network, network.layers[1:-1], {"image": 1})
    assert found["conv_in_norm"] == Lattice(1, 40)
    assert found["down2_relu"] == Lattice(4, 10)
    assert found["block5_add"] == Lattice(4, 0)
    assert found["up1_norm"] == Lattice(2, 0)
    texture = generators.build(CONFIGS["texture"])
    assert texture.geometry.inputs == {"image": 1, "noise_1": 1, "noise_2": 2}
    layers = [texture.get_layer("scale2_conv1")]
    assert sections.lattices(texture, layers, texture.geometry.inputs) == {
        "scale2_conv1": Lattice(2, 0)
    }
