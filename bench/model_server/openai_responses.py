"""The wire of OpenAI's responses API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from beerforyou.llm.model import Content, Reply, TextPart, ToolCall, ToolResult
from bench.model_server.script import Ask

INCOMPLETE = {"length": "max_output_tokens", "safety": "content_filter"}


class OpenAIResponses:
    name = "openai-responses"

    def read(self, body: dict[str, Any]) -> tuple[Content, ...]:
        return tuple(_message(item) for item in body["input"] if item.get("type") != "reasoning")

    def whole(self, reply: Reply, ask: Ask) -> bytes:
        return msgspec.json.encode(_response(reply, ask, "completed", _items(reply)))

    def events(self, reply: Reply, ask: Ask) -> Iterator[bytes]:
        items = _items(reply)
        steps: list[dict[str, Any]] = [
            {"type": "response.created", "response": _response(reply, ask, "in_progress", [])}
        ]
        for index, item in enumerate(items):
            steps += _item_events(index, item)
        done = _response(reply, ask, "completed", items)
        steps.append({"type": f"response.{done['status']}", "response": done})
        for number, step in enumerate(steps):
            data = msgspec.json.encode(step | {"sequence_number": number})
            yield b"event: " + step["type"].encode() + b"\ndata: " + data + b"\n\n"

    def error(self, status: int, message: str) -> bytes:
        return msgspec.json.encode({"error": {"message": message, "type": "simulated", "code": None, "param": None}})


def _message(item: dict[str, Any]) -> Content:
    if item.get("type") == "function_call":
        return Content("model", (ToolCall(item["call_id"], item["name"], msgspec.json.decode(item["arguments"])),))
    if item.get("type") == "function_call_output":
        return Content("tool", (ToolResult(item["call_id"], "", item["output"]),))
    content = item["content"]
    text = content if isinstance(content, str) else "".join(part["text"] for part in content)
    return Content("model" if item["role"] == "assistant" else "user", (TextPart(text),))


def _items(reply: Reply) -> list[dict[str, Any]]:
    return [_item(index, part, reply) for index, part in enumerate(reply.parts)]


def _item(index: int, part: TextPart | ToolCall, reply: Reply) -> dict[str, Any]:
    if isinstance(part, ToolCall):
        arguments = msgspec.json.encode(part.args).decode()
        item = {"type": "function_call", "id": f"fc_{index}", "call_id": part.id, "name": part.name}
        return item | {"arguments": arguments, "status": "completed"}
    content = {"type": "output_text", "text": part.text, "annotations": _annotations(part, reply), "logprobs": []}
    return {"type": "message", "id": f"msg_{index}", "role": "assistant", "status": "completed", "content": [content]}


def _annotations(part: TextPart, reply: Reply) -> list[dict[str, Any]]:
    span = {"type": "url_citation", "start_index": 0, "end_index": len(part.text)}
    return [span | {"url": source.url, "title": source.title} for source in reply.sources]


def _item_events(index: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    if item["type"] == "function_call":
        started, middle = _call_events(item)
    else:
        started, middle = _message_events(item)
    here = {"output_index": index, "item_id": item["id"]}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": started},
        *(step | here for step in middle),
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def _call_events(item: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    arguments = item["arguments"]
    return item | {"arguments": "", "status": "in_progress"}, [
        {"type": "response.function_call_arguments.delta", "delta": arguments},
        {"type": "response.function_call_arguments.done", "arguments": arguments, "name": item["name"]},
    ]


def _message_events(item: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    part = item["content"][0]
    pieces = [{"type": "response.output_text.delta", "delta": piece} for piece in part["text"].splitlines(True)]
    cited = [
        {"type": "response.output_text.annotation.added", "annotation_index": i, "annotation": annotation}
        for i, annotation in enumerate(part["annotations"])
    ]
    steps = [
        {"type": "response.content_part.added", "part": part | {"text": "", "annotations": []}},
        *(piece | {"logprobs": []} for piece in pieces),
        *cited,
        {"type": "response.output_text.done", "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", "part": part},
    ]
    return item | {"content": [], "status": "in_progress"}, [step | {"content_index": 0} for step in steps]


def _response(reply: Reply, ask: Ask, status: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    reason = INCOMPLETE.get(reply.finish) if status == "completed" else None
    return {
        "id": "resp_simulated",
        "object": "response",
        "created_at": 1_790_000_000,
        "model": ask.model,
        "status": "incomplete" if reason else status,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": items,
        "usage": _usage(reply) if status == "completed" else None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
    }


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.thinking},
        "total_tokens": usage.input + usage.output,
    }
