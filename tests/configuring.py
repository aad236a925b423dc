"""Configurations within configurations, changed by the names of their fields."""

import dataclasses


def with_fields(config, **fields):
    """Return the configuration with other values of its fields, and of those of configurations in it."""
    changes = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    changes = {name: fields.pop(name, value) for name, value in changes.items()}
    for name, value in changes.items():
        inner = {each: fields.pop(each) for each in _names(value) & fields.keys()}
        if inner:
            changes[name] = with_fields(value, **inner)
    assert not fields, f"no fields of {config}: {fields}"
    return dataclasses.replace(config, **changes)


def _names(config):
    """Return the names of all fields of a configuration, and of the configurations in it."""
    if not dataclasses.is_dataclass(config):
        return set()
    names = {field.name for field in dataclasses.fields(config)}
    return names.union(*(_names(getattr(config, name)) for name in names))
