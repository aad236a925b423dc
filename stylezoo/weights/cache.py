"""The folder of weights that have been fetched: ``$STYLEZOO_HOME/weights/<name>/``.

An entry is a folder with ``weights.h5`` and ``manifest.json``, which has the SHA-256 of the former and of
the file that was fetched. It is made elsewhere and renamed into place whole, so that there is either all
of it or nothing. One process at a time fetches; readers need no lock.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stylezoo.errors import WeightsError
from stylezoo.weights import specs
from stylezoo.weights.sources import file_sha256
from stylezoo.weights.specs import LoadedWeights, WeightsSpec, get_spec

_WEIGHTS = "weights.h5"
_MANIFEST = "manifest.json"
_PARTIAL = ".partial-"


class CorruptEntryError(WeightsError):
    """A cached entry is not as it was written."""


@dataclasses.dataclass(frozen=True)
class Verification:
    """The result of checking one cached entry; ``problem`` is None if it is sound."""

    name: str
    path: Path
    problem: str | None


def root() -> Path:
    """Return the folder of the entries: ``weights`` in ``$STYLEZOO_HOME``, or in the user's cache folder."""
    if home := os.environ.get("STYLEZOO_HOME"):
        return Path(home).expanduser() / "weights"
    import platformdirs

    return platformdirs.user_cache_path("stylezoo") / "weights"


def is_cached(name: str) -> bool:
    """Return whether there is an entry of a name; it may be corrupt."""
    return name in _cached_names()


def path(name: str) -> Path:
    """Return the path of a cached entry's weights file.

    Raises:
        WeightsError: If the name is unknown, or its weights have not been fetched.
    """
    if not is_cached(name):
        get_spec(name)
        raise WeightsError(f"{name} has not been fetched: run `stylezoo weights fetch {name}`")
    return root() / name / _WEIGHTS


def read(name: str) -> bytes:
    """Read an entry's weights file and check it against its manifest.

    Raises:
        WeightsError: If there is no such entry, or it is corrupt; the message says how to repair it.
    """
    file = path(name)
    try:
        manifest = json.loads((file.parent / _MANIFEST).read_text(encoding="utf-8"))
        expected = manifest["sha256"]
        contents = file.read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _corrupt(name, f"{file.parent} can't be read: {error}") from error
    if hashlib.sha256(contents).hexdigest() != expected:
        raise _corrupt(name, f"{file} has changed since it was written")
    return contents


def verify(name: str | None = None) -> list[Verification]:
    """Check the cached entry of a name, or all of them, against their SHA-256.

    Raises:
        WeightsError: If the name is unknown, or its weights have not been fetched.
    """
    return [_verification(entry) for entry in ([name] if name else _cached_names())]


def fetch(name: str, *, force: bool = False) -> Path:
    """Fetch registered weights into the cache, unless they are there already.

    A download that holds several registered weights fills all their missing entries.

    Args:
        name: A registered name.
        force: Whether to download again and replace the entry even if there is one.

    Returns:
        The cached weights file.

    Raises:
        WeightsError: If the name is unknown, or the download failed; the message says what was tried and
            why it failed. Whatever was in the cache before is still there.
    """
    fetch_first((get_spec(name),), force=force)
    return path(name)


def fetch_first(candidates: tuple[WeightsSpec, ...], *, force: bool = False) -> WeightsSpec:
    """Fetch the first of the candidates that can be had into the cache, and return it.

    Raises:
        WeightsError: If none can be had; the message says what was tried and why each failed.
    """
    failures = []
    for spec in candidates:
        try:
            _fill(spec, force=force)
        except WeightsError as error:
            failures.append(str(error))
        else:
            return spec
    names = " or ".join(spec.name for spec in candidates)
    raise WeightsError(
        f"{names} could not be fetched. Tried {'; '.join(failures)}. "
        "A local weights file can be given instead of a name"
    )


