"""The folder of a training run: its configuration, states, losses and sample pictures."""

import contextlib
import json
import os
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from stylezoo import images

_KEPT = 3
_CONFIG = "config.json"


class RunFolder:
    """The folder that holds what a run needs to go on, and what people look at.

    It has ``config.json``, ``checkpoints/``, TensorBoard's events, ``losses.jsonl`` (the same figures,
    a line of JSON for each record), ``samples/``, and the model as it is, ready for use.

    Args:
        path: The folder; nothing is written before :meth:`start`.
        config: Everything that decides the run's result, as JSON can hold it.
        writes: Whether this process is the one that writes.

    Raises:
        ValueError: If the folder holds something else, or a run of another configuration; the message
            names what differs.
        OSError: If the folder can't be read.
    """

    def __init__(
        self, path: str | pathlib.Path, config: Mapping[str, Any], *, writes: bool = True
    ) -> None:
        self.path = pathlib.Path(path)
        self._config = json.loads(json.dumps(config))
        self._writes = writes
        self._events: Any = None
        if self._config_path.exists():
            self._check(_read(self._config_path), self._config)
        elif self.path.exists() and any(self.path.iterdir()):
            raise ValueError(f"`run` must be a run's folder, or empty. Received: {self.path}")

    @property
    def _config_path(self) -> pathlib.Path:
        return self.path / _CONFIG

    def start(self, step: int) -> None:
        """Make the folder and record the configuration, unless that was done before.

        Figures of later steps than ``step``, which a resumed run takes again, are dropped.

        Args:
            step: The number of steps that have been taken.

        Raises:
            OSError: If the folder can't be made.
        """
        if not self._writes:
            return
        if not self._config_path.exists():
            self.path.mkdir(parents=True, exist_ok=True)
            with images.atomic_path(self._config_path) as temporary:
                temporary.write_text(json.dumps(self._config, indent=2) + "\n", encoding="utf-8")
        file = self.path / "losses.jsonl"
        if file.exists():
            lines = file.read_text(encoding="utf-8").splitlines() if step else []
            kept = [line for line in lines if _step_of(line) <= step]
            with images.atomic_path(file, overwrite=True) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def _check(self, recorded: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        old, new = _flatten(recorded), _flatten(config)
        differing = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        if differing:
            changes = ", ".join(
                f"{key} was {old.get(key)!r}, is {new.get(key)!r}" for key in differing
            )
            raise ValueError(
                f"`run` must be a new folder, or of a run with this configuration. "
                f"Received: {self.path} ({changes})"
            )

    def restore(self, checkpoint: tf.train.Checkpoint) -> None:
        """Restore everything that ``checkpoint`` tracks from its last saved state, if there is one.

        Raises:
            ValueError: If the state is damaged.
        """
        latest = self._manager(checkpoint).latest_checkpoint
        if not latest:
            return
        try:
            checkpoint.restore(latest).assert_existing_objects_matched()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            raise ValueError(f"`{latest}` must be a state of this run ({_first(error)})") from error

    def save(self, checkpoint: tf.train.Checkpoint, step: int) -> None:
        """Save a state; the one before stays until this one is whole.

        Raises:
            OSError: If the state can't be written, because the disk is full, say. The methods below raise
                the same error.
        """
        if self._writes:
            with self._writing(f"the state after step {step}"):
                self._manager(checkpoint).save(checkpoint_number=step)

    def save_model(self, save: Callable[[pathlib.Path], None]) -> None:
        """Call ``save`` with the folder, to write the model for use."""
        if self._writes:
            with self._writing("the model"):
                save(self.path)

    def _manager(self, checkpoint: tf.train.Checkpoint) -> tf.train.CheckpointManager:
        return tf.train.CheckpointManager(
            checkpoint, str(self.path / "checkpoints"), max_to_keep=_KEPT
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Record figures by name after ``step`` steps."""
        if not self._writes:
            return
        with self._writing("losses"):
            with self._writer().as_default(step=step):
                for name, value in values.items():
                    tf.summary.scalar(name, value)
            with (self.path / "losses.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **values}) + "\n")

    def show(self, step: int, sheet: np.ndarray) -> None:
        """Write a sample picture after ``step`` steps, [1, H, W, 3] in [0, 1]."""
        if not self._writes:
            return
        with self._writing("a sample"):
            with self._writer().as_default(step=step):
                tf.summary.image("samples", sheet)
            folder = self.path / "samples"
            folder.mkdir(exist_ok=True)
            images.write_image(folder / f"{step:06d}.jpg", sheet, overwrite=True)

    def flush(self) -> None:
        """Flush the events that were logged to the disk."""
        if self._events is not None:
            with self._writing("events"):
                self._events.flush()

    @contextlib.contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        """Raise errors as one line that says what failed and where, whichever library wrote."""
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            raise OSError(f"`{self.path}`: {what} can't be written ({_first(error)})") from error

    def _writer(self) -> Any:
        if self._events is None:
            self._events = tf.summary.create_file_writer(str(self.path))
        return self._events


def recorded(path: str | pathlib.Path, *keys: str) -> Any:
    """Return a value of the configuration of a run so far, None if there is no run or no such value.

    Args:
        path: The run's folder.
        *keys: Where the value is, from the outside in.

    Raises:
        ValueError: If the configuration is damaged.
    """
    file = pathlib.Path(path) / _CONFIG
    value: Any = _read(file) if file.exists() else {}
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _read(file: pathlib.Path) -> Mapping[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:  # neither text nor JSON
        config = None
    if not isinstance(config, Mapping):
        raise ValueError(f"`run` must hold a run's config.json. Received: {file}")
    return config


def _first(error: Exception) -> str:
    """Return the first line of an error's message, or its kind."""
    message = str(error)
    if isinstance(error, OSError) and error.errno:
        message = os.strerror(error.errno)
    elif isinstance(error, tf.errors.OpError):  # without the names of operations
        message = re.sub(r"\{\{.*?\}\} | \[Op:.*?\]", "", error.message)
    return (message.strip() or type(error).__name__).splitlines()[0]


def _flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _step_of(line: str) -> float:
    try:
        return json.loads(line)["step"]
    except ValueError:  # the last line of a run that was killed
        return float("inf")
