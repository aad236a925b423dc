"""`serve_config --server=triton` and `client --protocol=kserve` with a real Triton (see triton_server)."""

import concurrent.futures
import os
import pathlib

import numpy as np
import pytest
import triton_server

from stylezoo import export, images
from stylezoo.binaries import main
from stylezoo.errors import WeightsError
from stylezoo.export.servables.servable import smooth_picture, strings
from stylezoo.export.serving.client import Endpoint, ServerError
from stylezoo.export.serving.connect import connect

pytestmark = pytest.mark.slow

NUM_CLIENTS = 8
NUM_REQUESTS = 96


@pytest.fixture(scope="module")
def exports(model_files, tmp_path_factory):
    output = tmp_path_factory.mktemp("exports")
    export.export_saved_model(export.load(str(model_files["conditional"])), output, name="painter")
    assert main.run(["serve_config", f"--exports={output}", "--server=triton"]) == 0
    return output


@pytest.fixture(scope="module")
def urls(exports, tmp_path_factory):
    folder = tmp_path_factory.mktemp("triton")
    try:
        installed = triton_server.install(folder)
    except WeightsError as error:
        required = os.environ.get("STYLEZOO_REQUIRE_WEIGHTS") == "1"
        (pytest.fail if required else pytest.skip)(str(error))
    with triton_server.serve(installed, exports / "triton", folder / "log") as found:
        yield dict(zip(("http", "grpc"), found, strict=True))


def request(index):
    """Return the inputs of a request, which differ by its index; every third one has no picture."""
    picture = smooth_picture(20 + index, 30, seed=index)
    files = (
        images.encode_image(picture, ".jpg"),
        images.encode_image(picture, ".png")[:200],
        images.encode_image(picture, ".png"),
    )
    return {
        "image_bytes": strings(files[index % 3]),
        "style_weights": np.array([[1, index]], np.float32),
        "max_side": np.array([24], np.int32),
    }


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_eight_clients_get_what_they_asked_for(kind, urls, exports):
    """Every answer is, byte for byte, what the C++ runtime answers to the same request."""
    with export.SavedModelSession(exports / "painter" / "1") as session:
        expected = [answer(session, index) for index in range(NUM_REQUESTS)]
    client = connect(Endpoint(urls[kind], "painter", "kserve", retries=0))

    def ask(index):
        try:
            return client.predict("stylize_bytes", request(index))["stylized_bytes"][0]
        except ServerError as error:
            return str(error)

    with concurrent.futures.ThreadPoolExecutor(NUM_CLIENTS) as pool:
        got = list(pool.map(ask, range(NUM_REQUESTS)))
    bad = [index for index, each in enumerate(expected) if each is None]
    assert bad == list(range(1, NUM_REQUESTS, 3))
    assert len(set(got) - {got[1]}) == NUM_REQUESTS - len(bad)  # so that a mix-up would show
    for index, each in enumerate(expected):
        if each is None:
            assert (
                "`image_bytes` must be a JPEG, PNG, GIF or BMP file that can be dec" in got[index]
            )
        else:
            assert got[index] == each


def answer(session, index):
    """Return the painting of a request, None if it is refused."""
    try:
        return session("stylize_bytes", request(index))["stylized_bytes"][0]
    except export.RuntimeStatusError:
        return None


def test_a_bad_row_harms_no_other(urls):
    rows = [request(index) for index in range(3)]
    batch = {name: np.concatenate([each[name] for each in rows]) for name in rows[0]}
    for url in urls.values():
        client = connect(Endpoint(url, "painter", "kserve"))
        found = client.predict("stylize_bytes", batch)
        assert [each == b"" for each in found["stylized_bytes"]] == [False, True, False]
        assert [each == b"" for each in found["error"]] == [True, False, True]


def test_a_server_is_compared_with_the_model(urls, exports, model_files, capsys):
    """Every signature, in several sizes, with inputs left out."""
    for url in urls.values():
        flags = [f"--model={model_files['conditional']}", f"--url={url}", "--protocol=kserve"]
        assert main.run(["verify_export", str(exports / "painter" / "1"), *flags]) == 0
        out = capsys.readouterr().out
        assert f"{url}  serving_default, 2x64x80: stylized" in out
        assert f"{url}  stylize_bytes, `max_side` left out: stylized_bytes" in out


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_the_command(kind, urls, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images.write_image("good.png", smooth_picture(40, 60, seed=0))
    images.write_image("other.png", smooth_picture(50, 60, seed=1))
    pathlib.Path("bad.png").write_text("none", encoding="utf-8")
    flags = [f"--url={urls[kind]}", "--protocol=kserve", "--style_weights=1,0", "--output=all"]
    command = ["client", "good.png", "bad.png", "other.png", *flags, "--concurrency=3"]
    assert main.run([*command, "--model=painter"]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "1 of 3 pictures failed: bad.png: " in said
    assert sorted(path.name for path in pathlib.Path("all").iterdir()) == ["good.jpg", "other.jpg"]
    assert main.run([*command, "--model=nothing", "--overwrite"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.endswith("answered: there is no model nothing.SIGNATURE\n")
