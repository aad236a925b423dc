"""optimize_image, pyramids and schedules, on losses of pixels alone."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from stylezoo.synthesis import (
    LBFGS,
    Adam,
    OptimizationConfig,
    Pixels,
    Schedule,
    coarse_to_fine,
    optimize_image,
)

OPTIMIZERS = [Adam(), LBFGS(memory=4), LBFGS(memory=4, exponent=0.5)]


def start(height=6, width=7, seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(size=(1, height, width, 3)), tf.float32)


def towards(image, targets):
    """Not quadratic, so that no optimiser is done at once."""
    near = tf.reduce_mean(tf.sqrt(0.01 + (image - targets["goal"]) ** 2))
    smooth = tf.reduce_mean((image[:, 1:] - image[:, :-1]) ** 2)
    return near + smooth, {"near": near, "smooth": smooth}


GOAL = {"goal": tf.constant(0.3)}


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["adam", "lbfgs", "preconditioned"])
def test_callback_and_history(optimizer):
    told = []
    parameter = Pixels(start())
    result, _ = optimize_image(
        towards,
        parameter,
        GOAL,
        config=OptimizationConfig(optimizer),
        num_steps=6,
        callback=lambda progress: told.append((progress, progress.image())),
    )
    assert [(each.step, each.num_steps) for each, _ in told] == [(n, 6) for n in range(1, 7)]
    assert [each.losses for each, _ in told] == result.losses
    np.testing.assert_array_equal(told[-1][1], result.image)
    np.testing.assert_array_equal(parameter.variable, result.image)
    assert not np.array_equal(told[0][1], told[1][1])
    for losses in result.losses:
        assert list(losses) == ["total", "near", "smooth"]
        assert losses["total"] == pytest.approx(losses["near"] + losses["smooth"], rel=1e-6)
    assert result.losses[-1]["total"] < 0.9 * result.losses[0]["total"]
    assert result.seconds > 0


def test_lbfgs_reports_the_loss_of_the_picture_it_gives():
    result, _ = optimize_image(
        towards, Pixels(start()), GOAL, config=OptimizationConfig(LBFGS()), num_steps=5
    )
    total, _ = towards(tf.constant(result.image), GOAL)
    assert result.losses[-1]["total"] == pytest.approx(float(total), rel=1e-6)  # graph and eager


@pytest.mark.parametrize("average_decay", [0.0, 0.9])
def test_no_steps_give_the_start(average_decay):
    result, _ = optimize_image(
        towards,
        Pixels(start()),
        GOAL,
        config=OptimizationConfig(LBFGS(), average_decay=average_decay),
        num_steps=0,
    )
    np.testing.assert_array_equal(result.image, start())
    assert result.losses == []
    assert result.evaluations == 0


def test_average_is_bias_corrected():
    pictures = []
    optimizer = Adam(learning_rate=0.1)
    optimize_image(
        towards,
        Pixels(start()),
        GOAL,
        config=OptimizationConfig(optimizer),
        num_steps=7,
        callback=lambda progress: pictures.append(progress.image()),
    )
    averaged = []
    result, _ = optimize_image(
        towards,
        Pixels(start()),
        GOAL,
        config=OptimizationConfig(optimizer, average_decay=0.8),
        num_steps=7,
        callback=lambda progress: averaged.append(progress.image()),
    )
    for count in range(1, 8):
        weights = 0.8 ** np.arange(count)[::-1]
        expected = np.tensordot(weights / weights.sum(), np.stack(pictures[:count]), axes=1)
        # Float32 sums of values up to one.
        np.testing.assert_allclose(averaged[count - 1], expected, atol=1e-6)
    np.testing.assert_array_equal(result.image, averaged[-1])


def test_stops_when_converged():
    def quickly(image, _):
        total = 1.0 + tf.reduce_mean((image - 0.3) ** 2)
        return total, {"term": total}

    result, _ = optimize_image(
        quickly,
        Pixels(start()),
        {},
        config=OptimizationConfig(Adam(), tolerance=1e-3),
        num_steps=300,
    )
    assert len(result.losses) < 150  # Adam needs some 50 steps of 0.02 to get there
    totals = [losses["total"] for losses in result.losses]
    assert len(totals) > 50
    assert abs(totals[-51] - totals[-1]) < 1e-3 * totals[-1]
    result, _ = optimize_image(
        quickly, Pixels(start()), {}, config=OptimizationConfig(Adam()), num_steps=160
    )
    assert len(result.losses) == 160


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["adam", "lbfgs", "preconditioned"])
def test_same_start_same_picture(optimizer):
    first, second = (
        optimize_image(
            towards, Pixels(start()), GOAL, config=OptimizationConfig(optimizer), num_steps=8
        )[0]
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.image, second.image)
    assert first.losses == second.losses


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["adam", "lbfgs", "preconditioned"])
def test_the_loss_is_traced_once(optimizer):
    traces = []

    def counting(image, targets):
        traces.append(image)
        return towards(image, targets)

    _, minimizer = optimize_image(
        counting,
        Pixels(start()),
        GOAL,
        config=OptimizationConfig(optimizer, average_decay=0.5),
        num_steps=5,
    )
    assert len(traces) == 1
    assert minimizer.step.experimental_get_tracing_count() == 1
    assert minimizer.evaluate.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["adam", "lbfgs", "preconditioned"])
def test_a_minimizer_serves_another_run(optimizer):
    """With another start and other targets nothing is traced again, and nothing of the old run is left."""
    traces = []

    def counting(image, targets):
        traces.append(image)
        return towards(image, targets)

    goals = [{"goal": tf.constant(value)} for value in (0.3, 0.6)]
    parameter, minimizer = Pixels(start()), None
    for seed, goal in ((0, goals[0]), (1, goals[1]), (0, goals[0])):
        parameter.variable.assign(start(seed=seed))
        reused, minimizer = optimize_image(
            counting,
            parameter,
            goal,
            config=OptimizationConfig(optimizer),
            num_steps=9,
            minimizer=minimizer,
        )
        fresh, _ = optimize_image(
            towards,
            Pixels(start(seed=seed)),
            goal,
            config=OptimizationConfig(optimizer),
            num_steps=9,
        )
        np.testing.assert_array_equal(reused.image, fresh.image)
        assert reused.losses == fresh.losses
        assert reused.evaluations == fresh.evaluations
    assert len(traces) == 1
    assert minimizer.step.experimental_get_tracing_count() == 1


def test_a_minimizer_that_was_stuck_is_so_no_longer():
    parameter = Pixels(tf.fill([1, 4, 4, 3], 0.3))
    result, minimizer = optimize_image(
        towards, parameter, GOAL, config=OptimizationConfig(LBFGS()), num_steps=9
    )
    assert bool(minimizer.stuck)
    assert len(result.losses) == 1
    parameter.variable.assign(start(4, 4))
    result, _ = optimize_image(
        towards,
        parameter,
        GOAL,
        config=OptimizationConfig(LBFGS()),
        num_steps=3,
        minimizer=minimizer,
    )
    assert len(result.losses) == 3
    assert result.losses[0]["total"] > result.losses[-1]["total"]


def test_a_minimizer_of_another_parameter():
    parameter = Pixels(start())
    _, minimizer = optimize_image(
        towards, parameter, GOAL, config=OptimizationConfig(Adam()), num_steps=1
    )
    for options in ({"parameter": Pixels(start())}, {"previous": minimizer}):
        options = {"parameter": parameter, "minimizer": minimizer, **options}
        with pytest.raises(ValueError, match="`minimizer` must be of `parameter`, without"):
            optimize_image(
                towards, targets=GOAL, config=OptimizationConfig(Adam()), num_steps=1, **options
            )


def test_nan_later_on_names_the_step():
    def fails_below(image, _):
        total = tf.reduce_mean(tf.where(image < 0.4, float("nan"), image))
        return total, {"good": tf.constant(1.0), "bad": total}

    with pytest.raises(FloatingPointError, match=r"at step 3: total, bad$"):
        optimize_image(
            fails_below,
            Pixels(tf.fill([1, 4, 4, 3], 0.51)),
            {},
            config=OptimizationConfig(
                Adam(learning_rate=0.06)
            ),  # reports the loss that a step starts from
            num_steps=5,
        )


def test_bad_steps():
    with pytest.raises(ValueError, match="`num_steps` must be >= 0"):
        optimize_image(towards, Pixels(start()), GOAL, config=OptimizationConfig(), num_steps=-1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"average_decay": 1.0}, "`average_decay` must be in"),
        ({"average_decay": -0.1}, "`average_decay` must be in"),
        ({"match_every": 0}, r"`match_every` must be >= 1\. Received: match_every=0"),
        ({"tolerance": -1e-3}, "`tolerance` must be >= 0"),
        ({"tolerance": float("nan")}, "`tolerance` must be >= 0"),
    ],
)
def test_bad_configurations(options, message):
    with pytest.raises(ValueError, match=message):
        OptimizationConfig(**options)


@pytest.mark.parametrize(
    ("smallest", "size", "minimum", "expected"),
    [
        (128, (512, 512), 1, [(128, 128), (256, 256), (512, 512)]),
        (128, (384, 512), 1, [(96, 128), (192, 256), (384, 512)]),
        (512, (800, 800), 1, [(512, 512), (800, 800)]),
        (512, (600, 700), 1, [(600, 700)]),  # less than half an octave
        (128, (100, 70), 1, [(100, 70)]),
        (None, (1000, 600), 1, [(1000, 600)]),
        (64, (512, 128), 32, [(128, 32), (256, 64), (512, 128)]),
        (8, (64, 48), 32, [(43, 32), (64, 48)]),  # the smallest that is allowed
        (8, (20, 30), 40, [(20, 30)]),
        (1, (4, 1), 1, [(4, 1)]),
    ],
)
def test_levels(smallest, size, minimum, expected):
    schedule = Schedule(smallest=smallest, initial_steps=7, steps=3)
    levels = schedule.levels(*size, minimum=minimum)
    assert [level for level, _ in levels] == expected
    assert [steps for _, steps in levels] == [7, *[3] * (len(expected) - 1)]


def test_levels_between_have_steps_of_their_own():
    schedule = Schedule(smallest=64, initial_steps=7, steps=3, middle_steps=5)
    assert schedule.levels(512, 512) == [
        ((64, 64), 7),
        ((128, 128), 5),
        ((256, 256), 5),
        ((512, 512), 3),
    ]
    assert schedule.levels(128, 128) == [((64, 64), 7), ((128, 128), 3)]
    assert schedule.levels(64, 64) == [((64, 64), 7)]


def test_levels_of_any_size_keep_aspect_and_minimum():
    schedule = Schedule(smallest=64, initial_steps=1, steps=1)
    for height in (33, 100, 301, 512, 799):
        for width in (40, 257, 640):
            sizes = [size for size, _ in schedule.levels(height, width, minimum=32)]
            assert sizes[-1] == (height, width)
            for level_height, level_width in sizes:
                assert min(level_height, level_width) >= 32
                # Each side is rounded by half a pixel.
                slack = 0.5 * (height + width)
                assert abs(level_height * width - level_width * height) <= slack
            for (smaller, _), (larger, _) in itertools.pairwise(sizes):
                assert 2**0.5 * 0.95 < larger / smaller < 2 * 2**0.5  # the nearest to doubling


@pytest.mark.parametrize(
    "options",
    [
        {"smallest": 0, "initial_steps": 1, "steps": 1},
        {"smallest": 1, "initial_steps": -1, "steps": 1},
        {"smallest": 1, "initial_steps": 1, "steps": -1},
    ],
)
def test_bad_schedules(options):
    with pytest.raises(ValueError, match="must be >="):
        Schedule(**options)


def test_coarse_to_fine():
    sizes, told, shares = [], [], []

    def tell(progress):
        told.append((progress.step, progress.num_steps))
        shares.append(progress.share)

    def problem(size):
        sizes.append(size)
        return towards, GOAL

    result = coarse_to_fine(
        problem,
        lambda size: start(*size),
        levels=[((4, 6), 3), ((8, 12), 2), ((16, 24), 0)],
        config=OptimizationConfig(LBFGS(memory=3)),
        callback=tell,
    )
    # Steps see 24 and 96 px.
    np.testing.assert_allclose(shares, np.array([24, 48, 72, 168, 264]) / 264)
    assert sizes == [(4, 6), (8, 12), (16, 24)]
    assert told == [(step, 5) for step in range(1, 6)]
    assert result.image.shape == (1, 16, 24, 3)
    assert len(result.losses) == 5
    assert [(each.height, each.width, each.steps) for each in result.levels] == [
        (4, 6, 3),
        (8, 12, 2),
        (16, 24, 0),
    ]
    assert all(each.evaluations >= each.steps for each in result.levels)


def test_detail_of_a_picture_is_added_when_enlarging():
    content = start(16, 16, seed=3)
    common = {"config": OptimizationConfig(Adam()), "levels": [((4, 4), 0), ((16, 16), 0)]}

    def enlarged(**options):
        return coarse_to_fine(
            lambda size: (towards, GOAL),
            lambda size: tf.image.resize(content, size, method="bicubic", antialias=True),
            **common,
            **options,
        ).image.numpy()

    # From the content's own reduction, its detail restores it: additions within [0, 1] in float32.
    np.testing.assert_allclose(enlarged(detail_of=content), content, atol=1e-5)
    assert np.mean(np.abs(enlarged() - content)) > 0.1


class Nearest:
    """The squared distance to the nearer of two greys, which is matched."""

    matches = True

    def __init__(self):
        self.matched = []

    def match(self, image, targets):
        self.matched.append(float(tf.reduce_mean(image)))
        nearer = tf.argmin(tf.abs(targets["greys"] - tf.reduce_mean(image)))
        return {"grey": targets["greys"][nearer]}

    def __call__(self, image, targets):
        total = tf.reduce_mean(tf.square(image - targets["grey"]))
        return total, {"distance": total}


@pytest.mark.parametrize("optimizer", [Adam(), LBFGS()])
@pytest.mark.parametrize("every", [1, 3])
def test_matches_before_the_first_step_and_after_every_so_many(optimizer, every):
    loss = Nearest()
    result, _ = optimize_image(
        loss,
        Pixels(tf.fill([1, 4, 4, 3], 0.4)),
        {"greys": tf.constant([0.1, 0.9])},
        config=OptimizationConfig(optimizer, match_every=every),
        num_steps=7,
    )
    steps = len(result.losses)
    # Where L-BFGS is stuck, it is matched once more before it ends.
    assert len(loss.matched) >= -(-steps // every)
    if isinstance(optimizer, Adam):
        assert len(loss.matched) == -(-7 // every)
        assert result.evaluations == 7
    assert loss.matched[0] == pytest.approx(0.4)
    assert loss.matched == sorted(loss.matched, reverse=True)
    assert np.mean(result.image) < 0.35


def test_grey_pixels_stay_grey():
    parameter = Pixels(
        tf.random.stateless_uniform([1, 4, 4, 3], [0, 0]), bounds=(0.2, 0.8), grey=True
    )
    goal = tf.constant([0.1, 0.5, 0.6])

    def loss(image, targets):
        total = tf.reduce_mean(tf.square(image - goal))
        return total, {"distance": total}

    result, _ = optimize_image(
        loss, parameter, {}, config=OptimizationConfig(LBFGS()), num_steps=20
    )
    assert result.image.shape == (1, 4, 4, 3)
    # The best grey is the mean.
    np.testing.assert_allclose(result.image, np.full([1, 4, 4, 3], 0.4), atol=1e-3)
