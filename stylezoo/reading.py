"""The one way to open a file that a user names: never a device, a pipe or a socket.

Those may never end, or wait for somebody who never writes.
"""

import os
import stat
from typing import BinaryIO


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file, or a symbolic link to one, to read its bytes.

    Raises:
        FileNotFoundError: If there is nothing.
        IsADirectoryError: If it is a folder.
        OSError: If it is a device, a pipe or a socket, a symbolic link that leads nowhere, or can't be read.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(f"`{os.fspath(path)}` is a folder, not a file.")
        if not stat.S_ISREG(mode):
            raise OSError(
                f"`{os.fspath(path)}` is a device, a pipe or a socket, not a regular file."
            )
        # Whoever exchanges the file in between gains nothing: opening a pipe does not wait.
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"`{os.fspath(path)}` does not exist.") from None


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a regular file; see :func:`open_regular`."""
    with open_regular(path) as file:
        return file.read()


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a regular file in UTF-8; see :func:`open_regular`.

    Raises:
        ValueError: If it is not in UTF-8.
    """
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"`{os.fspath(path)}` must be a text file in UTF-8.") from error
