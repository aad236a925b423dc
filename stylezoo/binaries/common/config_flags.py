"""Flags made from configuration dataclasses: names, types, defaults and help are written down once.

A command says which configuration its flags set, and nothing about the single flags::

    from stylezoo.binaries.common import config_flags
    from stylezoo.training.configurations import LoopConfig

    _LOOP = config_flags.ConfigFlags(LoopConfig(), names={"num_steps": "steps"})


    def define_flags(values):
        _LOOP.define(values)


    def main(arguments, values):
        loop = _LOOP.replace(values, LoopConfig())

Every field becomes a flag of its name. Its type is the field's annotation: ``str``, ``int``, ``float``,
``bool``, a ``Literal`` of strings, a tuple of any length of strings or numbers (commas between them on
the command line), or one of these or None. Its help is the field's text in the "Attributes:" section of
the class's docstring, followed by the choices of a ``Literal`` and the default: "Base learning rate
(default: 0.001)." The text is a sentence that can be read alone and does not repeat the default. What
None means is part of it ("By default, ...").

A field that is itself a dataclass is opened: its fields become flags too. Fields are therefore named by
dotted paths ("objective.perceptual.network") in ``fields``, ``skip`` and ``names``, and a path stands for
all that is below it. The name given to a dataclass is the prefix of its fields' flags::

    ConfigFlags(PRESETS["fast"], skip=["optimizer"], names={"patches": "patch_"})

A flag that is not given is None and leaves the field as it is, so that a preset's value holds. Flags have
no bounds of their own: the configuration checks its values, and :func:`describe_error` makes the flag's
name of the argument's in its message.

The module of a configuration must not import TensorFlow or Keras, since help has to be quick.
"""

import contextlib
import dataclasses
import functools
import re
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import docstring_parser
from absl import flags

from stylezoo import errors

Config = TypeVar("Config")
Path = tuple[str, ...]

