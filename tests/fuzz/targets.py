"""What is fuzzed: readers of files, which may refuse anything, by their own kind of error.

Run as a program, it fuzzes one of them: python targets.py NAME [options of libFuzzer] [corpora].
"""

import contextlib
import logging
import sys

from stylezoo.errors import WeightsError
from stylezoo.images import codecs
from stylezoo.weights import state_dicts, unpickler


def unpickle(data: bytes) -> None:
    with contextlib.suppress(WeightsError):
        unpickler.unpickle_arrays(data)


def torch(data: bytes) -> None:
    with contextlib.suppress(WeightsError):
        state_dicts.from_torch(data)


def picture(data: bytes) -> None:
    try:
        codecs.decode_image(data, max_pixels=10_000)
    except ValueError as error:
        assert str(error).startswith("`data`")  # noqa: PT017


TARGETS = {each.__name__: each for each in (unpickle, torch, picture)}


def main() -> None:
    import atheris

    logging.disable()
    name, *options = sys.argv[1:]
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
