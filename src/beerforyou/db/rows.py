"""A row becomes a struct: each field from the column of its name, JSON decoded as the type that the field has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

T = TypeVar("T", bound=msgspec.Struct)

# What asyncpg gives as it is. Whatever else a field may be is kept as JSON; a list of text is an array in PostgreSQL.
PLAIN = (
    *(inspect.IntType, inspect.FloatType, inspect.StrType, inspect.BoolType, inspect.NoneType),
    *(inspect.UUIDType, inspect.DateTimeType, inspect.LiteralType),
)


def from_rows(kind: type[T]) -> Callable[[Mapping[str, Any]], T]:
    """The function that makes such a struct of a row. A field with a default may have no column."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    fields = {field.name: field.required for field in info.fields}
    hints = {field.name: field.type for field in msgspec.structs.fields(kind)}
    decoders = {
        field.name: msgspec.json.Decoder(hints[field.name]).decode for field in info.fields if not _is_plain(field.type)
    }

    def made(row: Mapping[str, Any]) -> T:
        found = {name: row[name] for name, required in fields.items() if required or name in row}
        for name, decode in decoders.items():
            if found.get(name) is not None:
                found[name] = decode(found[name])
        return kind(**found)

    return made


def _is_plain(kind: inspect.Type) -> bool:
    match kind:
        case inspect.Metadata(type=inner):
            return _is_plain(inner)
        case inspect.UnionType(types=types):
            return all(map(_is_plain, types))
        case inspect.ListType(item_type=inspect.StrType()):
            return True
    return isinstance(kind, PLAIN)
