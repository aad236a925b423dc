"""L-BFGS: against known minima, SciPy, a plain NumPy recursion, and functions that mean harm."""

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from stylezoo.ops import frequency_gains
from stylezoo.synthesis import LBFGS, OptimizationConfig, Pixels, optimize_image

WIDE = (-1e6, 1e6)  # bounds that hold nothing


def quadratic(shape, *, condition, seed=0):
    """½ (x - t)ᵀ A (x - t) with eigenvalues from 1 to ``condition``: the matrix, and t."""
    random = np.random.default_rng(seed)
    size = int(np.prod(shape))
    vectors = np.linalg.qr(random.standard_normal([size, size])).Q
    matrix = (vectors * np.geomspace(1, condition, size)) @ vectors.T
    return matrix, random.uniform(0.2, 0.8, shape)


def quadratic_loss(matrix, minimum):
    matrix, minimum = tf.constant(matrix, tf.float32), tf.constant(minimum, tf.float32)

    def loss(image, _=None):
        difference = tf.reshape(image - minimum, [-1, 1])
        total = 0.5 * tf.reduce_sum(difference * tf.matmul(matrix, difference))
        return total, {"quadratic": total}

    return loss


def scalar_loss(function):
    """A loss with one term, of a function of the picture."""

    def loss(image, _=None):
        total = function(image)
        return total, {"term": total}

    return loss


def minimize(loss, start, *, optimizer, num_steps, bounds=WIDE):
    """Return the final variable, the totals of all steps, and the evaluations of each."""
    parameter = Pixels(tf.constant(start, tf.float32), bounds=bounds)
    minimizer = optimizer.start(parameter, loss)
    totals, evaluations = [], []
    for _ in range(num_steps):
        total, _, used = minimizer.step()
        totals.append(float(total))
        evaluations.append(int(used))
    return parameter.variable.numpy(), totals, evaluations


@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_reaches_the_minimum_of_a_quadratic(exponent):
    shape = (1, 4, 5, 3)
    matrix, minimum = quadratic(shape, condition=100)
    result, totals, _ = minimize(
        quadratic_loss(matrix, minimum),
        np.full(shape, 0.5),
        optimizer=LBFGS(memory=20, exponent=exponent),
        num_steps=80,
    )
    # Gradients are right to float32's 6e-8 of the largest eigenvalue: 100 times that along the
    # smallest. A margin of 10 on top.
    np.testing.assert_allclose(result, minimum, atol=6e-5)
    assert totals[-1] < 1e-7 * totals[0]


def test_keeps_up_with_scipy_on_an_ill_conditioned_quadratic():
    shape = (1, 10, 10, 3)
    matrix, minimum = quadratic(shape, condition=1e4)
    start = np.full(shape, 0.5)
    _, totals, evaluations = minimize(
        quadratic_loss(matrix, minimum), start, optimizer=LBFGS(memory=10), num_steps=100
    )

    seen = []

    def function(x):
        difference = x - minimum.ravel()
        gradient = matrix @ difference
        seen.append(0.5 * difference @ gradient)
        return seen[-1], gradient

    scipy.optimize.minimize(
        function, start.ravel(), jac=True, method="L-BFGS-B", options={"maxcor": 10}
    )
    # SciPy's steps satisfy the Wolfe conditions, ours only sufficient decrease: neither is always
    # ahead. A factor of 2 either way is about 10 steps here; a wrong recursion is 100 times worse.
    used = min(sum(evaluations), len(seen))
    assert totals[-1] < 2 * min(seen[:used])


def plain_two_loop(gradient, pairs, apply_initial):
    """Nocedal & Wright 2006, algorithm 7.4, as it stands there."""
    q, alphas = gradient.copy(), []
    for step, change in reversed(pairs):
        alphas.append(np.vdot(step, q) / np.vdot(step, change))
        q -= alphas[-1] * change
    r = apply_initial(q)
    for (step, change), alpha in zip(pairs, reversed(alphas), strict=True):
        r += (alpha - np.vdot(change, r) / np.vdot(step, change)) * step
    return -r


