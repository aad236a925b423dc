"""The command line: ``stylezoo COMMAND [ARGUMENTS] [--flags]``.

A command is a module of this folder with ``define_flags(values)`` and ``main(arguments, values)``;
its docstring is its help. A command with ``SUBCOMMANDS`` has a module for each of them instead,
``COMMAND_SUBCOMMAND``, with flags of its own. Only the module of the command that was asked for is
imported, and none imports TensorFlow before its ``main`` runs, so that help is quick.
"""

import ast
import importlib.resources
import inspect
import pathlib
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from absl import flags

import stylezoo
from stylezoo.binaries.common import config_flags, flag_checks, process
from stylezoo.errors import StylezooError

COMMANDS = (
    "transfer",
    "transfer_video",
    "texture",
    "invert",
    "train_style",
    "train_texture",
    "train_superres",
    "train_prior",
    "train_classifier",
    "stylize",
    "batch",
    "video",
    "live",
    "web",
    "evaluate",
    "evaluate_classifier",
    "classify",
    "export",
    "verify_export",
    "serve_config",
    "client",
    "visualize",
    "models",
    "weights",
)
_LONGEST_MESSAGE = 10_000  # a network's missing tensors are listed
_EXHAUSTED = "ResourceExhaustedError"
_HELP = {"--help", "-help", "-h", "--helpshort", "--helpfull"}


def main() -> None:
    """Run the command line of the process, and end it with the exit status."""
    process.repair_streams()
    process.heed_signals()
    process.ignore_warnings()
    try:
        status = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        status = _fail("", "interrupted", process.status_of(interrupt))
    except BrokenPipeError:
        status = 1
    except OSError as error:
        status = _fail("", error, 1)
    if status:
        process.drop_unwritten()
    sys.exit(status)


def run(argv: Sequence[str]) -> int:
    """Run one command.

    Args:
        argv: The command's name, its arguments and flags.

    Returns:
        The exit status: 0 when all is well, 1 when something could not be done (one line on standard
        error says what), 2 for an unknown command or flag, 130 when interrupted, 143 when terminated.
    """
    if not argv or argv[0] in _HELP | {"help"}:
        print(_usage())
        return 0 if argv else 2
    if argv[0] == "--version":
        print(stylezoo.__version__)
        return 0
    name, *rest = argv
    if name not in COMMANDS:
        return _fail("", f"`COMMAND` must be one of {', '.join(COMMANDS)}. Received: {name}", 2)
    module = _module(name)
    if subcommands := getattr(module, "SUBCOMMANDS", ()):
        if not rest or rest[0] in _HELP:
            print(f"{inspect.getdoc(module)}\n\n{_summaries(subcommands, prefix=f'{name}_')}")
            return 0 if rest else 2
        what, *rest = rest
        if what not in subcommands:
            known = ", ".join(subcommands)
            return _fail(name, f"`WHAT` must be one of {known}. Received: {what}", 2)
        module = _module(f"{name}_{what}")
        name = f"{name} {what}"
    values = _flag_values(module)
    if _HELP & set(rest):
        print(f"{inspect.getdoc(module)}\n\nFlags:\n{_flag_help(values)}")
        return 0
    try:
        _, *arguments = values([name, *rest])
    except (flags.Error, OSError, UnicodeDecodeError) as error:
        return _fail(name, error, 2)
    return _guarded(name, module, arguments, values)


def _guarded(name: str, module: ModuleType, arguments: list[str], values: flags.FlagValues) -> int:
    """Run a command and return its exit status; errors that a user can cause become one line."""
    expected = (ValueError, OSError, FloatingPointError, ModuleNotFoundError, StylezooError)
    try:
        flag_checks.check(arguments, values)
        return module.main(arguments, values)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt as interrupt:
        return _fail(name, _interrupted(values), process.status_of(interrupt))
    except Exception as error:
        # TensorFlow has an error of its own, which can't be imported here, and whose text is about kernels.
        exhausted = isinstance(error, MemoryError) or type(error).__name__ == _EXHAUSTED
        if not exhausted and not isinstance(error, expected):
            raise
        if values.traceback:
            traceback.print_exc()
        if exhausted:
            return _fail(name, "out of memory: smaller pictures or batches need less", 1)
        return _fail(name, config_flags.describe_error(error, values), 1)


def _interrupted(values: flags.FlagValues) -> str:
    """Return what to say of a command that was interrupted: a training keeps what it has saved."""
    run = values["run"].value if "run" in values else None
    if run and pathlib.Path(run, "checkpoints").is_dir():
        return f"interrupted. `{run}` keeps what was saved, and the same command goes on from there"
    return "interrupted"


def _fail(name: str, error: object, status: int) -> int:
    """Print an error in one line, whatever a file or a server has put into it."""
    program = f"stylezoo {name}".strip()
    line = " ".join(str(error).split())
    if len(line) > _LONGEST_MESSAGE:
        line = f"{line[:_LONGEST_MESSAGE]} ..."
    printable = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
    print(f"{program}: error: {printable}", file=sys.stderr)
    return status


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"stylezoo.binaries.{name}")


def _usage() -> str:
    return "\n".join(
        [
            f"stylezoo {stylezoo.__version__}: neural style transfer in TensorFlow",
            "",
            "Usage: stylezoo COMMAND [--flags]     (stylezoo COMMAND --help lists the flags)",
            "",
            _summaries(COMMANDS),
        ]
    )


def _summaries(names: Sequence[str], *, prefix: str = "") -> str:
    """Return the first line of each command's help.

    Args:
        names: The commands.
        prefix: Text before each name in the name of its module.
    """
    lines = {name: _first_line(prefix + name) for name in names}
    width = max(map(len, names))
    return "\n".join(f"  {name:<{width}}  {line}" for name, line in lines.items())


def _first_line(name: str) -> str:
    """Return the first line of a command's help, without importing what its module imports."""
    source = (
        importlib.resources.files("stylezoo.binaries").joinpath(f"{name}.py").read_text("utf-8")
    )
    return (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]


def _flag_values(module: ModuleType) -> flags.FlagValues:
    values = flag_checks.CommandFlags()
    module.define_flags(values)
    flags.DEFINE_bool(
        "traceback", False, "Show where in the code an error arose.", flag_values=values
    )
    # absl reads flag files for any set of flags, but only its own global set has this one.
    flags.DEFINE_string(
        "flagfile", None, "File to read flags from, one a line.", flag_values=values
    )
    return values


def _flag_help(values: flags.FlagValues) -> str:
    entries = []
    for name in sorted(values):
        flag = values[name]
        switch = f"--[no]{name}" if flag.boolean else f"--{name}"
        entries.append(
            f"  {switch}\n" + flags.text_wrap(_flag_text(flag), length=88, indent="      ")
        )
    return "\n".join(entries)


def _flag_text(flag: "flags.Flag[Any]") -> str:
    """Return a flag's help, with its choices and its default in parentheses."""
    text, choices = flag.help, []
    if isinstance(flag, flags.EnumFlag):  # absl has put the choices before the text
        text = text.removeprefix(f"<{'|'.join(flag.parser.enum_values)}>: ")
        choices = [f"one of {', '.join(flag.parser.enum_values)}"]
    return config_flags.with_notes(text, *choices, *config_flags.default_note(flag.default))


if __name__ == "__main__":
    main()
