"""The client against a double of the protocol (see protocol_double), and the server's configuration."""

import pathlib
import socket

import kubernetes_validate
import numpy as np
import protocol_double
import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2
from tritonclient.grpc import model_config_pb2

from stylezoo import export, images
from stylezoo.binaries import main
from stylezoo.export.servables.servable import smooth_picture
from stylezoo.export.serving import server_configuration, transport, warmup

KINDS = {"rest": protocol_double.rest, "grpc": protocol_double.rpc}


@pytest.fixture(scope="module")
def exports(model_files, tmp_path_factory):
    output = tmp_path_factory.mktemp("exports")
    for name in ("conditional", "texture"):
        export.export_saved_model(export.load(str(model_files[name])), output, name=name)
    return output


@pytest.fixture(scope="module")
def double(exports):
    made = protocol_double.Double(exports / "conditional" / "1", "painter")
    yield made
    made.session.close()


@pytest.fixture(params=KINDS)
def url(request, double, monkeypatch):
    monkeypatch.setattr(transport, "_FIRST_WAIT", 0.02)
    double.failures, double.seconds, double.calls = [], 0.0, 0
    with KINDS[request.param](double) as address:
        yield address


@pytest.fixture
def photo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images.write_image("photo.png", smooth_picture(40, 60, seed=0))
    return pathlib.Path("photo.png")


def run(url, *arguments):
    return main.run(["client", f"--url={url}", "--model=painter", *arguments])


def test_paints_what_the_model_paints(url, double, photo, capsys):
    assert run(url, "photo.png", "--style_weights=0.25,0.75", "--output=out.jpg") == 0
    assert capsys.readouterr().err == ""
    inputs = {
        "image_bytes": np.array([photo.read_bytes(), None], object)[:1],
        "style_weights": np.array([[0.25, 0.75]], np.float32),
    }
    (expected,) = double.session("stylize_bytes", inputs)["stylized_bytes"]
    assert pathlib.Path("out.jpg").read_bytes() == expected


def test_several_pictures_go_to_a_folder(url, photo):
    images.write_image("other.png", smooth_picture(90, 20, seed=1))
    arguments = ["photo.png", "other.png", "--style_weights=1,0", "--max_side=30", "--output=all"]
    assert run(url, *arguments) == 0
    shapes = {path.name: images.read_image(path).shape for path in pathlib.Path("all").iterdir()}
    assert shapes == {"photo.jpg": (1, 20, 30, 3), "other.jpg": (1, 30, 7, 3)}


def test_tries_again_only_when_unavailable(url, double, photo):
    unavailable = (protocol_double.UNAVAILABLE, "The batch scheduling queue is full")
    double.failures = [unavailable, unavailable]
    assert run(url, "photo.png", "--style_weights=1,0", "--output=out.jpg") == 0
    assert double.calls == 3


@pytest.mark.parametrize(
    ("failures", "flags", "calls", "message"),
    [
        ([(protocol_double.INVALID, "bad picture")] * 9, [], 1, "bad picture"),
        ([(protocol_double.UNAVAILABLE, "queue is full")] * 9, ["--retries=1"], 2, "queue is full"),
        ([(protocol_double.UNAVAILABLE, "queue is full")] * 9, ["--retries=0"], 1, "queue is full"),
    ],
)
def test_gives_up_in_one_line(url, double, photo, capsys, failures, flags, calls, message):
    double.failures = list(failures)
    assert run(url, "photo.png", "--style_weights=1,0", "--output=out.jpg", *flags) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert double.calls == calls
    assert not pathlib.Path("out.jpg").exists()


def test_what_can_not_be_decoded(url, photo, capsys):
    pathlib.Path("text.png").write_text("none", encoding="utf-8")
    assert run(url, "text.png", "--style_weights=1,0", "--output=out.jpg") == 1
    assert "must be a JPEG, PNG, GIF or BMP file that can be decoded" in capsys.readouterr().err