def plain_precondition(image, exponent):
    """Gains f^(-2 exponent) by the full two-dimensional transform."""
    height, width = image.shape[1:3]
    vertical, horizontal = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]
    frequency = np.maximum(np.hypot(vertical, horizontal), 1 / max(height, width))
    gains = frequency ** (-2 * exponent)
    gains /= np.sqrt(np.mean(gains[:, : width // 2 + 1] ** 2))
    spectrum = np.fft.fft2(image, axes=(1, 2)) * gains[None, :, :, None]
    return np.fft.ifft2(spectrum, axes=(1, 2)).real


@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_iterates_are_those_of_a_plain_recursion(exponent):
    shape, memory, first_step = (1, 5, 6, 3), 3, 0.02
    matrix, minimum = quadratic(shape, condition=20)

    def precondition(image):
        return plain_precondition(image, exponent) if exponent else image

    def gradient_at(x):
        return (matrix @ (x - minimum).ravel()).reshape(shape)

    x, pairs, expected = np.full(shape, 0.5), [], []
    for _ in range(8):
        gradient = gradient_at(x)
        if pairs:
            step, change = pairs[-1]
            scale = np.vdot(step, change) / np.vdot(change, precondition(change))
        else:
            scale = first_step / np.sqrt(np.mean(precondition(gradient) ** 2))
        direction = plain_two_loop(gradient, pairs, lambda q, scale=scale: scale * precondition(q))
        pairs = [*pairs, (direction, gradient_at(x + direction) - gradient)][-memory:]
        x = x + direction
        expected.append(x)

    parameter = Pixels(tf.fill(shape, 0.5), bounds=WIDE)
    config = LBFGS(memory=memory, exponent=exponent, first_step=first_step)
    minimizer = config.start(parameter, quadratic_loss(matrix, minimum))
    for x in expected:
        _, _, evaluations = minimizer.step()
        assert evaluations == 1  # the plain recursion takes full steps, too
        # Steps are about 0.02; float32 changes of gradients are right to 1e-5 of them, and what
        # is wrong grows by the condition number over the steps.
        np.testing.assert_allclose(parameter.variable, x, atol=2e-5)


def test_bounds_end_in_a_point_that_satisfies_kkt():
    shape = (1, 4, 5, 3)
    matrix, _ = quadratic(shape, condition=30)
    minimum = np.random.default_rng(1).uniform(-0.5, 1.5, shape)
    result, totals, _ = minimize(
        quadratic_loss(matrix, minimum),
        np.full(shape, 0.5),
        optimizer=LBFGS(memory=20),
        num_steps=150,
        bounds=(0.0, 1.0),
    )
    gradient = (matrix @ (result - minimum).ravel()).reshape(shape)
    lower, upper = result == 0, result == 1
    assert lower.sum() > 5
    assert upper.sum() > 5
    # Gradients at the start are about 10; float32 leaves 1e-5 of that.
    tolerance = 1e-3
    assert np.all(gradient[lower] > -tolerance)
    assert np.all(gradient[upper] < tolerance)
    assert np.all(np.abs(gradient[~lower & ~upper]) < tolerance)
    assert np.all(np.diff(totals) <= 0)
    reference = scipy.optimize.minimize(
        lambda x: (
            0.5 * (x - minimum.ravel()) @ matrix @ (x - minimum.ravel()),
            matrix @ (x - minimum.ravel()),
        ),
        np.full(minimum.size, 0.5),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, 1)] * minimum.size,
        options={"ftol": 1e-14, "gtol": 1e-8},
    )
    # Float32 sums of 60 terms: 1e-6.
    assert totals[-1] == pytest.approx(reference.fun, rel=1e-5)


def test_bounds_of_each_channel():
    lower, upper = np.float32([0.1, 0.2, 0.3]), np.float32([0.5, 0.6, 0.7])
    start = np.random.default_rng(0).uniform(size=(1, 4, 4, 3))
    minimum = tf.constant([-1.0, 0.4, 2.0])
    result, _, _ = minimize(
        scalar_loss(lambda image: tf.reduce_mean((image - minimum) ** 2)),
        start,
        optimizer=LBFGS(),
        num_steps=30,
        bounds=(lower, upper),
    )
    # The middle one's minimum is inside: its square is 0 to float32 within 1e-4.
    np.testing.assert_allclose(
        result, np.broadcast_to([0.1, 0.4, 0.7], result.shape).astype(np.float32), atol=1e-4
    )


def test_steps_that_overshoot_are_shortened():
    # Flat far out and steep inside: curvature seen outside promises much too long steps.
    result, totals, evaluations = minimize(
        scalar_loss(lambda image: tf.reduce_mean(tf.sqrt(1 + (30 * (image - 0.5)) ** 2))),
        np.random.default_rng(0).uniform(size=(1, 4, 4, 3)),
        optimizer=LBFGS(first_step=2.0),
        num_steps=40,
    )
    assert sum(evaluations) > len(evaluations)
    assert np.all(np.diff(totals) <= 0)
    # The loss is 1 + 450 d² near its minimum, 1: float32 ends where that is 1e-7, d = 1.5e-5.
    np.testing.assert_allclose(result, 0.5, atol=1e-4)


def test_never_diverges_on_rosenbrock():
    def rosenbrock(image):
        x, y = image[..., 0], image[..., 1]
        return tf.reduce_mean((1 - x) ** 2 + 100 * (y - x**2) ** 2)

    result, totals, _ = minimize(
        scalar_loss(rosenbrock),
        np.float32([-1.2, 1.0, 0.0]).reshape(1, 1, 1, 3),
        optimizer=LBFGS(first_step=0.5),
        num_steps=80,
    )
    assert np.all(np.diff(totals) <= 0)
    # Along the valley the loss is d²/5: below float32's 1e-8 here from 2e-4.
    np.testing.assert_allclose(result[0, 0, 0, :2], 1, atol=1e-3)


def test_backs_out_of_a_region_of_nan():
    def barrier(image):
        return tf.reduce_mean(image - 0.01 * tf.math.log(image - 0.2))

    result, totals, evaluations = minimize(
        scalar_loss(barrier),
        np.full((1, 4, 4, 3), 0.5),
        optimizer=LBFGS(first_step=0.4),  # the first step ends at 0.1
        num_steps=30,
    )
    assert evaluations[0] > 1
    assert np.all(np.isfinite(totals))
    assert np.all(np.diff(totals) <= 0)
    # f is 0.24 and its curvature 100 there: float32 can't tell 50 d² below 2e-8, d = 2e-5.
    np.testing.assert_allclose(result, 0.21, atol=1e-4)


def test_backs_out_where_only_the_gradient_is_nan():
    """A gradient may be infinite, as a root's at zero: such a step must not be accepted."""

    @tf.custom_gradient
    def treacherous(image):
        slope = tf.where(image > 0.3, 1 / 12, float("nan"))
        return tf.reduce_mean(image), lambda upstream: upstream * slope

    result, totals, evaluations = minimize(
        scalar_loss(treacherous),
        np.full((1, 2, 2, 3), 0.5),
        optimizer=LBFGS(first_step=0.3),
        num_steps=5,
    )
    assert evaluations[0] > 1
    assert np.all(result > 0.3)
    assert np.all(np.diff(totals) <= 0)


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (lambda image: tf.reduce_mean(tf.math.log(image - 0.6)), "total, term"),
        (lambda image: tf.reduce_mean(tf.sqrt(image - 0.5)), "total"),  # finite, but steep
    ],
)
def test_nan_at_the_start_is_said(function, names):
    with pytest.raises(FloatingPointError, match=f"not finite at step 1: {names}$"):
        optimize_image(
            scalar_loss(function),
            Pixels(tf.fill([1, 4, 4, 3], 0.5)),
            {},
            config=OptimizationConfig(LBFGS()),
            num_steps=3,
        )


