"""A record of what is in a folder, to be compared with what was in it before."""

import pathlib


def snapshot(folder="."):
    """Return every file below a folder with its content, every folder, and where every link leads.

    The content behind a link, which may be large weights, is not read: its size and the time of its
    last change tell whether it was touched.
    """
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): _state(path) for path in sorted(folder.rglob("*"))}


def _state(path):
    if path.is_symlink():
        status = path.stat() if path.exists() else path.lstat()
        return path.readlink(), status.st_size, status.st_mtime_ns
    return path.read_bytes() if path.is_file() else None
