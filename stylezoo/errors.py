"""The exceptions of this library that are not Python's own, and names of arguments in messages.

A message names the argument of the function that raised it, in backquotes: "`style_scale` must be > 0.
Received: style_scale=-1". A caller that passed something of its own under another name says so with
:func:`renamed`, so that the message names what *its* caller gave.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping


class StylezooError(Exception):
    """The base of this library's own exceptions; the command line reports each in one line."""


class WeightsError(StylezooError):
    """Weights can't be found, fetched or trusted."""


class ExportError(StylezooError, ValueError):
    """An export can't be made, is damaged, or does not do what its model does."""


class BatchError(StylezooError):
    """The runner of a batch failed."""


class DistributionError(StylezooError):
    """Another worker of a distributed training is gone."""


def one_line(error: BaseException) -> str:
    """Return an error's message in one line, or its type's name if it has no message."""
    return " ".join(str(error).split()) or type(error).__name__


# A path stands in backquotes too, and what is wrong with it is no "must": "`tile` does not exist".
_ARGUMENT = re.compile(r"(`|Received: )(\w+)(?=`|=)")
_ARGUMENT_BUT_NO_PATH = re.compile(r"(`|Received: )(\w+)(?=` must |=)")


@contextlib.contextmanager
def renamed(**names: str) -> Iterator[None]:
    """Rename arguments in the messages of errors that are raised inside.

    For example::

        with errors.renamed(taps="content_layers"):
            perceptual.check_taps(network, content_layers)

    Args:
        **names: For each argument of the function that is called, what the caller's own is called.
    """
    try:
        yield
    except (ValueError, OSError, StylezooError) as error:
        if len(error.args) == 1:  # else the system's, such as an OSError's number and text
            error.args = (describe(error, names),)
        raise


def describe(error: BaseException, names: Mapping[str, str]) -> str:
    """Return an error's message with other names of the arguments that it names.

    An argument is named in backquotes, "`tile`" or "`overwrite=True`", or as what was received,
    "Received: tile=0".

    Args:
        error: The error.
        names: What each argument is to be called.
    """

    def renamed_argument(match: re.Match[str]) -> str:
        before, name = match.groups()
        return f"{before}{names.get(name, name)}"

    pattern = _ARGUMENT_BUT_NO_PATH if isinstance(error, OSError) else _ARGUMENT
    return pattern.sub(renamed_argument, str(error))