def test_a_step_that_can_not_decrease_leaves_the_picture():
    @tf.custom_gradient
    def lying(image):
        return tf.reduce_mean(image**2), lambda upstream: -upstream * image

    start = np.random.default_rng(0).uniform(size=(1, 4, 4, 3)).astype(np.float32)
    result, totals, evaluations = minimize(
        scalar_loss(lying), start, optimizer=LBFGS(max_evaluations=4), num_steps=3
    )
    np.testing.assert_array_equal(result, start)
    assert evaluations == [4, 4, 4]
    assert len(set(totals)) == 1


def test_recovers_after_a_rejected_step():
    """The history is forgotten, and plain descent goes on from there."""
    lie = tf.Variable(False)

    @tf.custom_gradient
    def signed(image, sign):
        total = tf.reduce_mean((image - 0.3) ** 2)
        return total, lambda upstream: (sign * upstream * (image - 0.3), None)

    def loss(image):
        return signed(image, tf.where(lie, -1.0, 1.0))

    parameter = Pixels(tf.constant(np.random.default_rng(0).uniform(size=(1, 4, 4, 3)), tf.float32))
    minimizer = LBFGS().start(parameter, scalar_loss(loss))
    totals = [float(minimizer.step()[0])]
    lie.assign(True)
    totals.append(float(minimizer.step()[0]))  # accepted, and its gradient is the wrong way round
    held = parameter.variable.numpy()
    totals.append(float(minimizer.step()[0]))
    np.testing.assert_array_equal(parameter.variable, held)
    assert totals[0] > totals[1] == totals[2]
    assert not np.any(minimizer._reciprocals)


