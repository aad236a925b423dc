"""What a release says of itself agrees: version, date, and the versions that it was tested with."""

import re
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import stylezoo

ROOT = Path(__file__).parents[1]


def test_version_and_date():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.search(r"^## ([\d.]+) \(([\d-]+)\)$", changelog, re.MULTILINE)
    assert released.groups() == (citation["version"], citation["date-released"])
    assert Version(citation["version"]) == Version(stylezoo.__version__)


def test_locked_versions_are_in_the_ranges(monkeypatch):
    given = {}
    monkeypatch.setattr("setuptools.setup", lambda **fields: given.update(fields))
    monkeypatch.chdir(ROOT)
    source = (ROOT / "setup.py").read_text(encoding="utf-8")
    exec(compile(source, ROOT / "setup.py", "exec"), {"__file__": str(ROOT / "setup.py")})
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    locked = dict(line.split("==") for line in lines)
    locked = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in locked.items()}
    extras = given["extras_require"]
    ranges = [*given["install_requires"], *extras["dev"], *extras["docs"]]
    for requirement in map(Requirement, ranges):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name != "pip":  # which every environment has of its own
            assert requirement.specifier.contains(locked[name]), requirement
