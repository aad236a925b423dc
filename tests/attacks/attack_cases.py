"""Bad input for every flag of every command, made of the commands' own flags.

A case is a call of a command that is good but for one flag or argument. What values are bad follows from
the flag's type, and for a text from what it is the name of (``KINDS``).
"""

import itertools
import random
from typing import NamedTuple

import hostile_files
from absl import flags

from stylezoo.binaries import main

_OPTIMISED = "--weights=vgg16.h5 --size=40 --steps=1 --output=out.png"
_TRAINED = (
    "--weights=alexnet.h5 --network=alexnet_owt --content_layers=relu2 --steps=1 --batch_size=1 "
    "--image_size=48 --width=0.25 --run=run --precision=float32"
)
_SQUEEZE = "--network=squeezenet1_1 --weights=squeeze.h5 --output=out.png"
_PAINTED = "--model=model --style=waves"
GOOD = {
    "transfer": f"--content=photo.png --style=painting.jpg {_OPTIMISED}",
    "transfer_video": f"clip.mkv --style=painting.jpg {_OPTIMISED.replace('.png', '.mkv')} --frame_steps=1",
    "texture": f"--source=photo.png {_OPTIMISED}",
    "invert": f"--image=photo.png --layer=relu1_1 {_OPTIMISED}",
    "train_style": (
        f"--styles=painting.jpg --content=photos --generator=light {_TRAINED} --style_layers=relu1"
    ),
    "train_texture": f"--source=painting.jpg {_TRAINED} --style_layers=relu1".replace(
        "--content_layers=relu2", ""
    ),
    "train_superres": f"--content=photos {_TRAINED}",
    "train_classifier": "--network=lenet5 --dataset=pictures --run=run --steps=1 --batch_size=2",
    "stylize": f"photo.png {_PAINTED} --output=out.png",
    "batch": f"--input=photos/*.png {_PAINTED} --output=out --workers=1",
    "video": f"clip.mkv {_PAINTED} --output=out.mkv",
    "live": "clip.mkv --model=model --port=0 --size=24",
    "web": "--exports=exports --output=out",
    "evaluate": "--picture=painted.png --content=photo.png --style=painting.jpg --weights=vgg16.h5",
    "evaluate_classifier": "--network=lenet5 --weights=lenet.h5 --dataset=pictures",
    "classify": "photo.png --network=squeezenet1_1 --weights=squeeze.h5",
    "export": "--model=model --output=out",
    "verify_export": "exports/light/light_256x256_float16.tflite",
    "serve_config": "--exports=exports",
    "client": "photo.png --url=http://127.0.0.1:9 --model=model --output=out.jpg --retries=0",
    "models": "light",
    "weights": "import --file=alexnet.h5 --architecture=alexnet_owt --output=out.h5",
    "visualize_filters": "--network=alexnet_owt --weights=alexnet.h5 --output=out.png",
    "visualize_attribution": f"--image=photo.png --class=flamingo {_SQUEEZE}",
    "visualize_activation": f"--class=flamingo --size=40 --steps=1 {_SQUEEZE}",
    "visualize_inversion": f"--image=photo.png --layers=relu1 --size=40 --steps=1 {_SQUEEZE}",
    "visualize_dream": f"--image=photo.png --layers=fire2 --steps=1 --octaves=1 {_SQUEEZE}",
    "visualize_activations": f"--image=photo.png --layer=fire2 {_SQUEEZE}",
    "visualize_fooling": f"--image=photo.png --class=flamingo --size=60 --steps=1 {_SQUEEZE}",
    "visualize_neighbours": f"--images=photos --image=photo.png --size=60 {_SQUEEZE}",
    "visualize_map": f"--images=photos --size=60 {_SQUEEZE}",
    "visualize_report": f"--image=photo.png --size=60 {_SQUEEZE.replace('.png', '.html')}",
    "train_prior": (
        "--content=photos --network=squeezenet1_1 --weights=squeeze.h5 --run=run --steps=1 --batch_size=2 "
        "--image_size=64 --precision=float32 --comparators=squeezenet1_1:fire3"
    ),
}
_MODEL_EVALUATED = (
    "--model=model --content=photos --style_images=waves.jpg --styles=waves --size=40 "
    "--weights=vgg16.h5"
)
_MATCHED = f"{GOOD['transfer']} --method=cnnmrf"
_TFLITE = f"{GOOD['export']} --format=tflite --image_size=16x16"
# Calls in which a flag has an effect, where it has none in the command's own.
_OTHERS = {
    ("transfer", "guide_weight"): f"{_MATCHED}",
    ("transfer", "learning_rate"): f"{GOOD['transfer']} --optimizer=adam",
    ("transfer", "match_every"): _MATCHED,
    ("transfer", "match_memory"): _MATCHED,
    ("transfer", "patch_rotations"): _MATCHED,
    ("transfer", "patch_scales"): _MATCHED,
    ("transfer", "patch_size"): _MATCHED,
    ("transfer", "patch_stride"): _MATCHED,
    ("transfer", "style_masks"): f"{GOOD['transfer']} --masks=photo.png",
    ("texture", "model"): "--model=texture --output=out.png --size=40",
    ("texture", "window"): "--method=efros_leung --source=photo.png --output=out.png --size=40",
    ("texture", "epsilon"): "--method=efros_leung --source=photo.png --output=out.png --size=40",
    ("texture", "at_once"): "--method=efros_leung --source=photo.png --output=out.png --size=40",
    ("texture", "mask"): "--method=efros_leung --source=photo.png --output=out.png",
    ("texture", "coherence"): "--method=wei_levoy --source=photo.png --output=out.png --size=40",
    ("texture", "max_leaves"): "--method=wei_levoy --source=photo.png --output=out.png --size=40",
    ("texture", "search"): "--method=wei_levoy --source=photo.png --output=out.png --size=40",
    ("train_style", "finetune_style"): GOOD["train_style"]
    .replace("--generator=light", "")
    .replace("--width=0.25", ""),
    ("stylize", "format"): f"photos {_PAINTED} --output=out",
    ("stylize", "shard"): f"photos {_PAINTED} --output=out",
    ("stylize", "manifest"): f"photos {_PAINTED} --output=out",
    ("batch", "network"): "--input=photos/*.png --task=classify --output=out --workers=1",
    ("batch", "top"): "--input=photos/*.png --task=classify --output=out --workers=1",
    ("video", "stability"): f"{GOOD['video']} --stabilize",
    ("evaluate", "against_steps"): _MODEL_EVALUATED,
    ("evaluate", "model"): _MODEL_EVALUATED,
    ("evaluate", "sheet"): _MODEL_EVALUATED,
    ("evaluate", "size"): _MODEL_EVALUATED,
    ("evaluate", "style_images"): _MODEL_EVALUATED,
    ("evaluate", "styles"): _MODEL_EVALUATED,
    ("web", "port"): "--exports=exports",
    ("evaluate", "clip"): "--clip=clip.mkv --painted=clip.mkv",
    ("evaluate", "painted"): "--clip=clip.mkv --painted=clip.mkv",
    ("evaluate", "frames"): "--clip=clip.mkv --painted=clip.mkv",
    ("evaluate", "frame_rate"): "--clip=photos --painted=photos",
    ("export", "photographs"): f"{_TFLITE} --quantize=int8",
    ("export", "image_size"): _TFLITE,
    ("export", "quantize"): _TFLITE,
    ("visualize_attribution", "channel"): GOOD["visualize_attribution"].replace(
        "--class=flamingo", "--layer=relu1"
    ),
    ("visualize_attribution", "direction"): GOOD["visualize_attribution"].replace(
        "--class=flamingo", "--layer=relu1"
    ),
    ("visualize_attribution", "position"): GOOD["visualize_attribution"].replace(
        "--class=flamingo", "--layer=relu1 --channel=1"
    ),
    ("visualize_attribution", "samples"): f"{GOOD['visualize_attribution']} --method=smoothgrad",
    ("visualize_attribution", "noise"): f"{GOOD['visualize_attribution']} --method=smoothgrad",
    (
        "visualize_attribution",
        "steps",
    ): f"{GOOD['visualize_attribution']} --method=integrated_gradients",
    ("visualize_activation", "channel"): GOOD["visualize_activation"].replace(
        "--class=flamingo", "--layer=relu1"
    ),
    ("visualize_activation", "direction"): GOOD["visualize_activation"].replace(
        "--class=flamingo", "--layer=relu1"
    ),
    (
        "visualize_activation",
        "diversity_weight",
    ): f"{GOOD['visualize_activation']} --diversity_layer=relu1",
    (
        "visualize_activation",
        "diversity_layer",
    ): f"{GOOD['visualize_activation']} --diversity_weight=1",
    ("visualize_activation", "blur_every"): f"{GOOD['visualize_activation']} --blur=1",
    ("visualize_activation", "position"): GOOD["visualize_activation"].replace(
        "--class=flamingo", "--layer=relu1 --channel=1"
    ),
    ("visualize_attribution", "cam_layer"): f"{GOOD['visualize_attribution']} --method=grad_cam",
    ("visualize_filters", "images"): f"{GOOD['visualize_filters']} --layer=relu2",
    ("evaluate_classifier", "seed"): f"{GOOD['evaluate_classifier']} --validation_fraction=0.5",
    ("visualize_activation", "facets"): f"{GOOD['visualize_activation']} --images=photos",
    ("visualize_filters", "top"): f"{GOOD['visualize_filters']} --images=photos --layer=relu2",
    (
        "visualize_filters",
        "patch_size",
    ): f"{GOOD['visualize_filters']} --images=photos --layer=relu2",
    ("visualize_dream", "frame_rate"): f"{GOOD['visualize_dream']} --zoom_frames=2".replace(
        "out.png", "out.gif"
    ),
    ("visualize_dream", "zoom"): f"{GOOD['visualize_dream']} --zoom_frames=2".replace(
        "out.png", "out.gif"
    ),
}
# Positional arguments, by the text that they take the place of.
_POSITIONAL = {
    "transfer_video": ("clip.mkv", "clip"),
    "stylize": ("photo.png", "picture"),
    "video": ("clip.mkv", "clip"),
    "live": ("clip.mkv", "clip"),
    "classify": ("photo.png", "picture"),
    "verify_export": ("exports/light/light_256x256_float16.tflite", "export"),
    "client": ("photo.png", "sent file"),
    "models": ("light", "name"),
    "weights": ("import", "name"),
}

