"""The layers of DESIGN.md, enforced on the imports that every module writes down."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import stylezoo

ROOT = Path(stylezoo.__file__).parent
BENCHMARKS = ROOT.parent / "benchmarks"

# The floor of each folder: one above the highest of those that it imports. BUILD.md has the same.
LEVELS = {
    "images": 0,
    "ops": 0,
    "pretrained": 0,
    "weights": 0,
    "classic": 1,
    "layers": 1,
    "losses": 1,
    "video": 1,
    "classifiers": 2,
    "generators": 3,
    "painting": 2,
    "perceptual": 3,
    "export": 4,
    "objectives": 4,
    "synthesis": 5,
    "training": 5,
    "web": 5,
    "evaluation": 6,
    "visualize": 6,
    "batch": 7,
    "binaries": 8,
}
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
    """Return the folders of stylezoo that a module imports from."""
    for name in imports(path):
        package, _, rest = name.partition(".")
        folder = rest.partition(".")[0]
        if package == "stylezoo" and (ROOT / folder).is_dir() and folder:
            yield folder


def dependencies():
    """Folder -> the other folders that its modules import from."""
    found = {Path(module).parts[0]: set() for module in MODULES if Path(module).parts[1:]}
    for module, path in MODULES.items():
        if Path(module).parts[1:]:
            own = Path(module).parts[0]
            found[own] |= set(folders(path)) - {own}
    return found


def floors(imported):
    """Folder -> its floor, or an error that names a circle of imports."""
    found = {}
    for folder in graphlib.TopologicalSorter(imported).static_order():
        found[folder] = 1 + max((found[each] for each in imported[folder]), default=-1)
    return found


def test_the_rules_themselves():
    assert floors({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"c": 0, "b": 1, "a": 2}
    with pytest.raises(graphlib.CycleError):
        floors({"a": {"b"}, "b": {"a"}})
    seen = set(folders(MODULES[str(Path("objectives", "tiled.py"))]))
    assert {"classifiers", "losses"} <= seen  # reading imports works at all


def test_imports_point_down():
    imported = dependencies()
    assert floors(imported) == LEVELS
    assert not [each for each in FORBIDDEN if each[1] in imported[each[0]]]


def test_levels_are_those_of_the_documentation():
    build = (ROOT.parent / "BUILD.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ((?:`\w+`(?:, )?)+) \|", build, re.MULTILINE)
    written = {name: int(level) for level, names in rows for name in re.findall(r"\w+", names)}
    assert written == LEVELS


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
