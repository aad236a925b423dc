"""Files that are written whole or not at all.

What is being written has a temporary name, with the process's number, in the folder of the result. What a
process left behind that was killed is removed by the next that writes there.
"""

import contextlib
import functools
import os
import pathlib
import platform
import re
import secrets
import shutil
import time
import zlib
from collections.abc import Iterator

_TEMPORARY = re.compile(
    r"\.stylezoo-(?:(?P<host>[0-9a-f]{8})-(?P<process>\d+)-)?[0-9a-f]{16}(\..*)?"
)
_OLD = 24 * 3600  # seconds


def check_target(path: str | os.PathLike[str], *, overwrite: bool) -> pathlib.Path:
    """Check, without touching the disk, that a file may be written at ``path``.

    Args:
        path: Where the file is to go.
        overwrite: Whether a file that is there already may be replaced.

    Returns:
        ``path`` as a ``pathlib.Path``.

    Raises:
        FileNotFoundError, NotADirectoryError: If the folder does not exist, or is a file.
        IsADirectoryError: If ``path`` is a folder.
        FileExistsError: If there is a file and ``overwrite`` is false, or something that must
            never be replaced by a file (a device, a pipe).
    """
    path = pathlib.Path(path)
    folder = path.parent
    if not folder.is_dir():
        if folder.exists() or any(parent.is_file() for parent in folder.parents):
            raise NotADirectoryError(f"`{path}` cannot be written: `{folder}` is not a folder.")
        raise FileNotFoundError(f"`{path}` cannot be written: `{folder}` does not exist.")
    if path.is_dir():
        raise IsADirectoryError(f"`{path}` is a folder, and must be a file.")
    check_links(path)
    if path.exists() and not path.is_file():
        raise FileExistsError(f"`{path}` is a device or a pipe, and must be a file.")
    if path.exists() and not overwrite:
        raise _already_exists(path)
    return path


def check_links(path: pathlib.Path) -> None:
    """Raise an OSError if a path leads through symbolic links in a circle, or to a folder that is missing."""
    try:
        target = pathlib.Path(os.path.realpath(path))
        path.stat()
    except FileNotFoundError:
        if not target.parent.is_dir():
            raise FileNotFoundError(
                f"`{path}` cannot be written: `{target.parent}` does not exist."
            ) from None
    except OSError as error:
        raise type(error)(f"`{path}` cannot be written: {error.strerror}.") from error


