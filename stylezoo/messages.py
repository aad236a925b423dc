"""Messages of protocol buffers that are declared where they are used, without their generated modules."""

import types
from collections.abc import Mapping
from typing import Any


def declare(
    package: str, messages: Mapping[str, tuple[tuple[str, int, Any], ...]]
) -> types.SimpleNamespace:
    """Return the classes of messages of which only the fields in use are declared.

    Protobuf skips all other fields. A map is a repeated message of ``key`` and ``value``.

    Args:
        package: The package that the messages belong to.
        messages: For each message name, number and type of its fields. A type is another message or one
            of protobuf's, such as ``"int64"``; that of a repeated field is in a list.

    Returns:
        The classes by the names of the messages.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for message, fields in messages.items():
        declared = file.message_type.add(name=message)
        for label, number, kind in fields:
            (one,) = kind if isinstance(kind, list) else [kind]
            declared.field.add(
                name=label,
                number=number,
                label=field.LABEL_REPEATED if isinstance(kind, list) else field.LABEL_OPTIONAL,
                type=field.TYPE_MESSAGE
                if one in messages
                else getattr(field, f"TYPE_{one.upper()}"),
                type_name=f".{package}.{one}" if one in messages else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return types.SimpleNamespace(
        **{
            name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
            for name in messages
        }
    )
