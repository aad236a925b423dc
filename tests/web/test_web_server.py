"""The server of the page, and the command `stylezoo web`."""

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from stylezoo import web
from stylezoo.binaries import main
from stylezoo.web import server as server_module


@pytest.fixture(scope="module")
def server(site):
    with web.Server(site, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def ask(server, path, method="GET", **headers):
    """Return status, headers and content of an answer; the path is sent as it is."""
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)
    with contextlib.closing(connection):
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.headers, response.read()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/textures.html?from=elsewhere", "text/html; charset=utf-8"),
        ("/worker.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/models.json", "application/json"),
        ("/litert/litert_wasm_internal.wasm", "application/wasm"),
        ("/thumbnails/udnie.jpg", "image/jpeg"),
        ("/sample.png", "image/png"),
        ("/models/my%20stones/gravel_256x256_float32.tflite", "application/octet-stream"),
    ],
)
def test_serves_an_isolated_page(server, path, kind):
    status, headers, content = ask(server, path)
    assert (status, headers["Content-Type"]) == (200, kind)
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert int(headers["Content-Length"]) == len(content) > 0
    status, head, nothing = ask(server, path, "HEAD")
    assert (status, head["Content-Length"], nothing) == (200, headers["Content-Length"], b"")
    status, _, nothing = ask(server, path, If_None_Match=headers["ETag"])
    assert (status, nothing) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/missing",
        "/../setup.py",
        "/%2e%2e/%2e%2e/setup.py",
        "//etc/passwd",
        "/litert/../page/index.html",
        "/models/",
        "/%00",
        "/litert%2f..%2fworker.js",
        "/..%5csetup.py",
    ],
)
def test_serves_nothing_else(server, path):
    assert ask(server, path)[0] == 404


def test_other_methods_are_refused(server):
    assert ask(server, "/", "POST")[0] == 501


def test_connections_are_bounded(site, monkeypatch):
    """Silent connections beyond the limit keep later ones waiting, and are closed in the end."""
    monkeypatch.setattr(server_module, "_MAX_CONNECTIONS", 2)
    monkeypatch.setattr(server_module._Handler, "timeout", 1.0)
    with web.Server(site, 0) as server, contextlib.ExitStack() as silent:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        before = threading.active_count()
        for _ in range(6):
            silent.enter_context(socket.create_connection(server.server_address[:2]))
        assert ask(server, "/models.json")[0] == 200
        assert threading.active_count() <= before + 2
        server.shutdown()


def test_command_serves_until_it_is_interrupted(exports, litert, tmp_path):
    script = (
        "import pathlib, sys\n"
        "from stylezoo import web\n"
        "from stylezoo.web import runtime\n"
        "folder = pathlib.Path(sys.argv.pop(1))\n"
        "runtime.cached_folder = lambda: folder\n"
        "from stylezoo.binaries import main\n"
        "main.main()"
    )
    command = [sys.executable, "-c", script, str(litert), "web", f"--exports={exports}", "--port=0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What runs the tests may ignore the signal, as shells have their background jobs do.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        line = process.stdout.readline()
        url = line.split()[1]
        with urllib.request.urlopen(url + "models.json", timeout=10) as answer:
            assert b"my stones" in answer.read()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, output, errors) == (130, "", "")


@pytest.fixture
def cached(litert, monkeypatch):
    monkeypatch.setattr("stylezoo.web.runtime.cached_folder", lambda: litert)


@pytest.mark.usefixtures("cached")
def test_command_writes_the_page(exports, tmp_path, capsys):
    folder = tmp_path / "site"
    arguments = ["web", f"--exports={exports}", f"--output={folder}"]
    assert main.run(arguments) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert (folder / "index.html").is_file()
    assert main.run(arguments) == 1
    assert "already exists" in capsys.readouterr().err
    assert main.run([*arguments, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["extra"], "Received: extra"),
        (["--exports=missing"], "`--exports` must be a folder of exports. Received: missing"),
        (["--exports=."], "`--exports` must have .tflite files that paint"),
        (["--exports="], "--exports"),
        (["--output=site", "--port=80"], "`--port` must come without --output"),
        (["--overwrite"], "`--overwrite` must come with --output"),
        (["--port=70000"], "--port"),
        (["--exports=EXPORTS", "--output=none/site"], "none"),
    ],
)
def test_bad_flags_in_one_line(flags, message, exports, tmp_path, monkeypatch, capsys):
    """Before LiteRT's files are fetched."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stylezoo.web.site.runtime_folder", lambda: pytest.fail("fetched"))
    assert main.run(["web", *(each.replace("EXPORTS", str(exports)) for each in flags)]) > 0
    error = capsys.readouterr().err
    assert error.startswith("stylezoo web: error: ")
    assert error.count("\n") == 1
    assert message in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("cached")
def test_a_port_that_is_taken(server, exports, capsys):
    port = server.server_address[1]
    assert main.run(["web", f"--exports={exports}", f"--port={port}"]) == 1
    error = capsys.readouterr().err
    assert f"`--port` must be one that is free. Received: --port={port} (Address already" in error