def test_deadline(url, double, photo, capsys):
    double.seconds = 5.0
    arguments = ["photo.png", "--style_weights=1,0", "--output=out.jpg", "--timeout=0.5"]
    assert run(url, *arguments) == 1
    assert "did not answer in 0.5 s" in capsys.readouterr().err
    assert not pathlib.Path("out.jpg").exists()


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_no_server(kind, photo, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"{kind}://127.0.0.1:{taken.getsockname()[1]}"
        assert run(url, "photo.png", "--output=out.jpg", "--retries=1", "--timeout=20") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"stylezoo client: error: {url} answered: ")


def test_a_server_is_compared_with_the_model(url, exports, model_files, tmp_path, capsys):
    """`verify_export --url`, which `make verify-serving` asks TensorFlow Serving with."""
    (tmp_path / "painter").symlink_to(exports / "conditional")
    arguments = [f"{tmp_path}/painter/1", f"--model={model_files['conditional']}", f"--url={url}"]
    assert main.run(["verify_export", *arguments]) == 0
    out = capsys.readouterr().out
    assert f"{url}  serving_default, 2x64x80: stylized" in out
    assert "stylize_bytes, `max_side` left out: stylized_bytes" in out


BAD = [
    (
        ["photo.png", "--url=ftp://here"],
        "`--url` must be http://HOST:PORT, https://HOST:PORT, grpc",
    ),
    (["photo.png", "--protocol=v3"], "`--protocol` must be one of tensorflow_serving, kserve"),
    (["missing.png"], "`missing.png` does not exist"),
    ([], "expected photographs"),
    (["photo.png"], "`--output` must be given"),
    (["photo.png", "--output=out.jpg"], "`--style_weights` must be given"),
    (["photo.png", "--output=out.png"], r"`out.png` must end in one of .jpeg .jpg"),
    (["photo.png", "--output=out.jpg", "--style_weights=1"], "`--style_weights` must be 2"),
    (["photo.png", "--output=out.jpg", "--style_weights=1,x"], "`--style_weights` must be numbers"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input(arguments, message, double, photo, capsys):
    with protocol_double.rest(double) as url:
        assert run(url, *arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert sorted(path.name for path in pathlib.Path().iterdir()) == ["photo.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--style_weights=1,x"], "`--style_weights` must be numbers"),
        (["--style_weights=1,nan"], "`--style_weights` must be numbers"),
        (
            ["--style=udnie", "--style_weights=1"],
            "`--style` must not be given with --style_weights",
        ),
        (["--style_weights=1,-1"], "`--style_weights` must be >= 0, not all 0"),
        (["--header=Authorization"], "`--header` must be NAME:VALUE of printable characters"),
        (["--model=\udcff"], "`--model` must be of printable characters"),
        (["--style=udnie"], "`--style` must come with a --model that comes with stylezoo"),
        (["--model=light", "--style=none_such"], "`--style` must be one or more of"),
    ],
)
def test_flags_are_checked_before_a_server_is_asked(arguments, message, photo, monkeypatch, capsys):
    monkeypatch.setattr("stylezoo.binaries.client.connect", lambda _: pytest.fail("was asked"))
    assert run("http://localhost", "photo.png", "--output=out.jpg", *arguments) == 1
    assert message in capsys.readouterr().err


def test_configuration_parses_back(exports, capsys):
    assert main.run(["serve_config", f"--exports={exports}"]) == 0
    text = (exports / "models.config").read_text(encoding="utf-8")
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    found = {each.name: each.base_path for each in config.model_config_list.config}
    assert found == {name: f"/models/{name}" for name in ("conditional", "texture")}
    assert_hardened(exports)
    capsys.readouterr()
    assert main.run(["serve_config", f"--exports={exports}"]) == 1
    assert "already exists" in capsys.readouterr().err
    assert main.run(["serve_config", f"--exports={exports}", "--overwrite"]) == 0


