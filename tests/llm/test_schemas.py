"""The schema of every tool is one that each provider takes, and arrives there as it is."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from google.genai import types
from msgspec.structs import replace

from beerforyou import prompts
from beerforyou.llm import providers
from beerforyou.llm.gemini import Gemini
from beerforyou.llm.model import Model, Reply, Request, TextPart
from beerforyou.settings import Settings
from beerforyou.tools import TOOLS
from bench.model_server.server import ModelServer
from tests.llm.conversations import QUESTION

ALLOWED = {
    "object": {"type", "properties", "required"},
    "array": {"type", "items"},
    "string": {"type", "enum"},
    "integer": {"type"},
    "number": {"type"},
    "boolean": {"type"},
}
KEYS = Settings(openai_api_key="k", anthropic_api_key="k", model_timeout_s=10)
WIRES = ("gemini", "openai:gpt-5-mini", "openai-chat:gpt-4.1", "anthropic:claude-haiku-5-5")
MOST = 5_400  # characters of all schemas and descriptions, without what is told of SQL: they are in every call


def nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for each in (*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])):
        yield from nodes(each)


@pytest.mark.parametrize("name", TOOLS)
def test_it_says_types_and_words_and_nothing_else(name: str) -> None:
    """No bound that a model would copy, nothing that may be null, no enum without a type or with an empty word."""
    for node in nodes(TOOLS[name].spec.parameters):
        assert node.keys() <= ALLOWED[node["type"]], node
        assert all(isinstance(word, str) and word for word in node.get("enum", ["any"])), node
        assert set(node.get("required", ())) <= node.get("properties", {}).keys(), node
        assert node["type"] != "array" or node["items"]


@pytest.mark.parametrize("name", TOOLS)
def test_google_takes_it(name: str) -> None:
    """In its own form, too, which knows less than JSON Schema."""
    spec = TOOLS[name].spec
    given = types.JSONSchema.model_validate(spec.parameters)
    schema = types.Schema.from_json_schema(json_schema=given, raise_error_on_unsupported_field=True)
    assert told(schema.model_dump(mode="json", exclude_none=True)) == told(spec.parameters)
    types.FunctionDeclaration(name=name, description=spec.description, parameters=schema)


def told(schema: Any) -> Any:
    """With types in small letters."""
    if isinstance(schema, dict):
        return {
            name: each.lower() if name == "type" and isinstance(each, str) else told(each)
            for name, each in schema.items()
        }
    return schema


@pytest.fixture(params=WIRES)
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Model, ModelServer]]:
    async with ModelServer([Reply(parts=(TextPart("ok"),))]) as server:
        here = replace(KEYS, openai_base_url=server.url, anthropic_base_url=server.url)
        model = (
            Gemini("gemini-2.5-flash", "k", server.url, 10)
            if request.param == "gemini"
            else providers.connect(request.param, here)
        )
        yield model, server
        await model.close()


async def test_it_arrives_as_it_is(wire: tuple[Model, ModelServer]) -> None:
    model, server = wire
    specs = tuple(tool.spec for tool in TOOLS.values())
    await model.generate(Request(system="", messages=(QUESTION,), tools=specs))
    assert dict(sent(server.asks[-1].body)) == {spec.name: spec.parameters for spec in specs}


def sent(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for tool in body["tools"]:
        for each in tool.get("functionDeclarations", [tool.get("function", tool)]):
            schema = next(each[key] for key in ("parametersJsonSchema", "parameters", "input_schema") if key in each)
            yield each["name"], {key: value for key, value in schema.items() if key != "additionalProperties"}


def test_all_of_them_are_short() -> None:
    specs = [tool.spec for tool in TOOLS.values()]
    assert sum(len(f"{spec.description}{spec.parameters}".replace(prompts.SQL, "")) for spec in specs) < MOST
