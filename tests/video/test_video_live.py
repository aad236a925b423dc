import threading
import time
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest
from video_helpers import HEIGHT, WIDTH, frames, scene

from stylezoo import video


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clip(tmp_path):
    video.write_clip(tmp_path / "clip.mkv", frames(10), video.Timing.constant(10), crf=0)
    return video.open_clip(tmp_path / "clip.mkv")


def index_of(picture):
    """Which frame of the scene a picture is."""
    return int(np.argmin([np.abs(picture - scene(index)).mean() for index in range(10)]))


def test_frames_are_shown_at_their_times(clip):
    clock = Clock()
    played = video.PlayedClip(clip, clock=clock, sleep=clock.sleep)
    for index in range(10):
        assert index_of(played.latest()) == index
        assert clock.now == pytest.approx(100 + index / 10, abs=1e-3)
    assert played.latest() is None
    assert played.dropped == 0


def test_late_frames_are_dropped(clip):
    """A painter that takes 0.25 s sees every third frame, at most a frame's time late."""
    clock = Clock()
    played = video.PlayedClip(clip, clock=clock, sleep=clock.sleep)
    seen = []
    while (picture := played.latest()) is not None:
        seen.append(index_of(picture))
        assert 0 <= clock.now - 100 - seen[-1] / 10 < 0.1 + 1e-3
        clock.now += 0.25
    assert seen == [0, 2, 5, 7]
    assert played.dropped == 6


def test_keys():
    choice = video.Choice(("a", "b", "c"))
    assert choice.shares == {"a": 1.0}
    assert choice.press("+")
    assert choice.press("+")
    assert choice.shares == {"a": 0.8, "b": 0.2}
    assert str(choice) == "80% a + 20% b"
    choice.press("-")
    assert choice.shares == {"a": 0.9, "b": pytest.approx(0.1)}
    choice.press("p")
    assert choice.shares == {"c": 1.0}
    choice.press("n")
    assert choice.shares == {"a": 1.0}
    assert choice.press("x")
    assert not choice.press("q")
    alone = video.Choice(("a",))
    alone.press("+")
    alone.press("n")
    assert alone.shares == {"a": 1.0}


class Pictures:
    def __init__(self, count):
        self.left = [scene(index) for index in range(count)]

    def latest(self):
        return self.left.pop(0) if self.left else None


class Screen:
    def __init__(self, keys):
        self.keys = keys
        self.shown = []

    def show(self, picture, text):
        self.shown.append((picture, text))
        return self.keys.get(len(self.shown), [])


def test_play():
    painted = []

    def paint(picture, shares):
        painted.append((picture.shape, shares))
        return 0 * picture + 0.5

    screen = Screen({2: ["n"], 3: ["+", "+"], 5: ["q"]})
    rate = video.play(Pictures(9), paint, screen, video.Choice(("a", "b")), size=32)
    assert rate > 0
    assert [shares for _, shares in painted] == [
        {"a": 1.0},
        {"a": 1.0},
        {"b": 1.0},
        {"b": 0.8, "a": 0.2},
        {"b": 0.8, "a": 0.2},
    ]
    assert painted[0][0] == (1, 24, 32, 3)
    picture, text = screen.shown[-1]
    assert picture.dtype == np.uint8
    assert (picture == 128).all()
    assert "frames/s" in text
    assert "80% b + 20% a" in text
    assert len(screen.shown) == 5


@pytest.fixture
def browser():
    browser = video.Browser(0)
    yield browser
    browser.close()


def get(browser, path, **options):
    return urllib.request.urlopen(browser.url + path, timeout=20, **options)


def test_the_page_streams_what_is_shown(browser):
    picture = np.zeros([HEIGHT, WIDTH, 3], np.uint8)
    picture[..., 0] = 200  # red
    assert browser.show(picture, "12 frames/s") == []
    with get(browser, "") as page:
        assert b'src="/stream"' in page.read()
    with get(browser, "text") as text:
        assert text.read() == b"12 frames/s"
    with get(browser, "stream") as stream:
        assert stream.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
        for shown in (200, 90):
            assert stream.readline() == b"--frame\r\n"
            assert stream.readline() == b"Content-Type: image/jpeg\r\n"
            length = int(stream.readline().split()[1])
            assert stream.readline() == b"\r\n"
            data = np.frombuffer(stream.read(length), np.uint8)
            received = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
            assert received.shape == picture.shape
            np.testing.assert_allclose(received.mean(axis=(0, 1)), (shown, 0, 0), atol=4)
            assert stream.readline() == b"\r\n"
            picture[..., 0] = 90
            browser.show(picture, "")


def test_keys_of_the_page(browser):
    for key in ("n", "%2B"):
        with get(browser, f"key?key={key}", data=b"") as answer:
            assert answer.status == 200
    assert browser.show(np.zeros([2, 2, 3], np.uint8), "") == ["n", "+"]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(browser, "nothing")
    with pytest.raises(OSError, match=r"`port` .* cannot be used"):
        video.Browser(int(browser.url.rstrip("/").rpartition(":")[2]))


def test_a_slow_browser_delays_nothing(browser):
    """It misses pictures instead, and gets the newest."""
    pictures = browser.pictures()
    browser.show(np.zeros([2, 2, 3], np.uint8), "first")
    first = next(pictures)
    for level in (50, 100, 250):
        browser.show(np.full([2, 2, 3], level, np.uint8), "")
    newest = cv2.imdecode(np.frombuffer(next(pictures), np.uint8), cv2.IMREAD_COLOR)
    assert first
    np.testing.assert_allclose(newest, 250, atol=3)


class FakeCapture:
    """A camera that gives pictures of growing brightness, as fast as they are asked for."""

    opened = True
    count = 0

    def __init__(self, number):
        self.number = number

    def isOpened(self):  # noqa: N802
        return self.opened

    def read(self):
        if self.count >= 200:
            return False, None
        self.count += 1
        time.sleep(0.001)
        return True, np.full([4, 6, 3], (0, 0, self.count), np.uint8)  # BGR

    def release(self):
        pass


def test_a_camera_gives_the_newest_frame(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    camera = video.Camera(0)
    first = camera.latest()
    assert first.shape == (1, 4, 6, 3)
    assert first[..., 0].max() > 0  # red: the order of channels is turned
    assert first[..., 2].max() == 0
    time.sleep(0.05)
    second = camera.latest()
    assert second[..., 0].max() > first[..., 0].max() + 5 / 255
    while camera.latest() is not None:  # until it is unplugged
        pass
    camera.close()
    assert threading.active_count() < 50
    monkeypatch.setattr(FakeCapture, "opened", False)
    with pytest.raises(OSError, match="there is no camera 3"):
        video.Camera(3)


def test_a_window_needs_another_build(monkeypatch):
    def missing(name):
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "namedWindow", missing)
    with pytest.raises(ModuleNotFoundError, match="pip install opencv-python"):
        video.Window()
