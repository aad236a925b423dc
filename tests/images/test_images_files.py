"""Atomic writes: a whole file, or what was there before, and nothing beside it."""

import errno
import os
import pathlib
import stat
import threading
import time

import pytest

from stylezoo.images import files


def test_writes_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "report.json"
    with files.atomic_path(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".json"
        temporary.write_text("{}")
        assert not path.exists()
    assert path.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [path]


def write_and_fail(path, exception, *, overwrite):
    with files.atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_text("half of")
        raise exception


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("exception", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_no_file(exception, overwrite, tmp_path):
    path = tmp_path / "report.json"
    with pytest.raises(exception):
        write_and_fail(path, exception, overwrite=overwrite)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_old_file(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("precious")
    with pytest.raises(KeyboardInterrupt):
        write_and_fail(path, KeyboardInterrupt, overwrite=True)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_overwrite_replaces(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("old")
    with files.atomic_path(path, overwrite=True) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_existing_file_is_refused_before_the_work(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="`overwrite=True`"), files.atomic_path(path):
        pytest.fail("the block must not run")
    assert path.read_text() == "precious"


def without_hard_links(self, target):
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.fixture(params=[True, False], ids=["hard-links", "no-hard-links"])
def file_system(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(pathlib.Path, "hardlink_to", without_hard_links)


@pytest.mark.usefixtures("file_system")
def test_file_created_meanwhile_is_kept(tmp_path):
    path = tmp_path / "report.json"

    def write_too_late():
        with files.atomic_path(path) as temporary:
            temporary.write_text("mine")
            path.write_text("theirs")

    with pytest.raises(FileExistsError, match="`overwrite=True`"):
        write_too_late()
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("file_system")
def test_of_many_writers_exactly_one_wins(tmp_path):
    path = tmp_path / "report.json"
    ready = threading.Barrier(8)
    outcomes = {}

    def write(index):
        try:
            with files.atomic_path(path) as temporary:
                temporary.write_text(str(index))
                ready.wait(timeout=10)
            outcomes[index] = "written"
        except FileExistsError:
            outcomes[index] = "refused"

    threads = [threading.Thread(target=write, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes.values()) == ["refused"] * 7 + ["written"]
    assert outcomes[int(path.read_text())] == "written"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_rename_leaves_no_empty_file(tmp_path, monkeypatch):
    def fail(self, target):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(pathlib.Path, "hardlink_to", without_hard_links)
    monkeypatch.setattr(pathlib.Path, "replace", fail)
    with (
        pytest.raises(OSError, match="Input/output error"),
        files.atomic_path(tmp_path / "report.json") as temporary,
    ):
        temporary.write_text("{}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_mode_follows_the_umask(umask, mode, tmp_path):
    path = tmp_path / "report.json"
    old = os.umask(umask)
    try:
        with files.atomic_path(path) as temporary:
            temporary.write_text("{}")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need rights on Windows")
def test_symbolic_link_stays_one(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "real.json"
    target.write_text("old")
    link = tmp_path / "report.json"
    link.symlink_to(target)
    with files.atomic_path(link, overwrite=True) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(not pathlib.Path("/dev/null").exists(), reason="needs /dev/null")
def test_a_device_is_never_replaced():
    with pytest.raises(FileExistsError, match="device"):
        files.check_target("/dev/null", overwrite=True)
    assert not pathlib.Path("/dev/null").is_file()


def test_folder_that_does_not_exist(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="none` does not exist"),
        files.atomic_path(tmp_path / "none" / "report.json"),
    ):
        pytest.fail("the block must not run")


def test_relative_path_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with files.atomic_path("report.json") as temporary:
        temporary.write_text("{}")
    assert (tmp_path / "report.json").read_text() == "{}"


def test_folder_is_there_when_it_is_whole(tmp_path):
    with files.atomic_folder(tmp_path / "new") as temporary:
        (temporary / "a").write_text("a")
        assert not (tmp_path / "new").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert (tmp_path / "new" / "a").read_text() == "a"


def test_nothing_is_left_of_a_folder_that_failed(tmp_path):
    def interrupted():
        with files.atomic_folder(tmp_path / "new") as temporary:
            (temporary / "a").write_text("a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_folder_is_never_replaced(tmp_path, when):
    new = tmp_path / "new"
    if when == "before":
        new.mkdir()
    with pytest.raises(FileExistsError, match="new"), files.atomic_folder(new):
        new.mkdir()  # by another process, empty as it is
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert list(new.iterdir()) == []


def test_folder_that_can_not_be_made(tmp_path):
    with (
        pytest.raises(OSError, match="none/new` cannot be written"),
        files.atomic_folder(tmp_path / "none" / "new"),
    ):
        pytest.fail("the block must not run")


@pytest.mark.parametrize(
    ("name", "age", "swept"),
    [
        (".stylezoo-0123456789abcdef.png", 2, True),
        (".stylezoo-0123456789abcdef.png", 0, False),
        (".stylezoo-00000000-1-0123456789abcdef.png", 2, True),
        (".stylezoo-00000000-1-0123456789abcdef.png", 0, False),
        (".stylezoo-{host}-{own}-0123456789abcdef.png", 0, False),
        (".stylezoo-{host}-999999999-0123456789abcdef.png", 0, True),
        (".stylezoo-notes.png", 2, False),
        (".stylezoo-0123456789abcdef", 2, True),
    ],
)
def test_abandoned_files_are_swept(name, age, swept, tmp_path):
    """A day old, or of a process of this machine that is gone; another machine may share the folder."""
    path = tmp_path / name.format(host=files._host(), own=os.getpid())
    path.write_text("half of")
    os.utime(path, (time.time() - age * 24 * 3600,) * 2)
    with files.atomic_path(tmp_path / "result"):
        pass
    assert path.exists() != swept


def test_a_circle_of_links_is_found_before_the_work(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "nowhere").symlink_to("missing/file")
    for name in ("a", "nowhere"):
        with pytest.raises(OSError, match="cannot be written: "):
            files.check_target(tmp_path / name, overwrite=True)
