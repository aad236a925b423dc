"""Model cards of exports: their files, inputs and outputs, and a request that works."""

import json
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from stylezoo import images
from stylezoo.export import saved_models
from stylezoo.export.limits import DEFAULT_MAX_SIDE
from stylezoo.export.litert import read_tflite_record
from stylezoo.export.onnx import read_onnx_record
from stylezoo.export.servables.servable import Servable, Tensor

_CARD = "README.md"
_TFLITE = (
    "Inputs and outputs are float32, pictures RGB in [0, 1]. Builtin operators only, those that a GPU's "
    "delegate takes. What a file is stands in it too, as JSON in its metadata `stylezoo.json`."
)
_ONNX = (
    "Inputs and outputs are float32, pictures RGB in [0, 1] with the channels last. What a file is stands "
    "in it too, as JSON in its metadata `stylezoo.json`."
)
_DECODE = (
    'python3 -c "import base64, json, sys; '
    "painted = json.load(sys.stdin)['outputs']['stylized_bytes'][0]['b64']; "
    'sys.stdout.buffer.write(base64.b64decode(painted))"'
)


def write(servable: Servable, folder: pathlib.Path) -> None:
    """Write the card of all that a model's folder holds."""
    with images.atomic_path(folder / _CARD, overwrite=True) as temporary:
        temporary.write_text(card_text(servable, folder), encoding="utf-8")


def card_text(servable: Servable, folder: pathlib.Path) -> str:
    """Return the card of all that a model's folder holds, from the model's own card and the files."""
    parts = [f"# {folder.name}", _origin(servable)]
    if found := saved_models.versions(folder):
        parts += [_saved_model(servable, folder.name, found)]
    if files := sorted(folder.glob("*.tflite"), key=_size):
        parts.append(_files("TFLite", files, _TFLITE))
    if files := sorted(folder.glob("*.onnx")):
        parts.append(_files("ONNX", files, _ONNX))
    if servable.card:
        parts += ["## The model", _demoted(servable.card)]
    return "\n\n".join(parts).rstrip() + "\n"


