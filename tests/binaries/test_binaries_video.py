"""`stylezoo video` end to end with small random models."""

import contextlib
import json
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from binaries_helpers import assert_one_line
from snapshots import snapshot

from stylezoo import generators, images, video
from stylezoo.binaries import main


def pictures(count):
    """Crops of a photograph that moves by 2 px a frame, 40x48."""
    photo = images.resize_longest_side(images.load_sample("astronaut"), 128).numpy()
    return [photo[:, 20:60, 2 * index : 2 * index + 48] for index in range(count)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    with contextlib.chdir(folder):
        config = generators.LightConfig((3, 4), num_blocks=1, num_styles=2)
        generators.build(config, styles=("waves", "night")).save_to_preset(folder / "model")
        config = generators.TextureNetworkConfig(channels=2, num_scales=2)
        generators.build(config, styles=("waves",)).save_to_preset(folder / "texture")
        timing = video.Timing.constant(25)
        video.write_clip("clip.mkv", video.at_rate(pictures(12)), timing)
        video.write_clip("one.webp", video.at_rate(pictures(1)), timing)
        data = pathlib.Path("clip.mkv").read_bytes()
        pathlib.Path("cut.mkv").write_bytes(data[: len(data) * 9 // 10])
        pathlib.Path("text.mp4").write_text("no clip\n", encoding="utf-8")
        pathlib.Path("empty").mkdir()
        pathlib.Path("sizes").mkdir()
        images.write_image("sizes/1.png", pictures(1)[0])
        images.write_image("sizes/2.png", pictures(1)[0][:, :20])
        pathlib.Path("precious.mp4").write_bytes(b"precious")
    return folder


@pytest.fixture
def folder(files, tmp_path, monkeypatch):
    """A folder with links to all files, the working directory."""
    for path in files.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(arguments):
    return main.run(["video", *arguments.split()])


def test_stabilized(folder, capfd):
    flags = "--model=model --style=waves --report=out.json"
    assert run(f"clip.mkv --output=bare.mkv {flags}") == 0
    assert run(f"clip.mkv --output=steady.mp4 --stabilize {flags} --overwrite") == 0
    assert "12/12" in capfd.readouterr().err
    report = json.loads(pathlib.Path("out.json").read_text(encoding="utf-8"))
    assert report["frames"] == 12
    assert report["cuts"] == []
    assert 0 < report["flow_seconds"] < report["seconds"]
    bare, steady = (list(video.open_clip(path)) for path in ("bare.mkv", "steady.mp4"))
    assert len(bare) == len(steady) == 12
    assert bare[0].image.shape == (1, 40, 48, 3)
    assert np.abs(bare[5].image - steady[5].image).mean() > 1e-3
    assert not list(folder.glob("*.unfinished"))


@pytest.mark.parametrize("output", ["out.gif", "out.webp", "out", "out.mov"])
def test_outputs(output, folder):
    assert run(f"one.webp --model=model --style=night:1,waves:3 --size=24 --output={output}") == 0
    (frame,) = video.open_clip(output)
    assert frame.image.shape == (1, 20, 24, 3)


def test_killed_and_taken_up_again(folder):
    """A process that is killed while it paints leaves frames, from which the same command goes on."""
    command = "clip.mkv --model=model --style=waves --stabilize --output=again.mp4"
    process = subprocess.Popen(
        [sys.executable, "-m", "stylezoo.binaries.main", "video", *command.split()],
        stderr=subprocess.DEVNULL,
    )
    work = pathlib.Path("again.mp4.unfinished")
    deadline = time.monotonic() + 120
    while len(list(work.glob("0*.png"))) < 3 and time.monotonic() < deadline:
        assert process.poll() is None or not work.exists()
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if work.exists():  # else it was faster than the signal
        assert not pathlib.Path("again.mp4").exists()
        assert len(list(work.glob("0*.png"))) >= 3
        assert run(command) == 0
    assert run(command.replace("again", "once")) == 0
    again, once = (pathlib.Path(name).read_bytes() for name in ("again.mp4", "once.mp4"))
    assert again == once


def test_a_broken_clip(folder, capsys):
    assert run("cut.mkv --model=model --style=waves --output=out.mp4") == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "can be read up to frame" in error
    assert "`out.mp4` has what can be read" in error
    assert 1 <= len(list(video.open_clip("out.mp4"))) < 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "expected one clip"),
        ("clip.mkv one.webp --output=out.mp4", "expected one clip"),
        ("clip.mkv", "`--output` must be given"),
        ("nothing.mp4 --output=out.mp4", "`nothing.mp4` does not exist"),
        ("text.mp4 --output=out.mp4", "`text.mp4` is not a clip that can be read"),
        ("empty --output=out.mp4", "`empty` must hold pictures"),
        ("sizes --output=out.mp4", r"of one size. Received: `2.png` of 48x20 px"),
        ("clip.mkv --output=precious.mp4", "`precious.mp4` already exists"),
        ("clip.mkv --output=out.avi", "must end in one of .gif .mkv .mov .mp4 .webp"),
        ("clip.mkv --output=no/out.mp4", "`no` does not exist"),
        ("clip.mkv --output=out.mp4 --style=scream", "scream"),
        ("clip.mkv --output=out.mp4 --model=texture --style=waves", "`--model` must be one that"),
        ("clip.mkv --output=out.mp4 --stabilize --stability=1", "`--stability` must be in"),
        ("clip.mkv --output=out.mp4 --crf=52", "`--crf` must be 0 to 51"),
        ("clip.mkv --output=out.mp4 --cuts=first", "`--cuts` must be auto, none or numbers"),
        ("clip.mkv --output=out.mp4 --max_pixels=100", "raise `--max_pixels`"),
        ("sizes/1.png --frame_rate=0 --output=out.mp4", "`--frame_rate` must be in"),
    ],
)
def test_bad_input(arguments, message, folder, capsys):
    before = snapshot(folder)
    given = arguments if "--model" in arguments else f"{arguments} --model=model"
    given = given if "--style" in given else f"{given} --style=waves"
    assert run(given) == 1
    assert_one_line(capsys.readouterr().err, "video", message)
    assert snapshot(folder) == before


