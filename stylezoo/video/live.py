"""Live painting: cameras and clips in real time, shown in a window or in a browser."""

import dataclasses
import http.server
import importlib.resources
import queue
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from stylezoo import images
from stylezoo.images import FloatArray
from stylezoo.images.codecs import to_uint8
from stylezoo.video.clips import Clip
from stylezoo.video.extras import optional

_JPEG_QUALITY = 85
_BOUNDARY = "frame"
# Frames over which the rate is averaged.
_RATE_SPAN = 20


class LiveSource(Protocol):
    """What gives the newest picture, [1, H, W, 3] in [0, 1], and drops those before; None at the end."""

    def latest(self) -> FloatArray | None:
        """Return the newest picture."""

    def close(self) -> None:
        """Let go of the camera or file."""


class Camera:
    """A camera. A thread reads it, so that the newest frame is there and older ones are dropped.

    Args:
        number: The number of the camera, from 0.

    Raises:
        ModuleNotFoundError: If OpenCV is not installed.
        OSError: If there is no such camera, or it gives no pictures.
    """

    def __init__(self, number: int) -> None:
        cv2 = optional("cv2", "A camera")
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened() or not self._capture.read()[0]:
            self._capture.release()
            raise OSError(f"there is no camera {number}, or it gives no pictures")
        self._newest: queue.Queue[np.ndarray | None] = queue.Queue(1)
        self._closed = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._closed:
            there, picture = self._capture.read()
            while not self._newest.empty():
                self._newest.get()
            self._newest.put(picture if there else None)
            if not there:
                return

    def latest(self) -> FloatArray | None:
        """Wait for a frame that was not seen yet, and return it; None when the camera is gone."""
        picture = self._newest.get()
        if picture is None:
            return None
        return np.divide(picture[np.newaxis, ..., ::-1], 255, dtype=np.float32)

    def close(self) -> None:
        """Let go of the camera."""
        self._closed = True
        while not self._newest.empty():
            self._newest.get()
        self._thread.join(timeout=2)
        self._capture.release()


