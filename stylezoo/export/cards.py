"""Model cards of exports: their files, inputs and outputs, and a request that works."""

import json
import pathlib
from collections.abc import Mapping

from stylezoo import images
from stylezoo.export import saved_models
from stylezoo.export.limits import DEFAULT_MAX_SIDE
from stylezoo.export.litert import read_tflite_record
from stylezoo.export.servables.servable import Servable, Tensor

_CARD = "README.md"
_DECODE = (
    'python3 -c "import base64, json, sys; '
    "painted = json.load(sys.stdin)['outputs']['stylized_bytes'][0]['b64']; "
    'sys.stdout.buffer.write(base64.b64decode(painted))"'
)


def write(servable: Servable, folder: pathlib.Path) -> None:
    """Write the card of all that a model's folder holds."""
    parts = [f"# {folder.name}", _origin(servable)]
    if found := saved_models.versions(folder):
        parts += [_saved_model(servable, folder.name, found)]
    if files := sorted(folder.glob("*.tflite")):
        parts.append(_tflite(files))
    if servable.card:
        parts += ["## The model", _demoted(servable.card)]
    with images.atomic_path(folder / _CARD, overwrite=True) as temporary:
        temporary.write_text("\n\n".join(parts).rstrip() + "\n", encoding="utf-8")


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
        ]
    )


def _tflite(files: list[pathlib.Path]) -> str:
    rows = ["| file | MB | in | out |", "|---|---|---|---|"]
    for file in files:
        record = read_tflite_record(file)
        inputs = [f"`{name}` {each['shape']}" for name, each in record["inputs"].items()]
        outputs = [f"`{name}` {shape}" for name, shape in record["outputs"].items()]
        size = file.stat().st_size / 1e6
        rows.append(f"| `{file.name}` | {size:.1f} | {', '.join(inputs)} | {', '.join(outputs)} |")
    return "\n".join(
        [
            "## TFLite",
            "",
            *rows,
            "",
            "Inputs and outputs are float32, pictures RGB in [0, 1]. Builtin operators only, those that a "
            "GPU's delegate takes. What a file is stands in it too, as JSON in its metadata `stylezoo.json`.",
        ]
    )


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
