"""A server that answers what it is told to, byte for byte, by REST."""

import contextlib
import http.server
import json
import threading
import time

SIGNATURES = {
    "stylize_bytes": {
        "inputs": {
            "image_bytes": {"tensor_shape": {"dim": [{"size": "-1"}]}},
            "max_side": {"tensor_shape": {"dim": [{"size": "-1"}]}},
        },
        "outputs": {"stylized_bytes": {}},
    }
}
METADATA = json.dumps({"metadata": {"signature_def": {"signature_def": SIGNATURES}}}).encode()


@contextlib.contextmanager
def serve(answer: bytes, *, metadata: bytes = METADATA, status: int = 200, drip: float = 0):
    """Yield the URL of a server.

    Args:
        answer: The body of what it answers to a prediction.
        metadata: The body of what it answers to a question for the metadata.
        status: The status of the former.
        drip: The seconds before each byte of the former.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(metadata)

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()
                for start in range(0, len(answer), 1 if drip else 2**20):
                    time.sleep(drip)
                    self.wfile.write(answer[start : start + (1 if drip else 2**20)])

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