def _fill(spec: WeightsSpec, *, force: bool) -> None:
    if is_cached(spec.name) and not force:
        return
    with _only_fetcher():
        if is_cached(spec.name) and not force:  # another process fetched it meanwhile
            return
        with tempfile.TemporaryDirectory(
            prefix=_PARTIAL, dir=root(), ignore_cleanup_errors=True
        ) as temporary:
            folder = Path(temporary)
            _say(
                f"Fetching {spec.name} ({spec.source.num_bytes / 1e6:.0f} MB) "
                f"from {spec.source.description} ..."
            )
            download = spec.source.download(folder)
            digest = file_sha256(download)
            _check_same_as_before(spec, digest)
            entries = [
                _write_entry(folder / each.name, each, download, digest)
                for each in specs.list_weights()
                if each == spec or (each.source == spec.source and not is_cached(each.name))
            ]
            for entry in entries:
                _install(entry)


def _check_same_as_before(spec: WeightsSpec, digest: str) -> None:
    """Compare a download with the one of the cached entry, if that was made of the same pinned file.

    Where a pin is an MD5, two files can have it; they don't have the same SHA-256.
    """
    entry = root() / spec.name
    try:
        manifest = json.loads((entry / _MANIFEST).read_text(encoding="utf-8"))
        pinned, before = manifest["source_hash"], manifest["source_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # there is none, or it is damaged, and replaced
    if pinned == spec.known_hash and before != digest:
        raise WeightsError(
            f"{spec.source.description}: the file's sha256 is {digest}, and was {before} when it was "
            f"fetched before; remove {entry} if you trust the new one"
        )


def _write_entry(entry: Path, spec: WeightsSpec, download: Path, digest: str) -> Path:
    # NumPy and h5py take a while to import, so they are imported only where there is something to convert.
    from stylezoo.weights import weights_files

    tensors = weights_files.convert(spec, download)
    num_parameters = sum(tensor.size for tensor in tensors.values())
    if num_parameters != spec.num_parameters:
        raise WeightsError(
            f"{spec.source.description}: {num_parameters:,} parameters, "
            f"{spec.name} should have {spec.num_parameters:,}"
        )
    entry.mkdir()
    file = entry / _WEIGHTS
    weights_files.write(
        file,
        LoadedWeights(spec.name, spec.architecture, spec.preprocessing, tensors),
        source=spec.source.description,
        license=spec.license,
    )
    manifest = {
        "name": spec.name,
        "architecture": spec.architecture,
        "preprocessing": spec.preprocessing,
        "source": spec.source.description,
        "source_hash": spec.known_hash,
        "source_sha256": digest,
        "license": spec.license,
        "num_parameters": num_parameters,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    (entry / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return entry


def _install(entry: Path) -> None:
    """Rename an entry into place; one that it replaces ends up in the temporary folder."""
    place = root() / entry.name
    with contextlib.suppress(FileNotFoundError):
        place.rename(entry.with_name(f"{entry.name}.replaced"))
    entry.rename(place)


@contextlib.contextmanager
def _only_fetcher() -> Iterator[None]:
    """Hold the cache's lock, and remove what fetchers that were killed left behind."""
    import filelock

    root().mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(root() / ".lock")
    try:
        held = lock.acquire(timeout=0)
    except filelock.Timeout:
        _say("Waiting for another process that is fetching weights ...")
        held = lock.acquire()
    with held:
        for left_behind in root().glob(f"{_PARTIAL}*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        yield


def _cached_names() -> list[str]:
    if not root().is_dir():
        return []
    return sorted(
        entry.name for entry in root().iterdir() if entry.is_dir() and entry.name[0] != "."
    )


def _verification(name: str) -> Verification:
    try:
        read(name)
    except CorruptEntryError as error:
        return Verification(name, root() / name / _WEIGHTS, str(error))
    return Verification(name, root() / name / _WEIGHTS, None)


def _corrupt(name: str, what: str) -> CorruptEntryError:
    return CorruptEntryError(
        f"{name} is corrupt: {what}. Repair it with `stylezoo weights fetch {name} --force`"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
