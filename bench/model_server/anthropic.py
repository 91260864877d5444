"""The wire of Anthropic's messages API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from beerforyou.llm.model import Content, Part, Reply, TextPart, ToolCall, ToolResult
from bench.model_server.script import Ask

STOP = {"stop": "end_turn", "length": "max_tokens", "safety": "refusal"}
ERRORS = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
          429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}  # fmt: skip


class Anthropic:
    name = "anthropic"

    def read(self, body: dict[str, Any]) -> tuple[Content, ...]:
        return tuple(_message(message) for message in body["messages"])

    def whole(self, reply: Reply, ask: Ask) -> bytes:
        message = _head(reply, ask) | {
            "content": [_block(part, reply) for part in reply.parts],
            "stop_reason": _stop(reply),
        }
        return msgspec.json.encode(message | {"usage": _usage(reply)})

    def events(self, reply: Reply, ask: Ask) -> Iterator[bytes]:
        opening = _head(reply, ask) | {
            "content": [],
            "stop_reason": None,
            "usage": _usage(reply) | {"output_tokens": 1},
        }
        yield _event({"type": "message_start", "message": opening})
        for index, part in enumerate(reply.parts):
            for step in _block_events(part, reply):
                yield _event(step | {"index": index})
        delta = {"stop_reason": _stop(reply), "stop_sequence": None}
        yield _event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": reply.usage.output}})
        yield _event({"type": "message_stop"})

    def error(self, status: int, message: str) -> bytes:
        kind = ERRORS.get(status, "api_error")
        return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message}})


def _message(message: dict[str, Any]) -> Content:
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    parts = tuple(_read_block(block) for block in blocks if block["type"] in ("text", "tool_use", "tool_result"))
    if any(isinstance(part, ToolResult) for part in parts):
        return Content("tool", parts)
    return Content("model" if message["role"] == "assistant" else "user", parts)


def _read_block(block: dict[str, Any]) -> Part:
    if block["type"] == "tool_use":
        return ToolCall(block["id"], block["name"], block["input"])
    if block["type"] == "tool_result":
        return ToolResult(block["tool_use_id"], "", block["content"], block.get("is_error", False))
    return TextPart(block["text"])


def _block(part: TextPart | ToolCall, reply: Reply) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text, "citations": _citations(reply) or None}
    return {"type": "tool_use", "id": part.id, "name": part.name, "input": part.args}


def _citations(reply: Reply) -> list[dict[str, Any]]:
    found = {"type": "web_search_result_location", "encrypted_index": "simulated", "cited_text": "simulated"}
    return [found | {"url": source.url, "title": source.title} for source in reply.sources]


def _block_events(part: TextPart | ToolCall, reply: Reply) -> Iterator[dict[str, Any]]:
    if isinstance(part, TextPart):
        yield {"type": "content_block_start", "content_block": {"type": "text", "text": ""}}
        for piece in part.text.splitlines(keepends=True):
            yield {"type": "content_block_delta", "delta": {"type": "text_delta", "text": piece}}
        for citation in _citations(reply):
            yield {"type": "content_block_delta", "delta": {"type": "citations_delta", "citation": citation}}
    else:
        yield {"type": "content_block_start", "content_block": _block(part, reply) | {"input": {}}}
        arguments = msgspec.json.encode(part.args).decode()
        yield {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": arguments}}
    yield {"type": "content_block_stop"}


def _head(reply: Reply, ask: Ask) -> dict[str, Any]:
    return {"id": "msg_simulated", "type": "message", "role": "assistant", "model": ask.model, "stop_sequence": None}


def _stop(reply: Reply) -> str:
    return "tool_use" if reply.tool_calls else STOP.get(reply.finish, "end_turn")


def _usage(reply: Reply) -> dict[str, int]:
    """Anthropic counts cached input apart from the rest."""
    usage = reply.usage
    return {
        "input_tokens": usage.input - usage.cached,
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": usage.output,
    }


def _event(data: dict[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