def check_writable(path: str | os.PathLike[str], *, overwrite: bool) -> pathlib.Path:
    """Check as :func:`check_target`, and then create (and remove) a file in the folder of ``path``.

    Only trying tells whether it can be written: permission bits say nothing to root, on a read-only file
    system, or on a full one.

    Raises:
        OSError: As :func:`check_target`, and PermissionError or the system's own error where no file
            can be created.
    """
    path = check_target(path, overwrite=overwrite)
    try:
        _create_temporary(path).unlink()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"`{path}` cannot be written: no file can be created in its folder ({reason})."
        raise type(error)(message) from error
    return path


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[pathlib.Path]:
    """Give a temporary file that becomes ``path`` when the block ends without an exception.

    The temporary file is in the same folder (a rename within a file system is atomic), has the
    same extension, exists and is empty. Its mode follows the umask. After any exception,
    KeyboardInterrupt too, it is gone and ``path`` is what it was. A symbolic link stays one: the
    file that it points to is written.

    Args:
        path: The file to be written.
        overwrite: Whether a file that is there already may be replaced. If not, then one that
            another process creates during the block is kept too.

    Yields:
        The path of the temporary file, to be written by the block.

    Raises:
        OSError: As :func:`check_target`, before the block; FileExistsError also after it.
    """
    path = check_target(path, overwrite=overwrite)
    target = path.resolve()
    _sweep(target.parent)
    temporary = _create_temporary(target)
    try:
        yield temporary
        if overwrite:
            temporary.replace(target)
        else:
            _publish_new(temporary, target, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(
    path: str | os.PathLike[str], *, overwrite: bool = False
) -> Iterator[pathlib.Path]:
    """Give a temporary folder that becomes ``path`` when the block ends without an exception.

    After any exception the temporary folder is gone and ``path`` is what it was.

    Args:
        path: The folder to be written, in one that exists.
        overwrite: Whether a folder that is there already may be replaced, with all that it holds.

    Yields:
        The path of the temporary folder, to be filled by the block.

    Raises:
        OSError: If there is something at ``path`` that may not be replaced, before the block and after
            it, or if no folder can be created beside it.
    """
    path = _check_folder(path, overwrite=overwrite)
    _sweep(path.parent)
    temporary = _create_temporary_folder(path)
    try:
        yield temporary
        _check_folder(path, overwrite=overwrite)
        _replace_folder(path, temporary)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_output_folder(path: str | os.PathLike[str], *, overwrite: bool) -> pathlib.Path:
    """Check that a folder may be written at ``path``, and then create (and remove) one beside it.

    Raises:
        OSError: As :func:`atomic_folder`, before the block.
    """
    path = _check_folder(path, overwrite=overwrite)
    _create_temporary_folder(path).rmdir()
    return path


def _check_folder(path: str | os.PathLike[str], *, overwrite: bool) -> pathlib.Path:
    path = pathlib.Path(path)
    check_links(path)
    if path.exists() and not (overwrite and path.is_dir()):
        raise _already_exists(path)
    return path


def _replace_folder(path: pathlib.Path, temporary: pathlib.Path) -> None:
    """Rename a folder, over another one too: the system renames over empty ones only."""
    if not path.exists():
        temporary.rename(path)
        return
    target = path.resolve()
    aside = _temporary_name(target)
    target.rename(aside)
    try:
        temporary.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _create_temporary_folder(path: pathlib.Path) -> pathlib.Path:
    temporary = _temporary_name(path)
    try:
        temporary.mkdir()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"`{path}` cannot be written: no folder can be created beside it ({reason})."
        raise type(error)(message) from error
    return temporary


def _create_temporary(path: pathlib.Path) -> pathlib.Path:
    # The files of tempfile.mkstemp have mode 0600 whatever the umask.
    temporary = _temporary_name(path)
    temporary.touch(exist_ok=False)
    return temporary


def _temporary_name(path: pathlib.Path) -> pathlib.Path:
    owner = f"{_host()}-{os.getpid()}"
    return path.with_name(f".stylezoo-{owner}-{secrets.token_hex(8)}{path.suffix}")


@functools.cache
def _host() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


@functools.cache
def _sweep(folder: pathlib.Path) -> None:
    """Remove, once for each folder, what processes that are gone were writing there."""
    try:
        with os.scandir(folder) as entries:
            abandoned = [entry.path for entry in entries if _is_abandoned(entry)]
    except OSError:  # whoever can't list a folder may still write a file into it
        return
    for path in map(pathlib.Path, abandoned):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


def _is_abandoned(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry is temporary, and a day old or of a process of this machine that is gone."""
    match = _TEMPORARY.fullmatch(entry.name)
    if match is None:
        return False
    if match["host"] == _host() and not _is_running(int(match["process"])):
        return True
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _OLD
    except OSError:  # it is gone
        return False


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _publish_new(temporary: pathlib.Path, target: pathlib.Path, path: pathlib.Path) -> None:
    """Rename a file, but not over another one, for which os.replace has no option."""
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        raise _already_exists(path) from None
    except OSError:
        _claim_and_replace(temporary, target, path)


def _claim_and_replace(temporary: pathlib.Path, target: pathlib.Path, path: pathlib.Path) -> None:
    """Publish on file systems without hard links, where others see an empty file for a moment."""
    try:
        target.touch(exist_ok=False)
    except FileExistsError:
        raise _already_exists(path) from None
    try:
        temporary.replace(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _already_exists(path: pathlib.Path) -> FileExistsError:
    return FileExistsError(f"`{path}` already exists. Give another path, or `overwrite=True`.")
