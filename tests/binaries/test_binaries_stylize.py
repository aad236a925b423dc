"""`stylezoo stylize` end to end with small random models."""

import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from snapshots import snapshot

from stylezoo import batch, generators, images, painting
from stylezoo.binaries import main


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Presets: one and several styles, and painters that paint no photographs."""
    folder = tmp_path_factory.mktemp("models")
    configs = {
        "one": generators.JohnsonConfig((2, 3, 4), num_blocks=1, kernel=3),
        "two": generators.LightConfig((3, 4), num_blocks=1, num_styles=2),
        "any": generators.ArbitraryConfig(
            (2, 3, 4), num_blocks=1, kernel=3, prediction_width=0.05, style_size=32
        ),
        "noise": generators.TextureNetworkConfig(stylize=True, channels=2, num_scales=2),
        "texture": generators.TextureNetworkConfig(channels=2, num_scales=2),
        "superres": generators.SuperResolutionConfig(width=2, num_blocks=1),
    }
    styles = {"two": ("waves", "night"), "superres": (), "any": ()}
    random = np.random.default_rng(0)
    for name, config in configs.items():
        painter = generators.build(config, styles=styles.get(name, ("waves",)))
        for layer in painting.normalization_layers(painter):
            for variable in layer.weights:
                variable.assign(random.uniform(0.5, 1.5, variable.shape))
        painter.save_to_preset(folder / name)
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory, models):
    """Return a folder of photographs good and bad, and models."""
    folder = tmp_path_factory.mktemp("files")
    shutil.copytree(models, folder, dirs_exist_ok=True)
    with contextlib.chdir(folder):
        photo = Image.open(images.sample_path("astronaut"))
        photo.resize((48, 40)).save("photo.png")
        pathlib.Path("trip").mkdir()
        photo.resize((48, 40)).save("trip/a.png")
        photo.resize((48, 40)).rotate(90).save("trip/b.JPG")
        photo.resize((40, 48)).save("trip/c.webp")
        pathlib.Path("trip/notes.txt").write_text("not a picture", encoding="utf-8")
        pathlib.Path("trip/folder.png").mkdir()
        pathlib.Path("mixed").mkdir()
        shutil.copy("photo.png", "mixed/a.png")
        shutil.copy("photo.png", "mixed/z.png")
        data = pathlib.Path("trip/b.JPG").read_bytes()
        pathlib.Path("mixed/cut.jpg").write_bytes(data[: len(data) // 2])
        pathlib.Path("mixed/text.png").write_text("no picture\n", encoding="utf-8")
        pathlib.Path("other").mkdir()
        shutil.copy("photo.png", "other/photo.png")
        pathlib.Path("empty").mkdir()
        pathlib.Path("full").mkdir()
        for name in ("full/c.webp", "existing.png", "existing.json"):
            pathlib.Path(name).write_bytes(b"precious\n")
        pathlib.Path("text.png").write_text("no picture\n", encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch, files):
    """Make a copy of ``files`` the current folder."""
    shutil.copytree(files, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    """Flags may be given as one string."""
    return main.run(["stylize", *(flag for each in arguments for flag in each.split())])


def read(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def pixels(path):
    return images.read_image(path)


def paint(model, photograph, style=None, **options):
    return generators.load(model).paint(photograph, style=style, **options)


def assert_painted(path, expected):
    """Compare pictures to the rounding to 8 bits."""
    np.testing.assert_allclose(pixels(path), expected, rtol=0, atol=0.51 / 255)


def test_a_photograph(folder, capsys):
    assert run("photo.png --model=one --output=out.png --report=out.json") == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "1/1" in captured.err  # the progress bar
    assert_painted("out.png", paint("one", pixels("photo.png")))
    report = read("out.json")
    (row,) = report["pictures"]
    assert 0 < row.pop("seconds") <= report["seconds"]
    assert row == {
        "input": "photo.png",
        "output": "out.png",
        "height": 40,
        "width": 48,
        "tiling": "none",
    }
    assert report["failed"] == 0
    assert report["styles"] == {"waves": 1.0}
    assert report["generator"]["type"] == "JohnsonConfig"
    assert report["flags"]["model"] == "one"
    assert {"versions", "device", "peak_rss_mb"} <= set(report)


@pytest.mark.parametrize(
    ("style", "shares"),
    [("night", {"night": 1.0}), ("night:3,waves:1", {"night": 0.75, "waves": 0.25})],
)
def test_styles(style, shares, folder):
    assert run(f"photo.png --model=two --style={style} --output=out.png --report=out.json") == 0
    assert_painted("out.png", paint("two", pixels("photo.png"), style))
    assert read("out.json")["styles"] == shares


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_folder(batch_size, folder):
    flags = f"--batch_size={batch_size} --report=out.json"
    assert run("trip --model=two --style=night --output=out", flags) == 0
    # Names and formats are the photographs'.
    assert sorted(each.name for each in pathlib.Path("out").iterdir()) == [
        "a.png",
        "b.JPG",
        "c.webp",
    ]
    assert [row["output"] for row in read("out.json")["pictures"]] == [
        "out/a.png",
        "out/b.JPG",
        "out/c.webp",
    ]
    assert_painted("out/a.png", paint("two", pixels("trip/a.png"), "night"))
    for name in ("b.JPG", "c.webp"):
        assert pixels(f"out/{name}").shape == pixels(f"trip/{name}").shape


def test_patterns_and_several_arguments(folder):
    pathlib.Path("out").mkdir()
    arguments = ["trip/[ab].*", "photo.png", "trip/b.JPG", "./photo.png"]
    assert run(*arguments, "--model=one --output=out --format=png") == 0
    names = sorted(each.name for each in pathlib.Path("out").iterdir())
    assert names == ["a.png", "b.png", "photo.png"]


def test_a_file_whose_name_is_a_pattern(folder):
    shutil.copy("photo.png", "photo[1].png")
    assert run("photo[1].png --model=one --output=out") == 0
    assert pathlib.Path("out/photo[1].png").exists()


def test_flags_of_the_picture(folder):
    flags = "--size=100 --preserve_color --tiling=exact --tile=30 --seed=3 --report=out.json"
    assert run("photo.png --model=noise --output=out.png", flags) == 0
    photograph = images.resize(pixels("photo.png"), (83, 100)).numpy()
    options = {"preserve_color": True, "tiling": "exact", "tile": 30, "seed": 3}
    assert_painted("out.png", paint("noise", photograph, **options))
    assert read("out.json")["pictures"][0]["tiling"] == "exact"


def test_what_can_not_be_read_is_skipped(folder, capsys):
    flags = "--model=one --output=out --report=out.json --batch_size=2"
    assert run("mixed", flags) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("stylezoo stylize: error: 2 of 4 pictures failed: ")
    assert re.search("`mixed/cut.jpg` is not an image that can .*; `mixed/text.png` is not", line)
    assert sorted(each.name for each in pathlib.Path("out").iterdir()) == ["a.png", "z.png"]
    report = read("out.json")
    assert report["failed"] == 2
    assert {row["input"]: "error" in row for row in report["pictures"]} == {
        "mixed/a.png": False,
        "mixed/cut.jpg": True,
        "mixed/text.png": True,
        "mixed/z.png": False,
    }


def test_what_can_not_be_written_is_named(folder, capsys, monkeypatch):
    write = images.write_image

    def fail(path, *arguments, **options):
        if path.name == "b.JPG":
            raise OSError(28, "No space left on device")
        write(path, *arguments, **options)

    monkeypatch.setattr(images, "write_image", fail)
    assert run("trip --model=one --output=out") == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("stylezoo stylize: error: 1 of 3 pictures failed: ")
    assert "No space left" in line
    assert sorted(each.name for each in pathlib.Path("out").iterdir()) == ["a.png", "c.webp"]


def test_overwrite(folder):
    assert run("trip --model=one --output=full --overwrite") == 0
    assert pixels("full/c.webp").shape == (1, 48, 40, 3)


TRIP = "trip --model=one --output=out --manifest=out.jsonl"


def rows():
    return batch.read_rows(pathlib.Path("out.jsonl").read_text(encoding="utf-8").splitlines())


def test_shards_share_the_pictures(folder):
    for index, names in enumerate((["a.png", "c.webp"], ["b.JPG"])):
        assert run("trip --model=one", f"--shard={index}/2 --output=out{index}") == 0
        assert sorted(each.name for each in pathlib.Path(f"out{index}").iterdir()) == names
    assert run("trip --model=one --shard=3/4 --output=out3") == 0
    assert not pathlib.Path("out3").exists()


def test_a_manifest_tells_what_is_painted(folder):
    assert run("mixed --model=one --output=out --manifest=out.jsonl --size=24") == 1
    found = rows()
    assert sorted(found) == ["mixed/a.png", "mixed/cut.jpg", "mixed/text.png", "mixed/z.png"]
    assert "is not an image" in found["mixed/text.png"].error
    row = found["mixed/a.png"]
    assert (row.output, row.width, row.height, row.error) == ("out/a.png", 24, 20, None)
    assert row.milliseconds > 0


def test_what_a_manifest_has_is_not_painted_again(folder, monkeypatch):
    assert run(TRIP, "--shard=0/2") == 0
    before = rows()
    written = []
    write = images.write_image
    monkeypatch.setattr(
        images,
        "write_image",
        lambda path, *arguments, **options: (
            written.append(path.name),
            write(path, *arguments, **options),
        ),
    )
    assert run(TRIP) == 0
    assert written == ["b.JPG"]
    assert rows() == before | {"trip/b.JPG": rows()["trip/b.JPG"]}
    # A painting that was deleted since is painted again, and so is one whose line was cut off.
    pathlib.Path("out/a.png").unlink()
    manifest = pathlib.Path("out.jsonl")
    manifest.write_text(manifest.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    pathlib.Path("out/b.JPG").unlink()
    assert run(TRIP) == 0
    assert written == ["b.JPG", "a.png", "b.JPG"]
    assert len(rows()) == 3


BAD = [
    ("", "expected photographs: pictures, folders or patterns"),
    ("missing.png", "`missing.png` does not exist"),
    ("photo.png missing.png", "`missing.png` does not exist"),
    ("trip/*.tif", r"`trip/\*.tif` matches no file"),
    ("empty", r"`empty` must hold pictures \(.*\.png"),
    ("text.png", "error: `text.png` is not an image that can be decoded"),
    ("trip --output=out.png", "`--output` must be a folder for 3 pictures. Received: out.png"),
    ("trip --output=existing.json", "`--output` must be a folder for 3 pictures"),
    ("trip --output=missing/out", "`missing/out` cannot be written: `missing` does not exist"),
    ("trip --output=full", "`full/c.webp` already exists. Give another path, or `--overwrite`"),
    (
        "photo.png other",
        "`photo.png` and `other/photo.png` would both be written to `out/photo.png`",
    ),
    ("trip/a.png trip/c.webp photo.png mixed/a.png --format=bmp", "would both be written"),
    ("photo.png --output=existing.png", "`existing.png` already exists"),
    ("photo.png --output=out.xyz", r"`out.xyz` must end in one of .*\.png"),
    ("photo.png --output=missing/out.png", "`missing` does not exist"),
    ("photo.png --output=out.png --format=jpg", "`--format` must come with a folder as --output"),
    ("photo.png --output=", "`--output` must be given"),
    ("photo.png --format=gif", "format"),
    ("photo.png --report=existing.json", "`existing.json` already exists"),
    ("photo.png --report=out.txt", r"`out.txt` must end in one of \.json"),
    (
        "photo.png --model=missing",
        "`--model` must be a preset's folder, or one of .*Received: missing",
    ),
    ("photo.png --model=photo.png", "`--model` must be a preset of this version"),
    ("photo.png --model=trip", "`--model` must be a preset's folder, or one of .*Received: trip"),
    ("photo.png --model=texture", "`--model` must be one that paints or enlarges .*textures"),
    ("photo.png --model=superres", "`--style` must not be given to a painter without styles"),
    ("photo.png --style=", "`--style` must be given a value"),
    ("photo.png --style=cubism", "`--style` must be one or more of waves, night.*: cubism"),
    ("photo.png --style=waves:much", "the weight of `waves` must be a number"),
    ("photo.png --style=waves:-1", "weights of `--style` must be finite, >= 0, not all 0"),
    ("photo.png --style=waves:0,night:0", "weights of `--style` must be finite, >= 0, not all 0"),
    ("photo.png --style=waves:2,night:-1", "weights of `--style` must be finite, >= 0"),
    ("photo.png --strength=1.5", "strength"),
    ("photo.png --tiling=slow", "--tiling=slow: value should be one of <auto|none|exact|fast>"),
    ("photo.png --tile=0", "tile"),
    ("photo.png --size=0", "size"),
    ("photo.png --batch_size=0", "batch_size"),
    ("photo.png --quality=0", "quality"),
    *(
        (f"photo.png --shard={shard}", f"`--shard` must be I/N .*Received: {shard}")
        for shard in ("1", "2/2", "-1/2", "0/0", "a/b", "1/2/3")
    ),
    ("photo.png --manifest=existing.json", "line 1 of a manifest must be a row"),
    ("photo.png --manifest=out.txt", r"`out.txt` must end in one of \.jsonl"),
    ("photo.png --manifest=missing/out.jsonl", "`missing` does not exist"),
    ("photo.png --max_pixels=1000", "above the limit of 1000.*`--max_pixels`"),
    ("photo.png --nonsense=1", "Unknown command line flag 'nonsense'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[each[0] for each in BAD])
def test_bad_input(arguments, message, folder, capsys):
    before = snapshot()
    assert run("--model=two --style=night --output=out", arguments) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("stylezoo stylize: error: ")
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err), captured.err
    assert snapshot() == before


def test_several_styles_and_none_named(folder, capsys):
    assert run("photo.png --model=two --output=out.png") == 1
    assert "`--style` must be given: one or more of waves, night" in capsys.readouterr().err


def test_interrupted(folder, capsys, monkeypatch):
    """Pictures that were painted before the error stay."""
    write = images.write_image

    def interrupt(path, *arguments, **options):
        if path.name == "b.JPG":
            raise KeyboardInterrupt
        write(path, *arguments, **options)

    monkeypatch.setattr(images, "write_image", interrupt)
    assert run("trip --model=one --output=out") == 130
    assert capsys.readouterr().err.splitlines()[-1] == "stylezoo stylize: error: interrupted"
    assert [each.name for each in pathlib.Path("out").iterdir()] == ["a.png"]


def test_enlarged(folder):
    assert run("photo.png --model=superres --output=out.png --tile=100 --report=out.json") == 0
    painter = generators.load("superres")
    expected = painter.paint(pixels("photo.png"), tile=100)
    assert expected.shape == (1, 160, 192, 3)
    assert_painted("out.png", expected)
    (row,) = read("out.json")["pictures"]
    assert (row["height"], row["width"], row["tiling"]) == (160, 192, "none")


@pytest.mark.parametrize("option", ["--strength=0.5", "--preserve_color"])
def test_what_is_enlarged_is_not_mixed(option, folder, capsys):
    assert run(f"photo.png --model=superres --output=out.png {option}") == 1
    assert "`--strength` must be 1 and `--preserve_color` False for" in capsys.readouterr().err


def test_strength(folder):
    assert run("photo.png --model=one --strength=0.25 --output=out.png --report=out.json") == 0
    photograph = pixels("photo.png")
    assert_painted("out.png", paint("one", photograph, strength=0.25))
    # A quarter of the way from the photograph to the painting, if not in a straight line.
    whole = np.abs(paint("one", photograph) - photograph).mean()
    assert 0.1 < np.abs(pixels("out.png") - photograph).mean() / whole < 0.4
    assert read("out.json")["styles"] == {"waves": 1.0}


def test_pictures_as_styles(folder):
    shutil.copy("trip/b.JPG", "b,1.jpg")
    command = "photo.png --model=any --style={} --strength=0.5 --output=out.png --report=out.json"
    for style, shares in (
        ("trip/a.png", {"trip/a.png": 1.0}),
        ("b,1.jpg", {"b,1.jpg": 1.0}),
        ("trip/a.png:1,trip/c.webp:3", {"trip/a.png": 0.25, "trip/c.webp": 0.75}),
    ):
        assert run(command.format(style), "--overwrite") == 0
        assert_painted("out.png", paint("any", pixels("photo.png"), style, strength=0.5))
        assert read("out.json")["styles"] == shares


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ("", "`--style` must be given: a picture"),
        ("--style=none.png", "`--style` must be one or more of the files of pictures.*: none.png"),
        ("--style=mixed/text.png", "mixed/text.png"),
        ("--style=trip", "Received: trip"),
    ],
)
def test_bad_pictures_as_styles(style, message, folder, capsys):
    before = snapshot()
    assert run(f"photo.png --model=any --output=out.png {style}") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(message, error), error
    assert snapshot() == before


@pytest.mark.slow
def test_64_million_pixels_in_4_gb(folder):
    """The light network takes 2.5 GB, and half a minute on two idle cores."""
    painter = generators.build(generators.generator_config("light"), styles=("waves",))
    painter.save_to_preset("waves")
    Image.open("photo.png").resize((8000, 8000)).save("large.jpg")
    script = pathlib.Path(sys.executable).with_name("stylezoo")
    flags = ["--model=waves", "--output=out.jpg", "--report=out.json"]
    subprocess.run([script, "stylize", "large.jpg", *flags], check=True)
    report = read("out.json")
    assert report["pictures"][0]["tiling"] == "fast"
    assert report["peak_rss_mb"] < 4000
