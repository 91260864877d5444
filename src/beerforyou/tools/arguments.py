"""Arguments as a model writes them, and as they are meant. The schema of a tool says what goes where; it is made of the tool's
struct, as every provider takes it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from beerforyou.errors import BadInput

MOST_LISTED = 50  # values of one list: more than a question names, and each may be looked up
LONGEST_SHOWN = 60  # characters of a wrong value that go back to the model
_NO_CHARACTER = re.compile(r"[\0\ud800-\udfff]")  # halves of one, which JSON can carry and UTF-8 cannot

Schema = dict[str, Any]


def schema_of(args: type[msgspec.Struct]) -> Schema:
    _, components = msgspec.json.schema_components([args])
    return _plain(components[args.__name__], components)


def _plain(schema: Schema, components: Schema) -> Schema:
    """Types, and what they are made of. Defaults and titles cost tokens in every call; a bound reads like a value to be copied;
    Gemini refuses an enum without a type or with an empty word; what may be null is left out instead."""
    if "anyOf" in schema:
        (schema,) = (option for option in schema["anyOf"] if option != {"type": "null"})
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return {"type": "string", "enum": [word for word in schema["enum"] if word]}
    match schema["type"]:
        case "object":
            properties = {name: _plain(each, components) for name, each in schema["properties"].items()}
            required = {"required": schema["required"]} if schema.get("required") else {}
            return {"type": "object", "properties": properties} | required
        case "array":
            return {"type": "array", "items": _plain(schema["items"], components)}
    return {"type": schema["type"]}


def meant(args: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Without what is absent: null, 0, "" and {} for what may be left out. Raises BadInput, in words for the model."""
    known, required = schema["properties"], schema.get("required", ())
    hint = f"the arguments are {', '.join(known) or 'none'}"
    if unknown := args.keys() - known.keys():
        raise BadInput(f"no argument is called {', '.join(sorted(map(_shown, unknown)))}", hint)
    given = {name: _meant(each, known[name], name) for name, each in args.items() if not _is_absent(each)}
    if missing := [name for name in required if name not in given]:
        raise BadInput(f"{missing[0]} is missing", _choice(known[missing[0]]) or hint)
    return given


def _is_absent(value: Any) -> bool:
    """False is what every switch is anyway, and an object with nothing in it says nothing."""
    return value is None or value == {} or value in ("", "0", 0)


def _meant(value: Any, schema: Schema, where: str) -> Any:
    match schema["type"]:
        case "object":
            return meant(value, schema) if isinstance(value, dict) else value
        case "array":
            return _listed(value, schema["items"], where)
        case "string":
            return _text(value, schema, where)
    return value


def _listed(value: Any, items: Schema, where: str) -> list[Any]:
    """One value is a list of it."""
    values = value if isinstance(value, (list, tuple)) else [value]
    if len(values) > MOST_LISTED:
        raise BadInput(f"{where} has {len(values)} values", f"give {MOST_LISTED} at most")
    return [_meant(each, items, where) for each in values if each not in (None, "")]


def _text(value: Any, schema: Schema, where: str) -> Any:
    """A number where a text is meant, such as a weekday, is that text."""
    text = str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return text
    if _NO_CHARACTER.search(text):
        raise BadInput(f"{where} holds characters that are none", "leave them out")
    if "enum" not in schema or text in schema["enum"]:
        return text
    if (lower := text.strip().lower()) in schema["enum"]:
        return lower
    raise BadInput(f"{where} cannot be {_shown(text)}", _choice(schema))


def _choice(schema: Schema) -> str:
    return f"it is one of {', '.join(schema['enum'])}" if "enum" in schema else ""


def _shown(text: str) -> str:
    return repr(text[:LONGEST_SHOWN])
