"""`stylezoo visualize` end to end with random weights, and a table of bad input for each of its parts."""

import base64
import contextlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import keras
import networks
import numpy as np
import pytest
from binaries_helpers import assert_one_line
from PIL import Image
from snapshots import snapshot

from stylezoo import classifiers, images, perceptual, video
from stylezoo.binaries import main, visualize
from stylezoo.visualize import ActivationConfig


@pytest.fixture(scope="module")
def weights_files(tmp_path_factory, random_weights):
    """SqueezeNet with its head, AlexNet without."""
    folder = tmp_path_factory.mktemp("visualize")
    tensors = networks.he_tensors(classifiers.shapes("squeezenet1_1"))
    networks.write(folder / "squeeze.h5", "squeezenet1_1", tensors)
    (folder / "alexnet.h5").symlink_to(random_weights("alexnet_owt"))
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory, weights_files):
    """Return a folder of pictures good and bad, and weights."""
    folder = tmp_path_factory.mktemp("files")
    with contextlib.chdir(folder):
        for file in weights_files.iterdir():
            pathlib.Path(file.name).symlink_to(file)
        photo = Image.open(images.sample_path("astronaut"))
        pathlib.Path("trip").mkdir()
        photo.resize((60, 52)).save("photo.png")
        photo.resize((80, 70)).save("trip/a.png")
        Image.open(images.sample_path("coffee")).resize((72, 64)).save("trip/b.jpg")
        photo.resize((8, 6)).save("tiny.png")
        pathlib.Path("empty").mkdir()
        pathlib.Path("text.png").write_text("no picture\n", encoding="utf-8")
        pathlib.Path("empty.txt").touch()
        pathlib.Path("one.txt").write_text("owl\n", encoding="utf-8")
        pathlib.Path("existing.png").write_bytes(b"precious")
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch, files):
    """Make a copy of ``files`` the current folder."""
    shutil.copytree(files, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STYLEZOO_HOME", str(tmp_path / "home"))
    return tmp_path


SQUEEZE = "--network=squeezenet1_1 --weights=squeeze.h5"
ALEX = "--network=alexnet_owt --weights=alexnet.h5"
GOOD = {
    "filters": f"{ALEX} --output=out.png",
    "attribution": f"{SQUEEZE} --image=photo.png --class=flamingo --output=out.png",
    "activation": f"{SQUEEZE} --class=flamingo --size=40 --steps=2 --output=out.png",
    "inversion": f"{SQUEEZE} --image=photo.png --layers=relu1,log_probabilities --size=40 --steps=3 "
    "--output=out.png",
    "activations": f"{SQUEEZE} --image=photo.png --layer=fire2 --output=out.png",
    "fooling": f"{SQUEEZE} --image=photo.png --class=flamingo --size=60 --steps=2 --output=out.png",
    "neighbours": f"{SQUEEZE} --images=trip --image=photo.png --size=60 --output=out.png",
    "map": f"{SQUEEZE} --images=trip --size=60 --output=out.png",
    "dream": f"{SQUEEZE} --image=photo.png --layers=fire2 --steps=2 --octaves=2 --output=out.png",
}


def run(what, flags=""):
    """Run a good call with flags that follow it, and return the exit status."""
    return main.run(["visualize", what, *GOOD[what].split(), *flags.split()])


def report():
    return json.loads(pathlib.Path("out.json").read_text(encoding="utf-8"))


def shape(path="out.png"):
    return images.read_image(path).shape[1:3]


def sheet(rows, columns, height, width=None, *, captions=True):
    width = width or height
    height += images.caption_height(width) if captions else 0
    return (rows * (height + 4) - 4, columns * (width + 4) - 4)


# Good calls


def test_weights(folder):
    assert run("filters", "--report=out.json") == 0
    assert shape() == sheet(8, 8, 33, captions=False)  # 64 filters of 11 weights, enlarged by 3
    assert report()["shape"] == [11, 11, 3, 64]
    assert run("filters", "--layer=conv3 --channel=0,5 --inputs=7 --zoom=4 --overwrite") == 0
    assert shape() == sheet(2, 7, 12, captions=False)


def test_patches(folder):
    flags = "--images=trip --layer=relu2 --channel=3:6 --top=2 --size=64 --patch_size=32"
    assert run("filters", f"{flags} --report=out.json") == 0
    assert shape() == sheet(3, 4, 32)
    patches = report()["patches"]
    assert [each["channel"] for each in patches] == [3, 3, 4, 4, 5, 5]
    assert {each["image"] for each in patches} <= {"trip/a.png", "trip/b.jpg"}
    for strong, weak in zip(patches[::2], patches[1::2], strict=True):
        assert strong["activation"] >= weak["activation"]


def test_attribution(folder, capsys):
    methods = "--method=gradient,grad_cam,guided_backprop --report=out.json"
    assert run("attribution", f"--class=flamingo,0 {methods}") == 0
    assert shape() == sheet(2, 4, 52, 60)
    units = report()["units"]
    assert [each["unit"] for each in units] == ["flamingo", "tench, Tinca tinca"]
    assert f"flamingo            {units[0]['score']:.4f}" in capsys.readouterr().out


def test_methods_that_say_nothing(folder, capsys):
    """`all` leaves deconvnet out where no pooling keeps switches; one that is named is shown with a note."""
    image = keras.Input([8, 8, 3])
    x = keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="conv")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    keras.Model(image, keras.layers.Dense(3)(x), name="plain").save("plain.keras")
    flags = "--keras_model=plain.keras --image=photo.png --class=1 --size=40 --samples=1 --output=out.png"
    command = ["visualize", "attribution", *flags.split(), "--report=out.json"]
    assert main.run([*command, "--method=all", "--steps=1"]) == 0
    assert "note: deconvnet is left out: plain has no maximum pooling" in capsys.readouterr().err
    assert shape() == sheet(1, 8, 35, 40)
    assert "deconvnet" not in [each["method"] for each in report()["methods"]]
    assert main.run([*command, "--method=deconvnet,smoothgrad", "--overwrite"]) == 0
    assert "note: deconvnet says nothing of this picture:" in capsys.readouterr().err
    assert shape() == sheet(1, 3, 35, 40)


