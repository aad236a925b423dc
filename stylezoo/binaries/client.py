"""Have pictures painted or classified by TensorFlow Serving.

Usage:
  stylezoo client IMAGE... --url=http://HOST:8501 --model=conditional --style=NAME --output=PICTURE|FOLDER
  stylezoo client IMAGE... --url=grpc://HOST:8500 --model=squeezenet1_1

An IMAGE is a JPEG, PNG, GIF or BMP file, a folder, or a pattern. --style takes names of a model that comes
with stylezoo, as `stylezoo stylize` does; other models need --style_weights. A request is made again only if
the server is unavailable.
"""

import pathlib

import numpy as np
from absl import flags

from stylezoo import images, pretrained
from stylezoo.binaries.common import config_flags, options, quiet, reporting
from stylezoo.export.limits import DEFAULT_MAX_SIDE
from stylezoo.export.serving.client import Endpoint, connect

_ENDPOINT = config_flags.ConfigFlags(Endpoint)
_EXTENSIONS = (".jpg", ".jpeg")


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    _ENDPOINT.define(values)
    string("style", None, "Style of the model, or NAME:WEIGHT,NAME:WEIGHT,... for a blend.")
    flags.DEFINE_list(
        "style_weights",
        None,
        "Weights of all styles in the order of the model, with commas between them.",
        flag_values=values,
    )
    string(
        "output",
        None,
        "JPEG file to write; for several pictures a folder, which is made if there is none.",
    )
    flags.DEFINE_integer(
        "max_side",
        DEFAULT_MAX_SIDE,
        "Longest side that larger pictures are reduced to, in pixels.",
        1,
        flag_values=values,
    )
    flags.DEFINE_bool("overwrite", False, "Replace existing outputs.", flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; return its exit status."""
    paths = options.pictures(arguments)
    targets = _targets(values, paths) if values.output else []
    endpoint = _ENDPOINT.create(values)
    quiet.import_tensorflow()

    client = connect(endpoint)
    signatures = client.signatures()
    if "classify_bytes" in signatures:
        for path in paths:
            found = client.predict("classify_bytes", {"image_bytes": _content(path)})
            pairs = zip(found["classes"][0], found["scores"][0], strict=True)
            print(f"{path}\n{reporting.table([(f'  {n.decode()}', f'{p:.4f}') for n, p in pairs])}")
        return 0
    if "stylize_bytes" not in signatures:
        raise ValueError(
            f"`model` must paint photographs or classify. Received: {endpoint.model}, which has the "
            f"signatures {', '.join(signatures)}"
        )
    options.require(values, "output")
    inputs = {"max_side": np.array([values.max_side], np.int32)}
    if shape := signatures["stylize_bytes"][0].get("style_weights"):
        inputs["style_weights"] = _style_weights(values, endpoint.model, shape[-1])
    for path, target in zip(paths, targets, strict=True):
        found = client.predict("stylize_bytes", {"image_bytes": _content(path), **inputs})
        target.parent.mkdir(exist_ok=True)
        with images.atomic_path(target, overwrite=values.overwrite) as temporary:
            temporary.write_bytes(found["stylized_bytes"][0])
    return 0


def _targets(values: flags.FlagValues, paths: list[pathlib.Path]) -> list[pathlib.Path]:
    """Return the files of the paintings, which can be written as far as that can be known now."""
    output = pathlib.Path(values.output)
    if len(paths) == 1 and not output.is_dir():
        targets = [output]
    else:
        targets = [output / f"{path.stem}.jpg" for path in paths]
        if len(set(targets)) < len(targets):
            raise ValueError("`IMAGE` must be files of different names")
        if not output.exists():
            images.check_output_path(output, overwrite=False, extensions=[output.suffix.lower()])
            return targets
    for target in targets:
        images.check_output_path(target, overwrite=values.overwrite, extensions=_EXTENSIONS)
    return targets


def _style_weights(values: flags.FlagValues, name: str, num_styles: int) -> np.ndarray:
    """Return the weights of the styles, [1, num_styles]."""
    from stylezoo import generators

    if values.style_weights is not None:
        try:
            weights = np.array([values.style_weights], np.float32)
        except ValueError:
            given = ",".join(values.style_weights)
            raise ValueError(f"`--style_weights` must be numbers. Received: {given}") from None
    elif name in pretrained.MODELS:
        model = pretrained.MODELS[name]
        shares = generators.style_shares(model.styles, values.style)
        weights = np.array([[shares.get(row, 0.0) for row in model.style_rows]], np.float32)
    else:
        raise ValueError("`--style_weights` must be given for a model that stylezoo doesn't know")
    if weights.shape != (1, num_styles):
        raise ValueError(
            f"`--style_weights` must be {num_styles} for this model. Received: {weights.size}"
        )
    return weights


def _content(path: pathlib.Path) -> np.ndarray:
    """Return an array, [1], of the bytes of a file."""
    return np.array([path.read_bytes(), None], object)[:1]
