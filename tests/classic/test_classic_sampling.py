"""Non-parametric sampling: against its pseudo-code in plain loops, and on patterns that are known."""

import numpy as np
import pytest

from stylezoo import classic, images
from stylezoo.classic import gradient_domain, pixel_sampling
from stylezoo.classic.pixel_sampling import _Candidates


def tiled(period, height, width, *, seed=0):
    """Return a pattern of random colours, none of them twice, again and again."""
    cell = np.random.default_rng(seed).permutation(period[0] * period[1] * 3)
    cell = cell.reshape(1, *period, 3).astype(np.float32) / cell.size
    repeats = (1, -(-height // period[0]), -(-width // period[1]), 1)
    return np.tile(cell, repeats)[:, :height, :width]


@pytest.mark.parametrize("at_once", [1, 8])
@pytest.mark.parametrize("period", [(3, 5), (4, 4)])
def test_reproduces_a_period_exactly(period, at_once):
    source = tiled(period, 17, 19)
    config = classic.EfrosLeungConfig(window=7, at_once=at_once, seed=3)
    texture = classic.efros_leung(source, (26, 31), config=config)
    assert texture.shape == (1, 26, 31, 3)
    np.testing.assert_array_equal(texture[:, period[0] :], texture[:, : -period[0]])
    np.testing.assert_array_equal(texture[:, :, period[1] :], texture[:, :, : -period[1]])
    # One of the source's phases.
    starts = np.all(source[0] == texture[0, 0, 0], axis=-1)
    row, column = np.argwhere(starts)[0]
    shifted = tiled(period, 26 + row, 31 + column)[:, row:, column:]
    np.testing.assert_array_equal(texture, shifted)


def test_errors_are_the_papers():
    """Σ G m (a - b)² / Σ G m with G of σ = window / 6.4; a mean over channels."""
    random = np.random.default_rng(0)
    sample = random.uniform(size=(9, 8, 3)).astype(np.float32)
    config = classic.EfrosLeungConfig(window=5)
    candidates = _Candidates(sample, np.ones([9, 8], bool), config)
    windows = random.uniform(size=(3, 5, 5, 3)).astype(np.float32)
    known = random.uniform(size=(3, 5, 5)) < 0.5
    distance = np.arange(5) - 2
    gauss = np.exp(-0.5 * (distance[:, None] ** 2 + distance**2) / (5 / 6.4) ** 2)
    expected = [
        [
            np.sum(gauss * mask * np.mean((sample[y : y + 5, x : x + 5] - window) ** 2, axis=-1))
            / np.sum(gauss * mask)
            for y in range(5)
            for x in range(4)
        ]
        for window, mask in zip(windows, known, strict=True)
    ]
    # float32, and differences of products.
    np.testing.assert_allclose(candidates.errors(windows, known), expected, atol=1e-5)
    for index in range(3):
        one = slice(index, index + 1)
        np.testing.assert_allclose(
            candidates.errors(windows[one], known[one]), expected[one], atol=1e-5
        )


def test_draws_from_what_is_within_epsilon_of_the_best():
    sample = np.arange(25, dtype=np.float32).reshape(5, 5, 1) / 25
    config = classic.EfrosLeungConfig(window=3, epsilon=0.1)
    candidates = _Candidates(sample, np.ones([5, 5], bool), config)
    errors = np.array([0.5, 0.3, 0.2, 0.219, 0.23, 0.2, 1, 1, 1], np.float32)
    random = np.random.default_rng(0)
    assert {candidates.draw(errors, random) for _ in range(100)} == {2, 3, 5}


def test_most_known_neighbours_first(monkeypatch):
    order = []
    original = _Candidates.errors

    def spy(self, windows, known):
        order.append(int(known.sum()))
        return original(self, windows, known)

    monkeypatch.setattr(_Candidates, "errors", spy)
    monkeypatch.setattr(pixel_sampling, "_MAX_ERROR", np.inf)
    classic.efros_leung(tiled((3, 3), 9, 9), (9, 9), config=classic.EfrosLeungConfig(window=5))
    # Around a seed of 3x3: 16 pixels, whose windows of 5x5 know more as it goes on.
    assert len(order) == 72
    assert order[0] == 9 - 3
    assert np.mean(order[:16]) < np.mean(order[16:40]) < np.mean(order[40:]) + 5


def test_every_pixel_is_one_of_the_sources_and_grey_stays_grey():
    source = images.resize(images.load_sample("brick"), (40, 40)).numpy()
    texture = classic.efros_leung(source, (20, 24), config=classic.EfrosLeungConfig(window=7))
    assert images.is_grey(texture)
    assert np.isin(texture, source).all()
    coloured = images.resize(images.load_sample("coffee"), (24, 30)).numpy()
    texture = classic.efros_leung(coloured, (12, 12), config=classic.EfrosLeungConfig(window=5))
    known = {tuple(pixel) for pixel in coloured.reshape(-1, 3)}
    assert {tuple(pixel) for pixel in texture.reshape(-1, 3)} <= known


def test_the_same_seed_gives_the_same_texture():
    source = images.resize(images.load_sample("gravel"), (30, 30)).numpy()

    def run(seed):
        config = classic.EfrosLeungConfig(window=5, seed=seed)
        return classic.efros_leung(source, (16, 16), config=config)

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


def test_fills_holes_of_a_pattern_as_it_was():
    """Holes inside and at the border; what was known is not touched."""
    picture = tiled((3, 4), 24, 25)
    mask = np.zeros([1, 24, 25, 1], np.float32)
    mask[:, 8:14, 9:16] = 1
    mask[:, :4, 20:] = 0.7
    damaged = np.where(mask > 0, 0.5, picture).astype(np.float32)
    calls = []
    filled = classic.fill_holes(
        damaged,
        mask,
        config=classic.EfrosLeungConfig(window=7),
        callback=lambda each: calls.append((each.step, each.num_steps)),
    )
    np.testing.assert_array_equal(np.where(mask > 0, picture, filled), picture)
    # Differences are solved for to 1e-5 of the first residual.
    np.testing.assert_allclose(filled, picture, rtol=0, atol=1e-4)
    assert calls[-1] == (6 * 7 + 4 * 5,) * 2


def test_no_patch_is_seen_in_a_plain_sky():
    """The hole has all there is of some brightness, so that no copy can have it."""
    noise = 0.004 * np.random.default_rng(0).standard_normal([1, 24, 56, 1])
    sky = np.repeat(0.5 + 0.005 * np.arange(56)[:, np.newaxis] + noise, 3, axis=-1)
    sky = sky.astype(np.float32)
    mask = np.zeros([1, 24, 56, 1], np.float32)
    mask[:, :, 20:36] = 1
    config = classic.EfrosLeungConfig(window=9, at_once=4)
    filled = classic.fill_holes(sky * (1 - mask), mask, config=config)
    # Five deviations of the noise, and some drift; measured 0.023, without blending 0.078.
    assert np.abs(filled - sky).max() < 0.04


def test_blending_keeps_differences_and_meets_the_surroundings():
    """Against the system written out; two regions that were copied from different places meet."""
    random = np.random.default_rng(1)
    picture = random.uniform(0.3, 0.7, [9, 12, 1]).astype(np.float32)
    holes = np.zeros([9, 12], bool)
    holes[3:6, 7:] = True  # up to the right border
    origins = np.zeros([9, 12, 2], np.intp)
    origins[3:6, 7:9] = np.indices((3, 2)).transpose(1, 2, 0) + 1
    origins[3:6, 9:] = np.indices((3, 3)).transpose(1, 2, 0) + np.array([1, 2])
    pixels = [tuple(pixel) for pixel in np.argwhere(holes)]
    matrix, wanted = np.zeros([len(pixels)] * 2), np.zeros(len(pixels))
    for index, pixel in enumerate(pixels):
        own = origins[pixel]
        for offset in np.array([(-1, 0), (1, 0), (0, -1), (0, 1)]):
            other = tuple(np.array(pixel) + offset)
            if other[1] > 11:
                continue
            matrix[index, index] += 1
            difference = picture[tuple(own)] - picture[tuple(own + offset)]
            if other in pixels:
                matrix[index, pixels.index(other)] -= 1
                there = origins[other]
                back = picture[tuple(there - offset)] - picture[tuple(there)]
                wanted[index] += float(difference[0] + back[0]) / 2
            else:
                wanted[index] += float(difference[0] + picture[other][0])
    expected = picture.copy()
    expected[holes, 0] = np.linalg.solve(matrix, wanted)
    blended = gradient_domain.blend(picture, holes, origins)
    np.testing.assert_allclose(blended, np.clip(expected, 0, 1), rtol=0, atol=1e-5)


def test_a_mask_of_nothing_changes_nothing():
    picture = tiled((3, 4), 12, 13)
    np.testing.assert_array_equal(classic.fill_holes(picture, np.zeros([1, 12, 13, 1])), picture)


CASES = [
    ({"window": 4}, "`window` must be odd, >= 3. Received: window=4"),
    ({"window": 1}, "`window` must be odd, >= 3. Received: window=1"),
    ({"epsilon": -0.1}, "`epsilon` must be finite, >= 0"),
    ({"epsilon": float("nan")}, "`epsilon` must be finite, >= 0"),
    ({"at_once": 0}, "`at_once` must be >= 1"),
]


@pytest.mark.parametrize(("options", "message"), CASES)
def test_bad_configurations(options, message):
    with pytest.raises(ValueError, match=message):
        classic.EfrosLeungConfig(**options)


def test_too_small_or_all_unknown():
    picture = tiled((3, 4), 12, 10)
    with pytest.raises(ValueError, match=r"the window, 11x11 px\. Received: 10x12 px"):
        classic.efros_leung(picture, (20, 20))
    with pytest.raises(ValueError, match=r"`size` must be .* 11x11 px\. Received: 20x9 px"):
        classic.efros_leung(tiled((3, 4), 12, 12), (9, 20))
    holes = np.zeros([1, 12, 10, 1])
    with pytest.raises(ValueError, match="`mask` must have the picture's size, 10x12 px"):
        classic.fill_holes(picture, holes[:, 1:], config=classic.EfrosLeungConfig(window=5))
    holes[:, ::4] = 1
    with pytest.raises(ValueError, match="`mask` must leave a window of 5x5 px known"):
        classic.fill_holes(picture, holes, config=classic.EfrosLeungConfig(window=5))
