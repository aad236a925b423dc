"""A server that answers what it is told to, byte for byte, by REST or KServe's HTTP."""

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
KSERVE_METADATA = json.dumps(
    {
        "inputs": [
            {"name": "image_bytes", "datatype": "BYTES", "shape": [-1]},
            {"name": "max_side", "datatype": "INT32", "shape": [-1]},
        ],
        "outputs": [{"name": "stylized_bytes", "datatype": "BYTES", "shape": [-1]}],
    }
).encode()
KSERVE_INDEX = b'[{"name": "conditional.stylize_bytes"}]'
METADATA = json.dumps({"metadata": {"signature_def": {"signature_def": SIGNATURES}}}).encode()


@contextlib.contextmanager
def serve(
    answer: bytes,
    *,
    metadata: bytes = METADATA,
    index: bytes = KSERVE_INDEX,
    headers: tuple[tuple[str, str], ...] = (),
    status: int = 200,
    drip: float = 0,
):
    """Yield the URL of a server.

    Args:
        answer: The body of what it answers to a prediction.
        metadata: The body of what it answers to a question for the metadata.
        index: The body of what it answers to a question for KServe's models.
        headers: Headers of what it answers to a prediction.
        status: The status of that.
        drip: The seconds before each byte of that.
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
            if self.path == "/v2/repository/index":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(index)
                return
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
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
