"""What the process of a command gets from outside: standard streams, signals, warnings."""

import contextlib
import io
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn


class TerminatedError(KeyboardInterrupt):
    """SIGTERM or SIGHUP: the command ends as it does when it is interrupted, and tidies up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def status_of(interrupt: KeyboardInterrupt) -> int:
    """Return the exit status that shells give to a process which a signal ended."""
    return 128 + getattr(interrupt, "number", signal.SIGINT)


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP raise an exception, unless they are ignored, as under ``nohup``."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # what tidies up is not to be disturbed
    raise TerminatedError(number)


def ignore_warnings() -> None:
    """Let libraries warn of odd files only if Python was told so (``-W``, PYTHONWARNINGS)."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def repair_streams() -> None:
    """Give the process the standard streams that it was started without.

    Else the next file that is opened would get their numbers, and what is printed would end in it.
    """
    for number, mode in ((1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, mode)  # printing to one that is read-only fails as it should
            if null != number:
                os.dup2(null, number)
                os.close(null)
    stdout, stderr = sys.stdout, sys.stderr
    sys.stderr = stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115
    encoding = stdout.encoding if stdout else "utf-8"
    sys.stdout = _Output(
        stdout.detach() if isinstance(stdout, io.TextIOWrapper) else open(1, "wb"),  # noqa: SIM115
        encoding=encoding,
        errors="backslashreplace",  # file names need not be text
        line_buffering=os.isatty(1),
    )


class _Output(io.TextIOWrapper):
    """Standard output, which says so where it can't be written."""

    def write(self, text: str) -> int:
        with _named():
            return super().write(text)

    def flush(self) -> None:
        with _named():
            super().flush()


@contextlib.contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # who read it, as in `stylezoo ... | head`, is gone
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OSError(f"standard output can't be written ({reason})") from error


def drop_unwritten() -> None:
    """Drop what was printed if it can't be written, so that Python does not try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
