"""A page with one texture network, and files in place of LiteRT's, which are large."""

import pathlib
import shutil

import pytest

from stylezoo import web
from stylezoo.web import runtime

ROOT = pathlib.Path(__file__).parents[2]
TFLITE = ROOT / "exports" / "gravel" / "gravel_256x256_float32.tflite"


@pytest.fixture(scope="session")
def litert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("litert")
    for name in runtime.FILES:
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    (folder / "my stones").mkdir()
    shutil.copy(TFLITE, folder / "my stones")
    return folder


@pytest.fixture(scope="session")
def site(exports, litert):
    return web.build_site(exports, litert)
