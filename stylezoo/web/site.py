"""All files of the page: what was built, LiteRT, models, thumbnails, and ``models.json``, their list."""

import dataclasses
import json
import os
import pathlib
import re
import shutil
import urllib.parse
from collections.abc import Mapping
from typing import Any

from stylezoo import images, pretrained
from stylezoo.export.litert import read_tflite_record
from stylezoo.web.runtime import runtime_folder

_PAGE = pathlib.Path(__file__).with_name("page")
_THUMBNAILS = pathlib.Path(__file__).with_name("thumbnails")
_SAMPLE = "astronaut"
# Kinds of exports that the page has a use for.
_KINDS = ("photographs", "textures")
# A row of a card's table of styles: name, painting without what part of it is meant, artist, year.
_CARD_ROW = re.compile(
    r"^\| `(\w+)` \| (.+?)(?: \([\w ]*(?:crop|detail)\))? \| (.+?) \(d\. \d+\) \| (.+?) \|$",
    re.MULTILINE,
)
_MANIFEST = "models.json"


@dataclasses.dataclass(frozen=True)
class Site:
    """A website.

    Attributes:
        files: The file of each path of a URL, which begins without a slash and is not quoted.
        manifest: The content of ``models.json``.
    """

    files: Mapping[str, pathlib.Path]
    manifest: bytes

    def read(self, path: str) -> bytes | None:
        """Return the content of a path; None if there is nothing."""
        if path == _MANIFEST:
            return self.manifest
        file = self.files.get(path or "index.html")
        return None if file is None else file.read_bytes()


def build_site(exports: str | os.PathLike[str], litert: pathlib.Path | None = None) -> Site:
    """Put the page together.

    Args:
        exports: A folder of exports, as ``stylezoo export`` writes them: ``NAME/*.tflite``.
        litert: The folder of LiteRT's files; by default that of :func:`stylezoo.web.runtime_folder`,
            which fetches them only when there are models to paint with.

    Raises:
        OSError: If the folder of exports can't be read.
        ExportError: If a ``.tflite`` file is damaged or was not written by ``stylezoo export``.
        ValueError: If no ``.tflite`` file paints photographs or textures.
        WeightsError: If LiteRT's files can't be fetched.
    """
    models, model_files = _models(pathlib.Path(exports))
    paintings, thumbnails = _paintings()
    files = (
        _inside(_PAGE) | _inside(litert or runtime_folder(), "litert/") | thumbnails | model_files
    )
    sample = images.SAMPLES[_SAMPLE]
    try:
        files["sample.png"] = images.sample_path(_SAMPLE)
    except (ModuleNotFoundError, OSError):
        described = None  # samples come with an optional dependency
    else:
        described = {"url": "sample.png", "title": sample.title, "credit": sample.credit}
    manifest = {"models": models, "paintings": paintings, "sample": described}
    return Site(files, json.dumps(manifest, indent=1).encode())


def write_site(site: Site, folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a site as files for any host.

    Raises:
        OSError: If the folder exists and is not to be replaced, or can't be written.
    """
    with images.atomic_folder(folder, overwrite=overwrite) as temporary:
        for path, file in site.files.items():
            place = temporary / path
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
        (temporary / _MANIFEST).write_bytes(site.manifest)


def _inside(folder: pathlib.Path, prefix: str = "") -> dict[str, pathlib.Path]:
    return {prefix + each.name: each for each in sorted(folder.iterdir()) if each.is_file()}


def _models(exports: pathlib.Path) -> tuple[list[dict[str, Any]], dict[str, pathlib.Path]]:
    """Return what ``models.json`` says of the models, and their files by the paths of their URLs."""
    if not exports.is_dir():
        raise NotADirectoryError(f"`exports` must be a folder of exports. Received: {exports}")
    models: dict[str, dict[str, Any]] = {}
    files = {}
    for file in sorted(exports.glob("*/*.tflite")):
        record = read_tflite_record(file)
        if record["kind"] not in _KINDS or record["size"] is None:  # GPUs take one size alone
            continue
        name = file.parent.name
        path = f"models/{name}/{file.name}"
        files[path] = file
        model = models.setdefault(
            name,
            {"name": name, "kind": record["kind"], "styles": record.get("styles", []), "files": []},
        )
        model["files"].append(_described(record, path, file))
    if not models:
        raise ValueError(
            f"`exports` must have .tflite files that paint photographs or textures, as "
            f"`stylezoo export --format=tflite` writes them. Received: {exports}"
        )
    for model in models.values():
        model["files"].sort(key=lambda each: (each["size"], each["quantize"]))
    # The first is the one that the page begins with: the smallest, which is the fastest.
    return sorted(models.values(), key=lambda each: each["files"][0]["bytes"]), files


def _described(record: Mapping[str, Any], path: str, file: pathlib.Path) -> dict[str, Any]:
    (output,) = record["outputs"]
    return {
        "url": urllib.parse.quote(path),
        "bytes": file.stat().st_size,
        "size": record["size"],
        "quantize": record["quantize"],
        "inputs": {name: {"shape": each["shape"]} for name, each in record["inputs"].items()},
        "output": output,
    }


def _paintings() -> tuple[dict[str, dict[str, str]], dict[str, pathlib.Path]]:
    """Return what is known of paintings that have a thumbnail, by style, and the thumbnails."""
    cards = [model.card() for model in pretrained.MODELS.values()]
    rows = {row[0]: row[1:] for card in cards for row in _CARD_ROW.findall(card)}
    paintings, files = {}, {}
    for file in sorted(_THUMBNAILS.glob("*.jpg")):
        if file.stem in rows:
            path = f"thumbnails/{file.name}"
            title, artist, year = rows[file.stem]
            files[path] = file
            paintings[file.stem] = {
                "title": title[0].upper() + title[1:],
                "artist": artist,
                "year": year,
                "thumbnail": path,
            }
    return paintings, files