def test_a_missing_codec(folder, capsys, monkeypatch):
    import av

    def missing(name, mode):
        raise av.codec.codec.UnknownCodecError(name)

    before = snapshot(folder)
    monkeypatch.setattr(av.codec, "Codec", missing)
    assert run("clip.mkv --model=model --style=waves --output=out.mp4") == 1
    assert_one_line(capsys.readouterr().err, "video", "has no encoder libx264")
    assert snapshot(folder) == before


def evaluate(arguments):
    return main.run(["evaluate", *arguments.split()])


def test_evaluate_a_painted_clip(folder, capsys):
    assert run("clip.mkv --model=model --style=waves --output=bare.mkv --crf=0") == 0
    assert run("clip.mkv --model=model --style=waves --output=steady.mkv --crf=0 --stabilize") == 0
    capsys.readouterr()
    errors = {}
    for name in ("bare", "steady"):
        flags = f"--clip=clip.mkv --painted={name}.mkv --report={name}.json --plot={name}.png"
        assert evaluate(flags) == 0
        assert "| temporal error, 1 frame |" in capsys.readouterr().out
        report = json.loads(pathlib.Path(f"{name}.json").read_text(encoding="utf-8"))
        assert len(report["frames"]) == 12
        errors[name] = report["means"]["short"]
    assert errors["steady"] < 0.7 * errors["bare"]
    assert evaluate("--clip=clip.mkv --model=model --styles=waves --report=model.json") == 0
    report = json.loads(pathlib.Path("model.json").read_text(encoding="utf-8"))
    # H.264 stores half the colour resolution even where it is lossless.
    assert report["means"]["short"] == pytest.approx(errors["bare"], rel=0.25)
    assert images.read_image("bare.png").shape == (1, 360, 900, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--clip=clip.mkv", "either `--painted` or `--model` must be given"),
        ("--clip=clip.mkv --painted=one.webp", "`--painted` must have as many frames"),
        ("--clip=one.webp --painted=clip.mkv", "`--clip` must have as many frames"),
        ("--clip=clip.mkv --painted=sizes/1.png --picture=a.png", "`--picture` must come with"),
        ("--painted=clip.mkv --picture=a.png", "`--painted` must come with --clip"),
        ("--clip=text.mp4 --painted=clip.mkv", "not a clip that can be read"),
    ],
)
def test_bad_input_of_evaluate(arguments, message, folder, capsys):
    before = snapshot(folder)
    assert evaluate(arguments) == 1
    assert_one_line(capsys.readouterr().err.splitlines(keepends=True)[-1], "evaluate", message)
    assert snapshot(folder) == before


