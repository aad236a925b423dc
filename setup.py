"""Package metadata. The build system and the tools' settings are in pyproject.toml."""

import pathlib
import re

import setuptools

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$',
    (ROOT / "stylezoo" / "__init__.py").read_text(encoding="utf-8"),
    re.MULTILINE,
).group(1)

# Every range, and why the package is there at all: BUILD.md, "Dependencies".
SEE = ["scikit-learn>=1.6,<2"]
SAMPLES = ["scikit-image>=0.25,<0.27"]
EXPORT = [
    *SAMPLES,
    "ai-edge-litert>=2.1,<3",
    "ai-edge-quantizer>=0.10,<0.11",
    "grpcio>=1.70,<2",
    "tensorflow-serving-api>=2.21,<2.23",
]
KSERVE = ["tritonclient[grpc,http]>=2.50,<3"]
ONNX = ["onnx>=1.17,<2", "onnxruntime>=1.20,<2", "tf2onnx>=1.17,<1.18"]
BEAM = ["apache-beam>=2.77,<3"]
VIDEO = ["av>=15,<19", "opencv-python-headless>=4.10,<6"]
RUFF = ["ruff>=0.17,<0.18"]

setuptools.setup(
    name="stylezoo",
    version=VERSION,
    description="Convolutional networks and neural style transfer: a TensorFlow/Keras model zoo",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=setuptools.find_packages(include=["stylezoo", "stylezoo.*"]),
    package_data={
        "": ["*.pyi"],
        "stylezoo": ["py.typed"],
        "stylezoo.classifiers": ["*.txt"],
        "stylezoo.export.verify": ["*.mjs", "npm/*.json"],
        "stylezoo.video": ["*.html"],
        "stylezoo.visualize": ["*.npy"],
        "stylezoo.web": ["page/*", "thumbnails/*.jpg"],
        "stylezoo.pretrained": ["*/*.h5", "*/*.json", "*/*.md"],
    },
    install_requires=[
        "absl-py>=2.1,<3",
        "docstring_parser>=0.16,<1",
        "filelock>=3.16,<5",
        "h5py>=3.11,<4",
        "importlib_resources>=6,<8",
        "keras>=3.12,<4",
        "lazy_loader>=0.4,<1",
        "numpy>=2,<3",
        "pillow>=11,<14",
        "pip>=23",
        "platformdirs>=4.2,<5",
        "protobuf>=6.31,<8",
        "pooch>=1.8,<2",
        "safetensors>=0.4,<1",
        "tensorboard>=2.19,<3",
        "tensorflow>=2.21,<2.23",
        "tensorflow-datasets>=4.9.10,<5",
        "tqdm>=4.66,<5",
    ],
    extras_require={
        "samples": SAMPLES,
        "export": EXPORT,
        "onnx": ONNX,
        "video": VIDEO,
        "beam": BEAM,
        "kserve": KSERVE,
        "see": SEE,
        "pytorch": ["torch>=2.6,<3"],
        "docs": [
            *RUFF,
            "mkdocs>=1.6,<2",
            "mkdocs-material>=9.7,<10",
            "mkdocstrings>=1,<2",
            "mkdocstrings-python>=2,<3",
        ],
        "dev": [
            *EXPORT,
            *KSERVE,
            *ONNX,
            *VIDEO,
            *BEAM,
            *SEE,
            "apache-beam[dask]",
            *RUFF,
            "atheris>=3,<4; python_version < '3.14' and sys_platform == 'linux'",
            "hypothesis>=6.100,<7",
            "kubernetes-validate>=1.33",
            "ipykernel>=6.29,<8",
            "mypy>=2,<3",
            "nbclient>=0.10,<1",
            "nbformat>=5.10,<6",
            "pytest>=9,<10",
            "pyyaml>=6,<7",
            "pytest-xdist>=3.6,<4",
            "scipy>=1.15,<2",
            "tensorflow-hub>=0.16,<0.17",
        ],
    },
    entry_points={"console_scripts": ["stylezoo = stylezoo.binaries.start:main"]},
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Multimedia :: Graphics",
    ],
)
