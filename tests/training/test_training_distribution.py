"""Training over several devices and processes, which is to be the same training."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import labelled_fakes
import numpy as np
import pytest
from training_fakes import assert_equal, records, state

from stylezoo import generators

SCRIPT = pathlib.Path(__file__).with_name("distribution_script.py")
FIELDS = {
    "num_steps": 3,
    "batch_size": 4,
    "learning_rate": 1e-4,
    "log_every": 1,
    "save_every": 2,
    "sample_every": 2,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, photographs, paintings, alexnet):
    """What the script needs."""
    folder = tmp_path_factory.mktemp("distribution")
    (folder / "photographs").symlink_to(photographs)
    shutil.copy(paintings[2], folder / "painting.png")
    shutil.copy(alexnet, folder / "alexnet.h5")
    labelled_fakes.folder(folder / "classes", number=4, colour=True)
    return folder


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def train(folder, name, task, *, workers=0, starts=1, **fields):
    """Runs the script, or as many workers of it, each up to ``starts`` times until it succeeds.

    Returns what the starts of each that failed wrote.
    """
    command = [sys.executable, SCRIPT, folder, name, task, json.dumps(FIELDS | fields)]
    hosts = [f"127.0.0.1:{port}" for port in free_ports(workers)]
    tasks = [{"type": "worker", "index": index} for index in range(workers)]
    clusters = [{"cluster": {"worker": hosts}, "task": each} for each in tasks]
    environments = [{"TF_CONFIG": json.dumps(each)} for each in clusters] or [{}]

    def work(environment):
        failures = []
        for _ in range(starts):
            result = subprocess.run(
                command,
                env={**os.environ, **environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                timeout=300,
                check=False,
            )
            if result.returncode == 0:
                return failures
            failures.append(result.stderr)
        raise AssertionError(result.stderr)

    with concurrent.futures.ThreadPoolExecutor(len(environments)) as executor:
        return list(executor.map(work, environments))


def weights(preset):
    return [variable.numpy() for variable in generators.load(preset).variables]


@pytest.fixture(scope="module")
def single(folder):
    train(folder, "single", "instance", distribution="none")
    return folder / "single"


def assert_same_training(path, single):
    """Sums in another order.

    Rounding alone in the first step, where it turns a ReLU now and then: photographs that are changed
    by 1e-6 change the gradient's norm by 1.3e-5. Then Adam, whose steps are as long for a gradient that
    is nothing but rounding as for any other, makes ever more of it: measured after a fourth step, 2e-4 of
    a loss, 6e-4 of the gradient's norm and a third of a step in a weight. The network pools averages,
    because the choices of maxima turn ten times as often.
    """
    for ours, theirs in zip(records(path), records(single), strict=True):
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            first, later = (1e-4, 1e-2) if "gradient" in name else (1e-5, 1e-3)
            tolerance = first if theirs["step"] <= 1 else later
            assert ours[name] == pytest.approx(value, rel=tolerance), name
    # How large gradients are, which Adam's steps do not show, its moments do.
    these, those = state(path), state(single)
    assert these.keys() == those.keys()
    moments = [name for name in those if "optimizer/_variables" in name]
    sizes = [
        np.sqrt(sum(np.sum(found[name].astype(np.float64) ** 2) for name in moments))
        for found in (these, those)
    ]
    np.testing.assert_allclose(*sizes, rtol=1e-2)
    for name, value in those.items():
        if "_trainable_variables" in name:
            # Of three steps of 1e-4.
            np.testing.assert_allclose(these[name], value, rtol=0, atol=4e-5, err_msg=name)


@pytest.mark.slow
def test_mirrored(folder, single):
    """Two devices, interrupted and resumed, end where one does."""
    train(folder, "mirrored", "instance", distribution="mirrored")
    assert_same_training(folder / "mirrored", single)
    train(folder, "resumed", "instance", distribution="mirrored", stop=2)
    train(folder, "resumed", "instance", distribution="mirrored")
    assert_equal(state(folder / "resumed"), state(folder / "mirrored"))
    assert records(folder / "resumed") == records(folder / "mirrored")


@pytest.mark.slow
def test_workers(folder, single):
    """Two processes have the same weights, interrupted or not, which are those of one."""
    train(folder, "workers", "instance", workers=2, distribution="multi_worker", stop=2)
    train(folder, "workers", "instance", workers=2, distribution="multi_worker")
    assert_same_training(folder / "workers", single)
    for ours, theirs in zip(
        *(weights(folder / f"workers.{index}.preset") for index in range(2)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    saved = weights(folder / "workers" / "model")
    for ours, theirs in zip(saved, weights(folder / "workers.0.preset"), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    # One of them wrote.
    assert len(list((folder / "workers").glob("events.*"))) == 2  # of two starts
    assert [record["step"] for record in records(folder / "workers")] == [0, 1, 2, 2, 3, 3]


@pytest.mark.slow
def test_a_worker_is_killed(folder):
    """The other one ends with an error; started again, both go on from the last state, to the same end."""
    options = {"workers": 2, "distribution": "multi_worker", "num_steps": 5}
    train(folder, "unbroken", "instance", **options)
    failures = train(folder, "killed", "instance", kill=3, starts=8, **options)
    assert "DistributionError: another worker does not answer. Start all" in failures[0][0]
    assert failures[1][0]
    assert_equal(state(folder / "killed"), state(folder / "unbroken"))
    assert records(folder / "killed") == records(folder / "unbroken")
    # They did not begin anew.
    saved, killed = folder / "killed" / "checkpoints" / "ckpt-2.index", folder / "killed.killed"
    assert saved.stat().st_mtime_ns < killed.stat().st_mtime_ns


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "precision"), [("texture", "float32"), ("batch", "mixed_float16")]
)
def test_replicas_are_different_and_stay_equal(task, precision, folder):
    """Each replica paints from noise of its own, or has batch statistics of its own; weights are the same."""
    name = f"replicas-{task}"
    train(folder, name, task, workers=2, distribution="multi_worker", precision=precision)
    models = [generators.load(folder / f"{name}.{index}.preset") for index in range(2)]
    for ours, theirs in zip(*(model.trainable_variables for model in models), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    alone = f"alone-{task}"
    train(folder, alone, task, distribution="none", precision=precision)
    first, other = (records(folder / each)[1]["train/style"] for each in (name, alone))
    assert first != other
    # Another noise, or statistics of half a batch, but the same picture to learn.
    assert first == pytest.approx(other, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("distribution", ["multi_worker", "mirrored"])
def test_classifier(distribution, folder):
    """Weights and moving averages are the same, of half a batch each, but of the same pictures."""
    workers = 2 if distribution == "multi_worker" else 0
    name = f"classifier-{distribution}"
    train(folder, name, "classifier", workers=workers, distribution=distribution, stop=2)
    train(folder, name, "classifier", workers=workers, distribution=distribution)
    names = [f"{name}.{index}" for index in range(workers)] or [name]
    found = [dict(np.load(folder / f"{each}.npz")) for each in names]
    assert_equal(found[0], found[-1])
    train(folder, f"{name}-alone", "classifier", distribution="none")
    alone = dict(np.load(folder / f"{name}-alone.npz"))
    assert alone.keys() == found[0].keys()
    means = [values for path, values in alone.items() if path.endswith("moving_mean")]
    ours = [values for path, values in found[0].items() if path.endswith("moving_mean")]
    assert np.all(means[0] != 0)
    # The mean of two halves' means is that of all, the first time; then weights differ a little.
    np.testing.assert_allclose(ours[0], means[0], rtol=0.2, atol=0.02)
    losses = [records(folder / each)[1]["train/weight_decay"] for each in (name, f"{name}-alone")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