_PARSERS = {
    bool: flags.BooleanParser,
    float: flags.FloatParser,
    int: flags.IntegerParser,
    str: flags.ArgumentParser,
}
# Flags that stand for arguments of other names throughout the library.
_ARGUMENTS = {"network": "architecture"}
# What follows a default in a help text is the next sentence: not every full stop ends one.
_END_OF_SENTENCE = re.compile(r"\.(?=\s+[A-Z`]|$)")
_ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?([^`]*)`")
_LITERAL = re.compile(r"``([^`]*)``")


class _Field(NamedTuple):
    """A field of a configuration and the flag that is made of it."""

    path: Path
    flag: str
    annotation: Any
    text: str
    default: Any


class ConfigFlags:
    """The flags of a configuration.

    Args:
        config: The configuration's class, or an instance of it (a preset) whose values the help shows as
            defaults.
        fields: Paths of the fields that become flags; by default all.
        skip: Paths of fields that do not.
        names: Path to the flag's name, where it isn't the field's; for a field that is a dataclass, path
            to the prefix of its fields' flags.
        show_defaults: Whether the help shows the defaults. It does not where something else decides on
            them, such as a paper's recipe for the network.
    """

    def __init__(
        self,
        config: Any,
        *,
        fields: Collection[str] | None = None,
        skip: Collection[str] = (),
        names: Mapping[str, str] = types.MappingProxyType({}),
        show_defaults: bool = True,
    ) -> None:
        self._config = config
        self._chosen = fields
        self._skipped = skip
        self._names = names
        self._show_defaults = show_defaults

    def define(self, values: flags.FlagValues) -> None:
        """Add the flags to ``values``.

        Raises:
            TypeError: For a field of a type that no flag can have.
            ValueError: For a path that is no field's, or a field that the docstring does not describe.
        """
        known = {field.path[-1]: field.flag for field in self._fields}
        for field in self._fields:
            default = field.default if self._show_defaults else None
            text = _plain(
                with_notes(field.text, *_choices_note(field), *default_note(default)), known
            )
            _define(values, field, text)

    @property
    def names(self) -> list[str]:
        """The names of the flags."""
        return [field.flag for field in self._fields]

    def given(self, values: flags.FlagValues) -> dict[str, Any]:
        """Return path and value of the fields whose flags were given."""
        return {".".join(path): value for path, value in self._given(values).items()}

    def replace(self, values: flags.FlagValues, config: Config) -> Config:
        """Return ``config`` with the values of the flags that were given.

        Raises:
            ValueError: If the configuration does not allow a value.
        """
        with self._renamed():
            result: Config = _apply(config, self._given(values))
        return result

    def create(self, values: flags.FlagValues, **fields: Any) -> Any:
        """Return a new configuration with the values of the flags that were given.

        Args:
            values: The command's flags.
            **fields: Values of other fields of the configuration. The flags change those that are
                configurations themselves.

        Raises:
            ValueError: If the configuration does not allow a value, or a field without a default has none.
        """
        cls = self._config if isinstance(self._config, type) else type(self._config)
        others: dict[Path, Any] = {(name,): value for name, value in fields.items()}
        with self._renamed():
            return _apply(cls, others | self._given(values))

    def _renamed(self) -> contextlib.AbstractContextManager[None]:
        """Return a context in which errors name a field's flag if its name is another."""
        return errors.renamed(
            **{each.path[-1]: each.flag for each in self._fields if each.flag != each.path[-1]}
        )

    @functools.cached_property
    def _fields(self) -> list[_Field]:
        seen: set[str] = set()
        found = list(self._walk(self._config, (), "", seen))
        unknown = {*(self._chosen or ()), *self._skipped, *self._names} - seen
        if unknown:
            raise ValueError(f"not a field of the configuration: {', '.join(sorted(unknown))}")
        return found

    def _walk(self, config: Any, path: Path, prefix: str, seen: set[str]) -> Iterator[_Field]:
        """Yield the fields below a configuration; ``seen`` gets the paths of all there are."""
        for field in dataclasses.fields(config):
            own = (*path, field.name)
            dotted = ".".join(own)
            seen.add(dotted)
            if dotted in self._skipped:
                continue
            renamed = self._names.get(dotted)
            if dataclasses.is_dataclass(field.type):
                yield from self._walk(_value(config, field), own, prefix + (renamed or ""), seen)
            elif self._is_chosen(own):
                texts = _texts(config if isinstance(config, type) else type(config))
                if field.name not in texts:
                    raise ValueError(f"the docstring's Attributes must have `{dotted}`")
                flag = renamed or prefix + field.name
                yield _Field(own, flag, field.type, texts[field.name], _value(config, field))

    def _is_chosen(self, path: Path) -> bool:
        ends = range(1, len(path) + 1)
        return self._chosen is None or any(".".join(path[:end]) in self._chosen for end in ends)

    def _given(self, values: flags.FlagValues) -> dict[Path, Any]:
        chosen = {field.path: values[field.flag].value for field in self._fields}
        return {path: value for path, value in chosen.items() if value is not None}


def with_notes(text: str, *notes: str) -> str:
    """Return a help text with notes in parentheses at the end of its first sentence."""
    if not notes:
        return text
    shown = f" ({'; '.join(notes)})"
    end = _END_OF_SENTENCE.search(text)
    return text[: end.start()] + shown + text[end.start() :] if end else text + shown


def default_note(value: Any) -> list[str]:
    """Return the note that says what a flag's default is; none for a default that says nothing."""
    if value is None or value in ((), [], ""):
        return []
    if isinstance(value, bool):
        return [f"default: {str(value).lower()}"]
    if isinstance(value, tuple | list):
        return [f"default: {','.join(map(_shown, value))}"]
    return [f"default: {_shown(value)}"]


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def describe_error(error: BaseException, values: flags.FlagValues) -> str:
    """Return an error's message with the command's flags in place of the arguments that it names.

    A library error names an argument: "`style_scale` must be > 0. Received: style_scale=-1". Where the
    command has a flag for it, that is "`--style_scale` must be > 0. Received: --style_scale=-1"; and
    "`overwrite=True`" is "`--overwrite`".
    """
    names: dict[str, str] = {}
    for name in values:
        for argument in (getattr(values[name], "argument", name), _ARGUMENTS.get(name, name)):
            names.setdefault(argument, f"--{name}")
    names |= {name: f"--{name}" for name in values}
    return re.sub(r"`(--\w+)=True`", r"`\1`", errors.describe(error, names))


@functools.cache
def _texts(cls: type) -> dict[str, str]:
    """Return the texts of a class's fields, its bases' included, from their docstrings."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        docstring = docstring_parser.parse(
            each.__doc__ or "", docstring_parser.DocstringStyle.GOOGLE
        )
        for param in docstring.params:
            found[param.arg_name] = " ".join((param.description or "").split())
    return found


def _plain(text: str, known: Mapping[str, str]) -> str:
    """Return a docstring's text as a help text: without markup, with a capital.

    Args:
        text: A field's text.
        known: Flags of the fields that the text may name.
    """

    def literal(match: re.Match[str]) -> str:
        return f"--{known[match[1]]}" if match[1] in known else match[1].strip("\"'")

    plain = _LITERAL.sub(literal, _ROLE.sub(r"\1", text))
    return plain[:1].upper() + plain[1:]


def _value(config: Any, field: "dataclasses.Field[Any]") -> Any:
    """Return a field's value in an instance, or its default in a class.

    Without a default it is the field's own class if that is a dataclass, else None.
    """
    if not isinstance(config, type):
        return getattr(config, field.name)
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.type if dataclasses.is_dataclass(field.type) else None


def _choices_note(field: _Field) -> list[str]:
    """Return the note that lists the choices of a ``Literal``; none for other types."""
    kind = _single(field.annotation)
    choices = typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else ()
    return [f"one of {', '.join(choices)}"] if choices else []


def _define(values: flags.FlagValues, field: _Field, text: str) -> None:
    kind = _single(field.annotation)
    if kind is bool:
        flags.DEFINE_bool(field.flag, None, text, flag_values=values)
    else:
        parser, serializer = _parser(kind, field)
        flags.DEFINE(parser, field.flag, None, text, flag_values=values, serializer=serializer)
    # For describe_error: messages name the field.
    values[field.flag].argument = field.path[-1]


def _single(annotation: Any) -> Any:
    """Return the one type of a union that a flag can have: not None, no dataclass."""
    if typing.get_origin(annotation) not in (types.UnionType, typing.Union):
        return annotation
    kinds = [
        kind
        for kind in typing.get_args(annotation)
        if kind is not types.NoneType and not dataclasses.is_dataclass(kind)
    ]
    return kinds[0] if len(kinds) == 1 else annotation


def _parser(kind: Any, field: _Field) -> "tuple[flags.ArgumentParser, flags.ArgumentSerializer]":
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal and all(isinstance(each, str) for each in arguments):
        return flags.ArgumentParser(), flags.ArgumentSerializer()
    if origin is tuple and len(arguments) == 2 and arguments[1] is ... and arguments[0] in _PARSERS:
        return _TupleParser(_PARSERS[arguments[0]]()), flags.CsvListSerializer(",")
    if kind not in _PARSERS:
        raise TypeError(f"no flag can be of the type of `{'.'.join(field.path)}`: {kind}")
    return _PARSERS[kind](), flags.ArgumentSerializer()


class _TupleParser(flags.ListParser):
    """Read values with commas between them."""

    def __init__(self, item: flags.ArgumentParser) -> None:
        super().__init__()
        self._item = item

    def parse(self, argument: Any) -> tuple[Any, ...]:
        """Return the values as a tuple."""
        return tuple(self._item.parse(each) for each in super().parse(argument))


def _apply(config: Any, given: Mapping[Path, Any]) -> Any:
    """Return an instance with the given values below it, or a new one where ``config`` is a class."""
    groups: dict[str, dict[Path, Any]] = {}
    for (name, *rest), value in given.items():
        groups.setdefault(name, {})[tuple(rest)] = value
    if not isinstance(config, type):
        changes = {
            name: _apply(group.pop((), getattr(config, name, None)), group)
            for name, group in groups.items()
        }
        return dataclasses.replace(config, **changes) if changes else config
    values = {}
    for field in dataclasses.fields(config):
        if group := groups.pop(field.name, None):
            values[field.name] = _apply(group.pop((), _value(config, field)), group)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise ValueError(f"`{field.name}` must be given")
    return config(**values)
