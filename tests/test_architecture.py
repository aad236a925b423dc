"""The layers of DESIGN.md, enforced on the imports that every module writes down."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import stylezoo

ROOT = Path(stylezoo.__file__).parent
BENCHMARKS = ROOT.parent / "benchmarks"

LEVELS = {
    "images": 0,
    "ops": 0,
    "pretrained": 0,
    "layers": 1,
    "weights": 1,
    "classifiers": 2,
    "perceptual": 2,
    "losses": 2,
    "generators": 2,
    "objectives": 3,
    "synthesis": 4,
    "classic": 4,
    "visualize": 4,
    "training": 4,
    "evaluation": 4,
    "export": 4,
    "binaries": 5,
}
# Inside level 2 the folders know nothing of each other, but for this.
ACROSS_LEVEL_2 = {("perceptual", "classifiers")}
FORBIDDEN = {("export", "training")}

MODULES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.rglob("*.py"))}


def imports(path):
    """Dotted names of all imports, wherever in the file: of `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def folders(path):
    """The folders of stylezoo that a module imports from."""
    for name in imports(path):
        package, _, rest = name.partition(".")
        folder = rest.partition(".")[0]
        if package == "stylezoo" and (ROOT / folder).is_dir() and folder:
            yield folder


def violations(own, imported):
    """Why a module of the folder `own` must not import from the folder `imported`."""
    if imported == own:
        return None
    if LEVELS[imported] > LEVELS[own]:
        return f"{own} (level {LEVELS[own]}) must not import {imported} ({LEVELS[imported]})"
    if LEVELS[own] == LEVELS[imported] == 2 and (own, imported) not in ACROSS_LEVEL_2:
        return f"{own} must not import {imported}: both are of level 2"
    if (own, imported) in FORBIDDEN:
        return f"{own} must not import {imported}"
    return None


def test_the_rules_themselves():
    assert violations("synthesis", "objectives") is None
    assert violations("perceptual", "classifiers") is None
    assert "level 2" in violations("classifiers", "perceptual")
    assert "level 2" in violations("losses", "perceptual")
    assert "(level 1)" in violations("layers", "losses")
    assert violations("export", "training")
    seen = set(folders(MODULES[str(Path("objectives", "tiled.py"))]))
    assert {"classifiers", "losses"} <= seen  # reading imports works at all


@pytest.mark.parametrize("module", [name for name in MODULES if Path(name).parts[1:]])
def test_imports_point_down(module):
    own = Path(module).parts[0]
    assert own in LEVELS, f"DESIGN.md has no folder {own}"
    found = {violations(own, imported) for imported in folders(MODULES[module])}
    assert found <= {None}, found


@pytest.mark.parametrize("module", MODULES)
def test_flags_exist_only_in_binaries(module):
    if Path(module).parts[0] != "binaries":
        assert not any(name.startswith("absl") for name in imports(MODULES[module]))


@pytest.mark.parametrize("module", MODULES)
def test_says_what_it_is(module):
    docstring = ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8")))
    assert docstring is not None
    assert docstring.strip()


def test_import_is_cheap():
    """`import stylezoo` takes neither TensorFlow nor NumPy; a folder that is used comes by itself."""
    code = (
        "import sys, stylezoo\n"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)\n"
        "assert 'losses' in dir(stylezoo)\n"
        "print(stylezoo.weights.list_weights('vgg16')[0].name)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "vgg16.torchvision_lpips"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        stylezoo.nothing  # noqa: B018