# By optimisation


@pytest.fixture
def transfer_video(folder, random_weights):
    """Runs `stylezoo transfer_video` with a small network of random weights."""
    images.write_image("painting.png", images.resize(images.load_sample("coffee"), (40, 50)))
    white = np.ones([1, 40, 48, 1], np.float32)
    images.write_image("mask.png", white)
    timing = video.Timing.constant(25)
    masks = [white.repeat(3, -1), 0.9 * white.repeat(3, -1)]  # equal frames become one
    video.write_clip("mask.webp", video.at_rate(masks), timing)
    video.write_clip("two.webp", video.at_rate(pictures(2)), timing)
    network = (
        f"--network=alexnet_owt --weights={random_weights('alexnet_owt')} --content_layers=relu2 "
        "--style_layers=relu1,relu2 --steps=2 --frame_steps=2 --size=48"
    )

    def run(arguments):
        return main.run(["transfer_video", *arguments.split(), *network.split()])

    return run


def test_transfer_video(transfer_video):
    flags = "--style=painting.png --report=out.json --overwrite"
    assert transfer_video(f"two.webp --output=fast {flags}") == 0
    report = json.loads(pathlib.Path("out.json").read_text(encoding="utf-8"))
    assert report["frames"] == 2
    assert report["settings"]["frame_steps"] == 2
    frames = list(video.open_clip("fast"))
    assert frames[1].image.shape == (1, 40, 48, 3)
    flags += " --preset=ruder2016-multipass --passes=2 --masks=mask.webp"
    assert transfer_video(f"two.webp --output=passes {flags}") == 0
    assert len(list(video.open_clip("passes"))) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("two.webp --output=out", "`--style` must be given"),
        ("two.webp --output=out --style=painting.png --init=mask.png", "`--init` must be one of"),
        ("clip.mkv --output=out --style=painting.png --masks=mask.webp", "clips of as many frames"),
        ("two.webp --output=out --style=painting.png --offsets=2,1", "`--offsets` must be incr"),
        ("two.webp --output=out --style=nothing.png", "`nothing.png` does not exist"),
    ],
)
def test_bad_input_of_transfer_video(arguments, message, transfer_video, folder, capsys):
    before = snapshot(folder)
    assert transfer_video(arguments) == 1
    assert_one_line(capsys.readouterr().err, "transfer_video", message)
    assert snapshot(folder) == before


# Live


def test_live(folder, capfd):
    assert main.run(["live", "clip.mkv", "--model=model", "--port=0", "--size=24"]) == 0
    out = capfd.readouterr().out
    assert re.search(r"^Look at http://127.0.0.1:\d+/", out)
    assert re.search(r"^\d+\.\d frames a second on average\.$", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--camera=63", "there is no camera 63"),
        ("clip.mkv one.webp", "expected one clip or none"),
        ("clip.mkv --camera=0", "`--camera` must come with no CLIP"),
        ("clip.mkv --model=model --style=scream", "`--style` must be one of waves, night"),
        ("clip.mkv --model=texture", "`--model` must be one that paints photographs"),
        ("text.mp4", "not a clip that can be read"),
    ],
)
def test_bad_input_of_live(arguments, message, folder, capfd):
    assert main.run(["live", *arguments.split()]) == 1
    error = capfd.readouterr().err.splitlines(keepends=True)[-1]
    assert_one_line(error, "live", message)
