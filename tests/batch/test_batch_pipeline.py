"""Batches on Beam's local runner: in this process, and in two whose workers are killed."""

import dataclasses
import logging
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import networks
import numpy as np
import pytest
from networks import random_image

import stylezoo
from stylezoo import batch, classifiers, evaluation, generators, images, objectives, perceptual
from stylezoo.binaries import main
from stylezoo.errors import BatchError

pytest.importorskip("apache_beam")

# Beam's runner in this process, with threads for workers.
LOCAL = ["--runner=FnApiRunner"]
DASK = "--runner=apache_beam.runners.dask.dask_runner.DaskRunner"
SIZES = {"a": (24, 32), "b": (32, 24), "c": (24, 32)}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "model"
    config = generators.LightConfig((3, 4), num_blocks=1, num_styles=2)
    generators.build(config, styles=("waves", "night")).save_to_preset(folder)
    return str(folder)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a folder with three photographs and a broken one the current one."""
    monkeypatch.chdir(tmp_path)
    pathlib.Path("trip").mkdir()
    for seed, (name, size) in enumerate(SIZES.items()):
        images.write_image(f"trip/{name}.png", random_image(*size, seed=seed))
    pathlib.Path("trip/broken.png").write_text("no picture", encoding="utf-8")
    pathlib.Path("trip/notes.txt").write_text("not one either", encoding="utf-8")
    return tmp_path


def job_of(model, **changes):
    options = {"style": "night"}
    fields = {
        "patterns": ("trip/*",),
        "output": "out",
        "task": batch.Stylize(model, options),
        "extension": None,
        "quality": 95,
        "max_pixels": 10_000,
    }
    return batch.Job(**fields | changes)


def names(folder):
    return sorted(each.name for each in pathlib.Path(folder).iterdir())


@pytest.mark.parametrize("batch_size", [1, 4])
def test_pictures_are_painted_and_listed(folder, model, batch_size):
    rows = batch.run(job_of(model, batch_size=batch_size), LOCAL)
    assert names("out") == ["a.png", "b.png", "c.png", "job.json", "manifest.jsonl"]
    assert [row.input for row in rows] == [f"trip/{x}.png" for x in ("a", "b", "broken", "c")]
    painter = stylezoo.load(model)
    for name, (height, width) in SIZES.items():
        photograph = images.read_image(f"trip/{name}.png")
        expected = painter.paint(photograph, style="night")
        # Eight bits.
        np.testing.assert_allclose(
            images.read_image(f"out/{name}.png"), expected, rtol=0, atol=0.51 / 255
        )
        (row,) = (row for row in rows if row.input == f"trip/{name}.png")
        assert (row.output, row.width, row.height) == (f"out/{name}.png", width, height)
        assert row.milliseconds > 0
    assert "`trip/broken.png` is not an image" in rows[2].error
    lines = pathlib.Path("out/manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert batch.read_rows(lines) == {row.input: row for row in rows}


def test_pictures_are_classified(folder):
    network = "squeezenet1_1"
    tensors = networks.he_tensors(classifiers.shapes(network))
    weights = networks.write(folder / "random.h5", network, tensors)
    task = batch.Classify(network, weights=str(weights), top=2)
    rows = batch.run(job_of(None, task=task), LOCAL)
    model = classifiers.build(network, weights=str(weights))
    photographs = [images.read_image(f"trip/{name}.png") for name in SIZES]
    expected = list(classifiers.classify(model, photographs))
    found = [row for row in rows if row.error is None]
    assert [row.input for row in found] == [f"trip/{name}.png" for name in SIZES]
    for row, probabilities, (height, width) in zip(found, expected, SIZES.values(), strict=True):
        order = np.argsort(-probabilities)[:2]
        assert [each["index"] for each in row.classes] == order.tolist()
        labels = [classifiers.imagenet_labels()[index] for index in order]
        assert [each["name"] for each in row.classes] == [label.name for label in labels]
        np.testing.assert_allclose(
            [each["probability"] for each in row.classes], probabilities[order], rtol=1e-5
        )
        assert (row.output, row.width, row.height) == (None, width, height)
    assert names("out") == ["job.json", "manifest.jsonl"]


def test_paintings_are_evaluated(folder, model, random_weights):
    """The figures are those of `stylezoo evaluate`; batches are larger than one size has pictures."""
    style = images.sample_path("retina")
    network = perceptual.Perceptual("alexnet_owt", str(random_weights("alexnet_owt")))
    objective = objectives.Objective(
        network, content_layers=("relu2",), style_layers=("relu1", "relu2")
    )
    task = batch.Evaluate(model, "night", str(style), size=64, objective=objective, lpips=())
    rows = batch.run(job_of(None, task=task, batch_size=3), LOCAL)
    photographs = {
        f"trip/{name}.png": images.centre_square(images.read_image(f"trip/{name}.png"), 64)
        for name in SIZES
    }
    painter = stylezoo.load(model)
    judge = evaluation.Judge(
        objective,
        photographs=photographs,
        styles={"night": images.read_image(style)},
        style_size=256,
        lpips=(),
    )
    for painting in evaluation.paint_and_score(painter, judge):
        (row,) = (row for row in rows if row.input == painting.photograph)
        assert (row.output, row.width, row.height) == (None, 64, 64)
        expected = dataclasses.asdict(painting.scores)
        assert row.scores.pop("lpips") == expected.pop("lpips") == {}
        # Convolutions of another number of pictures at once.
        assert row.scores == pytest.approx(expected, rel=1e-4)
    assert rows[2].error
    assert names("out") == ["job.json", "manifest.jsonl"]
    with pytest.raises(ValueError, match=r"`style` must be among the painter's, waves, night"):
        dataclasses.replace(task, style="cubism").load()


def test_a_second_run_does_what_is_missing(folder, model):
    first = batch.run(job_of(model), LOCAL)
    kept = pathlib.Path("out/a.png").stat().st_mtime_ns
    pathlib.Path("out/c.png").unlink()
    shutil.copy("trip/a.png", "trip/broken.png")
    second = batch.run(job_of(model), LOCAL)
    assert pathlib.Path("out/a.png").stat().st_mtime_ns == kept
    assert second[:2] == first[:2]
    assert [row.error for row in second] == [None] * 4
    assert names("out")[:4] == ["a.png", "b.png", "broken.png", "c.png"]
    assert batch.run(job_of(model, overwrite=True), LOCAL)[0].milliseconds != first[0].milliseconds
    assert pathlib.Path("out/a.png").stat().st_mtime_ns != kept


def test_the_folder_of_another_job_is_left_alone(folder, model):
    batch.run(job_of(model), LOCAL)
    other = batch.Stylize(model, {"style": "waves"})
    with pytest.raises(ValueError, match=r"`output` must be another folder.*--overwrite"):
        batch.run(job_of(model, task=other), LOCAL)
    rows = batch.run(job_of(model, task=other, overwrite=True), LOCAL)
    expected = stylezoo.load(model).paint(images.read_image("trip/a.png"), style="waves")
    np.testing.assert_allclose(images.read_image("out/a.png"), expected, rtol=0, atol=0.51 / 255)
    assert len(rows) == 4


def test_pictures_that_no_batch_made_are_not_taken_for_results(folder, model):
    pathlib.Path("out").mkdir()
    shutil.copy("trip/b.png", "out/a.png")
    with pytest.raises(
        ValueError, match=r"`output` must be a folder without pictures.*--overwrite"
    ):
        batch.run(job_of(model), LOCAL)
    assert names("out") == ["a.png"]
    assert batch.run(job_of(model, overwrite=True), LOCAL)[0].error is None
    assert images.read_image("out/a.png").shape == (1, *SIZES["a"], 3)


def test_two_pictures_of_one_name(folder, model):
    pathlib.Path("more").mkdir()
    shutil.copy("trip/a.png", "more/a.png")
    rows = batch.run(job_of(model, patterns=("trip/[ab].png", "more/*"), extension=".jpg"), LOCAL)
    errors = {row.input: row.error for row in rows}
    assert errors == {
        "more/a.png": None,
        "trip/a.png": "`more/a.png` and `trip/a.png` would both be written to `a.jpg`",
        "trip/b.png": None,
    }
    assert names("out")[:2] == ["a.jpg", "b.jpg"]


class _Failing(batch.Stylize):
    """A task whose workers die."""

    def load(self):
        raise RuntimeError("a worker\ndied")


def test_a_runner_that_keeps_failing(folder, model):
    with pytest.raises(BatchError, match=r"^the runner failed 3 times, .*a worker died"):
        batch.run(job_of(model, task=_Failing(model)), LOCAL)
    assert names("out")[-1] == "job.json"


def test_a_runner_that_loses_pictures(folder, model, monkeypatch):
    monkeypatch.setattr("stylezoo.batch.pipeline.record", lambda *_: None)
    with pytest.raises(BatchError, match=r"the last time with: it lost 4 of 4 pictures, .*trip/a"):
        batch.run(job_of(model), LOCAL)


def test_nothing_matches(folder, model):
    with pytest.raises(FileNotFoundError, match=r"`trip/\*.gif` matches no picture"):
        batch.run(job_of(model, patterns=("trip/*.gif",)), LOCAL)
    assert not pathlib.Path("out").exists()


def command(model, *arguments):
    return [
        "batch",
        "--input=trip/*.png",
        "--output=out",
        f"--model={model}",
        "--style=night",
        *arguments,
    ]


def test_the_command(folder, model, capfd):
    level = logging.getLogger().level
    assert main.run([*command(model, "--size=16"), "--", *LOCAL]) == 1
    captured = capfd.readouterr()
    assert captured.out == "3 pictures done, 1 failed: out/manifest.jsonl\n"
    assert "error: 1 of 4 pictures failed, the first of them trip/broken.png: " in captured.err
    assert images.read_image("out/a.png").shape == (1, 12, 16, 3)
    assert main.run([*command(model, "--style=cubism"), "--", *LOCAL]) == 1
    assert "`--style` must be one or more of waves, night" in capfd.readouterr().err
    # The caller's own messages are still logged.
    assert logging.getLogger().level == level


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--task=classify", "`--model` must come with --task=stylize or --task=evaluate"),
        ("--top=3", "`--top` must come with --task=classify"),
        ("--style_image=a.png", "`--style_image` must come with --task=evaluate"),
        ("--task=evaluate", "`--style_image` must be given"),
        ("--task=evaluate --style_image=a.png --tile=9", "`--tile` must come with --task=stylize"),
        ("--task=evaluate --style_image=missing.png", "missing.png"),
        ("--output=", "`--output` must be given a value"),
        ("--task=paint", "task"),
    ],
)
def test_flags_that_do_not_fit(folder, model, capfd, flags, message):
    assert main.run(command(model, *flags.split())) in (1, 2)
    captured = capfd.readouterr()
    assert message in captured.err
    assert captured.err.startswith("stylezoo batch: error: ")
    assert captured.err.count("\n") == 1
    assert not pathlib.Path("out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("worker", "beam_options"),
    [
        ("sdk_worker_main", []),
        ("spawn_main", ["--", DASK, "--dask_npartitions=25"]),
    ],
    ids=["local", "dask"],
)
def test_a_worker_is_killed(folder, model, worker, beam_options):
    """450 photographs and 50 broken files, two processes or more, one of which is killed in the middle."""
    if beam_options:
        pytest.importorskip("distributed")
    for index in range(500):
        source = "trip/broken.png" if index % 10 == 9 else "trip/a.png"
        shutil.copy(source, f"trip/p{index:03}.png")
    process = subprocess.Popen(
        [sys.executable, "-m", "stylezoo.binaries.start", *command(model), *beam_options],
        start_new_session=True,
    )
    try:
        while len(list(pathlib.Path().glob("out/p*.png"))) < 50:
            assert process.poll() is None
            time.sleep(0.2)
        workers = subprocess.run(
            ["pgrep", "-g", str(os.getpgid(process.pid)), "-f", worker],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert len(workers) >= 2
        os.kill(int(workers[-1]), signal.SIGKILL)
        assert process.wait(timeout=600) == 1
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    lines = pathlib.Path("out/manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 504
    rows = batch.read_rows(lines).values()
    assert len(rows) == 504
    assert sum(row.error is not None for row in rows) == 51
    expected = pathlib.Path("out/a.png").read_bytes()
    painted = sorted(pathlib.Path("out").glob("p*.png"))
    assert len(painted) == 450
    assert all(path.read_bytes() == expected for path in painted)
    assert not pathlib.Path("out/.unfinished").exists()


def test_bad_input_is_one_line_of_a_process_of_its_own(folder, model):
    process = subprocess.run(
        [sys.executable, "-m", "stylezoo.binaries.start", *command(model, "--input=trip/*.gif")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert process.stderr == "stylezoo batch: error: `trip/*.gif` matches no picture.\n"