def test_silent_units_are_named(folder, capsys):
    image = keras.Input([8, 8, 3])
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3, name="conv")(image))
    shift = keras.initializers.Constant([1e3, -1e3])  # the second class never responds
    scores = keras.layers.Dense(2, bias_initializer=shift, activation="relu")(x)
    keras.Model(image, scores, name="shy").save("shy.keras")
    for what, flags in (("attribution", "--image=photo.png"), ("activation", "--size=8 --steps=1")):
        shy = f"--keras_model=shy.keras --class=0,1 --output=out.png --overwrite {flags}"
        assert main.run(["visualize", what, *shy.split()]) == 0
        message = "note: silent on their pictures (score 0), which show nothing of them: 1\n"
        assert message in capsys.readouterr().err


def test_default_network_of_activation_suits_the_default_preset():
    """`robust` makes fine clutter of EfficientNet-Lite0, whose own preset is `smooth`."""
    assert ActivationConfig.network == "squeezenet1_1"


@pytest.fixture(scope="module")
def keras_model(tmp_path_factory):
    """Return the file of a model of somebody's own, with another model within it and four classes."""
    keras.utils.set_random_seed(0)
    image = keras.Input([None, None, 3])
    x = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="stem")(image)
    x = keras.layers.MaxPooling2D(2, name="pool")(x)
    trunk = keras.Model(
        image, keras.layers.Conv2D(8, 3, padding="same", name="deep")(x), name="trunk"
    )
    model = keras.Sequential(
        [
            keras.Input([24, 24, 3]),
            keras.layers.Rescaling(1 / 127.5, offset=-1.0),
            trunk,
            keras.layers.ReLU(name="deep_relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(4, activation="softmax", name="predictions"),
        ],
        name="mine",
    )
    folder = tmp_path_factory.mktemp("keras")
    model.save(folder / "mine.keras")
    (folder / "labels.txt").write_text("cat\ndog\nowl\ncow\n", encoding="utf-8")
    return folder / "mine.keras"


MINE = "--preprocessing=bytes --output=out.png --report=out.json"


@pytest.mark.parametrize(
    ("what", "flags"),
    [
        ("filters", ""),
        ("filters", "--layer=deep_relu --images=trip --top=1 --channel=0:2 --size=40"),
        (
            "attribution",
            "--image=photo.png --class=owl,3 --method=all --samples=2 --steps=2 --size=24 "
            "--occluder_stride=24",
        ),
        ("activation", "--class=dog --size=32 --steps=2"),
        ("activation", "--layer=deep --direction=1=1,3=-0.5 --size=32 --steps=2"),
        ("inversion", "--image=photo.png --layers=deep,scores --size=24 --steps=2"),
        ("dream", "--image=photo.png --layers=deep:3,stem=0.5 --octaves=2 --steps=1"),
        ("activations", "--image=photo.png --layer=deep"),
        ("fooling", "--image=photo.png --class=cow --size=40"),
        ("neighbours", "--image=trip --images=trip --layer=deep"),
        ("map", "--images=trip"),
    ],
)
def test_models_that_users_bring(what, flags, folder, keras_model):
    arguments = [f"--keras_model={keras_model}", *MINE.split(), *flags.split()]
    assert main.run(["visualize", what, *arguments]) == 0
    assert np.ptp(images.read_image("out.png")) > 0
    assert report()["flags"]["keras_model"] == str(keras_model)
    if what == "attribution":
        assert [each["unit"] for each in report()["units"]] == ["owl", "cow"]


def test_report(folder, keras_model, capsys):
    """Every picture of the page can be decoded, and nothing of it is elsewhere."""
    flags = "--image=photo.png --images=trip --size=32 --steps=1 --inversion_steps=2 --channels=2"
    arguments = [f"--keras_model={keras_model}", *MINE.split(), *flags.split()]
    assert main.run(["visualize", "report", *arguments, "--output=page.html"]) == 0
    page = pathlib.Path("page.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)"', page)
    layers = report()["layers"]
    assert [each["layer"] for each in layers] == ["stem", "deep_relu"]
    assert len(pictures) == page.count("<img") == 1 + 2 + 3 * len(layers) + 1
    for each in pictures:
        with Image.open(io.BytesIO(base64.b64decode(each))) as picture:
            picture.load()
    assert not re.search(r"(href|src)=.?https?:", page)
    for text in ("owl", "deep_relu", "photo.png"):
        assert text in page
    capsys.readouterr()
    for flag, message in (
        ("--output=page.pdf", "`page.pdf` must end in one of .html"),
        ("--layers=gone", "`--layers` of mine must be among rescaling"),
        ("--image=text.png", "`text.png` is not an image"),
        ("--images=empty", "`empty` must hold pictures"),
        ("--images=text.png", "`text.png` is not an image"),
        ("--steps=-1", "steps"),
    ):
        wrong = ["--output=b.html", "--report=b.json", flag]
        assert main.run(["visualize", "report", *arguments, *wrong]) in (1, 2)
        assert_one_line(capsys.readouterr().err, "visualize report", message)
    assert not pathlib.Path("b.html").exists()


def test_report_with_labels_of_another_network(folder, capsys):
    flags = f"{SQUEEZE} --image=photo.png --size=60 --labels=one.txt --output=page.html"
    assert main.run(["visualize", "report", *flags.split()]) == 1
    message = "`--labels` must have a line for each of 1000 classes. Received: 1 lines"
    assert_one_line(capsys.readouterr().err, "visualize report", message)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--class=bird", "`--class` must be among cat, dog, owl, cow. Received: bird"),
        ("--class=4", "`--class` of mine must be from 0 to 3. Received: 4"),
        ("--class=0 --network=vgg16", "`--network` must not be given with --keras_model"),
        ("--class=0 --weights=x.h5", "`--weights` must not be given with --keras_model"),
        ("--class=0 --preprocessing=loud", "preprocessing.*unit"),
        ("--class=0 --keras_model=none.keras", "`--keras_model` must be a file. .* none.keras"),
        ("--class=0 --keras_model=squeeze.h5", "`--keras_model` must be a .keras file"),
        ("--class=0 --keras_model=broken.keras", "must be a Keras model without custom code"),
        ("--class=0 --keras_model=lambda.keras", "must be a Keras model without custom code"),
        ("--class=0 --keras_model=flat.keras", "`--keras_model` must take square pictures"),
        ("--class=0 --labels=three.txt", "`--labels` must have a line for each of 4 classes"),
        ("--layer=gone --channel=0", "`--layer` of mine must be among rescaling.*Received: gone"),
    ],
)
def test_models_that_can_not_be_looked_at(flags, message, folder, keras_model, capsys):
    pathlib.Path("three.txt").write_text("a\nb\nc\n", encoding="utf-8")
    with zipfile.ZipFile("broken.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    image = keras.Input([8, 8, 3])
    keras.Model(image, keras.layers.Lambda(lambda x: x * 2)(image)).save("lambda.keras")
    keras.Sequential([keras.Input([4]), keras.layers.Dense(2)]).save("flat.keras")
    arguments = [f"--keras_model={keras_model}", "--image=photo.png", "--output=out.png"]
    before = snapshot(folder)
    assert main.run(["visualize", "attribution", *arguments, *flags.split()]) in (1, 2)
    assert_one_line(capsys.readouterr().err, "visualize attribution", message)
    assert snapshot(folder) == before


def test_preprocessing_needs_a_keras_model(folder, capsys):
    assert run("activation", "--preprocessing=bytes") == 1
    message = "`--preprocessing` must come with --keras_model"
    assert_one_line(capsys.readouterr().err, "visualize activation", message)


def test_attribution_to_units(folder):
    flags = f"{ALEX} --image=photo.png --layer=relu3 --output=out.png --report=out.json"
    for unit in ("--channel=7,8", "--channel=7 --position=0,1", "--direction=3=1,5=-0.5"):
        arguments = [*flags.split(), *unit.split(), "--plus=relu1:2=0.5", "--overwrite"]
        assert main.run(["visualize", "attribution", *arguments]) == 0
        count = len(report()["units"])
        assert shape() == sheet(count, 2, 52, 60)


def test_activation(folder, capsys):
    assert run("activation", "--class=0:6:2 --batch_size=2 --columns=3 --report=out.json") == 0
    assert shape() == sheet(1, 3, 40)
    content = report()
    assert [len(each["losses"]) for each in content["runs"]] == [2, 2]
    assert [each["unit"].split(",")[0] for each in content["pictures"]] == [
        "tench",
        "great white shark",
        "hammerhead",
    ]
    assert content["settings"]["size"] == 40
    assert "UNIT" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("what", "flags"),
    [
        ("activation", "--class=3,4 --size=28 --steps=2"),
        pytest.param("filters", "", marks=pytest.mark.slow),
        pytest.param(
            "attribution", "--image=digit.png --class=3 --method=gradient", marks=pytest.mark.slow
        ),
        pytest.param("inversion", "--image=digit.png --size=28 --steps=2", marks=pytest.mark.slow),
        pytest.param(
            "dream",
            "--image=photo.png --layers=pool1 --octaves=1 --steps=1",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_lenet_sees_grey(what, flags, folder):
    """LeNet-5's pictures have one channel and its head ten classes; it has no ReLU."""
    tensors = networks.he_tensors(classifiers.shapes("lenet5"))
    networks.write(pathlib.Path("lenet.h5"), "lenet5", tensors, preprocessing="unit")
    Image.open("photo.png").resize((28, 28)).save("digit.png")
    lenet = "--network=lenet5 --weights=lenet.h5 --output=out.png"
    assert main.run(["visualize", what, *lenet.split(), *flags.split()]) == 0
    assert np.ptp(images.read_image("out.png")) > 0


@pytest.mark.parametrize("preset", ["l2", "yosinski2", "yosinski3"])
def test_presets(preset, folder):
    assert run("activation", f"--preset={preset} --report=out.json") == 0
    assert report()["settings"]["optimizer"]["type"] == "GradientAscent"


def test_flags_take_the_place_of_the_preset(folder):
    flags = "--jitter=3 --scale=0 --parametrization=pixels --decay=0.1 --blur=0.5 --blur_every=1"
    assert run("activation", f"{flags} --clip_norm=10 --report=out.json --tv_weight=1") == 0
    settings = report()["settings"]
    assert {"type": "Jitter", "pixels": 3.0} in settings["transforms"]
    kinds = [each["type"] for each in settings["optimizer"]["regularizers"]]
    assert kinds == ["Decay", "Blur", "ClipNorm"]


def test_flags_change_single_regularizers_of_a_preset(folder):
    flags = "--preset=yosinski1 --blur_every=2 --clip_norm=0 --clip_contribution=5"
    assert run("activation", f"{flags} --report=out.json") == 0
    assert report()["settings"]["optimizer"]["regularizers"] == [
        {"type": "Blur", "sigma": 0.5, "every": 2},
        {"type": "ClipContribution", "percentile": 5.0},
    ]


def test_facets_and_diversity(folder):
    flags = "--images=trip --facets=2 --pictures=2 --diversity_weight=1 --diversity_layer=fire2"
    assert run("activation", f"{flags} --report=out.json") == 0
    assert shape() == sheet(2, 2, 40)
    assert "diversity" in report()["runs"][0]["losses"][0]


def test_judge(folder, capsys, monkeypatch):
    monkeypatch.setattr(
        classifiers,
        "build",
        lambda name, weights, build=classifiers.build: build(name, weights="squeeze.h5"),
    )
    assert run("activation", "--class=1,2 --judge=squeezenet1_1 --report=out.json") == 0
    verdict = report()["judge"]
    ranks = [each["rank"] for each in report()["pictures"]]
    assert verdict["top5"] == sum(rank <= 5 for rank in ranks)
    assert f"of 2 first, {verdict['top5']} in the first five" in capsys.readouterr().out


def test_inversion(folder, capsys):
    assert run("inversion", "--report=out.json") == 0
    assert shape() == sheet(2, 2, 35, 40)
    layers = report()["layers"]
    assert [each["layer"] for each in layers] == ["relu1", "log_probabilities"]
    for each in layers:
        assert 0 < each["error"] == each["losses"][-1]["content"]
        assert each["settings"]["layer"] == each["layer"]
    assert f"relu1              {layers[0]['error']:.4f}" in capsys.readouterr().out


def test_activations(folder, capsys):
    flags = "--size=60 --strongest=5 --map_size=28 --columns=3 --report=out.json"
    assert run("activations", flags) == 0
    assert shape() == sheet(2, 3, 24, 28)
    strongest = [each["strongest"] for each in report()["channels"]]
    assert strongest == sorted(strongest, reverse=True)
    assert f"fire2:{report()['channels'][0]['channel']}" in capsys.readouterr().out
    assert run("activations", "--channel=3,1 --overwrite --report=out.json") == 0
    assert [each["channel"] for each in report()["channels"]] == [1, 3]


def test_fooling(folder):
    """The picture alone, as a file keeps it, is what the report says of it."""
    flags = "--confidence=0 --steps=9 --fooling=fooling.png --report=out.json"
    assert run("fooling", flags) == 0
    assert shape() == sheet(1, 3, 52, 60)
    [row] = report()["classes"]
    network = perceptual.Perceptual("squeezenet1_1", "squeeze.h5").build(["scores"])
    scores = network(images.read_image("fooling.png"))["scores"]
    probabilities = np.exp(scores - np.max(scores)) / np.sum(np.exp(scores - np.max(scores)))
    np.testing.assert_allclose(row["target_after"], probabilities[0, 130], rtol=1e-3)
    assert row["fooled"] == (row["after"]["class"] == "flamingo")
    assert row["target_after"] > row["target_before"]


def test_neighbours(folder):
    """photo.png is a smaller version of trip/a.png; a query is not its own neighbour."""
    assert run("neighbours", "--top=2 --thumbnail_size=30 --report=out.json") == 0
    assert shape() == sheet(1, 3, 30)
    [query] = report()["queries"]
    assert [each["image"] for each in query["neighbours"]] == ["trip/a.png", "trip/b.jpg"]
    assert query["neighbours"][0]["cosine"] > 0.99
    assert run("neighbours", "--image=trip --top=2 --overwrite --report=out.json") == 0
    assert [len(each["neighbours"]) for each in report()["queries"]] == [1, 1]


def test_map(folder, capsys, monkeypatch):
    assert run("map", "--thumbnail_size=30 --report=out.json") == 0
    assert shape() == sheet(1, 2, 30, captions=False)
    assert {each["image"] for each in report()["places"]} == {"trip/a.png", "trip/b.jpg"}
    capsys.readouterr()
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    assert run("map", "--overwrite") == 1
    assert_one_line(capsys.readouterr().err, "visualize map", r'pip install "stylezoo\[see\]"')


def test_dream(folder):
    assert run("dream", "--layers=fire2=1,fire3:7=0.5 --report=out.json") == 0
    assert shape() == (52, 60)
    assert report()["settings"]["octaves"] == 2
    assert np.abs(images.read_image("out.png") - images.read_image("photo.png")).mean() > 0.002
    assert run("dream", "--guide=trip/b.jpg --overwrite") == 0


@pytest.mark.parametrize("output", ["frames", "out.webp", "out.mp4"])
def test_zoom(output, folder):
    assert run("dream", f"--zoom_frames=3 --octaves=1 --steps=1 --output={output}") == 0
    if output == "frames":
        frames = sorted(pathlib.Path("frames").iterdir())
        assert [each.name for each in frames] == [f"frame_{index:05d}.png" for index in range(3)]
        assert run("dream", f"--zoom_frames=1 --output={output}") == 1  # one is there already
    elif output == "out.webp":
        with Image.open(output) as animation:
            assert (animation.n_frames, animation.size) == (3, (60, 52))
    else:
        clip = video.open_clip(output)
        assert (clip.info.width, clip.info.height) == (60, 52)
        assert len(list(clip)) == 3


def test_video_without_its_library(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    before = snapshot(folder)
    assert run("dream", "--zoom_frames=2 --output=out.mp4") == 1
    error = capsys.readouterr().err
    assert_one_line(error, "visualize dream", r'PyAV.* pip install "stylezoo\[video\]"')
    assert snapshot(folder) == before


# Help


def test_help(capsys):
    assert main.run(["visualize", "--help"]) == 0
    text = capsys.readouterr().out
    assert main.run(["visualize"]) == 2
    assert capsys.readouterr().out == text
    for what in visualize.SUBCOMMANDS:
        assert f"\n  {what} " in text
        assert main.run(["visualize", what, "--help"]) == 0
        shown = capsys.readouterr().out
        for name in main._flag_values(main._module(f"visualize_{what}")):
            assert f"{name}\n" in shown


def test_help_does_not_import_tensorflow():
    script = (
        "import sys\n"
        "from stylezoo.binaries import main, visualize\n"
        "for what in visualize.SUBCOMMANDS:\n"
        "    assert main.run(['visualize', what, '--help']) == 0\n"
        "assert not {'tensorflow', 'keras', 'h5py'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


# Bad calls

COMMON = [
    ("--output=", "`--output` must be given"),
    ("--output=missing/out.png", "`missing` does not exist"),
    ("--output=out.xyz", r"`out.xyz` must end in one of .*\.png"),
    ("--output=existing.png", "`existing.png` already exists"),
    ("--report=missing/r.json", "`missing` does not exist"),
    ("junk", "expected flags only. Received: junk"),
    ("--nonsense=1", "Unknown command line flag 'nonsense'"),
    ("--network=vgg99", "must be one of .*vgg99"),
    ("--weights=nonsense", "`--weights` must be 'imagenet', one of "),
]
IMAGES = [
    ("--image=", "`--image` must be given"),
    ("--image=missing.png", "`missing.png` does not exist"),
    ("--image=text.png", "`text.png` is not an image that can be decoded"),
]
UNITS = [
    (
        "--class=cat",
        "`--class` must name one ImageNet class. .*'cat', a name of 7: 281 tabby, tabby cat; 282 tiger",
    ),
    (
        "--class=crane",
        "`--class` must name one ImageNet class. .*'crane', a name of 2: 134 crane; 517 crane",
    ),
    ("--class=snark", "`--class` must be a name of an ImageNet class. Received: .*snark"),
    ("--class=1000", "`--class` of ImageNet must be from 0 to 999. Received: 1000"),
    ("--class=5:5", "`--class` of ImageNet must be from 0 to 999"),
    ("--layer=fire2", "`--layer` must not be given with --class"),
    ("--position=centre", "`--position` must not be given with --class"),
    ("--labels=empty.txt", "`--labels` must have a name for each class. Received: empty.txt"),
    (
        f"{ALEX} --size=224",
        "`--weights` of alexnet_owt must have its head. Received: .*without a head",
    ),
]
TABLE = {
    "filters": [
        ("--layer=relu9", "`--layer` of alexnet_owt must have filters: conv1, .*Received: relu9"),
        (
            "--layer=conv2 --channel=192",
            "`--channel` of conv2 must be from 0 to 191. Received: 192",
        ),
        ("--channel=many", "`--channel` must be numbers, START:STOP:STEP or all. Received: many"),
        ("--images=trip", "`--layer` must be given"),
        ("--images=empty --layer=relu2", "`empty` must hold pictures"),
        ("--images=missing --layer=relu2", "`missing` does not exist"),
        ("--images=tiny.png --size=8 --layer=relu2", "`tiny.png` must be at least .* relu2"),
        ("--images=trip --layer=relu9", "`--layer` of alexnet_owt must be among conv1"),
        ("--images=trip --layer=relu2 --channel=192", "`--channel` of relu2 .* Received: 192"),
        ("--top=0", "top"),
    ],
    "attribution": [
        *IMAGES,
        *UNITS,
        ("--image=tiny.png", "`--image` must be at least .* for the layer .* of squeezenet1_1"),
        ("--method=lrp", "`--method` must be one of gradient, .*Received: --method='lrp'"),
        ("--method=grad_cam --cam_layer=x", "`--cam_layer` of squeezenet1_1 must be among conv1"),
        ("--cam_layer=fire2", "`--cam_layer` must come with --method=grad_cam or "),
    ],
    "activation": [
        *UNITS,
        ("--size=8", "`--size` must be at least .* of squeezenet1_1. Received: 8x8 px"),
        ("--preset=best", "`--preset` must be one of .*l2, .*Received: best"),
        ("--parametrization=x", "`--parametrization` must be one of pixels, fourier"),
        ("--decay=0.1", "`--parametrization` must be pixels"),
        ("--preset=l2 --learning_rate=1", "`--learning_rate` must not be given with --preset=l2"),
        ("--images=empty", "`empty` must hold pictures"),
        ("--images=trip --facets=3", "`--facets` must be from 1 to 2, the number of images"),
        ("--judge=vgg99", "`--judge` must be one of .*vgg99"),
        ("--code_decay=0.1", "`--code_decay` must come with --prior"),
        ("--diversity_layer=fire2", "`--diversity_layer` must come with `--diversity_weight`"),
        ("--judge=vgg16", "`--weights` of vgg16 must have its head"),
        ("--blur_every=2", "`--blur` must be given"),
        ("--clip_norm=101", r"`--clip_norm` must be in \[0, 100\].*--clip_norm=101"),
        ("--clip_contribution=-1", r"`--clip_contribution` must be in \[0, 100\]"),
        ("--jitter=-1", "`--jitter` must be >= 0. Received: --jitter=-1"),
        ("--padding=-1", "`--padding` must be >= 0. Received: --padding=-1"),
        ("--scale=1", r"`--scale` must be in \[0, 1\)"),
        ("--average_decay=1", r"`--average_decay` must be in \[0, 1\)"),
        ("--plus=fire2", "`--plus` must be LAYER:CHANNEL=WEIGHT,...."),
        ("--plus=fire2:999", "`--channel` of fire2 must be from 0 to 127. Received: 999"),
        (
            "--plus=fire2:9=much",
            "`--plus` must be LAYER:CHANNEL=WEIGHT,.... Received: fire2:9=much",
        ),
    ],
    "inversion": [
        *IMAGES,
        ("--image=tiny.png --size=8 --layers=fire9", "`--image` must be at least .* fire9"),
        ("--layers=relu9", "`--layers` of squeezenet1_1 must be among conv1"),
        (
            f"{ALEX} --layers=scores",
            "`--image` must be|`--weights` of alexnet_owt must have its head",
        ),
        ("--tv_beta=0", "`--tv_beta` must be > 0"),
    ],
    "activations": [
        *IMAGES,
        ("--layer=", "`--layer` must be given"),
        ("--layer=fire99", "`--layer` of squeezenet1_1 must be among conv1"),
        ("--channel=128", "`--channel` of fire2 must be from 0 to 127. Received: 128"),
        ("--image=tiny.png --size=8 --layer=fire9", "`--image` must be at least .* fire9"),
        ("--strongest=0", "strongest"),
    ],
    "fooling": [
        *IMAGES,
        *(case for case in UNITS if not case[0].startswith(("--layer", "--position"))),
        ("--epsilon=0", r"`--epsilon` must be in \(0, 1\]"),
        ("--steps=0", "`--steps` must be >= 1. Received: --steps=0"),
        ("--fooling=a.jpg", "`a.jpg` must end in one of .png"),
        ("--class=1,2 --fooling=a.png", "`--fooling` must come with one class. Received: 2"),
    ],
    "neighbours": [
        *IMAGES,
        ("--images=empty", "`empty` must hold pictures"),
        ("--layer=fire99", "`--layer` of squeezenet1_1 must be among conv1"),
        ("--images=tiny.png --size=8", "`photo.png` must be at least .* fire9"),
    ],
    "map": [
        ("--images=", "`--images` must be given"),
        ("--images=empty", "`empty` must hold pictures"),
        ("--images=photo.png", "`--images` must be at least two pictures. Received: photo.png"),
        ("--layer=fire99", "`--layer` of squeezenet1_1 must be among conv1"),
        ("--seed=-1", "seed"),
    ],
    "dream": [
        *IMAGES,
        ("--layers=", "`--layers` must be given"),
        ("--layers=fire99", "`--layers` of squeezenet1_1 must be among conv1"),
        ("--layers=fire2:128", "`--channel` of fire2 must be from 0 to 127. Received: 128"),
        ("--layers=fire2=", "`--layers` must be LAYER:CHANNEL=WEIGHT,.... Received: fire2="),
        ("--image=tiny.png --layers=fire9", "`--image` must be at least .* fire9"),
        ("--guide=tiny.png --layers=fire9", "`--guide` must be at least .* fire9"),
        ("--guide=text.png", "`text.png` is not an image that can be decoded"),
        ("--octaves=0", "octaves"),
        ("--octave_scale=1", "`--octave_scale` must be > 1"),
        ("--tile=2", "`--tile` must be >= 5"),
        ("--zoom_frames=2", "`--output` must be a folder, an .mp4, .webp or .gif"),
        (
            "--zoom=0.5 --zoom_frames=2 --output=frames",
            "`--zoom` must be >= 1. Received: --zoom=0.5",
        ),
    ],
}
CASES = [
    pytest.param(what, flags, message, id=f"{what} {flags}")
    for what, own in TABLE.items()
    for flags, message in [*COMMON, *own]
]


@pytest.mark.parametrize(("what", "flags", "message"), CASES)
def test_bad_input(what, flags, message, folder, capsys):
    before = snapshot(folder)
    assert run(what, flags) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(captured.err, f"visualize {what}", message)
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--layer=fire2", "`--channel` or `--direction` must be given with --layer"),
        (
            "--layer=fire2 --channel=128",
            "`--channel` of fire2 must be from 0 to 127. Received: 128",
        ),
        ("--layer=fire99 --channel=1", "`--layer` of squeezenet1_1 must be among conv1"),
        (
            "--layer=fire2 --channel=1 --position=99,0",
            "`--position` of fire2 must be a row and a col",
        ),
        ("--layer=fire2 --channel=1 --position=left", "`--position` must be one of all, centre"),
        ("--layer=fire2 --direction=1", "`--direction` must be CHANNEL=WEIGHT,.... Received: 1"),
        ("--layer=fire2 --direction=999=1", "`--channel` of fire2 must be from 0 to 127"),
        ("--layer=fire2 --channel=1 --direction=1=1", "`--channel` must not be given with --dir"),
        ("--layer=fire2 --channel=1 --judge=squeezenet1_1", "`--judge` must come with --class"),
        ("", "`--class` or `--layer` must be given"),
    ],
)
def test_bad_units(flags, message, folder, capsys):
    good = GOOD["activation"].replace("--class=flamingo", "").split()
    assert main.run(["visualize", "activation", *good, *flags.split()]) == 1
    assert_one_line(capsys.readouterr().err, "visualize activation", message)
    assert not pathlib.Path("out.png").exists()


def test_attributions_of_large_pictures_are_small(folder):
    with Image.open("photo.png") as photo:
        photo.resize((900, 600)).save("large.png")
    flags = f"{SQUEEZE} --image=large.png --class=flamingo --output=out.png"
    assert main.run(["visualize", "attribution", *flags.split()]) == 0
    with Image.open("out.png") as sheet:
        assert sheet.width < 2 * 600


def test_position_outside(folder, capsys):
    flags = (
        f"{SQUEEZE} --image=photo.png --layer=fire2 --channel=1 --position=99,0 --output=out.png"
    )
    assert main.run(["visualize", "attribution", *flags.split()]) == 1
    message = "`--position` of fire2 must be a row and a column of 12x14 features. Received: 99,0"
    assert_one_line(capsys.readouterr().err, "visualize attribution", message)


def test_unknown_part(capsys):
    assert main.run(["visualize", "everything"]) == 2
    message = "`WHAT` must be one of filters, .*Received: everything"
    assert_one_line(capsys.readouterr().err, "visualize", message)


# Learned priors


@pytest.fixture
def prior(folder):
    """Train a decoder in two steps, and return its flag."""
    flags = (
        "--content=trip --weights=squeeze.h5 --layer=fire2 --image_size=32 --widths=2,3,4 --run=run "
        "--comparators=squeezenet1_1:fire2 --steps=2 --batch_size=1 --adversarial_from=1"
    )
    assert main.run(["train_prior", *flags.split()]) == 0
    return "--prior=run/model"


def test_pictures_by_a_decoder(prior, capsys):
    assert run("activation", f"{prior} --images=trip --facets=2 --report=out.json") == 0
    assert shape()[1] > 2 * 40  # a picture of each facet
    settings = report()["settings"]
    assert settings["parametrization"] == "decoder"
    assert settings["prior"]["decoder"] == "run/model"
    assert run("activation", f"--preset=ppgn {prior} --pictures=2 --overwrite") == 0
    flags = f"inversion {SQUEEZE} --image=photo.png --size=40 --steps=2 {prior}"
    assert main.run(["visualize", *flags.split(), "--output=two.png", "--report=two.json"]) == 0
    [layer] = json.loads(pathlib.Path("two.json").read_text("utf-8"))["layers"]
    assert layer["layer"] == "fire2"
    assert f"{layer['error']:.4f}  {layer['decoded_error']:.4f}" in capsys.readouterr().out
    assert main.run(["visualize", *flags.split(), "--output=x.png", "--layers=fire2"]) == 1
    assert "`--layers` must not be given with --prior" in capsys.readouterr().err


def test_pictures_of_phases(folder):
    assert run("activation", "--preset=maco --crops=2 --crop_size=40 --report=out.json") == 0
    assert report()["settings"]["crops"]["count"] == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--prior=none", "`--prior` must be a preset's folder"),
        ("--prior=light", "`--prior` must be a Decoder. Received: light, a Light"),
        (
            "--preset=maco --images=trip",
            "`--images` must not be given with the parametrization maco",
        ),
        ("--deviations=2", "`--deviations` must come with --prior"),
        ("--preset=maco --smallest_crop=0", "`--smallest_crop` must be in (0, 1]"),
    ],
)
def test_priors_that_are_refused(flags, message, folder, capsys):
    assert run("activation", flags) == 1
    assert message in capsys.readouterr().err
    assert not pathlib.Path("out.png").exists()
