"""Every command end to end, in one or two steps on real pictures with random weights."""

import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import stylezoo
from stylezoo import images
from stylezoo.binaries import main
from stylezoo.objectives import OBJECTIVES

REPORT_KEYS = {
    "steps",
    "seconds",
    "seconds_per_step",
    "peak_rss_mb",
    "levels",
    "losses",
    "versions",
    "device",
    "flags",
    "settings",
}


@pytest.fixture
def folder(tmp_path, monkeypatch, random_weights):
    """The current folder: two small pictures and weights."""
    monkeypatch.chdir(tmp_path)
    Image.open(images.sample_path("astronaut")).resize((48, 40)).save("photo.png")
    Image.open(images.sample_path("coffee")).resize((50, 60)).save("painting.jpg")
    pathlib.Path("vgg16.h5").symlink_to(random_weights("vgg16"))
    return tmp_path


def run(*arguments):
    """Flags may be given as one string."""
    return main.run([flag for each in arguments for flag in each.split()])


TRANSFER = (
    "transfer --content=photo.png --style=painting.jpg --weights=vgg16.h5 --size=40 --steps=2 "
    "--style_layers=relu1_1,relu2_1 --content_layers=relu2_1"
)
TEXTURE = "texture --source=painting.jpg --weights=vgg16.h5 --size=24x32 --steps=2"
INVERT = "invert --image=photo.png --layer=relu2_1 --weights=vgg16.h5 --size=40 --steps=2"


def files():
    return sorted(path.name for path in pathlib.Path().iterdir())


