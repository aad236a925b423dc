"""LiteRT's files: fetched once, pinned, and whole or not at all."""

import base64
import hashlib
import http.server
import io
import json
import tarfile
import threading

import pytest

from stylezoo import web
from stylezoo.errors import WeightsError
from stylezoo.web import runtime


def archive(names):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name in names:
            info = tarfile.TarInfo(f"package/wasm/{name}")
            info.size = len(name)
            tar.addfile(info, io.BytesIO(name.encode()))
    return stream.getvalue()


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A registry with one package, which the lock file pins; returns the paths that were asked for."""
    content = archive(runtime.FILES)
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    integrity = f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
    lock = {"packages": {runtime._PACKAGE: {"version": "9.9.9", "integrity": integrity}}}
    (tmp_path / "lock.json").write_text(json.dumps(lock))
    monkeypatch.setattr(runtime, "_LOCK", tmp_path / "lock.json")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("STYLEZOO_HOME", str(tmp_path / "home"))
    yield asked
    server.shutdown()
    server.server_close()


def test_the_lock_file_pins_what_is_fetched(monkeypatch):
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    source = runtime.source()
    assert source.url == "https://registry.npmjs.org/@litertjs/core/-/core-2.5.3.tgz"
    algorithm, _, digest = source.known_hash.partition(":")
    assert (algorithm, len(bytes.fromhex(digest))) == ("sha512", 64)


def test_is_fetched_once(registry):
    folder = web.runtime_folder()
    assert {each.name: each.read_text() for each in folder.iterdir()} == {
        name: name for name in runtime.FILES
    }
    assert web.runtime_folder() == folder
    assert registry == ["/@litertjs/core/-/core-9.9.9.tgz"]


def test_another_file_is_refused(registry, tmp_path):
    lock = tmp_path / "lock.json"
    pinned = json.loads(lock.read_text())
    pinned["packages"][runtime._PACKAGE]["integrity"] = (
        "sha512-" + base64.b64encode(bytes(64)).decode()
    )
    lock.write_text(json.dumps(pinned))
    with pytest.raises(WeightsError, match="not the pinned"):
        web.runtime_folder()
    assert not runtime.cached_folder().exists()
    assert list(runtime.cached_folder().parent.iterdir()) == []