_NUMBERS = ("nan", "many", "", "-1", "0", str(2**63))
_TEXTS = ("", "no_such_name", "\0", "é\udcff", "x" * 5000, "%s{0}")
_PICTURES = (
    *(
        "missing.png",
        "folder.png",
        "pipe.png",
        "socket.png",
        "loop.png",
        "nowhere.png",
        "/dev/zero",
    ),
    *(
        "/dev/full",
        "empty.png",
        "text.png",
        "page.jpg",
        "cut.jpg",
        "cut.png",
        "head.jpg",
        "bomb.png",
    ),
    *("flat.png", "endless.png", "hollow.png", "odd.png", "archive.zip.png", "sparse.gif"),
    *(
        "header.webp",
        "",
        "caf\udce9\udcff.png",
        "x" * 300,
        "photo.png/x.png",
        "large_memo_in_zip.pth",
    ),
)
_MODELS = (
    *("nothing", "no_json", "null", "list", "number", "nested", "other_class", "class_is_a_list"),
    *("no_config", "config_is_text", "unknown_field", "wide", "deep", "negative", "nan"),
    *("text_for_number", "null_for_number", "large_number", "other_styles"),
    *("styles_are_numbers", "styles_are_null", "same_styles", "style_is_empty", "weights_cut"),
    *("weights_empty", "weights_text", "weights_others", "config_gone", "config_device"),
    *("config_pipe", "weights_gone", "weights_device", "weights_pipe"),
)
_WEIGHTS = (
    *(
        "missing.h5",
        "folder.png",
        "pipe.png",
        "/dev/zero",
        "loop.png",
        "empty.h5",
        "text.h5",
        "cut.h5",
    ),
    *("photo.png", "header.safetensors", "list.safetensors", "zip.pth", "code.pth", "strange.h5"),
    *("nan.h5", "", "no_such_name", "\0", "caf\udce9.h5", "x" * 300),
    *(f"{name}.pth" for name in hostile_files.FILES),
)
_OUTPUTS = (
    *(
        "",
        "missing/out",
        "photo.png/out",
        "file/out",
        "/proc/out",
        "/dev/full/out",
        "out\0",
        "x" * 300,
    ),
    *("loop.png/out",),
)
_FOLDERS = (
    "",
    "missing",
    "empty",
    "broken",
    "pipe.png",
    "file",
    "/dev/zero",
    "loop.png",
    "\0",
    "x" * 300,
)
# The bad values of texts, by what they are the names of.
KINDS = {
    "picture": _PICTURES,
    "clip": (
        *(
            "missing.mp4",
            "text.mp4",
            "empty.mp4",
            "pipe.mp4",
            "head.mkv",
            "empty",
            "mixed",
            "broken",
        ),
        *(
            "/dev/zero",
            "loop.png",
            "nowhere.png",
            "bomb.png",
            "endless.png",
            "caf\udce9.mp4",
            "*.none",
        ),
    ),
    "sent file": (
        *("missing.png", "folder.png", "loop.png", "nowhere.png"),
        *("", "x" * 300, "photo.png/x.png"),
    ),
    "folder": _FOLDERS,
    "weights": _WEIGHTS,
    "model": (*(f"models/{name}" for name in _MODELS), *_FOLDERS, "photo.png", "empty/..", "../.."),
    "export": (*_FOLDERS, "text.tflite", "photo.png", "model", "exports", "exports/light"),
    "output": (
        *(f"{name}.png" if name else "" for name in _OUTPUTS),
        "out.xyz",
        "folder.png",
        "existing.png",
    ),
    "clip output": (*(f"{name}.mkv" if name else "" for name in _OUTPUTS), "out.xyz", "folder.png"),
    "report": (*(f"{name}.json" if name else "" for name in _OUTPUTS), "out.txt", "existing.json"),
    "made folder": (*_OUTPUTS, "file", "pipe.png"),
    "run": (*_OUTPUTS, "file", "taken", "pipe.png"),
    "text file": (
        "",
        "missing.txt",
        "pipe.png",
        "/dev/zero",
        "folder.png",
        "binary.txt",
        "empty.png",
    ),
    "layers": ("", "no_such_layer", "\0", "é\udcff", ",", "relu1,,relu2", "x" * 5000),
    "numbers": (*_NUMBERS, "1,x", ",", "1,nan"),
    "name": _TEXTS,
}
_A_FEW = 6
# The flags, or arguments, that get all bad values of a kind.
FIRST = {
    "picture": ("transfer", "content"),
    "clip": ("video", "clip.mkv"),
    "folder": ("train_style", "content"),
    "weights": ("classify", "weights"),
    "model": ("stylize", "model"),
    "export": ("verify_export", "exports/light/light_256x256_float16.tflite"),
    "output": ("invert", "output"),
    "clip output": ("video", "output"),
    "report": ("invert", "report"),
    "made folder": ("batch", "output"),
    "run": ("train_texture", "run"),
    "text file": ("classify", "labels"),
    "layers": ("transfer", "style_layers"),
    "numbers": ("transfer", "style_layer_weights"),
    "name": ("texture", "preset"),
    "sent file": ("client", "photo.png"),
}
# What a flag's text is the name of; that of all others is a "name".
_KIND_OF = {
    **dict.fromkeys(
        [
            "content",
            "guide",
            "image",
            "mask",
            "masks",
            "picture",
            "source",
            "start",
            "style_images",
            "style_masks",
        ],
        "picture",
    ),
    **dict.fromkeys(
        ["data_dir", "exports", "held_out", "images", "photographs", "input", "dataset"], "folder"
    ),
    **dict.fromkeys(["file", "init_weights", "weights"], "weights"),
    **dict.fromkeys(["finetune_style", "model"], "model"),
    **dict.fromkeys(["clip", "painted"], "clip"),
    **dict.fromkeys(["confusion", "output", "plot", "sheet"], "output"),
    **dict.fromkeys(["content_layers", "layers", "style_layers", "layer"], "layers"),
    **dict.fromkeys(
        ["against_steps", "style_layer_weights", "style_weights", "offsets"], "numbers"
    ),
    "labels": "text file",
    "report": "report",
    "run": "run",
}
_KIND_OF_ONE = {
    ("transfer", "style"): "picture",
    ("transfer_video", "style"): "picture",
    ("evaluate", "style"): "picture",
    ("train_style", "styles"): "picture",
    ("train_style", "content"): "folder",
    ("train_superres", "content"): "folder",
    ("client", "model"): "name",
    ("transfer_video", "output"): "clip output",
    ("video", "output"): "clip output",
    ("batch", "output"): "made folder",
    ("export", "output"): "made folder",
    ("web", "output"): "made folder",
}
_FLAG_FILES = (
    "missing.flags",
    "folder.png",
    "pipe.png",
    "/dev/zero",
    "binary.flags",
    "wrong.flags",
    "circle.flags",
)


