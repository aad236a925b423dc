"""LiteRT's WebAssembly, which is fetched from npm's registry once and kept in the cache."""

import base64
import json
import os
import pathlib
import tempfile

from stylezoo import images
from stylezoo.weights import cache, sources

# Only the version that the page is built with runs under it, so its lock file says which.
_LOCK = pathlib.Path(__file__).parent.parent / "export" / "verify" / "npm" / "package-lock.json"
_PACKAGE = "node_modules/@litertjs/core"
_REGISTRY = "https://registry.npmjs.org"
_NUM_BYTES = 11_817_097

# With threads; without, where a page is not isolated; and for browsers without relaxed SIMD instructions.
_VARIANTS = ("litert_wasm_threaded_internal", "litert_wasm_internal", "litert_wasm_compat_internal")
FILES = tuple(f"{variant}.{kind}" for variant in _VARIANTS for kind in ("js", "wasm"))


def source() -> sources.UrlFile:
    """Return npm's file of LiteRT.js, pinned by the hash of the lock file.

    The variable NPM_CONFIG_REGISTRY, npm's own, takes another registry.
    """
    locked = json.loads(_LOCK.read_text(encoding="utf-8"))["packages"][_PACKAGE]
    algorithm, _, digest = locked["integrity"].partition("-")
    registry = os.environ.get("NPM_CONFIG_REGISTRY") or _REGISTRY
    return sources.UrlFile(
        f"{registry.rstrip('/')}/@litertjs/core/-/core-{locked['version']}.tgz",
        f"{algorithm}:{base64.b64decode(digest).hex()}",
        _NUM_BYTES,
    )


def cached_folder() -> pathlib.Path:
    """Return where LiteRT's files are in the cache, or would be."""
    return cache.root().parent / "litert" / source().known_hash.partition(":")[2][:16]


def runtime_folder() -> pathlib.Path:
    """Return the folder of LiteRT's files, after fetching them if they are not in the cache.

    Raises:
        WeightsError: If they can't be fetched, or are not those that are pinned.
        OSError: If they can't be written.
    """
    folder = cached_folder()
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        archive = source().download(pathlib.Path(temporary))
        with images.atomic_folder(folder, overwrite=True) as unpacked:
            for name in FILES:
                content = sources.read_member(archive, f"package/wasm/{name}")
                (unpacked / name).write_bytes(content)
    return folder
