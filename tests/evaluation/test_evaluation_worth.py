"""How many steps a loss is worth: on courses that are made up, and on real ones."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf
from networks import random_image

from stylezoo.evaluation import (
    STARTS,
    Judge,
    PixelOptimizer,
    average_worth,
    starting_pictures,
    worth_in_steps,
)
from stylezoo.objectives import Objective, Reference, TotalLoss
from stylezoo.perceptual import Perceptual
from stylezoo.synthesis import LBFGS, OptimizationConfig, Pixels, optimize_image

SIZE = 24


@pytest.mark.parametrize(
    ("totals", "total", "expected"),
    [
        ([8.0, 4.0, 2.0, 1.0], 4.0, 1.0),
        ([8.0, 4.0, 2.0, 1.0], 1.0, 3.0),
        ([8.0, 4.0, 2.0, 1.0], 3.0, 1.5),
        ([8.0, 4.0, 2.0, 1.0], 3.5, 1.25),
        ([8.0, 4.0, 2.0, 1.0], 7.0, 0.25),
        ([8.0, 4.0, 2.0, 1.0], 8.0, 0.0),
        ([8.0, 4.0, 2.0, 1.0], 9.0, 0.0),
        ([8.0, 4.0, 2.0, 1.0], 0.5, None),
        ([8.0, 4.0, 4.0, 4.0], 4.0, 1.0),  # the first of them
        ([8.0, 4.0, 6.0, 2.0], 3.0, 2.75),
        ([8.0, 4.0, 6.0, 2.0], 5.0, 0.75),
        ([2.0], 3.0, 0.0),
        ([2.0], 1.0, None),
    ],
)
def test_worth_in_steps(totals, total, expected):
    # Quotients of small whole numbers, exact in floating point.
    assert worth_in_steps(totals, total) == expected


@pytest.mark.parametrize(
    ("totals", "total"), [([], 1.0), ([2.0, math.nan], 1.0), ([2.0, 1.0], math.nan)]
)
def test_worth_of_nothing(totals, total):
    with pytest.raises(ValueError, match="`totals` must be finite, one or more"):
        worth_in_steps(totals, total)


@pytest.mark.parametrize(
    ("worths", "average", "expected"),
    [
        ([10.0, 20.0, 60.0], np.mean, "30.0"),
        ([10.0, 20.0, 60.0], np.median, "20.0"),
        ([10.0, 20.0, None], np.mean, ">43.3"),  # what was not reached counts as 100
        ([10.0, 20.0, None], np.median, "20.0"),  # whatever it is
        ([10.0, None, None], np.median, ">100.0"),
        ([10.0, None], np.median, ">55.0"),
        ([None], np.mean, ">100.0"),
    ],
)
def test_average_worth(worths, average, expected):
    assert str(average_worth(worths, limit=100, average=average)) == expected


def test_starts():
    photograph = random_image(5, 6)
    starts = starting_pictures(photograph, seed=3)
    assert tuple(starts) == STARTS == ("noise", "photograph")
    assert starts["photograph"] is photograph
    noise = starting_pictures(photograph, seed=4)["noise"].numpy()
    assert noise.shape == (1, 5, 6, 3)
    assert 0 <= noise.min() < 0.1
    assert 0.9 < noise.max() <= 1
    assert not np.array_equal(noise, starts["noise"])
    np.testing.assert_array_equal(starts["noise"], starting_pictures(photograph, seed=3)["noise"])


PHOTOGRAPHS = {"dog": random_image(SIZE, SIZE), "cat": random_image(SIZE, SIZE, seed=1)}
STYLES = {"cubism": random_image(33, 50, seed=2), "fauvism": random_image(48, 37, seed=3)}


@pytest.fixture
def objective(random_weights):
    return Objective(
        Perceptual(weights=random_weights("vgg16")),
        content_layers=("relu2_2",),
        style_layers=("relu1_2", "relu2_2"),
    )


@pytest.fixture
def judge(objective):
    return Judge(objective, photographs=PHOTOGRAPHS, styles=STYLES, lpips=())


def course(objective, initial, photograph, style, num_steps):
    """Return losses and pictures after 1, 2, ... steps, without a judge."""
    loss = objective.build()
    targets = loss.targets(
        {"content": Reference([PHOTOGRAPHS[photograph]]), "style": Reference([STYLES[style]])}
    )
    pictures = []
    result, _ = optimize_image(
        loss,
        Pixels(initial),
        targets,
        config=OptimizationConfig(LBFGS(memory=20)),
        num_steps=num_steps,
        callback=lambda progress: pictures.append(progress.image()),
    )
    return [losses["total"] for losses in result.losses], pictures


@pytest.mark.parametrize("start", STARTS)
def test_a_picture_of_the_optimisation_is_worth_its_own_steps(start, judge, objective):
    names = {"photograph": "cat", "style": "fauvism"}
    initial = starting_pictures(PHOTOGRAPHS["cat"])[start]
    told = []
    optimization, last = PixelOptimizer(judge, num_steps=8).run(
        initial, **names, callback=lambda: told.append(1)
    )
    totals, pictures = course(objective, initial, *names.values(), 8)
    # The same steps, but for the order of float32 sums in another graph.
    np.testing.assert_allclose(optimization.totals[1:], totals, rtol=1e-3)
    np.testing.assert_allclose(last, pictures[-1], atol=1e-2)
    assert len(told) == 8
    assert optimization.evaluations >= 8
    assert optimization.seconds > 0
    assert optimization.worth(judge.losses(initial, **names)["total"]) == 0
    for step, picture in enumerate(pictures, start=1):
        total = judge.losses(picture, **names)["total"]
        # A step lowers the loss by a few per cent at least, of which float32 decides 1e-3.
        assert optimization.worth(total * (1 + 1e-6)) == pytest.approx(step, abs=0.05)
    assert optimization.worth(0.99 * optimization.totals[-1]) is None


def test_runs_of_one_size_share_one_trace(judge, monkeypatch):
    traces = []
    original = TotalLoss.__call__
    monkeypatch.setattr(
        TotalLoss, "__call__", lambda *inputs: traces.append(1) or original(*inputs)
    )
    runs = [("cat", "cubism", 0), ("dog", "fauvism", 1), ("cat", "cubism", 0)]
    optimizer = PixelOptimizer(judge, num_steps=4)
    results = []
    for photograph, style, seed in runs:
        noise = starting_pictures(PHOTOGRAPHS[photograph], seed=seed)["noise"]
        results.append(optimizer.run(noise, photograph=photograph, style=style))
        assert len(traces) == 2  # the loss alone; the loss with its gradient
    (first, picture), (other, _), (again, same) = results
    # Nothing of the run between is left.
    assert first.totals == again.totals != other.totals
    np.testing.assert_array_equal(picture, same)


def test_an_optimisation_that_is_stuck_stays_where_it_is(objective):
    """Nothing can be lowered from the photograph if there is nothing but its content to match."""
    judge = Judge(
        dataclasses.replace(objective, style_weight=0.0),
        photographs=PHOTOGRAPHS,
        styles=STYLES,
        lpips=(),
    )
    told = []
    optimization, picture = PixelOptimizer(judge, num_steps=5).run(
        PHOTOGRAPHS["cat"], photograph="cat", style="cubism", callback=lambda: told.append(1)
    )
    assert optimization.totals == (0.0,) * 6
    assert len(told) == 5
    np.testing.assert_array_equal(picture, PHOTOGRAPHS["cat"])


def test_patches_are_matched_before_each_step(objective, monkeypatch):
    """And not within it, where the loss would jump."""
    matched = []
    original = TotalLoss.match
    monkeypatch.setattr(TotalLoss, "match", lambda *inputs: matched.append(1) or original(*inputs))
    patches = dataclasses.replace(objective, style_loss="mrf", style_layers=("relu1_2",))
    judge = Judge(patches, photographs=PHOTOGRAPHS, styles=STYLES, lpips=())
    noise = starting_pictures(PHOTOGRAPHS["cat"])["noise"]
    optimizer = PixelOptimizer(judge, num_steps=4)
    optimization, _ = optimizer.run(noise, photograph="cat", style="cubism")
    assert len(matched) == 4
    assert list(optimization.totals) == sorted(optimization.totals, reverse=True)


def test_no_steps(judge):
    with pytest.raises(ValueError, match=r"`num_steps` must be >= 1. Received: num_steps=0"):
        PixelOptimizer(judge, num_steps=0)


def test_photographs_of_different_sizes(objective):
    photographs = {"small": random_image(16, 20), "large": random_image(20, 28)}
    judge = Judge(objective, photographs=photographs, styles=STYLES, lpips=())
    optimizer = PixelOptimizer(judge, num_steps=2)
    for name, photograph in photographs.items():
        optimization, picture = optimizer.run(
            tf.fill(photograph.shape, 0.5), photograph=name, style="cubism"
        )
        assert picture.shape == photograph.shape
        assert optimization.totals[0] > optimization.totals[-1]
