"""A server of the page on this computer, by Python's ``http.server``."""

import http
import http.server
import socket
import threading
import urllib.parse
import zlib
from typing import Any

from stylezoo.web.site import Site

# A browser opens about six connections at a time.
_MAX_CONNECTIONS = 32
_TIMEOUT = 30.0  # s
_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "jpg": "image/jpeg",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "wasm": "application/wasm",
}
_HEADERS = {
    # Threads of WebAssembly need a page that is isolated from others.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Pictures can't be sent anywhere else, by the page's workers either, which its own policy doesn't bind.
    "Content-Security-Policy": "default-src 'self' blob: data: 'wasm-unsafe-eval'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Server(http.server.ThreadingHTTPServer):
    """Serves a site on the loopback interface.

    Only what the site lists is served, whatever a request names. At most 32 connections are served at a time,
    and one that stays silent for 30 s is closed.

    Args:
        site: The site.
        port: The port; 0 takes a free one.

    Attributes:
        url: The address of the page.

    Raises:
        OSError: If the port is taken.
    """

    daemon_threads = True

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        self._free = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise OSError(
                f"`port` must be one that is free. Received: port={port} ({error.strerror})"
            ) from error
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, once one of those that may be is free."""
        self._free.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, and let the next one in."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any
    ) -> None:
        """Say nothing of browsers that go away."""


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = _TIMEOUT
    server: Server

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).removeprefix("/")
        try:
            content = self.server.site.read(path)
        except OSError:  # removed since the start
            content = None
        if content is None:
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return
        tag = f'"{zlib.crc32(content):08x}-{len(content)}"'
        if self.headers.get("If-None-Match") == tag:
            self.send_response(http.HTTPStatus.NOT_MODIFIED)
            self.send_header("ETag", tag)
            self.end_headers()
            return
        self.send_response(http.HTTPStatus.OK)
        extension = (path or "index.html").rpartition(".")[2]
        self.send_header("Content-Type", _TYPES.get(extension, "application/octet-stream"))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", tag)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def version_string(self) -> str:
        return "stylezoo"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of each request."""
