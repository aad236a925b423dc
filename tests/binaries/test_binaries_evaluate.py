"""`stylezoo evaluate` end to end on small pictures, with random weights and a small random model."""

import contextlib
import dataclasses
import json
import pathlib
import re
import shutil

import networks
import numpy as np
import pytest
from PIL import Image
from snapshots import snapshot

import stylezoo
from stylezoo import classifiers, evaluation, generators, images
from stylezoo.binaries import main
from stylezoo.evaluation import enlargements, scores
from stylezoo.objectives import Objective
from stylezoo.perceptual import Perceptual
from stylezoo.weights.layouts import LPIPS_HEADS

# The order of float32 sums in another graph.
RTOL = 1e-4

HEADER = "| content loss | style loss | TV | total loss | LPIPS AlexNet | LPIPS VGG-16 |"


@pytest.fixture(scope="module")
def lpips_files(tmp_path_factory):
    """Files of VGG16 and AlexNet with heads of LPIPS, all of it random."""
    random = np.random.default_rng(1)
    files = {}
    for architecture, heads in LPIPS_HEADS.items():
        tensors = networks.he_tensors(classifiers.shapes(architecture, include_top=False))
        for head, shape in heads.items():
            tensors[head] = random.uniform(size=shape).astype(np.float32)
        file = tmp_path_factory.mktemp("lpips") / f"{architecture}.h5"
        files[architecture] = networks.write(file, architecture, tensors)
    return files


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A preset with the styles coffee and retina."""
    config = generators.LightConfig(widths=(4, 8), num_blocks=1, num_styles=2)
    painter = generators.build(config, styles=("coffee", "retina"))
    random = np.random.default_rng(0)
    for variable in generators.style_variables(painter):
        variable.assign(random.uniform(0.5, 1.5, variable.shape))
    painter.training_record = {"style_size": 40}
    folder = tmp_path_factory.mktemp("model") / "model"
    painter.save_to_preset(folder)
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory, lpips_files, model):
    """Return a folder of pictures good and bad, weights and a model."""
    folder = tmp_path_factory.mktemp("files")
    with contextlib.chdir(folder):
        photo = Image.open(images.sample_path("astronaut"))
        photo.resize((48, 40)).save("photo.png")
        photo.resize((96, 80)).save("large.png")
        photo.resize((40, 48)).save("upright.png")
        photo.resize((30, 25)).save("tiny.png")
        photo.resize((48, 6)).save("flat.png")
        for name, size in (("coffee", (50, 60)), ("retina", (60, 44))):
            Image.open(images.sample_path(name)).convert("RGB").resize(size).save(f"{name}.jpg")
        Image.open("coffee.jpg").resize((48, 40)).save("painted.png")
        pathlib.Path("text.png").write_text("no picture\n", encoding="utf-8")
        pathlib.Path("photos").mkdir()
        shutil.copy("photo.png", "photos/b.png")
        shutil.copy("upright.png", "photos/a.PNG")
        pathlib.Path("photos/notes.txt").write_text("not a picture", encoding="utf-8")
        pathlib.Path("empty").mkdir()
        pathlib.Path("damaged").mkdir()
        shutil.copy("photo.png", "damaged/a.png")
        shutil.copy("text.png", "damaged/b.png")
        shutil.copy("coffee.jpg", "other.jpg")
        pathlib.Path("more").mkdir()
        shutil.copy("coffee.jpg", "more/coffee.png")
        pathlib.Path("existing.png").write_bytes(b"precious")
        pathlib.Path("existing.json").write_bytes(b"precious")
        pathlib.Path("vgg16.h5").symlink_to(lpips_files["vgg16"])
        pathlib.Path("model").symlink_to(model)
        textures = generators.TextureNetworkConfig(channels=2, num_scales=2)
        generators.build(textures, styles=("coffee",)).save_to_preset("texture")
        superres = generators.SuperResolutionConfig(width=2, num_blocks=1, normalization="none")
        generators.build(superres).save_to_preset("superres")
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch, files, lpips_files):
    """Make a copy of ``files`` the current folder; LPIPS has random weights."""
    shutil.copytree(files, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    lpips = evaluation.Lpips
    for module in (scores, enlargements):
        monkeypatch.setattr(module, "Lpips", lambda name: lpips(name, weights=lpips_files[name]))
    return tmp_path


def run(*arguments):
    """Flags may be given as one string."""
    return main.run(["evaluate", *(flag for each in arguments for flag in each.split())])


PICTURE = "--picture=painted.png --content=photo.png --style=coffee.jpg --weights=vgg16.h5"
MODEL = (
    "--model=model --content=photos --style_images=coffee.jpg,retina.jpg --size=36 "
    "--weights=vgg16.h5"
)


def rows(table):
    """Return the cells by the first of each row, without the header."""
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line[:1] == "|"]
    return {cells[0]: cells[1:] for cells in lines[2:]}


def read(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def as_scores(values):
    return evaluation.Scores(**values)


def assert_close(one, other):
    for field in ("content", "style", "tv", "total"):
        # Absolutely, where the pictures are equal but for float32.
        assert getattr(one, field) == pytest.approx(getattr(other, field), rel=RTOL, abs=1e-6)
    assert one.lpips == pytest.approx(other.lpips, rel=RTOL, abs=1e-6)


def judge_of(content, styles, *, weights="vgg16.h5"):
    objective = Objective(Perceptual(weights=weights))
    return evaluation.Judge(objective, photographs=content, styles=styles)


def test_picture(folder, capsys):
    assert run(PICTURE, "--report=out.json") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    header, rule, row, empty, description = captured.out.splitlines()
    assert header == f"| picture {HEADER}"
    assert re.fullmatch(r"\| --- \|( ---: \|){6}", rule)
    assert empty == ""
    assert description == (
        "Objective relative, vgg16 (vgg16.h5): content relu4_2 x 1, style relu1_1, relu2_1, "
        "relu3_1, relu4_1, relu5_1 x 10, TV x 0. Compared at 48x40 px. Style pictures: longest side 48 px."
    )
    report = read("out.json")
    style = images.resize_longest_side(images.read_image("coffee.jpg"), 48)
    expected = judge_of({"photo": images.read_image("photo.png")}, {"coffee": style}).scores(
        images.read_image("painted.png"), photograph="photo", style="coffee"
    )
    assert_close(as_scores(report["scores"]), expected)
    assert expected.content > 0.1
    assert row == f"| painted.png | {' | '.join(rows(captured.out)['painted.png'])} |"
    assert rows(captured.out)["painted.png"] == [
        *(f"{report['scores'][name]:.4g}" for name in ("content", "style", "tv", "total")),
        *(f"{report['scores']['lpips'][name]:.3f}" for name in ("alexnet_owt", "vgg16")),
    ]
    program, command, *flags = report["command"].split()
    assert (program, command) == ("stylezoo", "evaluate")
    assert sorted(flags) == sorted([*PICTURE.split(), "--report=out.json"])
    assert report["versions"]["stylezoo"] == stylezoo.__version__
    assert report["objective"]["perceptual"]["weights"] == "vgg16.h5"
    assert (report["size"], report["style_size"]) == ([40, 48], 48)


def test_a_photograph_is_resized_to_the_picture(folder):
    assert run(PICTURE, "--picture=photo.png --content=large.png --report=out.json") == 0
    # Of the same picture at twice the size, however it was made smaller.
    assert read("out.json")["scores"]["content"] < 0.3
    assert run(PICTURE, "--picture=large.png --report=larger.json") == 0
    assert read("larger.json")["size"] == [80, 96]
    assert read("larger.json")["style_size"] == 96


def test_a_large_picture_is_compared_at_a_smaller_size(folder, monkeypatch):
    assert run(PICTURE, "--picture=large.png --size=48 --report=asked.json") == 0
    assert read("asked.json")["size"] == [40, 48]
    monkeypatch.setattr("stylezoo.binaries.evaluate._LARGEST", 72)
    assert run(PICTURE, "--picture=large.png --report=large.json") == 0
    assert read("large.json")["size"] == [60, 72]
    assert run(PICTURE, "--report=small.json") == 0
    assert read("small.json")["size"] == [40, 48]


def test_flags_of_losses(folder, capsys):
    flags = (
        "--objective=dumoulin2017 --weights=vgg16.h5 --content_layers=relu2_2 --tv_weight=3 "
        "--style_layers=relu1_1,relu3_1 --style_weight=2 --content_weight=4 --style_size=40"
    )
    assert run(PICTURE, flags, "--report=out.json") == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Objective dumoulin2017, vgg16 (vgg16.h5): content relu2_2 x 4, style relu1_1, relu3_1 x 2, "
        "TV x 3. Compared at 48x40 px. Style pictures: longest side 40 px."
    )
    result = read("out.json")["scores"]
    assert result["total"] == pytest.approx(
        result["content"] + result["style"] + 3 * result["tv"], rel=RTOL
    )


def test_shares_of_layers(folder, capsys):
    one = "--style_layers=relu1_1 --style_weight=4 --report=one.json"
    assert run(PICTURE, one) == 0
    both = "--style_layers=relu1_1,relu3_1 --style_layer_weights=1,0 --style_weight=4"
    assert run(PICTURE, both, "--report=both.json") == 0
    expected = read("one.json")["scores"]["style"]
    assert read("both.json")["scores"]["style"] == pytest.approx(expected, rel=RTOL)
    last = capsys.readouterr().out.splitlines()[-1]
    assert "style relu1_1 (1), relu3_1 (0) x 4, TV" in last


def test_model(folder, capsys, model):
    assert run(MODEL, "--sheet=out.png --report=out.json") == 0
    captured = capsys.readouterr()
    assert "paint: 100%" in captured.err
    assert "4/4" in captured.err
    assert "optimise" not in captured.err
    table = rows(captured.out)
    assert captured.out.startswith(f"| style {HEADER}\n")
    assert list(table) == ["coffee", "retina", "all"]
    assert captured.out.splitlines()[-1] == (
        "Means over 2 photographs, centre squares of 36 px. Objective relative, vgg16 (vgg16.h5): "
        "content relu4_2 x 1, style relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 x 10, TV x 0. "
        "Style pictures: longest side 40 px."
    )
    report = read("out.json")
    assert (report["size"], report["style_size"]) == (36, 40)  # the model's own

    generator = generators.load(model)
    photographs = {
        name: images.centre_square(images.read_image(f"photos/{name}"), 36)
        for name in ("a.PNG", "b.png")
    }
    styles = {
        name: images.resize_longest_side(images.read_image(f"{name}.jpg"), 40)
        for name in ("coffee", "retina")
    }
    judge = judge_of(photographs, styles)
    paintings = evaluation.paint_and_score(generator, judge)
    assert [(each["style"], each["photograph"]) for each in report["paintings"]] == [
        (each.style, each.photograph) for each in paintings
    ]
    for mine, expected in zip(report["paintings"], paintings, strict=True):
        assert_close(as_scores(mine["scores"]), expected.scores)
        assert mine["optimizations"] == {}
    for name, summary in evaluation.summarize(paintings).items():
        assert_close(as_scores(report["summaries"][name]["scores"]), summary.scores)
        assert table[name][3] == f"{report['summaries'][name]['scores']['total']:.4g}"
    # Two rows of the photograph and two paintings, as 8-bit pixels.
    sheet = images.read_image("out.png")
    expected = evaluation.paintings_sheet(judge, paintings)
    assert sheet.shape == expected.shape == (1, 2 * 36 + 4, 3 * 36 + 2 * 4, 3)
    np.testing.assert_allclose(sheet, expected, atol=0.5 / 255 + 1e-4)


def test_against_steps(folder, capsys):
    assert run(MODEL, "--against_steps=1,3 --styles=retina --seed=7 --report=out.json") == 0
    captured = capsys.readouterr()
    assert "optimise: 100%" in captured.err
    assert "12/12" in captured.err  # 2 photographs, 2 starts, 3 steps
    first, _, table, description = captured.out.split("\n\n")
    report = read("out.json")
    summary = report["summaries"]["retina"]
    total = f"{summary['scores']['total']:.4g}"
    cells = [total]
    for start in ("noise", "photograph"):
        courses = [each["optimizations"][start]["totals"] for each in report["paintings"]]
        assert {len(totals) for totals in courses} == {4}
        worths = [each["optimizations"][start]["worth"] for each in report["paintings"]]
        for painting, totals, worth in zip(report["paintings"], courses, worths, strict=True):
            assert worth == evaluation.worth_in_steps(totals, painting["scores"]["total"])
        means = np.mean(courses, axis=0)
        cells += [f"{means[1]:.4g}", f"{means[3]:.4g}"]
        for kind, average in (("mean", np.mean), ("median", np.median)):
            expected = evaluation.average_worth(worths, limit=3, average=average)
            assert summary["worths"][start][kind] == dataclasses.asdict(expected)
            cells.append(str(expected))
    assert rows(first)["retina"][3] == total
    assert rows(table) == {"retina": cells}
    noise, photograph = cells[3], cells[7]
    assert (
        f"Least: {noise} from noise (retina), {photograph} from photograph (retina)." in description
    )

    judge = judge_of(
        {"a.PNG": images.centre_square(images.read_image("photos/a.PNG"), 36)},
        {"retina": images.resize_longest_side(images.read_image("retina.jpg"), 40)},
    )
    starts = evaluation.starting_pictures(judge.photographs["a.PNG"], seed=7)
    for start, picture in starts.items():
        losses = judge.losses(picture, photograph="a.PNG", style="retina")
        course = report["paintings"][0]["optimizations"][start]["totals"]
        assert course[0] == pytest.approx(losses["total"], rel=RTOL)
        assert course[0] > course[1] > course[3]


SUPERRES = "--model=superres --content=photos --size=64"


def test_super_resolution(folder, capsys):
    assert run(SUPERRES, "--sheet=sheet.png --report=out.json") == 0
    out = capsys.readouterr().out
    table, report = rows(out), read("out.json")
    assert list(table) == ["a.PNG", "b.png", "mean"]
    squares = {
        name: images.centre_square(images.read_image(f"photos/{name}"), 64)
        for name in ("a.PNG", "b.png")
    }
    expected = evaluation.enlarge_and_score(stylezoo.load("superres"), squares)
    assert evaluation.enlargements_table(expected) in out
    assert "Centre squares of 64 px, reduced and enlarged 4 times." in out
    for found, each in zip(report["enlargements"], expected, strict=True):
        assert found["photograph"] == each.photograph
        for key, likeness in (("model", each.likeness), ("bicubic", each.bicubic_likeness)):
            assert found[key]["psnr"] == pytest.approx(likeness.psnr, rel=RTOL)
            assert found[key]["lpips"] == pytest.approx(likeness.lpips, rel=RTOL)
    assert report["size"] == 64
    sheet = evaluation.enlargements_sheet(expected, squares)
    assert images.read_image("sheet.png").shape == sheet.shape


def test_styles_in_the_order_asked_for(folder, capsys):
    assert run(MODEL, "--styles=retina,coffee --style_size=36") == 0
    assert list(rows(capsys.readouterr().out)) == ["retina", "coffee", "all"]


def test_sizes_that_were_not_given(folder):
    """A model without a record is evaluated at 256 px, photographs and paintings alike."""
    config = generators.JohnsonConfig(widths=(2, 2, 2), num_blocks=0)
    generators.build(config, styles=("coffee",)).save_to_preset("plain")
    pathlib.Path("photos/a.PNG").unlink()
    flags = "--model=plain --content=photos --style_images=coffee.jpg --weights=vgg16.h5"
    assert run(flags, "--report=out.json --sheet=out.png") == 0
    assert (read("out.json")["size"], read("out.json")["style_size"]) == (256, 256)
    assert images.read_image("out.png").shape == (1, 256, 2 * 256 + 4, 3)


def test_overwrite(folder):
    pathlib.Path("out.json").write_bytes(b"precious")
    assert run(PICTURE, "--report=out.json") == 1
    assert pathlib.Path("out.json").read_bytes() == b"precious"
    assert run(PICTURE, "--report=out.json --overwrite") == 0
    assert read("out.json")["scores"]


@pytest.fixture
def idle(monkeypatch):
    """Fail the test if anything is about to be painted or scored."""

    def untouchable(*_, **__):
        pytest.fail("began to work before it found the error")

    for name in ("scores", "losses"):
        monkeypatch.setattr(evaluation.Judge, name, untouchable)


UNREADABLE = [
    ("missing.png", "`missing.png` does not exist"),
    ("text.png", "`text.png` is not an image that can be decoded"),
    ("photos", "`photos` is a folder, not a file"),
]
BAD_PICTURE = [
    *(
        (f"--{flag}={path}", message)
        for flag in ("picture", "content", "style")
        for path, message in UNREADABLE
    ),
    ("--content=", "`--content` must be given"),
    ("--style=", "`--style` must be given"),
    ("--picture=", "`--picture` must be given a value"),
    ("--model=model", "either `--picture` or `--model` must be given"),
    (
        "--content=upright.png",
        "`--picture` must have the aspect ratio of --content. "
        "Received: painted.png of 48x40 px and upright.png of 40x48 px",
    ),
    ("--picture=tiny.png", "`photo.png` must be at least 31x31 px .* Received: 30x25 px"),
    ("--style=flat.png", "`flat.png` must be at least 16x16 px for the layer relu5_1"),
    ("--style_size=7", "`coffee.jpg` must be at least 16x16 px"),
    ("--styles=coffee", "`--styles` must come with --model"),
    ("--style_images=coffee.jpg", "`--style_images` must come with --model"),
    ("--against_steps=1", "`--against_steps` must come with --model"),
    ("--seed=1", "`--seed` must come with --model"),
    ("--sheet=out.png", "`--sheet` must come with --model"),
]
BAD_MODEL = [
    ("--model=missing", "`--model` must be a preset's folder, or one of .*Received: missing"),
    ("--model=vgg16.h5", "`--model` must be a preset of this version"),
    ("--model=text.png", "`--model` must be a preset of this version"),
    ("--model=texture --style_images=coffee.jpg", "`--model` must be one of photographs in styles"),
    ("--content=", "`--content` must be given"),
    ("--content=missing", "`--content` must be a folder. Received: missing"),
    ("--content=photo.png", "`--content` must be a folder. Received: photo.png"),
    ("--content=empty", r"`--content` must hold pictures \(.*\.png.*Received: empty"),
    ("--content=damaged", "`damaged/b.png` is not an image that can be decoded"),
    ("--style_images=", "`--style_images` must be given"),
    ("--style_images=coffee.jpg", "a picture for each style. Missing: retina"),
    (
        "--style_images=coffee.jpg,retina.jpg,other.jpg",
        "named like the model's styles, coffee, retina. Received: other",
    ),
    (
        "--style_images=coffee.jpg,retina.jpg,more/coffee.png",
        "different names. Received: coffee.jpg, retina.jpg, more/coffee.png",
    ),
    ("--style_images=coffee.jpg,missing/retina.jpg", "`missing/retina.jpg` does not exist"),
    ("--styles=cubism", "`--styles` must be among the painter's, coffee, retina. Received: cubism"),
    ("--style=coffee.jpg", "`--style` must come with --picture"),
    ("--size=0", "size"),
    ("--size=30", "`a.PNG` must be at least 31x31 px"),
    ("--style_size=7", "`coffee` must be at least 16x16 px"),
    *(
        (f"--against_steps={steps}", "`--against_steps` must be increasing integers >= 1")
        for steps in ("0", "0,1", "2,1", "1,1", "-1", "1.5", "many", "1,,2")
    ),
    (f"--against_steps={2**63}", "`--against_steps` must be <= 2,147,483,647"),
    ("--seed=-1", "seed"),
    ("--sheet=existing.png", "`existing.png` already exists"),
    ("--sheet=out.xyz", r"`out.xyz` must end in one of .*\.png"),
    ("--sheet=missing/out.png", "`missing` does not exist"),
    ("--quality=0", "quality"),
]
BAD_SUPERRES = [
    ("--size=66", "`--size` must be a multiple of 4 for superres. Received: 66"),
    ("--size=8", "`a.PNG` must be at least 31x31 px"),
    ("--style_images=coffee.jpg", "`--style_images` must come with a model that has styles"),
    ("--against_steps=1", "`--against_steps` must come with a model that has styles"),
    ("--network=vgg19", "`--network` must come with a model that has styles"),
    ("--objective=relative", "`--objective` must come with a model that has styles"),
    ("--content=empty", r"`--content` must hold pictures"),
    ("--sheet=existing.png", "`existing.png` already exists"),
    ("--report=existing.json", "`existing.json` already exists"),
]
BAD = [
    (
        "--report=existing.json",
        "`existing.json` already exists. Give another path, or `--overwrite`",
    ),
    ("--report=out.txt", r"`out.txt` must end in one of \.json"),
    ("--report=missing/out.json", "`missing` does not exist"),
    ("--objective=gatys", "`--objective` must be one of relative, gatys2016-paper, .*: gatys$"),
    ("--network=vgg99", "vgg16, vgg19.*Received.*vgg99"),
    ("--weights=missing.h5", "`--weights` must be 'imagenet', one of .*'missing.h5'"),
    ("--style_layers=relu9_9", "`--style_layers` of vgg16 must be among .*: relu9_9"),
    ("--max_pixels=1000", "above the limit of 1000.*`--max_pixels`"),
    ("--nonsense=1", "Unknown command line flag 'nonsense'"),
    ("junk", "expected flags only. Received: junk"),
]


@pytest.mark.parametrize(
    ("good", "flags", "message"),
    [
        pytest.param(good, flags, message, id=f"{name} {flags}")
        for name, good, cases in (
            ("picture", PICTURE, BAD + BAD_PICTURE),
            ("model", MODEL, BAD + BAD_MODEL),
            ("superres", SUPERRES, BAD_SUPERRES),
        )
        for flags, message in cases
    ],
)
def test_bad_input(good, flags, message, folder, idle, capsys):
    before = snapshot()
    assert run(good, flags) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("stylezoo evaluate: error: ")
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err), captured.err
    assert snapshot() == before


def test_nothing_given(capsys):
    assert run() == 1
    assert "either `--picture` or `--model` must be given" in capsys.readouterr().err


def test_a_model_that_is_broken(folder, capsys, model):
    """There is one line, no table, and nothing is written."""
    generator = generators.load(model)
    kernel = generator.get_layer("conv_out").kernel
    kernel.assign(np.full(kernel.shape, np.nan, np.float32))
    generator.save_to_preset("broken")
    before = snapshot()
    assert run(MODEL, "--model=broken --sheet=out.png --report=out.json") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "stylezoo evaluate: error: `--model` must be a preset of this version. "
        "Received: broken (its weights conv_out/kernel are NaN or infinite)\n"
    )
    assert snapshot() == before
