"""The page's files: built from their sources, complete, and what the list of models says."""

import hashlib
import json
import pathlib
import re
import shutil
import urllib.parse

import pytest

import stylezoo
from stylezoo import pretrained, web
from stylezoo.errors import ExportError
from stylezoo.web import defaults

ROOT = pathlib.Path(stylezoo.__file__).parents[1]
PAGE = ROOT / "stylezoo" / "web" / "page"
SOURCES = ROOT / "web"
THUMBNAILS = ROOT / "stylezoo" / "web" / "thumbnails"


def test_is_built_from_its_sources():
    """As web/vite.config.js says; after a change of the sources, `make web` builds the page anew."""
    others = [each for each in SOURCES.iterdir() if each.suffix in {".html", ".json", ".js"}]
    names = [str(each.relative_to(SOURCES)) for each in (*others, *(SOURCES / "src").iterdir())]
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name}\n".encode())
        digest.update((SOURCES / name).read_bytes())
    assert (PAGE / "sources.sha256").read_text("utf-8").strip() == digest.hexdigest()


def test_is_small():
    assert sum(each.stat().st_size for each in PAGE.iterdir()) < 100_000
    assert sum(each.stat().st_size for each in THUMBNAILS.iterdir()) < 150_000


def test_thumbnails_are_listed():
    """docs/web.md has the SHA-256 of all."""
    text = (ROOT / "docs" / "web.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| (\w+)\.jpg \| ([0-9a-f]{64}) \|$", text, re.MULTILINE))
    found = {
        each.stem: hashlib.sha256(each.read_bytes()).hexdigest() for each in THUMBNAILS.iterdir()
    }
    assert listed == found
    assert set(found) == set(pretrained.MODELS["light"].styles)


def test_all_that_is_named_is_there(site):
    manifest = json.loads(site.manifest)
    (model,) = manifest["models"]
    assert (model["name"], model["kind"], model["styles"]) == ("my stones", "textures", [])
    (file,) = model["files"]
    assert file["size"] == [256, 256]
    assert file["inputs"]["noise_1"] == {"shape": [1, 256, 256, 3]}
    assert file["output"] == "texture"
    paintings = manifest["paintings"]
    assert set(paintings) == set(pretrained.MODELS["light"].styles)
    assert paintings["the_scream"] == {
        "title": "The Scream",
        "artist": "Edvard Munch",
        "year": "1893",
        "thumbnail": "thumbnails/the_scream.jpg",
    }
    urls = [
        file["url"],
        manifest["sample"]["url"],
        *(each["thumbnail"] for each in paintings.values()),
    ]
    for page in PAGE.glob("*.html"):
        urls += re.findall(r'(?:src|href)="\./([^"]+)"', page.read_text("utf-8"))
    for url in urls:
        assert site.read(urllib.parse.unquote(url)), url
    assert file["bytes"] == len(site.read(urllib.parse.unquote(file["url"])))


def test_is_written_for_other_hosts(site, tmp_path):
    folder = tmp_path / "site"
    web.write_site(site, folder)
    written = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}
    assert written == {*site.files, "models.json"}
    assert (folder / "models.json").read_bytes() == site.manifest
    with pytest.raises(FileExistsError):
        web.write_site(site, folder)
    web.write_site(site, folder, overwrite=True)


def test_exports_without_a_painter(exports, litert, tmp_path):
    with pytest.raises(ValueError, match=r"`exports` must have \.tflite files that paint"):
        web.build_site(tmp_path, litert)
    with pytest.raises(NotADirectoryError, match="`exports` must be a folder of exports"):
        web.build_site(tmp_path / "missing", litert)
    shutil.copytree(exports, tmp_path / "exports")
    (file,) = (tmp_path / "exports").glob("*/*")
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ExportError, match="is damaged"):
        web.build_site(tmp_path / "exports", litert)


def test_default_exports_are_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEZOO_HOME", str(tmp_path))
    missing = [(model, config.size, config.quantize) for model, config in web.missing_exports()]
    assert ("light", (512, 512), "float16") in missing
    assert ("gravel", (256, 256), "none") in missing
    folder = defaults.exports_folder() / "light"
    folder.mkdir(parents=True)
    (folder / "light_512x512_float16.tflite").touch()
    assert len(list(web.missing_exports())) == len(missing) - 1
