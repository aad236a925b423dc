import http.server
import os
import threading

import pytest
import weights_fakes

from stylezoo.weights import specs


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty $STYLEZOO_HOME; the registry is restored afterwards."""
    registered = dict(specs.REGISTRY)
    monkeypatch.setenv("STYLEZOO_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    weights_fakes.register(*registered.values())


@pytest.fixture
def package_index(home, tmp_path, monkeypatch):
    """A folder that is all pip knows."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


class FileServer:
    """Serves one file over HTTP, counting requests; can stall in the middle of it."""

    def __init__(self, contents: bytes, file_name: str):
        self.contents = contents
        self.status = 200
        self.num_requests = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.half_sent = threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.num_requests += 1
                self.send_response(owner.status)
                self.send_header("Content-Length", str(len(owner.contents)))
                self.end_headers()
                half = len(owner.contents) // 2
                try:
                    self.wfile.write(owner.contents[:half])
                    owner.half_sent.set()
                    owner.go_on.wait(timeout=60)
                    self.wfile.write(owner.contents[half:])
                except OSError:  # the client was killed
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{file_name}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def file_server(monkeypatch):
    """Serves one AlexNet, of offset 1."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = FileServer(weights_fakes.alexnet_pickle(1), "alexnet.ckpt")
    yield server
    server.close()


@pytest.fixture(scope="session")
def sdist(tmp_path_factory):
    """fakezoo-1.0.tar.gz, which takes a moment to build."""
    folder = tmp_path_factory.mktemp("sdist")
    weights_fakes.build_sdist(folder)
    return folder / "fakezoo-1.0.tar.gz"


@pytest.fixture
def sdist_server(monkeypatch, sdist):
    """Serves an archive with two AlexNets: quicker than pip, where pip is not the matter."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = FileServer(sdist.read_bytes(), sdist.name)
    yield server
    server.close()
