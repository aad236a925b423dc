"""The notebook that walks through the lecture runs from its first cell to its last, at a small size."""

import os
import pathlib
import sys

import nbclient
import nbformat
import pytest

NOTEBOOK = pathlib.Path(__file__).parents[2] / "docs" / "lecture.ipynb"
SMALL = "SIZE = 64\nSTEPS = 2"


@pytest.mark.slow
def test_every_cell_runs(tmp_path, monkeypatch):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    values = next(cell for cell in notebook.cells if cell.source.startswith("SIZE = "))
    values.source = SMALL
    monkeypatch.setenv(
        "PATH", f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": tmp_path}}
    ).execute()
    shown = [cell for cell in notebook.cells if "Image(" in cell.source]
    assert len(shown) > 10
    for cell in shown:
        assert any("image/png" in output.get("data", {}) for output in cell.outputs), cell.source


def test_it_is_committed_without_results():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
