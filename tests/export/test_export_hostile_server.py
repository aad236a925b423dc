"""The client trusts nobody: whatever a server answers is a painting, or one line and no file."""

import base64
import json
import pathlib
import struct
import subprocess
import sys
import time

import hostile_server
import numpy as np
import pytest

from stylezoo import images
from stylezoo.binaries import main
from stylezoo.export.servables.servable import smooth_picture
from stylezoo.export.serving import messages


@pytest.fixture
def photo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images.write_image("photo.png", smooth_picture(8, 8, seed=0))


def painting(content: bytes) -> bytes:
    return json.dumps({"outputs": [{"b64": base64.b64encode(content).decode()}]}).encode()


JPEG = images.encode_image(smooth_picture(8, 8, seed=0), ".jpg")
PNG = images.encode_image(smooth_picture(8, 8, seed=0), ".png")
LARGE = images.encode_image(np.zeros([80, 80, 3], np.float32), ".jpg")
DEEP = b"[" * 100_000

ANSWERS = {
    "HTML": painting(b"<html>sign in</html>"),
    "nothing": painting(b""),
    "PNG": painting(PNG),
    "half a JPEG": painting(JPEG[: len(JPEG) // 2]),
    "a JPEG of more pixels than were asked for": painting(LARGE),
    "invalid base64": b'{"outputs": [{"b64": "?"}]}',
    "null in base64": b'{"outputs": [{"b64": null}]}',
    "no row": b'{"outputs": []}',
    "two rows": painting(JPEG).replace(b"]", b', {"b64": ""}]'),
    "numbers": b'{"outputs": [1, 2]}',
    "text": b'{"outputs": ["text"]}',
    "null outputs": b'{"outputs": null}',
    "other outputs": b'{"outputs": {"a": [1]}}',
    "no outputs": b"{}",
    "null": b"null",
    "list": b"[]",
    "number": b"1",
    "string": b'"x"',
    "no JSON": b"<html>",
    "empty": b"",
    "no text": b"\xff\xfe",
    "deep": DEEP,
    "too long": b" " * (32 * 2**20 + 1),
    "ragged": b'{"outputs": [[1], [1, 2]]}',
}
METADATA = {
    "null": b"null",
    "list": b"[]",
    "deep": DEEP,
    "no JSON": b"<html>",
    "signatures are a list": b'{"metadata": {"signature_def": {"signature_def": [1]}}}',
    "signature is null": b'{"metadata": {"signature_def": {"signature_def": {"a": null}}}}',
    "inputs are a list": hostile_server.METADATA.replace(b'"inputs": {', b'"inputs": [], "x": {'),
    "outputs are null": hostile_server.METADATA.replace(
        b'"outputs": {', b'"outputs": null, "x": {'
    ),
    "sizes are words": hostile_server.METADATA.replace(b'"-1"', b'"many"'),
    "sizes are huge": hostile_server.METADATA.replace(b'"-1"', b"1e999"),
}


def run(url, *flags):
    arguments = ["photo.png", f"--url={url}", "--style=udnie", "--output=out.jpg", *flags]
    return main.run(["client", *arguments])


def assert_refused(url, capsys, *flags, message=""):
    assert run(url, "--timeout=5", "--max_side=64", *flags) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert sorted(path.name for path in pathlib.Path().iterdir()) == ["photo.png"]


def test_a_painting_is_taken(photo):
    with hostile_server.serve(painting(JPEG)) as url:
        assert run(url, "--max_side=64") == 0
    assert pathlib.Path("out.jpg").read_bytes() == JPEG


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_answers(answer, photo, capsys):
    with hostile_server.serve(answer) as url:
        assert_refused(url, capsys, message=url)


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
def test_metadata(metadata, photo, capsys):
    with hostile_server.serve(painting(JPEG), metadata=metadata) as url:
        assert_refused(url, capsys)


def kserve(body: bytes, **changes: object) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """Return an answer of KServe's protocol and its headers; the body is that of the only output."""
    output = {"name": "stylized_bytes", "datatype": "BYTES", "shape": [1]}
    output |= {"parameters": {"binary_data_size": len(body)}, **changes}
    header = json.dumps({"outputs": [output]}).encode()
    return header + body, (("Inference-Header-Content-Length", str(len(header))),)


STRING = struct.pack("<I", len(JPEG)) + JPEG
KSERVE_ANSWERS = {
    "HTML": (b"<html>", ()),
    "deep": (DEEP, ()),
    "null": (b"null", ()),
    "no outputs": (b"{}", ()),
    "other outputs": kserve(STRING, name="other"),
    "a header longer than all": (
        kserve(STRING)[0],
        (("Inference-Header-Content-Length", "9" * 9),),
    ),
    "a header of no length": (kserve(STRING)[0], (("Inference-Header-Content-Length", "many"),)),
    "a string longer than all": kserve(struct.pack("<I", 2**32 - 1) + JPEG),
    "half a length": kserve(STRING[:2]),
    "no bytes": kserve(b""),
    "two rows": kserve(STRING, shape=[2]),
    "sizes are huge": kserve(STRING, shape=[2**62, 2**62]),
    "sizes are words": kserve(STRING, shape=["many"]),
    "another type": kserve(STRING, datatype="FP32"),
    "an unknown type": kserve(STRING, datatype="X"),
    "sizes of bytes are words": kserve(STRING, parameters={"binary_data_size": "many"}),
    "HTML as a string": kserve(struct.pack("<I", 6) + b"<html>"),
}
KSERVE_METADATA = {
    "null": b"null",
    "list": b"[]",
    "deep": DEEP,
    "inputs are null": b'{"inputs": null, "outputs": []}',
    "sizes are words": hostile_server.KSERVE_METADATA.replace(b"-1", b'"many"'),
    "sizes are huge": hostile_server.KSERVE_METADATA.replace(b"-1", b"1e999"),
}


def test_a_painting_is_taken_by_kserve(photo):
    answer, headers = kserve(STRING)
    with hostile_server.serve(
        answer, headers=headers, metadata=hostile_server.KSERVE_METADATA
    ) as url:
        assert run(url, "--max_side=64", "--protocol=kserve") == 0
    assert pathlib.Path("out.jpg").read_bytes() == JPEG


@pytest.mark.parametrize("answer", KSERVE_ANSWERS.values(), ids=KSERVE_ANSWERS)
def test_answers_of_kserve(answer, photo, capsys):
    content, headers = answer
    with hostile_server.serve(
        content, headers=headers, metadata=hostile_server.KSERVE_METADATA
    ) as url:
        assert_refused(url, capsys, "--protocol=kserve", message=url)


@pytest.mark.parametrize("metadata", KSERVE_METADATA.values(), ids=KSERVE_METADATA)
def test_metadata_of_kserve(metadata, photo, capsys):
    with hostile_server.serve(b"", metadata=metadata) as url:
        assert_refused(url, capsys, "--protocol=kserve", message=url)


@pytest.mark.parametrize("index", [b"null", b"[]", b"[1]", b"{}", DEEP, b'[{"name": 1}]'])
def test_models_of_kserve(index, photo, capsys):
    with hostile_server.serve(b"", index=index) as url:
        assert_refused(url, capsys, "--protocol=kserve", message=url)


@pytest.mark.parametrize("answer", [DEEP, b"null", b'{"error": [1]}', b"\xff" * 2**20, b""])
@pytest.mark.parametrize("status", [302, 400, 500])
def test_errors(status, answer, photo, capsys):
    with hostile_server.serve(answer, status=status) as url:
        assert_refused(url, capsys, message=f"{url} answered: ")


def test_an_answer_that_drips(photo, capsys):
    start = time.monotonic()
    with hostile_server.serve(painting(JPEG), drip=0.1) as url:
        assert run(url, "--timeout=1", "--max_side=64") == 1
    assert time.monotonic() - start < 5
    assert "did not answer in 1.0 s" in capsys.readouterr().err


def test_what_a_server_says_can_not_control_the_terminal(photo, capsys):
    with hostile_server.serve(b'{"error": "\\u001b[2J\\u202egnp"}', status=400) as url:
        assert run(url) == 1
    assert capsys.readouterr().err.rstrip("\n").isprintable()


def test_a_folder_goes_on_after_a_failure(photo, capsys):
    images.write_image("other.png", smooth_picture(8, 8, seed=1))
    with hostile_server.serve(painting(b"none")) as url:
        arguments = ["photo.png", "other.png", f"--url={url}", "--style=udnie", "--output=all"]
        status = main.run(["client", *arguments, "--concurrency=2"])
    assert status == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "2 of 2 pictures failed: photo.png: " in error
    assert "; other.png: " in error


def test_tensors_are_not_repeated():
    tensor = messages.to_tensor(np.ones(1, np.float32))
    tensor.tensor_shape.dim[0].size = 2**40
    with pytest.raises(ValueError, match="1 values for the shape"):
        messages.to_array(tensor)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.array([1, 2], np.int32),
        np.array([b"a", b"", None], object)[:2],
    ],
)
def test_tensors_as_tensorflow_has_them(array):
    import tensorflow as tf
    from tensorflow.core.framework import tensor_pb2

    ours = messages.to_tensor(array).SerializeToString()
    np.testing.assert_array_equal(tf.make_ndarray(tensor_pb2.TensorProto.FromString(ours)), array)
    theirs = tf.make_tensor_proto(array).SerializeToString()
    read = messages.to_array(messages.classes().Tensor.FromString(theirs))
    np.testing.assert_array_equal(read, array, strict=True)


@pytest.mark.parametrize("protocol", ["tensorflow_serving", "kserve"])
@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_the_client_does_not_import_tensorflow(scheme, protocol, photo):
    code = (
        "import sys\n"
        "from stylezoo.binaries import main\n"
        f"main.run(['client', 'photo.png', '--url={scheme}://127.0.0.1:9', '--style=udnie', "
        f"'--output=o.jpg', '--protocol={protocol}', '--retries=0', '--timeout=5'])\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    root = pathlib.Path(main.__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        timeout=60,
        capture_output=True,
        env={"PYTHONPATH": str(root)},
    )