def read(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def flat(settings):
    """Return the settings, with those of their parts among them."""
    inner = [flat(value) for value in settings.values() if isinstance(value, dict)]
    return {name: value for each in (*inner, settings) for name, value in each.items()}


def assert_report(report, *, steps, terms):
    assert set(report) >= REPORT_KEYS
    assert report["steps"] == steps == len(report["losses"])
    assert sum(level["steps"] for level in report["levels"]) == steps
    for losses in report["losses"]:
        assert list(losses) == ["total", *terms]
        # The total is their sum, in float32.
        assert losses["total"] == pytest.approx(sum(losses[name] for name in terms), rel=1e-5)
    assert report["seconds_per_step"] == pytest.approx(report["seconds"] / steps)
    assert 0 < report["seconds"] < 600
    assert 100 < report["peak_rss_mb"] < 100_000  # TensorFlow alone takes 300
    assert report["versions"]["stylezoo"] == stylezoo.__version__
    assert report["versions"]["tensorflow"] == tf.__version__
    assert set(report["versions"]) >= {"python", "keras", "numpy", "pillow"}
    assert report["device"].startswith(("CPU", "GPU"))


def test_transfer(folder, capsys):
    assert run(TRANSFER, "--smallest=20 --output=out.png --report=out.json --seed=3") == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "transfer: 100%" in captured.err  # the progress bar
    assert "4/4" in captured.err
    assert images.read_image("out.png").shape == (1, 33, 40, 3)
    report = read("out.json")
    assert_report(report, steps=4, terms=["content", "style"])
    assert [(each["height"], each["width"]) for each in report["levels"]] == [(16, 20), (33, 40)]
    settings = report["settings"]
    assert settings["type"] == "TransferConfig"
    assert (settings["size"], settings["seed"]) == (40, 3)
    assert settings["objective"]["perceptual"]["weights"] == "vgg16.h5"
    assert settings["objective"]["style_layers"] == ["relu1_1", "relu2_1"]
    assert settings["optimizer"]["type"] == "LBFGS"
    assert settings["optimizer"]["memory"] > 0
    assert settings["schedule"] == {
        "type": "Schedule",
        "smallest": 20,
        "initial_steps": 2,
        "steps": 2,
        "middle_steps": 2,
    }
    assert report["flags"]["content"] == "photo.png"
    assert report["flags"]["style"] == ["painting.jpg"]


def test_report_of_settings_that_were_not_given(folder):
    flags = "--content=photo.png --style=painting.jpg --weights=vgg16.h5 --size=40 --steps=1"
    assert run("transfer", flags, "--output=out.png --report=out.json --optimizer=adam") == 0
    settings = read("out.json")["settings"]
    objective = settings["objective"]
    assert objective["content_layers"] == ["relu4_2"]
    assert objective["style_layers"] == ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    assert settings["optimizer"] == {
        "type": "Adam",
        "learning_rate": 0.02,
        "beta_1": 0.9,
        "beta_2": 0.99,
        "epsilon": 1e-8,
    }


def test_every_flag_of_transfer_reaches_its_setting(folder):
    Image.fromarray(np.full([40, 48], 255, np.uint8)).save("white.png")
    given = {
        "content_weight": 2.5,
        "style_weight": 3.5,
        "tv_weight": 0.5,
        "style_scale": 1.5,
        "style_loss": "moments",
        "pooling": "avg",
        "preserve_color": "luminance",
        "dream_layer": "relu1_2",
        "dream_weight": 0.25,
        "average_decay": 0.5,
        "tolerance": 0.125,
        "tile": 16,
        "seed": 9,
    }
    flags = " ".join(f"--{name}={value}" for name, value in given.items())
    more = "--masks=white.png --style_weights=2 --init=noise --optimizer=adam --learning_rate=0.01"
    output = "--output=out.webp --quality=80 --report=out.json --smallest=40"
    assert run(TRANSFER, flags, more, output) == 0
    report = read("out.json")
    settings = flat(report["settings"])
    assert {name: settings[name] for name in given} == given
    assert settings["init"] == "noise"
    assert settings["optimizer"]["learning_rate"] == 0.01
    assert list(report["losses"][0]) == ["total", "content", "style_1", "tv", "dream"]
    assert Image.open("out.webp").format == "WEBP"
    # Only luminance changed: chroma of photo and result agree to WebP's 4:2:0 and quantisation.
    result, photo = images.read_image("out.webp"), images.read_image("photo.png")
    photo = images.resize(photo, (33, 40))
    difference = tf.image.rgb_to_yiq(result) - tf.image.rgb_to_yiq(photo)
    assert np.mean(np.abs(difference[..., 1:])) < 0.3 * np.mean(np.abs(difference[..., 0]))


def test_init_from_a_picture(folder):
    Image.new("RGB", (48, 40), (200, 100, 50)).save("start.png")
    assert run(TRANSFER, "--init=start.png --steps=0 --output=out.png --report=out.json") == 0
    expected = np.broadcast_to(np.float32([200, 100, 50]) / 255, (1, 33, 40, 3))
    np.testing.assert_array_equal(images.read_image("out.png"), expected)
    report = read("out.json")
    assert report["steps"] == 0
    assert report["seconds_per_step"] is None


def test_presets(folder):
    outputs = {}
    for preset in ("fast", "gatys2016-paper", "gatys2016-code"):
        flags = f"--preset={preset} --network=vgg16 --output={preset}.png --report={preset}.json"
        assert run(TRANSFER, flags) == 0
        outputs[preset] = flat(read(f"{preset}.json")["settings"])
    assert outputs["gatys2016-paper"]["init"] == "noise"
    assert outputs["gatys2016-paper"]["pooling"] == "avg"
    assert outputs["gatys2016-code"]["scaling"] == "gatys2016-code"
    assert outputs["fast"]["scaling"] == "relative"


def test_an_objective_takes_the_place_of_the_presets(folder):
    flags = "--preset=gatys2016-paper --objective=cnnmrf2016-code --network=vgg16 --style_weight=3"
    assert run(TRANSFER, flags, "--output=out.png --report=out.json") == 0
    settings = read("out.json")["settings"]
    assert settings["init"] == "noise"
    objective = OBJECTIVES["cnnmrf2016-code"]
    given = flat(settings["objective"])
    assert (given["scaling"], given["style_loss"]) == ("cnnmrf2016-code", "mrf")
    assert (given["network"], given["style_weight"]) == ("vgg16", 3)
    assert (given["content_weight"], given["patch_scales"]) == (20, objective.patches.patch_scales)


def test_the_same_command_gives_the_same_picture(folder):
    for output in ("first.png", "second.png"):
        assert run(TRANSFER, f"--init=noise --seed=4 --output={output}") == 0
    first, second = (pathlib.Path(name).read_bytes() for name in ("first.png", "second.png"))
    assert first == second


def test_flagfile(folder):
    pathlib.Path("my.flags").write_text(
        "# how I like it\n" + "\n".join(TRANSFER.split()[1:]) + "\n--seed=4\n", encoding="utf-8"
    )
    assert run("transfer --flagfile=my.flags --steps=1 --output=out.png --report=out.json") == 0
    report = read("out.json")
    assert report["settings"]["seed"] == 4
    assert report["steps"] == 1  # what comes later counts
    assert run(TRANSFER, "--steps=1 --seed=4 --output=same.png") == 0
    assert pathlib.Path("out.png").read_bytes() == pathlib.Path("same.png").read_bytes()


def test_save_every(folder):
    assert run(TRANSFER, "--smallest=20 --save_every=2 --output=out.png") == 0
    new = [name for name in files() if name.startswith("out")]
    assert new == ["out.png", "out_00002.png", "out_00004.png"]
    assert images.read_image("out_00002.png").shape == (1, 16, 20, 3)
    # The last of them is the result.
    assert pathlib.Path("out_00004.png").read_bytes() == pathlib.Path("out.png").read_bytes()
    assert run(TRANSFER, "--smallest=20 --save_every=2 --output=out.png") == 1
    assert run(TRANSFER, "--smallest=20 --save_every=2 --output=out.png --overwrite") == 0


def test_save_every_does_not_mind_other_pictures(folder):
    pathlib.Path("out_2.png").write_bytes(b"someone else's")
    assert run(TRANSFER, "--save_every=1 --output=out.png") == 0
    assert pathlib.Path("out_2.png").read_bytes() == b"someone else's"


def test_overwrite(folder, capsys):
    for name in ("out.png", "out.json"):
        pathlib.Path(name).write_bytes(b"precious")
    assert run(TRANSFER, "--output=out.png --report=new.json") == 1
    assert run(TRANSFER, "--output=new.png --report=out.json") == 1
    assert pathlib.Path("out.png").read_bytes() == b"precious"
    assert "new.png" not in files()
    assert "new.json" not in files()
    assert run(TRANSFER, "--output=out.png --report=out.json --overwrite") == 0
    assert images.read_image("out.png").shape == (1, 33, 40, 3)
    assert read("out.json")["steps"] == 2


@pytest.mark.parametrize("size", ["24x32", "28"])
def test_texture(size, folder):
    assert run(TEXTURE, f"--size={size} --output=out.jpg --report=out.json --quality=90") == 0
    height, _, width = size.partition("x")
    expected = (1, int(height), int(width or height), 3)
    assert images.read_image("out.jpg").shape == expected
    assert Image.open("out.jpg").format == "JPEG"
    report = read("out.json")
    assert_report(report, steps=2, terms=["style"])
    layers = ["relu1_1", "pool1", "pool2", "pool3", "pool4"]
    assert report["settings"]["objective"]["style_layers"] == layers
    assert report["losses"][-1]["total"] < report["losses"][0]["total"]


def test_texture_series(folder, capsys):
    flags = "--series --style_layers=relu1_1,pool1,pool2 --output=t.png --report=t.json"
    assert run(TEXTURE, flags, "--source_size=40 --save_every=2") == 0
    assert [name for name in files() if name.startswith("t")] == [
        "t.json",
        *(
            f"t_{layer}{step}.png"
            for layer in ("pool1", "pool2", "relu1_1")
            for step in ("", "_00002")
        ),
    ]
    reports = read("t.json")
    assert [report["output"] for report in reports] == [
        "t_relu1_1.png",
        "t_pool1.png",
        "t_pool2.png",
    ]
    assert [report["settings"]["objective"]["style_layers"] for report in reports] == [
        ["relu1_1"],
        ["relu1_1", "pool1"],
        ["relu1_1", "pool1", "pool2"],
    ]
    for report in reports:
        assert_report(report, steps=2, terms=["style"])


def test_texture_match_histogram(folder):
    assert run(TEXTURE, "--match_histogram --output=out.png") == 0
    result, source = images.read_image("out.png"), images.read_image("painting.jpg")
    for quantile in (0.1, 0.5, 0.9):
        np.testing.assert_allclose(
            np.quantile(result, quantile, axis=(0, 1, 2)),
            np.quantile(source, quantile, axis=(0, 1, 2)),
            atol=0.02,  # 768 values
        )


CNNMRF = "--method=cnnmrf --patch_stride=1 --patch_scales=1 --patch_rotations=0 --match_memory=4"


def test_transfer_by_patches(folder):
    """Each flag is in force, masks of a painting's parts and tiles included."""
    for name, size in (("sky.png", (48, 40)), ("blue.png", (50, 60))):
        half = np.zeros(size[::-1], np.uint8)
        half[: size[1] // 2] = 255
        Image.fromarray(half).save(name)
    flags = "--content=photo.png --style=painting.jpg --weights=vgg16.h5 --size=40 --smallest=40"
    masks = "--masks=sky.png --style_masks=blue.png --guide_weight=2 --tile=32 --match_every=2"
    assert (
        run("transfer", flags, CNNMRF, masks, "--steps=3 --output=out.png --report=out.json") == 0
    )
    report = read("out.json")
    assert_report(report, steps=3, terms=["content", "style", "tv"])
    objective = report["settings"]["objective"]
    assert objective["style_loss"] == "mrf"
    assert objective["style_layers"] == ["relu2_1", "relu3_1", "relu4_1"]
    assert objective["patches"] == {
        "type": "PatchConfig",
        "patch_size": 3,
        "patch_stride": 1,
        "patch_scales": 1,
        "patch_rotations": 0,
        "match_every": 2,
        "match_memory": 4,
        "guide_weight": 2,
    }


@pytest.mark.parametrize("preset", ["cnnmrf", "cnnmrf2016-code", "cnnmrf2016-paper"])
def test_texture_by_patches(preset, folder):
    Image.open(images.sample_path("brick")).resize((40, 40)).save("brick.png")
    flags = (
        f"--preset={preset} --network=vgg16 --source=brick.png --size=32 --smallest=32 --steps=3"
    )
    more = "--patch_scales=0 --patch_rotations=0 --patch_stride=1"
    assert run(TEXTURE, flags, more, "--output=out.png --report=out.json") == 0
    terms = ["style"] if preset == "cnnmrf" else ["style", "tv"]
    report = read("out.json")
    assert_report(report, steps=3, terms=terms)
    # Matched anew before it, the second is the same loss at a nearer picture, or more alike patches.
    assert report["losses"][-1]["total"] < report["losses"][0]["total"]
    assert Image.open("out.png").mode == "L"  # grey stays grey


def test_a_large_source_is_reduced(folder, monkeypatch):
    flags = "texture --method=efros_leung --window=5 --size=8 --source=painting.jpg"
    assert run(flags, "--output=whole.png") == 0
    monkeypatch.setattr("stylezoo.binaries.texture._SOURCE_SIZE", 24)
    assert run(flags, "--output=reduced.png") == 0
    assert run(flags, "--source_size=24 --output=asked.png") == 0
    whole, reduced, asked = (
        pathlib.Path(f"{name}.png").read_bytes() for name in ("whole", "reduced", "asked")
    )
    assert reduced == asked
    assert whole != asked


@pytest.mark.parametrize("method", ["efros_leung", "wei_levoy"])
def test_texture_pixel_by_pixel(method, folder):
    Image.open(images.sample_path("brick")).resize((30, 30)).save("brick.png")
    flags = f"texture --method={method} --window=5 --seed=2 --size=16x20 --source_size=24"
    for source, output in (("painting.jpg", "colour.png"), ("brick.png", "grey.png")):
        assert run(flags, f"--source={source} --output={output} --report={output}.json") == 0
        report = read(f"{output}.json")
        assert (report["settings"]["window"], report["settings"]["seed"]) == (5, 2)
        assert report["seconds"] > 0
        assert Image.open(output).size == (20, 16)
        known = images.resize_longest_side(images.read_image(source), 24).numpy()
        known = np.round(known * 255).reshape(-1, 3).astype(np.uint8)
        made = np.round(images.read_image(output) * 255).reshape(-1, 3).astype(np.uint8)
        assert {tuple(pixel) for pixel in made} <= {tuple(pixel) for pixel in known}
    assert Image.open("grey.png").mode == "L"
    assert Image.open("colour.png").mode == "RGB"


def test_texture_fills_holes(folder):
    mask = np.zeros([60, 50], np.uint8)
    mask[10:16, 20:30] = 255
    Image.fromarray(mask).save("hole.png")
    flags = "texture --method=efros_leung --window=5 --source=painting.jpg --mask=hole.png"
    assert run(flags, "--at_once=4 --epsilon=0.2 --output=out.png") == 0
    before, after = images.read_image("painting.jpg"), images.read_image("out.png")
    changed = np.any(before != after, axis=-1)[0]
    assert changed[mask > 0].mean() > 0.5
    assert not changed[mask == 0].any()


def test_invert(folder):
    assert run(INVERT, "--steps=6 --output=out.png --report=out.json --tv_beta=1") == 0
    assert images.read_image("out.png").shape == (1, 33, 40, 3)
    report = read("out.json")
    assert_report(report, steps=6, terms=["content", "tv"])
    settings = report["settings"]
    assert (settings["layer"], settings["tv_beta"]) == ("relu2_1", 1)
    assert settings["tv_weight"] > 0  # the one in force, not the null of "by depth"
    assert report["losses"][-1]["total"] < report["losses"][0]["total"]


def test_weights_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STYLEZOO_HOME", str(tmp_path))
    assert run("weights list") == 0
    assert capsys.readouterr().out.startswith("NAME")
    assert run("weights list --json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert "vgg16.torchvision_lpips" in [row["name"] for row in rows]
    assert run("weights verify") == 0
    assert capsys.readouterr().out == "Nothing is cached.\n"


@pytest.mark.weights
def test_transfer_with_the_pretrained_network(folder, pretrained):
    name = pretrained("vgg16.torchvision_lpips")
    flags = f"--content=photo.png --style=painting.jpg --weights={name} --size=64 --smallest=64"
    assert run("transfer", flags, "--steps=12 --output=out.png --report=out.json") == 0
    totals = [losses["total"] for losses in read("out.json")["losses"]]
    assert totals[-1] < 0.5 * totals[0]  # after the first step
    result, photo = images.read_image("out.png"), images.read_image("photo.png")
    difference = np.mean(np.abs(result - images.resize(photo, (53, 64))))
    assert 0.01 < difference < 0.3  # changed, and still the photograph


def test_usage(capsys):
    assert run("--help") == 0
    usage = capsys.readouterr().out
    assert run("help") == 0
    assert capsys.readouterr().out == usage
    assert main.run([]) == 2
    assert capsys.readouterr().out == usage
    for command in main.COMMANDS:
        assert re.search(rf"^  {command} +[A-Z]", usage, re.MULTILINE)
    assert run("--version") == 0
    assert capsys.readouterr().out == f"{stylezoo.__version__}\n"


# Of the others, each part has flags of its own: test_binaries_visualize.py.
WITH_FLAGS = [name for name in main.COMMANDS if not hasattr(main._module(name), "SUBCOMMANDS")]


@pytest.mark.parametrize("command", WITH_FLAGS)
@pytest.mark.parametrize("flag", ["--help", "-h", "--helpfull"])
def test_help_lists_the_flags(command, flag, capsys):
    assert run(command, flag) == 0
    text = capsys.readouterr().out
    assert text.startswith(main.inspect.getdoc(main._module(command)))
    for name in main._flag_values(main._module(command)):
        assert re.search(rf"^  --(\[no\])?{name}$", text, re.MULTILINE)


PROMISED = {
    "transfer": "content style output style_weights size preset network content_weight style_weight "
    "tv_weight style_scale pooling style_loss content_layers style_layers optimizer steps init "
    "preserve_color masks style_masks method patch_stride match_every match_memory "
    "dream_layer dream_weight tile seed save_every report overwrite",
    "texture": "source output size seed report style_layers method preset window mask tileable "
    "match_memory",
    "invert": "image layer output",
}


@pytest.mark.parametrize("command", PROMISED)
def test_promised_flags(command):
    assert set(PROMISED[command].split()) <= set(main._flag_values(main._module(command)))


SCRIPT = pathlib.Path(sys.executable).with_name("stylezoo")


@pytest.mark.parametrize("arguments", ["--help", "transfer --help", "weights list"])
def test_help_does_not_import_tensorflow(arguments):
    script = (
        "import sys\n"
        "from stylezoo.binaries import main\n"
        "status = main.run(sys.argv[1:])\n"
        # keras itself may be there as a module that loads when it is used.
        "heavy = {'tensorflow', 'keras.src', 'h5py'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "sys.exit(status)"
    )
    command = [sys.executable, "-c", script, *arguments.split()]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stderr) == (0, "")
    assert len(process.stdout.splitlines()) > 4


def test_no_help_imports_what_it_does_not_need():
    """One process serves all commands, since what one imports would be there for the next ones too."""
    script = (
        "import sys\n"
        "from stylezoo.binaries import main\n"
        "assert main.run(['--help']) == 0\n"
        "assert not [name for name in main.COMMANDS if f'stylezoo.binaries.{name}' in sys.modules]\n"
        "for name in main.COMMANDS:\n"
        "    parts = getattr(main._module(name), 'SUBCOMMANDS', ())\n"
        "    for arguments in [[name, part] for part in parts] or [[name]]:\n"
        "        assert main.run([*arguments, '--help']) == 0\n"
        "        heavy = {'tensorflow', 'keras.src', 'h5py'} & set(sys.modules)\n"
        "        assert not heavy, (arguments, heavy)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.count("Flags:") > len(WITH_FLAGS)


def test_reader_that_goes_away():
    """The reader of the output goes away, as in `stylezoo transfer --help | head`."""
    process = subprocess.Popen(
        [SCRIPT, "transfer", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1