class Case(NamedTuple):
    """A bad call: the command, its arguments, and what its message may name, one of which it must."""

    command: str
    arguments: tuple[str, ...]
    named: tuple[str, ...]

    @property
    def id(self):
        """A short name, for reports."""
        return f"{self.command} {ascii(self.arguments[-1])[1:-1][:60]}"


def shown(value):
    """Return a value as messages show it, its beginning."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in value)[:50]


def flags_of(command):
    """Return the flags of a command by their names, without those of every program."""
    values = main._flag_values(main._module(command))
    return {name: values[name] for name in sorted(values) if name not in ("flagfile", "undefok")}


def commands():
    """Return all commands and subcommands, by the names of their modules."""
    for name in main.COMMANDS:
        below = getattr(main._module(name), "SUBCOMMANDS", ())
        yield from (f"{name}_{each}" for each in below) if below else (name,)


def _values(command, name, flag):
    if flag.boolean:
        return ("maybe", "")
    if isinstance(flag.parser, flags.IntegerParser):
        return (*_NUMBERS, "1.5")
    if isinstance(flag.parser, flags.FloatParser):
        return (*_NUMBERS, "-inf", "1e999")
    return _some(command, name, _KIND_OF_ONE.get((command, name), _KIND_OF.get(name, "name")))


def _some(command, name, kind):
    """Return all bad values of a kind for its first flag, and a few for every other."""
    values = KINDS[kind]
    if FIRST[kind] == (command, name) or len(values) <= _A_FEW:
        return values
    return random.Random(f"{command} {name}").sample(values, _A_FEW)


def _cases_of_flags(command):
    for name, flag in flags_of(command).items():
        good = _OTHERS.get((command, name), GOOD[command]).split()
        for value in _values(command, name, flag):
            named = [f"--{name}", "flag --"]
            named += [shown(value)] if value else []
            yield Case(command, (*good, f"--{name}={value}"), tuple(named))


def _other_cases(command):
    good = GOOD[command].split()
    for path in _FLAG_FILES:
        yield Case(
            command, (*good, f"--flagfile={path}"), (path, "nonsense", "decode", "flag files")
        )
    yield Case(command, (*good, "--no_such_flag=1"), ("no_such_flag",))
    if command in _POSITIONAL:
        replaced, kind = _POSITIONAL[command]
        others = tuple(each for each in good if each != replaced)
        for value in _some(command, replaced, kind):
            yield Case(command, (*others, value), (shown(value), "expected", "NAME"))


def cases():
    """Return all cases, those whose value is a good one left out."""
    made = itertools.chain(
        *(itertools.chain(_cases_of_flags(name), _other_cases(name)) for name in commands())
    )
    return [case for case in made if not is_accepted(case)]


def is_accepted(case):
    """Return whether the last argument, odd as it is, is what the flag may be."""
    name, _, value = case.arguments[-1].removeprefix("--").partition("=")
    return (value in ACCEPTED.get(name, ())) or value in ACCEPTED_OF_ONE.get(
        (case.command, name), ()
    )


_OPTIMISING = ("transfer", "transfer_video", "texture", "invert", "visualize_inversion")
_STEPPING = ("visualize_activation", "visualize_dream", "visualize_report")
# Odd values that are good, by flag: what a weight of 0 leaves out, and seeds.
ACCEPTED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        [
            *("average", "average_decay", "clip_norm", "content_share", "content_weight"),
            *("grid_weight", "histogram_weight", "identity_weight", "min_scale", "seed"),
            *("style_weight", "temporal_weight", "tolerance", "tv_weight"),
            *("pixel_weight", "colour_jitter", "auxiliary_weight", "colour_noise", "max_shift"),
            *("momentum", "weight_decay", "strength", "stroke_size", "blur", "clip_contribution"),
            *("clip_norm", "crop_noise", "decay", "diversity_weight", "jitter", "l2_weight"),
            *("rotation", "scale"),
        ],
        ("0",),
    ),
}
# The same by command and flag: no step leaves the start as it is, and a run's folder is made with those
# above it.
ACCEPTED_OF_ONE: dict[tuple[str, str], tuple[str, ...]] = {
    **dict.fromkeys(itertools.product(_OPTIMISING, ["seed"]), ("-1",)),
    **dict.fromkeys(itertools.product((*_OPTIMISING, *_STEPPING), ["steps"]), ("0",)),
    ("transfer", "final_steps"): ("0",),
    ("transfer", "patch_rotations"): ("0",),
    ("transfer", "patch_scales"): ("0",),
    ("transfer_video", "blend"): ("0",),
    ("transfer_video", "crf"): ("0",),
    ("transfer_video", "final_steps"): ("0",),
    ("transfer_video", "frame_steps"): ("0",),
    ("texture", "coherence"): ("0",),
    ("texture", "epsilon"): ("0",),
    ("train_texture", "run"): ("missing/out",),
    ("train_prior", "run"): ("missing/out",),
    ("train_prior", "adversarial_from"): ("0",),
    ("train_prior", "adversarial_weight"): ("0",),
    ("train_classifier", "head_epochs"): ("0",),
    ("batch", "output"): ("missing/out",),
    ("video", "crf"): ("0",),
    ("video", "stability"): ("0",),
    ("live", "port"): ("0",),
    ("web", "port"): ("0",),
    ("export", "name"): ("no_such_name",),
    # A server may have a model of any name that can be printed.
    ("client", "model"): ("no_such_name", "x" * 5000, "%s{0}"),
    ("visualize_attribution", "noise"): ("0",),
    ("visualize_activation", "exponent"): ("0",),
    ("visualize_activation", "padding"): ("0",),
    ("visualize_activation", "crops"): ("0",),
    ("visualize_fooling", "confidence"): ("0",),
    ("visualize_report", "inversion_steps"): ("0",),
}