def read_file_record(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Read what was recorded in a TFLite or ONNX file.

    Raises:
        ExportError: If the file can't be read, is damaged, or was not written by `stylezoo export`.
    """
    is_onnx = pathlib.Path(path).suffix == ".onnx"
    return (read_onnx_record if is_onnx else read_tflite_record)(path)


def _size(path: pathlib.Path) -> tuple[list[int], str]:
    return read_file_record(path)["size"] or [], path.name


def _origin(servable: Servable) -> str:
    record = servable.record()
    lines = [
        f"Exported by `stylezoo export` from the model `{record['model']}` ({record['kind']}); its weights "
        f"have the fingerprint `{record['fingerprint'][:16]}`. Each file here was loaded back by a runtime "
        "without Keras and compared with it; `stylezoo verify_export` does so again."
    ]
    if styles := record.get("styles"):
        numbered = [f"{index} `{name}`" for index, name in enumerate(styles)]
        lines += ["", f"Columns of `style_weights`: {', '.join(numbered)}."]
    return "\n".join(lines)


def _saved_model(servable: Servable, name: str, versions: list[int]) -> str:
    folders = ", ".join(f"`{version}/`" for version in versions)
    rows = ["| signature | | name | type | shape | |", "|---|---|---|---|---|---|"]
    for signature, (inputs, outputs) in servable.tensors().items():
        rows += _rows(signature, "in", inputs)
        rows += _rows(signature, "out", outputs)
    return "\n".join(
        [
            f"## SavedModel: {folders}",
            "",
            *rows,
            "",
            "With TensorFlow Serving (`stylezoo serve_config` writes what it needs):",
            "",
            *_indented(_curl(servable, name)),
            "",
            "A server that makes batches of requests (`--enable_batching`) wants a row for each picture in "
            "every input; requests of `serving_default` that meet in one batch must have pictures of one "
            "size, those of the signatures with `_bytes` need not. A row that fails has its reason in the "
            "output `error` and harms no other; a request of one row fails as a whole, with "
            "INVALID_ARGUMENT.",
            "",
            "In Python, without stylezoo (`hub.load` of TensorFlow Hub does the same):",
            "",
            *_indented(_python(servable, name, versions[-1])),
        ]
    )


def _files(kind: str, files: list[pathlib.Path], meaning: str) -> str:
    rows = ["| file | MB | in | out | agreement with the model |", "|---|---|---|---|---|"]
    for file in files:
        record = read_file_record(file)
        inputs, outputs = (
            ", ".join(f"`{name}` {_shape(each)}" for name, each in record[key].items())
            for key in ("inputs", "outputs")
        )
        size = f"{file.stat().st_size / 1e6:.1f}"
        rows.append(
            f"| `{file.name}` | {size} | {inputs} | {outputs} | {record.get('agreement', '')} |"
        )
    return "\n".join([f"## {kind}", "", *rows, "", meaning])


def _shape(described: Any) -> str:
    shape = described["shape"] if isinstance(described, dict) else described
    return f"[{', '.join(map(str, shape))}]"


def _rows(signature: str, direction: str, tensors: Mapping[str, Tensor]) -> list[str]:
    return [
        f"| `{signature}` | {direction} | `{name}` | {each.dtype} | {each.shape} | {each.meaning} |"
        for name, each in tensors.items()
    ]


def _curl(servable: Servable, name: str) -> list[str]:
    """Return a request by REST as commands of a shell."""
    post = f"    curl --silent --data @- http://localhost:8501/v1/models/{name}:predict"
    signature = servable.bytes_signature
    if signature is None:
        grey = "[[[[0.5] * 3] * 64] * 64]"
        request = f"{{'signature_name': 'gram', 'inputs': {grey}}}"
        return [f'python3 -c "import json; print(json.dumps({request}))" |', post]
    inputs, _ = servable.tensors()[signature]
    values = {each: _EXAMPLES[each](servable) for each in inputs}
    request = json.dumps({"signature_name": signature, "inputs": values}).replace('"', '\\"')
    request = request.replace("PICTURE", "$(base64 < photo.jpg | tr -d '\\n')")
    if servable.kind == "classes":
        return [f'echo "{request}" |', post]
    return [f'echo "{request}" |', f"{post} |", f"    {_DECODE} > painted.jpg"]


def _python(servable: Servable, name: str, version: int) -> list[str]:
    """Return the calls of a loaded SavedModel, as lines of Python."""
    inputs, outputs = servable.tensors()["serving_default"]
    names = ", ".join(inputs)
    answer = next(iter(outputs)) if len(outputs) == 1 else "features"
    lines = [
        f'model = tf.saved_model.load("{name}/{version}")',
        f"{answer} = model({names})",
        f'layer = keras.layers.TFSMLayer("{name}/{version}")  # takes {{{_keys(inputs)}}}',
    ]
    if signature := servable.bytes_signature:
        required = [each for each in servable.tensors()[signature][0] if each != "max_side"]
        lines.append(f"answers = model.{signature}({{{_keys(required)}}})")
    return lines


def _keys(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}": {name}' for name in names)


def _first_style(servable: Servable) -> list[list[int]]:
    styles = servable.record()["styles"]
    return [[int(index == 0) for index in range(len(styles))]]


# The inputs of a request that works, by name.
_EXAMPLES = {
    "image_bytes": lambda _: [{"b64": "PICTURE"}],
    "style_weights": _first_style,
    "max_side": lambda _: [DEFAULT_MAX_SIDE],
    "seed": lambda _: [0],
    "size": lambda _: [[512, 512]],
}


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _demoted(card: str) -> str:
    """Return a card as a part of another: without its title, headings a level lower."""
    _, _, text = card.partition("\n")
    return text.replace("\n## ", "\n### ").strip()
