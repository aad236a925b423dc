"""Signals and streams: what ends a process from outside, or takes its output away."""

import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import time

import pytest
from PIL import Image

from stylezoo.binaries import main

ROOT = pathlib.Path(main.__file__).parents[2]
COMMAND = [sys.executable, "-m", "stylezoo.binaries.start"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

CASES = {
    "list, closed": ("weights list >&-", "Bad file descriptor"),
    "json, closed": ("weights list --json >&-", "Bad file descriptor"),
    "help, full": ("--help >/dev/full", "No space left on device"),
    "help of a command, full": ("transfer --help >/dev/full", "No space left on device"),
    "list, full": ("weights list >/dev/full", "No space left on device"),
    "version, full": ("--version >/dev/full", "No space left on device"),
}


def shell(arguments):
    return subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m stylezoo.binaries.start {arguments}"],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("arguments", "reason"), CASES.values(), ids=CASES)
def test_output_that_can_not_be_written(arguments, reason):
    process = shell(arguments)
    assert process.returncode == 1
    assert process.stderr.count("\n") == 1
    assert f"standard output can't be written ({reason})" in process.stderr


def test_libraries_do_not_warn_beside_the_error(tmp_path):
    picture = tmp_path / "odd.tif"
    Image.new("L", (4, 4)).save(picture)
    data = bytearray(picture.read_bytes())
    (start,) = struct.unpack_from("<I", data, 4)
    struct.pack_into("<I", data, start + 6, 25)  # 25 widths, of which Pillow warns
    picture.write_bytes(data)
    process = shell(f"transfer --content={picture} --style={picture} --output={tmp_path}/out.png")
    assert process.returncode == 1
    assert process.stderr.count("\n") == 1


def test_errors_have_nowhere_to_go():
    process = shell("weights burn 2>&-")
    assert (process.returncode, process.stdout, process.stderr) == (1, "", "")


def test_who_reads_the_output_is_gone():
    process = shell("weights list --json | head -c 1")
    assert (process.stdout, process.stderr) == ("[", "")


def ended_by(number, *, after):
    """Start a command that waits for an answer for ever, and end it."""
    with subprocess.Popen(
        [*COMMAND, "weights", "list"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        time.sleep(after)
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    return process.returncode, error


@pytest.mark.parametrize("after", [0.1, 0.15, 0.2, 0.3])
def test_an_early_interrupt_is_no_traceback(after):
    """Python itself takes 0.05 s to start, and is ended by the signal until then."""
    status, error = ended_by(signal.SIGINT, after=after)
    assert status in (0, 130, -signal.SIGINT)
    assert re.fullmatch(r"(stylezoo( weights)?: error: interrupted\n)?", error)


_WAITS = """
import sys, time
from stylezoo.binaries import main, weights
from stylezoo import images

def wait(arguments, values):
    with images.atomic_folder("result") as folder:
        (folder / "half").write_text("half")
        print("ready", flush=True)
        time.sleep(60)

weights.main = wait
sys.argv = ["stylezoo", "weights", "list"]
main.main()
"""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
)
def test_signals_tidy_up(number, status, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", _WAITS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout.readline() == "ready\n"
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    assert process.returncode == status
    assert error == "stylezoo weights: error: interrupted\n"
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", _WAITS],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.kill()
    (left,) = tmp_path.iterdir()
    code = "from stylezoo import images\nwith images.atomic_path('x') as x: x.write_text('x')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=ENVIRONMENT, check=True)
    assert not left.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_messages_are_printable_and_not_endless(capsys):
    assert main.run(["weights", "path", "\x1b[2J\u202e" + "x" * 100_000]) == 1
    error = capsys.readouterr().err
    assert len(error) < 12_000
    assert error.rstrip("\n").isprintable()
