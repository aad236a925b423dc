"""A machine for the pickles of weights files, which is safe on those of strangers.

Python's own unpickler gives a memo the size that a pickle asks for, sets attributes, and hashes whatever is
used as a key. This one knows the opcodes that dictionaries of arrays and tensors need, and no others. What
it makes grows with the number of opcodes, which is bounded, and with the bytes that stand in the pickle.
"""

import pickle
import pickletools
from collections.abc import Callable
from typing import Any, BinaryIO

# ResNet-152 has 42,000, and three times as many with the state of an optimiser.
_MAX_OPCODES = 500_000

_LITERALS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE"),
    *("BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = {"PROTO", "FRAME"}


def load(
    stream: BinaryIO,
    find_global: Callable[[str, str], Any],
    load_persistent: Callable[[object], Any] | None = None,
) -> Any:
    """Read one pickle, and leave the stream behind it.

    Args:
        stream: What the pickle is read from.
        find_global: Returns what stands in for a global of a module; it must raise an exception for all
            that the pickle may not name. Nothing else can be called by the pickle.
        load_persistent: Returns what stands for an object outside the pickle, from its identification.
            Without it there may be none.

    Returns:
        The pickle's value. Lists, tuples and dictionaries in it may be used in several places, or hold
        themselves.

    Raises:
        Exception: Of nearly any kind, if the pickle is damaged, too long, or has opcodes or keys of
            dictionaries that weights do not need.
    """
    machine = _Machine(find_global, load_persistent)
    for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if count == _MAX_OPCODES:
            raise pickle.UnpicklingError(f"it has more than {_MAX_OPCODES:,} instructions")
        if opcode.name == "STOP":
            return machine.pop()
        machine.run(opcode.name, argument)
    raise pickle.UnpicklingError("it is cut off")


def check_key(key: object) -> str | int:
    """Return a dictionary's key if it is a text or a number.

    The hash of nested tuples may take for ever.

    Raises:
        UnpicklingError: If it is neither.
    """
    if type(key) is str or type(key) is int:
        return key
    raise pickle.UnpicklingError(f"a key must be text or a number, and is of {type(key).__name__}")


class _Machine:
    def __init__(
        self,
        find_global: Callable[[str, str], Any],
        load_persistent: Callable[[object], Any] | None,
    ) -> None:
        self._find_global = find_global
        self._load_persistent = load_persistent
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []  # the stacks below each mark
        self._memo: dict[int, Any] = {}

    def pop(self) -> Any:
        return self._stack.pop()

    def run(self, name: str, argument: Any) -> None:
        """Run one opcode."""
        if name in _LITERALS:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            self._stack.append(self._last(_TUPLES[name]))
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument] = self._stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[argument])
        elif name not in _IGNORED:
            handler = getattr(self, f"_{name.lower()}", None)
            if handler is None:
                raise pickle.UnpicklingError(f"it has the instruction {name}")
            handler(argument)

    def _last(self, count: int) -> tuple[Any, ...]:
        if len(self._stack) < count:
            raise pickle.UnpicklingError("it takes more values than there are")
        last = tuple(self._stack[-count:])
        del self._stack[-count:]
        return last

    def _marked(self) -> list[Any]:
        """Return what was pushed since the last mark."""
        marked, self._stack = self._stack, self._below.pop()
        return marked

    def _memoize(self, _: None) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _mark(self, _: None) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _pop(self, _: None) -> None:
        self._stack.pop()

    def _pop_mark(self, _: None) -> None:
        self._marked()

    def _empty_list(self, _: None) -> None:
        self._stack.append([])

    def _empty_tuple(self, _: None) -> None:
        self._stack.append(())

    def _empty_dict(self, _: None) -> None:
        self._stack.append({})

    def _list(self, _: None) -> None:
        items = self._marked()
        self._stack.append(items)

    def _tuple(self, _: None) -> None:
        items = self._marked()
        self._stack.append(tuple(items))

    def _dict(self, _: None) -> None:
        pairs = self._marked()
        self._stack.append({})
        self._set(pairs)

    def _append(self, _: None) -> None:
        self._extend(self._last(1))

    def _appends(self, _: None) -> None:
        self._extend(self._marked())

    def _setitem(self, _: None) -> None:
        self._set(self._last(2))

    def _setitems(self, _: None) -> None:
        self._set(self._marked())

    def _extend(self, items: Any) -> None:
        if not isinstance(self._stack[-1], list):
            raise pickle.UnpicklingError("it appends to what is no list")
        self._stack[-1].extend(items)

    def _set(self, items: Any) -> None:
        if not isinstance(self._stack[-1], dict):
            raise pickle.UnpicklingError("it sets an item of what is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            self._stack[-1][check_key(key)] = value

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._stack.append(self._find_global(module, name))

    def _stack_global(self, _: None) -> None:
        module, name = self._last(2)
        if type(module) is not str or type(name) is not str:
            raise pickle.UnpicklingError("the name of a global is no text")
        self._stack.append(self._find_global(module, name))

    def _reduce(self, _: None) -> None:
        function, arguments = self._last(2)
        if not callable(function) or not isinstance(arguments, tuple):
            raise pickle.UnpicklingError("it calls what is no function")
        self._stack.append(function(*arguments))

    def _build(self, _: None) -> None:
        instance, state = self._last(2)
        instance.__setstate__(state)
        self._stack.append(instance)

    def _binpersid(self, _: None) -> None:
        if self._load_persistent is None:
            raise pickle.UnpicklingError("it refers to something outside it")
        self._stack.append(self._load_persistent(self._stack.pop()))