class PlayedClip:
    """A clip in real time: frames whose time is over are dropped.

    Args:
        clip: The clip.
        clock: What gives the time, s.
        sleep: What waits for so many s.
    """

    def __init__(
        self,
        clip: Clip,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._info = clip.info
        self._frames = iter(clip)
        self._clock = clock
        self._sleep = sleep
        self._begun: float | None = None
        self.dropped = 0

    def latest(self) -> FloatArray | None:
        """Return the frame that is to be seen now, after waiting for it if it is early; None at the end."""
        for frame in self._frames:
            now = self._clock()
            begins, ends = (
                self._info.seconds(each) for each in (frame.time, frame.time + frame.duration)
            )
            if self._begun is None:
                self._begun = now - begins
            if now - self._begun >= ends:
                self.dropped += 1
                continue
            self._sleep(max(self._begun + begins - now, 0.0))
            return frame.image
        return None

    def close(self) -> None:
        """Do nothing: a clip closes itself."""


@dataclasses.dataclass
class Choice:
    """What is painted now, which keys change.

    Attributes:
        styles: The styles of the painter.
        index: The number of the style.
        blend: Share of the next style, from 0 to 1.
    """

    styles: Sequence[str]
    index: int = 0
    blend: float = 0.0

    def press(self, key: str) -> bool:
        """Change what a key says; return whether to go on.

        ``n`` and ``p`` go to the next and the previous style, ``+`` and ``-`` take more and less of the next
        style, ``q`` ends.
        """
        match key:
            case "n" | "p":
                self.index = (self.index + (1 if key == "n" else -1)) % len(self.styles)
                self.blend = 0.0
            case "+" | "-":
                self.blend = min(max(self.blend + (0.1 if key == "+" else -0.1), 0.0), 1.0)
        return key != "q"

    @property
    def shares(self) -> dict[str, float]:
        """The styles and their shares."""
        following = self.styles[(self.index + 1) % len(self.styles)]
        shares = {self.styles[self.index]: 1.0 - self.blend}
        if self.blend and following != self.styles[self.index]:
            shares[following] = self.blend
        return shares

    def __str__(self) -> str:
        return " + ".join(f"{share:.0%} {style}" for style, share in self.shares.items())


class Screen(Protocol):
    """What shows pictures and hears keys."""

    def show(self, picture: np.ndarray, text: str) -> Sequence[str]:
        """Show [H, W, 3] of 8 bits with a text, and return the keys that were pressed since."""

    def close(self) -> None:
        """Take it away."""


class Window:
    """A window of OpenCV.

    Raises:
        ModuleNotFoundError: If OpenCV is not installed, or is a build without windows.
    """

    def __init__(self) -> None:
        self._cv2 = optional("cv2", "A window")
        try:
            self._cv2.namedWindow("stylezoo")
        except self._cv2.error:
            raise ModuleNotFoundError(
                "`window` needs a build of OpenCV with windows: pip install opencv-python in place of "
                "opencv-python-headless. Without it a browser shows the pictures."
            ) from None

    def show(self, picture: np.ndarray, text: str) -> Sequence[str]:
        """Show a picture; see :class:`Screen`."""
        self._cv2.setWindowTitle("stylezoo", text)
        self._cv2.imshow("stylezoo", np.ascontiguousarray(picture[..., ::-1]))
        key = self._cv2.waitKey(1)
        return [chr(key)] if 0 <= key < 128 else []

    def close(self) -> None:
        """Close the window."""
        self._cv2.destroyAllWindows()


class Browser:
    """A page on this computer, with the pictures as a stream of JPEGs (``multipart/x-mixed-replace``).

    Any number of browsers can look; a slow one misses pictures and delays none.

    Args:
        port: The port on the loopback interface; 0 takes a free one.

    Attributes:
        url: The address of the page; ``/stream`` is the bare stream.

    Raises:
        OSError: If the port is taken.
    """

    def __init__(self, port: int) -> None:
        self._changed = threading.Condition()
        self._jpeg, self._text, self._number = b"", "", 0
        self._keys: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._closed = False
        try:
            self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        except OSError as error:
            raise OSError(f"`port` {port} cannot be used: {error.strerror}") from error
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def show(self, picture: np.ndarray, text: str) -> Sequence[str]:
        """Show a picture; see :class:`Screen`."""
        cv2 = optional("cv2", "A stream")
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        _, data = cv2.imencode(".jpg", picture[..., ::-1], quality)
        with self._changed:
            self._jpeg, self._text, self._number = data.tobytes(), text, self._number + 1
            self._changed.notify_all()
        keys = []
        while not self._keys.empty():
            keys.append(self._keys.get())
        return keys

    def press(self, key: str) -> None:
        """Press a key."""
        self._keys.put(key)

    @property
    def text(self) -> str:
        """The text beside the picture."""
        return self._text

    def pictures(self) -> Iterator[bytes]:
        """Yield JPEGs, each the newest, until the end."""
        seen = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._number > seen)  # noqa: B023
                if self._closed:
                    return
                jpeg, seen = self._jpeg, self._number
            yield jpeg

    def close(self) -> None:
        """Stop serving."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()


def _handler(browser: Browser) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers for one browser."""

        def do_GET(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            match url.path:
                case "/":
                    page = importlib.resources.files("stylezoo.video") / "live.html"
                    self._answer("text/html; charset=utf-8", page.read_bytes())
                case "/text":
                    self._answer("text/plain; charset=utf-8", browser.text.encode())
                case "/stream":
                    self._stream()
                case _:
                    self.send_error(404)

        def do_POST(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            if url.path != "/key":
                self.send_error(404)
                return
            for key in urllib.parse.parse_qs(url.query).get("key", []):
                browser.press(key)
            self._answer("text/plain", b"")

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self) -> None:
            self.send_response(200)
            kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
            self.send_header("Content-Type", kind)
            self.end_headers()
            try:
                for jpeg in browser.pictures():
                    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:
                return  # the browser has gone

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing of each request."""

    return Handler


def play(
    source: LiveSource,
    paint: Callable[[FloatArray, dict[str, float]], FloatArray],
    screen: Screen,
    choice: Choice,
    *,
    size: int,
) -> float:
    """Paint and show until the source ends, or ``q`` is pressed.

    Args:
        source: Where pictures come from.
        paint: What paints a picture in shares of styles.
        screen: Where it is shown, with the frames a second.
        choice: The styles; keys change them.
        size: Longest side that pictures are resized to, px.

    Returns:
        The frames a second, on average.
    """
    times = [time.perf_counter()]
    while (picture := source.latest()) is not None:
        resized = np.asarray(images.resize_longest_side(picture, size, method="bilinear"))
        painted = to_uint8(paint(resized, choice.shares))
        times.append(time.perf_counter())
        span = times[-_RATE_SPAN:]
        rate = (len(span) - 1) / (span[-1] - span[0]) if len(span) > 1 else 0.0
        keys = screen.show(painted, f"{rate:.1f} frames/s   {choice}")
        if not all(choice.press(key) for key in keys):
            break
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
