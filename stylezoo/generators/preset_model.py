"""The base of the networks that presets hold: Keras models of a frozen architecture each."""

import dataclasses
import os
import types
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import keras


class PresetModel(keras.Model):
    """A functional Keras model that presets hold, made from a frozen architecture.

    Attributes:
        config: The architecture.
        training_record: How the network was trained, as JSON can hold it.
    """

    config_type: ClassVar[type[Any]]
    config: Any

    # The record is no attribute of its own, since Keras would track a dict and put it into checkpoints.
    @property
    def training_record(self) -> Mapping[str, Any]:
        """How the network was trained, as JSON can hold it; read-only, but it can be replaced."""
        return self._training_record

    @training_record.setter
    def training_record(self, record: Mapping[str, Any]) -> None:
        self._training_record = types.MappingProxyType(dict(record))

    def introduction(self) -> list[str]:
        """Return the lines of the default card that say what the network is, and how it is called."""
        raise NotImplementedError

    @classmethod
    def config_from(cls, fields: Mapping[str, Any]) -> Any:
        """Return the architecture of fields as JSON holds them.

        Raises:
            TypeError, ValueError: If there is another field, or a wrong value.
        """
        values = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in fields.items()
        }
        return cls.config_type(**values)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as JSON can hold them."""
        return {"config": dataclasses.asdict(self.config), "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """Build a network with random weights from what :meth:`get_config` returned.

        Raises:
            TypeError, ValueError: If the configuration has another field, or a wrong value.
        """
        del custom_objects  # it is built of this project's layers alone
        return cls(cls.config_from(config["config"]), name=config.get("name"))

    @classmethod
    def from_preset(cls, preset: str | os.PathLike[str]) -> Self:
        """Load a trained network; see :func:`stylezoo.generators.load`.

        Args:
            preset: A name in :mod:`stylezoo.pretrained`, a folder that :meth:`save_to_preset` wrote, or a
                ``.h5`` file of version 0.1.

        Raises:
            OSError, ValueError: As :func:`stylezoo.generators.load`; also ValueError if the network
                is of another class.
        """
        from stylezoo import errors
        from stylezoo.generators import presets  # it knows all families

        with errors.renamed(model="preset"):
            return presets.load_as(preset, cls)

    def save_to_preset(
        self,
        folder: str | os.PathLike[str],
        *,
        half: bool = False,
        overwrite: bool = False,
        card: str | None = None,
    ) -> None:
        """Write a preset, whole or not at all.

        Args:
            folder: The preset's folder, in a folder that exists.
            half: Whether kernels are stored in float16, which takes half the space; they are
                computed with in float32 all the same. The rest is small, and a variance may be too
                large for float16.
            overwrite: Whether to replace a preset that is there already.
            card: The text of ``README.md``; by default what is known of the network.

        Raises:
            FileExistsError: If there is something already that may not be replaced; nothing but a
                preset ever is.
            OSError: If it can't be written.
            TypeError: If the training record is not what JSON can hold.
        """
        from stylezoo.generators import presets

        presets.save(self, folder, half=half, overwrite=overwrite, card=card)
