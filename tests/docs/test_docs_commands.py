"""Every `stylezoo` command that the documentation shows is one that the command line understands."""

import importlib
import itertools
import re
import shlex
from pathlib import Path

import pytest

from stylezoo.binaries import main

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "BUILD.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "stylezoo" / "pretrained").rglob("*.md")),
    *sorted((ROOT / "exports").rglob("*.md")),
]
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}stylezoo .*?[^\\]$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(stylezoo [a-z].*?)`", re.DOTALL)


def commands(text):
    """Return the arguments of each command of a page's code."""
    blocks = FENCED.findall(text)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += [each.replace("\\\n", " ") for each in INDENTED.findall(text)]
    lines += [" ".join(each.split()) for each in INLINE.findall(text)]
    for line in lines:
        words = shlex.split(line, comments=True)
        for _, command in itertools.groupby(words, key=lambda word: word in ("&&", "|")):
            program, *arguments = command
            if program == "stylezoo":
                yield tuple(arguments)


def understood(arguments, monkeypatch):
    """Return whether a command and its flags exist and take these values; it is not run."""
    name = arguments[0]
    if arguments == (name,) and name in main.COMMANDS:
        return True  # a command that the text names
    if name in main.COMMANDS:
        module = importlib.import_module(f"stylezoo.binaries.{name}")
        if arguments[1:2] and arguments[1] in getattr(module, "SUBCOMMANDS", ()):
            module = importlib.import_module(f"stylezoo.binaries.{name}_{arguments[1]}")
        monkeypatch.setattr(module, "main", lambda arguments, values: 0, raising=False)
    return main.run(arguments) == 0


def test_finds_commands_and_faults(monkeypatch):
    text = (
        "Say `stylezoo models light` or\n\n```sh\nls && stylezoo stylize 'a b.jpg' \\\n"
        "    --style=udnie  # blue\n```\n\n    stylezoo weights \\\n        list\n"
    )
    assert list(commands(text)) == [
        ("stylize", "a b.jpg", "--style=udnie"),
        ("weights", "list"),
        ("models", "light"),
    ]
    assert understood(("stylize", "a.jpg", "--style=udnie"), monkeypatch)
    assert not understood(("stylize", "a.jpg", "--stile=udnie"), monkeypatch)
    assert not understood(("stylise", "a.jpg"), monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands(page, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)  # for flag files
    shown = dict.fromkeys(commands(page.read_text(encoding="utf-8")))
    wrong = [each for each in shown if not understood(each, monkeypatch)]
    assert not wrong, capsys.readouterr().err


def test_every_command_is_documented():
    shown = {arguments[0] for page in PAGES for arguments in commands(page.read_text("utf-8"))}
    assert set(main.COMMANDS) <= shown


def test_every_package_has_a_page_of_the_reference():
    packages = {stub.parent.name for stub in (ROOT / "stylezoo").glob("*/__init__.pyi")}
    pages = {page.stem: page.read_text("utf-8") for page in (ROOT / "docs" / "api").glob("*.md")}
    assert set(pages) - {"index"} == packages
    assert all(f"\n::: stylezoo.{name}\n" in pages[name] for name in packages)
    assert all(f"[`stylezoo.{name}`]({name}.md)" in pages["index"] for name in packages)
