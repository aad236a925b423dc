"""The list of attacks: every flag of every command with bad values, in one process, within limits.

Each ends with one line on standard error and a status other than 0, soon, in little memory, and leaves
nothing behind.
"""

import contextlib
import os
import pathlib
import resource
import shutil
import signal
import stat
import tempfile

import attack_cases
import attack_files
import pytest
from attack_cases import GOOD

from stylezoo.binaries import main

SECONDS = 60
BYTES = 1_500_000_000
CASES = attack_cases.cases()

pytestmark = pytest.mark.slow


class OutOfTimeError(BaseException):
    """No exception that a command would report as its own."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, random_weights):
    path = tmp_path_factory.mktemp("attacks")
    attack_files.make(path, random_weights)
    return path


@pytest.fixture(scope="module")
def before(folder):
    return snapshot(folder)


def snapshot(folder):
    """Return all that is below a folder, with its size and the time of its last change."""
    found = {}
    for parent, folders, files in os.walk(folder):
        # TensorFlow removes what its autograph wrote when the process ends.
        for name in (*folders, *(each for each in files if "autograph_generated" not in each)):
            status = os.lstat(os.path.join(parent, name))  # noqa: PTH118
            is_file = stat.S_ISREG(status.st_mode)
            found[os.path.join(parent, name)] = is_file and (status.st_size, status.st_mtime_ns)  # noqa: PTH118
    return found


@contextlib.contextmanager
def limited():
    """Limit the time and the memory of what is done inside."""

    def out_of_time(*_):
        raise OutOfTimeError

    pathlib.Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    start = _status("VmRSS")
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + 8 * BYTES, limits[1]))
    handler = signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert _status("VmHWM") - start < BYTES


def _status(name):
    """Return a figure of this process's memory, in bytes."""
    lines = pathlib.Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (figure,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(figure) * 1024


def attack(case, folder, before, capsys):
    """Run a case, and return what is wrong with its end."""
    command = case.command.split("_", 1) if case.command.startswith("visualize") else [case.command]
    with limited():
        status = main.run([*command, *case.arguments])
    captured = capsys.readouterr()
    after = snapshot(folder)
    if after != before:
        for name in sorted(set(after) - set(before), reverse=True):
            path = pathlib.Path(name)
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(True)
    assert status in (1, 2), "was accepted"
    # Bars of work that had begun are no messages, nor the spaces that hide them.
    lines = [each for each in captured.err.splitlines() if "%|" not in each and each.strip()]
    assert len(lines) == 1
    assert lines[0].startswith(f"stylezoo {' '.join(command)}: error: ")
    assert any(name in lines[0] for name in case.named), lines[0]
    assert after == before


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("STYLEZOO_HOME", str(folder / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_list(case, here, folder, before, capsys):
    attack(case, folder, before, capsys)


def test_the_list_is_of_all_commands_and_long():
    assert {case.command for case in CASES} == set(attack_cases.commands()) == set(GOOD)
    assert len(CASES) >= 1500