def test_concave_functions_are_descended_without_pairs():
    parameter = Pixels(tf.constant(np.random.default_rng(0).uniform(size=(1, 6, 6, 3)), tf.float32))
    loss = scalar_loss(lambda image: -tf.reduce_mean((image - 0.5) ** 2))
    minimizer = LBFGS().start(parameter, loss)
    totals = [float(minimizer.step()[0]) for _ in range(60)]
    assert not np.any(minimizer._reciprocals)
    assert np.all(np.diff(totals) <= 0)
    # Every pixel runs away from ½ until a bound stops it.
    assert totals[-1] == pytest.approx(-0.25, abs=1e-6)


def carried(memory):
    """A minimiser of 16x16 px after 8 steps, and one of 32x24 px that carries on from it."""

    def smooth(image):
        rows = tf.linspace(0.0, 1.0, image.shape[1])[None, :, None, None]
        rough = tf.reduce_mean((image[:, 1:] - image[:, :-1]) ** 2)
        return tf.reduce_mean((0.2 + rows) * (image - rows) ** 2) + 3 * rough

    noise = np.random.default_rng(0).uniform(size=(1, 16, 16, 3))
    smaller = LBFGS(memory=6).start(Pixels(tf.constant(noise, tf.float32)), scalar_loss(smooth))
    for _ in range(8):
        smaller.step()
    picture = tf.image.resize(smaller.parameter.image(), [32, 24])
    config = LBFGS(memory=memory)
    larger = config.start(Pixels(picture), scalar_loss(smooth), smaller)
    return smaller, larger, config.start(Pixels(picture), scalar_loss(smooth))


