"""Every public name is listed once, has a docstring, and is on a page of the reference.

Modules are parsed and not imported, as the reference does it.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUBS = sorted((ROOT / "stylezoo").glob("*/__init__.pyi"))


def statements(path):
    """Yield the statements of a module, each with the one that follows."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    yield from zip(body, [*body[1:], ast.Pass()], strict=True)


def origins(path):
    """Return the file that each name comes from which a module or a stub imports from stylezoo."""
    found = {}
    for statement, _ in statements(path):
        if isinstance(statement, ast.ImportFrom):
            dotted = (statement.module or "").split(".")
            folder = path.parent if statement.level else ROOT
            file = folder.joinpath(*dotted).with_suffix(".py")
            found |= {each.asname or each.name: file for each in statement.names if file.exists()}
    return found


def names_listed(stub):
    """Return what ``__all__`` of a stub lists."""
    (assigned,) = [
        statement.value
        for statement, _ in statements(stub)
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "__all__"
    ]
    return ast.literal_eval(assigned)


def docstrings(path):
    """Return the docstring of everything that a module defines: a value's is the string below it."""
    found = {}
    for statement, after in statements(path):
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            found[statement.name] = ast.get_docstring(statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            below = ast.get_docstring(ast.Module([after], []))
            targets = getattr(statement, "targets", None) or [statement.target]
            found |= {each.id: below for each in targets if isinstance(each, ast.Name)}
    return found


def docstring(name, path):
    """Return the docstring of a name of a module, which may import it from another."""
    defined = docstrings(path)
    return defined[name] if name in defined else docstring(name, origins(path)[name])


@pytest.fixture
def module(tmp_path):
    """Writes a module."""

    def write(text):
        path = tmp_path / "module.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_what_a_docstring_is(module):
    path = module('A = 1\n"""One."""\n\n# Two.\nB: int = 2\n\ndef f():\n    """Three."""\n')
    assert docstrings(path) == {"A": "One.", "B": None, "f": "Three."}


def test_names_that_come_from_elsewhere(module):
    path = module("from stylezoo.images.arrays import Image\n")
    assert docstring("Image", path).startswith("A picture:")


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.parent.name)
def test_public_names(stub):
    names = names_listed(stub)
    assert sorted(set(names)) == sorted(names), "a name is listed twice"
    imported = origins(stub)
    assert set(imported) == set(names), "what is imported and what is listed differ"
    assert not [name for name in names if not docstring(name, imported[name])]


def test_packages_list_their_names_in_stubs_alone():
    """``__init__.py`` repeats nothing: it attaches the stub."""
    for stub in STUBS:
        (docs, lazy, attached) = ast.parse(stub.with_suffix(".py").read_text("utf-8")).body
        assert isinstance(docs, ast.Expr)
        assert isinstance(lazy, ast.Import)
        assert "attach_stub" in ast.unparse(attached), stub


def test_the_package_itself():
    package = ROOT / "stylezoo" / "__init__.py"
    public = [name for name in docstrings(package) if not name.startswith("_")]
    index = (ROOT / "docs" / "api" / "index.md").read_text(encoding="utf-8")
    assert public == ["load"]
    assert all(docstring(name, package) and f"\n::: stylezoo.{name}\n" in index for name in public)
