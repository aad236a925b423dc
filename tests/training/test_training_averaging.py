"""Running averages of weights, alone and in a run."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from training_fakes import (
    Interrupted,
    assert_equal,
    interrupt_at,
    records,
    run,
    state,
    weights,
)

from stylezoo import generators
from stylezoo.training.averaging import RunningAverage

NUM_STEPS = 8


def test_average_follows_its_recursion():
    variable = keras.Variable([3.0, -1.0])
    average, expected = RunningAverage([variable], 0.6), np.array([3.0, -1.0])
    for step, value in enumerate(([1.0, 2.0], [4.0, 0.0], [-2.0, 5.0], [0.0, 1.0])):
        variable.assign(value)
        average.update(tf.constant(step, tf.int64))
        # At first it forgets faster: by 1/10, 2/11, 3/12, ..., never by more than the decay.
        decay = min(0.6, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * np.array(value)
    np.testing.assert_allclose(average.averages[0], expected, rtol=1e-6)
    for step in range(100):
        average.update(tf.constant(step, tf.int64))
    np.testing.assert_allclose(average.averages[0], variable, rtol=1e-6, atol=1e-20)


def test_applied_ends():
    variable = keras.Variable([2.0])
    average = RunningAverage([variable], 0.5)
    variable.assign([6.0])

    def look():
        with average.applied():
            assert float(variable[0]) == 2.0
            raise Interrupted

    with pytest.raises(Interrupted):
        look()
    assert float(variable[0]) == 6.0
    average.apply()
    assert float(variable[0]) == 2.0


def painter_weights(path):
    return weights(generators.load(path / "model"))


def test_run_shows_and_ends_with_the_average(tmp_path):
    """The trained weights go their way as without it; what is shown and saved is their average."""
    plain, averaged = tmp_path / "plain", tmp_path / "averaged"
    run(plain, num_steps=NUM_STEPS)
    result = run(averaged, num_steps=NUM_STEPS, average=0.5)
    saved, whole = state(averaged), state(plain)
    assert_equal({name: saved[name] for name in whole}, whole)
    averages = [value for name, value in saved.items() if name.startswith("average/")]
    shown = painter_weights(averaged)
    assert weights(result.painter).keys() == shown.keys()
    trained = [variable.path for variable in result.painter.trainable_variables]
    assert len(averages) == len(trained)
    for path in trained:
        assert any(np.array_equal(shown[path], each) for each in averages), path
        np.testing.assert_array_equal(weights(result.painter)[path], shown[path])
    losses = [
        [record["held_out/total"] for record in records(path) if "held_out/total" in record]
        for path in (plain, averaged)
    ]
    assert losses[0][0] == losses[1][0]
    assert losses[0][1:] != losses[1][1:]


@pytest.mark.slow
def test_resumed_run_has_the_same_average(tmp_path):
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    run(unbroken, num_steps=NUM_STEPS, average=0.9)
    with pytest.raises(Interrupted):
        run(broken, num_steps=NUM_STEPS, average=0.9, callback=interrupt_at(5))
    run(broken, num_steps=NUM_STEPS, average=0.9)
    assert_equal(state(broken), state(unbroken))
    assert_equal(painter_weights(broken), painter_weights(unbroken))
    # A run that has ended gives its average again.
    again = run(broken, num_steps=NUM_STEPS, average=0.9)
    assert_equal(weights(again.painter), painter_weights(unbroken))
