"""Decoders: their geometry, their presets, and what is refused."""

import dataclasses

import keras
import numpy as np
import pytest

from stylezoo import generators
from stylezoo.generators import Decoder, DecoderConfig

SMALL = DecoderConfig(
    network="squeezenet1_1", layer="fire5", code=(3, 3, 4), image_size=16, widths=(2, 3, 4)
)


def random_code(config):
    shape = (2, *config.code)
    return np.random.default_rng(0).uniform(size=shape).astype(np.float32)


def trained():
    decoder = Decoder(SMALL)
    decoder.statistics.assign_statistics(random_code(SMALL))
    decoder.training_record = {"steps": 3}
    return decoder


@pytest.mark.parametrize(
    ("side", "image_size", "doublings", "base"),
    [(7, 128, 4, 8), (15, 128, 3, 16), (63, 128, 1, 64), (4, 128, 5, 4), (16, 16, 0, 16)],
)
def test_geometry(side, image_size, doublings, base):
    config = dataclasses.replace(SMALL, code=(side, side, 4), image_size=image_size)
    assert (config.doublings, config.base_side) == (doublings, base)
    picture = Decoder(config)(random_code(config))
    assert picture.shape == (2, image_size, image_size, 3)
    assert 0 < np.min(picture) < np.max(picture) < 1


def test_pooled_features_reach_every_pixel():
    """A change of one position changes the picture everywhere, by the mean."""
    decoder, code = trained(), random_code(SMALL)
    changed = code.copy()
    changed[:, 0, 0] += 1.0
    assert np.all(np.any(decoder(code) != decoder(changed), axis=-1))


def test_preset(tmp_path):
    decoder, code = trained(), random_code(SMALL)
    decoder.save_to_preset(tmp_path / "decoder")
    loaded = generators.load_decoder(tmp_path / "decoder")
    np.testing.assert_array_equal(loaded(code), decoder(code))
    assert loaded.training_record == {"steps": 3}
    card = generators.read_card(tmp_path / "decoder")
    assert card.startswith("# Decoder\n\nA decoder of fire5 of squeezenet1_1 to pictures of 16 px")
    with pytest.raises(ValueError, match=r"`model` must be a Painter\. Received: .*, a Decoder"):
        generators.load(tmp_path / "decoder")
    painter = generators.build(generators.SuperResolutionConfig(width=2, num_blocks=0))
    painter.save_to_preset(tmp_path / "painter")
    with pytest.raises(
        ValueError, match=r"`model` must be a Decoder\. Received: .*SuperResolution"
    ):
        generators.load_decoder(tmp_path / "painter")


def test_half_keeps_the_statistics(tmp_path):
    decoder = trained()
    decoder.save_to_preset(tmp_path / "decoder", half=True)
    loaded = generators.load_decoder(tmp_path / "decoder")
    np.testing.assert_array_equal(loaded.statistics.mean, decoder.statistics.mean)
    code = random_code(SMALL)
    np.testing.assert_allclose(loaded(code), decoder(code), atol=2e-3)  # kernels of 11 bits


def test_keras_file(tmp_path):
    decoder, code = trained(), random_code(SMALL)
    decoder.save(tmp_path / "decoder.keras")
    loaded = keras.models.load_model(tmp_path / "decoder.keras")
    np.testing.assert_array_equal(loaded(code), decoder(code))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"code": (0, 3, 4)}, "`code` must be numbers >= 1"),
        ({"widths": ()}, "`widths` must be numbers >= 1"),
        ({"image_size": 2}, "`image_size` must be that of the code or larger"),
        ({"image_size": 18}, "`image_size` must be a multiple of 8. Received: image_size=18"),
    ],
)
def test_configuration_refuses(fields, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMALL, **fields)