def assert_hardened(exports):
    """What is published is on this machine alone, or behind a proxy, and nothing runs as root."""
    compose = yaml.safe_load((exports / "docker-compose.yaml").read_text(encoding="utf-8"))
    serving = compose["services"]["serving"]
    assert all(port.startswith("127.0.0.1:") for port in serving["ports"])
    assert not [each for each in serving["command"] if "batching" in each]
    assert serving["read_only"] is True
    assert serving["cap_drop"] == compose["services"]["proxy"]["cap_drop"] == ["ALL"]
    assert compose["services"]["proxy"]["profiles"] == ["public"]
    parts = list(yaml.safe_load_all((exports / "kubernetes.yaml").read_text(encoding="utf-8")))
    for part in parts:
        kubernetes_validate.validate(part, "1.33", strict=True)
    by_kind = {part["kind"]: part for part in parts}
    pod = by_kind["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in pod["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["resources"]["limits"]["memory"]
    (published,) = by_kind["Service"]["spec"]["ports"]
    assert published["targetPort"] == "public"
    assert "/v1/models/conditional" in str(pod["containers"][0]["livenessProbe"])


def test_services_of_kserve():
    """What is Kubernetes' own is checked here, an InferenceService by test_export_kserve."""
    files = server_configuration.kserve_configuration(["painter", "squeezenet1_1"])
    claim, job, *services = yaml.safe_load_all(files["kserve.yaml"])
    for part in (claim, job):
        kubernetes_validate.validate(part, "1.33", strict=True)
    assert [each["metadata"]["name"] for each in services] == ["painter", "squeezenet1-1"]
    for service in services:
        predictor = service["spec"]["predictor"]
        model = predictor["model"]
        container = {"name": "serving", "image": "tensorflow/serving"} | {
            name: model[name] for name in ("resources", "securityContext")
        }
        pod = {"containers": [container], "securityContext": predictor["securityContext"]}
        kubernetes_validate.validate(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod},
            "1.33",
            strict=True,
        )
    assert services[1]["spec"]["predictor"]["model"]["storageUri"].endswith("/squeezenet1_1")


def test_a_repository_of_triton(exports, capsys):
    """A model for each signature; test_export_triton has a real server load it."""
    assert main.run(["serve_config", f"--exports={exports}", "--server=triton"]) == 0
    written = [line.rpartition("exports")[2] for line in capsys.readouterr().out.splitlines()]
    folder = exports / "triton"
    models = sorted(path.parent.name for path in folder.glob("*/config.pbtxt"))
    assert models == [
        "conditional.serving_default",
        "conditional.stylize_bytes",
        "texture.serving_default",
        "texture.texture_bytes",
    ]
    assert len(written) == 2 * len(models) + 2
    text = (folder / "conditional.stylize_bytes" / "config.pbtxt").read_text(encoding="utf-8")
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    optional = {each.name: each.optional for each in config.input}
    assert optional == {"image_bytes": False, "max_side": True, "style_weights": False}
    compose = yaml.safe_load((folder / "docker-compose.yaml").read_text(encoding="utf-8"))
    server = compose["services"]["triton"]
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    # The folder is no model that TensorFlow Serving would be told of.
    assert server_configuration.served_models(exports) == ["conditional", "texture"]
    assert main.run(["serve_config", f"--exports={exports}", "--server=triton"]) == 1
    assert "already exists" in capsys.readouterr().err


def test_batching_is_tensorflow_servings(exports, capsys):
    assert main.run(["serve_config", f"--exports={exports}", "--server=triton", "--batching"]) == 1
    assert "`--batching` must come with --server=tensorflow_serving" in capsys.readouterr().err


def test_batches_only_when_asked_for(exports):
    files = server_configuration.configuration(["painter"], batching=True)
    assert "--enable_batching=true" in files["docker-compose.yaml"]
    assert "batching.config" in files


def test_nothing_to_serve(tmp_path, capsys):
    assert main.run(["serve_config", f"--exports={tmp_path}"]) == 1
    assert "must hold SavedModels, NAME/VERSION" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_warm_up_requests_suit_a_server_that_batches(exports):
    """Each input has a row for each picture; the server would refuse the model otherwise."""
    for name in ("conditional", "texture"):
        path = exports / name / "1" / "assets.extra" / "tf_serving_warmup_requests"
        for _, inputs in warmup.read_requests(path):
            assert len({np.shape(each)[:1] for each in inputs.values()}) == 1
    assert server_configuration.served_models(exports) == ["conditional", "texture"]
