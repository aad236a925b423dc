"""A folder with all that a user needs for every command, and with files of every kind that can hurt."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import struct
import zlib

import hostile_files
import labelled_fakes
import networks
import numpy as np
from PIL import Image

from stylezoo import classifiers, generators, images, video

EXPORTS = pathlib.Path(__file__).parents[2] / "exports"


def make(folder, random_weights):
    """Fill a folder; ``random_weights`` gives the path of weights of a network without a head."""
    with contextlib.chdir(folder):
        for name in ("photos", "empty", "folder.png", "tmp", "taken", "mixed", "broken"):
            pathlib.Path(name).mkdir()
        _good_pictures()
        _good_weights(random_weights)
        _good_models()
        _bad_pictures()
        _bad_weights()
        _bad_models()
        _bad_clips()
        _bad_texts()


def _good_pictures():
    photo = Image.open(images.sample_path("astronaut")).resize((48, 40))
    photo.save("photo.png")
    for name in ("a", "b"):
        photo.save(f"photos/{name}.png")
    Image.open(images.sample_path("coffee")).resize((50, 60)).save("painting.jpg")
    shutil.copy("painting.jpg", "waves.jpg")
    Image.open("painting.jpg").resize((48, 40)).save("painted.png")
    labelled_fakes.folder(pathlib.Path("pictures"), number=3)
    frames = [images.read_image("photo.png")] * 3
    video.write_clip("clip.mkv", video.at_rate(frames), video.Timing.constant(25))


def _good_weights(random_weights):
    pathlib.Path("vgg16.h5").symlink_to(random_weights("vgg16"))
    pathlib.Path("alexnet.h5").symlink_to(random_weights("alexnet_owt"))
    tensors = networks.he_tensors(classifiers.shapes("squeezenet1_1"))
    networks.write(pathlib.Path("squeeze.h5"), "squeezenet1_1", tensors)
    tensors = networks.he_tensors(classifiers.shapes("lenet5", num_classes=3))
    networks.write(
        pathlib.Path("lenet.h5"),
        "lenet5",
        tensors,
        preprocessing=classifiers.get("lenet5").preprocessing,
    )


def _good_models():
    config = generators.LightConfig((2, 3), num_blocks=0, num_styles=2)
    generators.build(config, styles=("waves", "night")).save_to_preset("model")
    config = generators.TextureNetworkConfig(channels=2, num_scales=2)
    generators.build(config, styles=("stones",)).save_to_preset("texture")
    pathlib.Path("exports").symlink_to(EXPORTS)


def _chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(width, height, data=b"", *, depth=8, colour=2):
    """A PNG file of any size, with what it says it has or not."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _bad_pictures():
    whole = pathlib.Path("painting.jpg").read_bytes()
    photo = pathlib.Path("photo.png").read_bytes()
    for name, data in {
        "empty.png": b"",
        "text.png": b"no picture\n",
        "page.jpg": b"<html><body>Not found</body></html>",
        "cut.jpg": whole[: len(whole) // 2],
        "cut.png": photo[: len(photo) // 2],
        "head.jpg": whole[:20],
        "bomb.png": png(20_000, 20_000),
        "flat.png": png(0, 10),
        "endless.png": png(2**31 - 1, 1),
        "hollow.png": png(40, 40),
        "odd.png": png(40, 40, b"\0" * 5000, depth=7, colour=5),
        "archive.zip.png": hostile_files.fakes.save({}),
        "sparse.gif": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"\x3b",
        "header.webp": b"RIFF\xff\xff\xff\x7fWEBPVP8 ",
        "broken/a.png": b"no picture\n",
        "existing.png": b"precious",
        "existing.json": b"precious",
        "file": b"precious",
    }.items():
        pathlib.Path(name).write_bytes(data)
    os.mkfifo("pipe.png")
    pathlib.Path("loop.png").symlink_to("loop.png")
    pathlib.Path("nowhere.png").symlink_to("missing/picture.png")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.png")


def _bad_weights():
    for name, make_file in hostile_files.FILES.items():
        pathlib.Path(f"{name}.pth").write_bytes(make_file())
    with pathlib.Path("vgg16.h5").open("rb") as whole:
        pathlib.Path("cut.h5").write_bytes(whole.read(5000))
    for name, data in {
        "text.h5": b"no weights\n",
        "empty.h5": b"",
        "header.safetensors": struct.pack("<Q", 2**62) + b"{}",
        "list.safetensors": struct.pack("<Q", 2) + b"[]",
        "zip.pth": b"PK\x03\x04" + bytes(100),
        "code.pth": hostile_files.fakes.save({}, data=b"cos\nsystem\n(S'true'\ntR."),
    }.items():
        pathlib.Path(name).write_bytes(data)
    tensors = networks.he_tensors(classifiers.shapes("lenet5", num_classes=3))
    networks.write(
        pathlib.Path("strange.h5"), "lenet5", {"strange/kernel": np.zeros([2, 2], np.float32)}
    )
    networks.write(
        pathlib.Path("nan.h5"), "lenet5", {name: each * np.nan for name, each in tensors.items()}
    )


def _bad_models():
    config = json.loads(pathlib.Path("model/config.json").read_text(encoding="utf-8"))
    inner = config["config"]["config"]

    def changed(**changes):
        return json.dumps(
            {**config, "config": {**config["config"], "config": {**inner, **changes}}}
        )

    def styled(styles):
        return json.dumps({**config, "config": {**config["config"], "styles": styles}})

    texts = {
        "nothing": "",
        "no_json": "{",
        "null": "null",
        "list": "[1, 2]",
        "number": "1e999",
        "nested": "[" * 100_000,
        "other_class": json.dumps({**config, "class_name": "os.system"}),
        "class_is_a_list": json.dumps({**config, "class_name": [1]}),
        "no_config": json.dumps({"class_name": config["class_name"]}),
        "config_is_text": json.dumps({**config, "config": "x"}),
        "unknown_field": changed(strange=1),
        "wide": changed(widths=[10**9, 10**9]),
        "deep": changed(num_blocks=10**9),
        "negative": changed(widths=[-1, 3]),
        "nan": changed(widths=[float("nan"), 3]),
        "text_for_number": changed(num_blocks="many"),
        "null_for_number": changed(num_blocks=None),
        "large_number": changed(num_blocks=10**4000),
        "other_styles": styled(["one"]),
        "styles_are_numbers": styled([1, 2]),
        "styles_are_null": styled(None),
        "same_styles": styled(["waves", "waves"]),
        "style_is_empty": styled(["", "night"]),
    }
    for name, text in texts.items():
        shutil.copytree("model", f"models/{name}")
        pathlib.Path(f"models/{name}/config.json").write_text(text, encoding="utf-8")
    weights = pathlib.Path("model/model.weights.h5").read_bytes()
    for name, data in {
        "cut": weights[: len(weights) // 2],
        "empty": b"",
        "text": b"no weights",
        "others": pathlib.Path("lenet.h5").read_bytes(),
    }.items():
        shutil.copytree("model", f"models/weights_{name}")
        pathlib.Path(f"models/weights_{name}/model.weights.h5").write_bytes(data)
    for name, file in (("config", "config.json"), ("weights", "model.weights.h5")):
        for kind in ("gone", "device", "pipe"):
            path = shutil.copytree("model", f"models/{name}_{kind}") / pathlib.Path(file)
            path.unlink()
            if kind == "device":
                path.symlink_to("/dev/zero")
            elif kind == "pipe":
                os.mkfifo(path)


def _bad_clips():
    whole = pathlib.Path("clip.mkv").read_bytes()
    pathlib.Path("head.mkv").write_bytes(whole[:100])
    pathlib.Path("text.mp4").write_bytes(b"no clip\n")
    pathlib.Path("empty.mp4").write_bytes(b"")
    os.mkfifo("pipe.mp4")
    shutil.copy("photo.png", "mixed/1.png")
    Image.open("photo.png").resize((20, 30)).save("mixed/2.png")


def _bad_texts():
    pathlib.Path("binary.txt").write_bytes(b"\xff\xfe\x00")
    pathlib.Path("binary.flags").write_bytes(b"\xff\xfe\x00")
    pathlib.Path("wrong.flags").write_text("--nonsense=1\n", encoding="utf-8")
    pathlib.Path("circle.flags").write_text("--flagfile=circle.flags\n", encoding="utf-8")
    pathlib.Path("bad.jsonl").write_text("[1]\n", encoding="utf-8")
    pathlib.Path("taken/config.json").write_text('{"task": "other"}', encoding="utf-8")