def test_carried_pairs_have_positive_curvature_and_help():
    smaller, larger, fresh = carried(memory=6)
    assert np.all(smaller._reciprocals.numpy() > 0)
    reciprocals = larger._reciprocals.numpy()
    curvatures = np.sum(larger._steps * larger._changes, axis=(1, 2, 3, 4))
    kept = reciprocals > 0
    assert kept.sum() >= 4  # enlarging a pair rarely turns its curvature
    # Sums of 2304 float32 products: 1e-5.
    np.testing.assert_allclose(reciprocals[kept] * curvatures[kept], 1, rtol=1e-4)
    # A first step with the smaller picture's curvature against one of a guessed length.
    start = float(larger._total)
    assert start - float(larger.step()[0]) > 1.5 * (start - float(fresh.step()[0]))


def test_a_shorter_memory_carries_the_newest_pairs():
    smaller, larger, _ = carried(memory=2)
    assert np.all(larger._reciprocals.numpy() > 0)
    newest = smaller._steps[(int(smaller._slot) - 1) % 6]
    last = larger._steps[(int(larger._slot) - 1) % 2]
    expected = tf.image.resize(newest, [32, 24], method="bicubic", antialias=True)
    np.testing.assert_allclose(last, expected, atol=1e-7)  # the same operation


@pytest.mark.parametrize(("height", "width"), [(16, 16), (15, 20), (21, 13)])
def test_frequency_gains(height, width):
    gains = frequency_gains(height, width, exponent=1.0).numpy()
    assert gains.shape == (height, width // 2 + 1)
    assert np.mean(gains**2) == pytest.approx(1, rel=1e-5)  # a float32 mean
    vertical, horizontal = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.hypot(vertical, horizontal)
    # Radial: the gain times the frequency is one constant, except for the mean, whose frequency
    # counts as one cycle a picture.
    flat = (gains * frequency).ravel()[1:]
    np.testing.assert_allclose(flat, flat[0], rtol=1e-5)
    assert gains[0, 0] == pytest.approx(flat[0] * max(height, width), rel=1e-5)


def test_frequency_gains_fall_with_the_exponent():
    slopes = []
    for exponent in (0.0, 0.5, 1.4):
        gains = frequency_gains(64, 64, exponent=exponent).numpy()
        slopes.append(np.log2(gains[0, 4] / gains[0, 8]))
    np.testing.assert_allclose(slopes, [0.0, 0.5, 1.4], atol=1e-5)  # one octave, in float32


@pytest.mark.parametrize("shape", [(1, 16, 16, 3), (2, 15, 17, 3), (1, 7, 12, 3)])
def test_preconditioner_is_symmetric_positive_definite(shape):
    config = LBFGS(exponent=0.5)
    random = np.random.default_rng(0)
    x, y = (tf.constant(random.standard_normal(shape), tf.float32) for _ in range(2))
    loss = scalar_loss(lambda image: tf.reduce_mean(image**2))
    precondition = config.start(Pixels(x), loss)._precondition
    size = np.linalg.norm(x) * np.linalg.norm(precondition(y))
    difference = np.vdot(x, precondition(y)) - np.vdot(y, precondition(x))
    assert abs(difference) < 1e-5 * size  # float32 transforms of a few hundred numbers
    assert np.vdot(x, precondition(x)) > 0.01 * np.linalg.norm(x) ** 2
    np.testing.assert_allclose(
        precondition(x), plain_precondition(x.numpy(), 0.5), atol=1e-5 * np.max(np.abs(x))
    )


@pytest.mark.parametrize(("options", "message"), [({"memory": 0}, "`memory` must be >= 1")])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        LBFGS(**options)


def test_a_run_ends_when_no_step_lowers_the_loss():
    parameter = Pixels(tf.fill([1, 2, 2, 3], 0.5))

    class Flat:
        def __call__(self, image, targets):
            total = tf.reduce_sum(tf.square(image - 0.5))
            return total, {"flat": total}

    result, minimizer = optimize_image(
        Flat(), parameter, {}, config=OptimizationConfig(LBFGS()), num_steps=30
    )
    assert bool(minimizer.stuck)
    assert len(result.losses) == 1  # the start is the minimum: nothing to repeat 30 times
    np.testing.assert_array_equal(result.image, 0.5)
