"""List, fetch, check and import pretrained weights.

Usage:
  stylezoo weights list [--json]
  stylezoo weights fetch NAME... [--force]
  stylezoo weights verify [NAME]
  stylezoo weights path NAME
  stylezoo weights import --file=FILE --architecture=NAME --output=OUT.h5 [--overwrite]
  stylezoo weights import --file=FILE --architecture=PROJECT --output=FOLDER [--overwrite]

Weights are kept in $STYLEZOO_HOME/weights (by default in the user's cache folder). `fetch` takes
names that `list` shows; what is cached already is left alone unless --force is given. `verify`
checks the cached files against their checksums and ends with exit status 1 if one is corrupt.

`import` makes a weights file of what others published: torchvision's AlexNet (alexnet_owt), VGG (vgg16,
vgg16_bn, ...), GoogLeNet (googlenet_bn), ResNet (resnet18, resnet34, resnet50_v1_5, ...) and SqueezeNet
1.1 as .pth or .safetensors; VGG16, VGG19, ResNet50, ResNet101 and ResNet152 of keras.applications as .h5.
Every command takes the result as --weights=OUT.h5.

It also makes a preset of a painter that one of these projects trained, and the preset paints the same
pictures (stylize --model=FOLDER):
  fast_neural_style    PyTorch's examples: .pth, .model or .safetensors
  fast_style_transfer  lengstrom's: a checkpoint of TensorFlow 1, by its prefix, .index or folder
  image_stylization    Magenta's, of any number of styles: such a checkpoint
"""

import json

from absl import flags

from stylezoo import weights
from stylezoo.binaries.common import options, quiet, reporting


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    for name, text in (
        ("force", "Download again what is cached, and replace it; for `fetch`."),
        ("json", "Print JSON in place of a table; for `list`."),
        ("overwrite", "Replace an existing output; for `import`."),
    ):
        flags.DEFINE_bool(name, False, text, flag_values=values)
    for name, text in (
        ("file", "File to read; for `import`."),
        ("architecture", "Architecture of the file's weights, or their project; for `import`."),
        ("output", "File to write, which ends in .h5, or the preset's folder; for `import`."),
    ):
        flags.DEFINE_string(name, None, text, flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    match arguments:
        case ["list"]:
            print(_json() if values.json else _table())
        case ["fetch", first, *others]:
            # All names first: a misspelt one should not surface after minutes of downloading.
            for spec in [weights.get_spec(name) for name in (first, *others)]:
                print(weights.fetch(spec.name, force=values.force))
        case ["verify"]:
            return _verify(None)
        case ["verify", name]:
            return _verify(name)
        case ["path", name]:
            print(weights.path(name))
        case ["import"]:
            _import(values)
        case _:
            raise ValueError(
                "expected `list`, `fetch NAME...`, `verify [NAME]`, `path NAME` or `import`. "
                f"Received: {' '.join(arguments) or 'nothing'}"
            )
    return 0


def _import(values: flags.FlagValues) -> None:
    options.require(values, "file", "architecture", "output")
    quiet.import_tensorflow()
    from stylezoo import classifiers, errors, generators

    if values.architecture in generators.LAYOUTS:
        with errors.renamed(layout="architecture"):
            painter = generators.import_painter(
                values.file, values.architecture, values.output, overwrite=values.overwrite
            )
        print(
            f"{values.output}: {type(painter).__name__}, {painter.count_params():,} parameters, "
            f"styles {', '.join(painter.styles)}"
        )
        return
    loaded = classifiers.import_weights(
        values.file, values.architecture, values.output, overwrite=values.overwrite
    )
    num_parameters = sum(tensor.size for tensor in loaded.tensors.values())
    print(
        f"{values.output}: {loaded.architecture}, {num_parameters:,} parameters, "
        f"{'with' if classifiers.has_top(loaded) else 'without'} its head, "
        f"preprocessing {loaded.preprocessing}"
    )


def _rows() -> list[dict[str, str | int | bool]]:
    return [
        {
            "name": spec.name,
            "architecture": spec.architecture,
            "preprocessing": spec.preprocessing,
            "num_parameters": spec.num_parameters,
            "includes_top": spec.includes_top,
            "download_bytes": spec.source.num_bytes,
            "cached": weights.is_cached(spec.name),
            "license": spec.license,
            "source": spec.source.description,
            "known_hash": spec.known_hash,
        }
        for spec in weights.list_weights()
    ]


def _json() -> str:
    return json.dumps(_rows(), indent=2)


def _table() -> str:
    lines = [("NAME", "PARAMETERS", "DOWNLOAD", "CACHED", "LICENCE", "SOURCE")]
    for row in _rows():
        lines.append(
            (
                str(row["name"]),
                f"{row['num_parameters']:,}",
                f"{int(row['download_bytes']) / 1e6:.0f} MB",
                "yes" if row["cached"] else "no",
                str(row["license"]),
                str(row["source"]),
            )
        )
    return reporting.table(lines)


def _verify(name: str | None) -> int:
    results = weights.verify(name)
    for result in results:
        print(result.problem or f"{result.name}: ok")
    if not results:
        print("Nothing is cached.")
    return int(any(result.problem for result in results))
