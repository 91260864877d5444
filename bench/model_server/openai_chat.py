"""The wire of OpenAI's chat completions, which many other servers speak as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from beerforyou.llm.model import Content, Reply, TextPart, ToolCall, ToolResult
from bench.model_server.script import Ask

FINISH = {"stop": "stop", "length": "length", "safety": "content_filter"}


class OpenAIChat:
    name = "openai-chat"

    def read(self, body: dict[str, Any]) -> tuple[Content, ...]:
        return tuple(_message(message) for message in body["messages"])

    def whole(self, reply: Reply, ask: Ask) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
        if reply.tool_calls:
            message["tool_calls"] = [_call(call) for call in reply.tool_calls]
        return msgspec.json.encode(
            _head(ask, "chat.completion")
            | {"choices": [{"index": 0, "message": message, "finish_reason": _finish(reply)}], "usage": _usage(reply)}
        )

    def events(self, reply: Reply, ask: Ask) -> Iterator[bytes]:
        head = _head(ask, "chat.completion.chunk")
        for delta in _deltas(reply):
            yield _event(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        yield _event(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": _finish(reply)}]})
        if ask.body.get("stream_options", {}).get("include_usage"):
            yield _event(head | {"choices": [], "usage": _usage(reply)})
        yield b"data: [DONE]\n\n"

    def error(self, status: int, message: str) -> bytes:
        return msgspec.json.encode({"error": {"message": message, "type": "simulated", "code": None, "param": None}})


def _message(message: dict[str, Any]) -> Content:
    if message["role"] == "tool":
        return Content("tool", (ToolResult(message["tool_call_id"], "", message["content"]),))
    calls = tuple(
        ToolCall(call["id"], call["function"]["name"], msgspec.json.decode(call["function"]["arguments"]))
        for call in message.get("tool_calls") or ()
    )
    text = (TextPart(message["content"]),) if message.get("content") else ()
    return Content("model" if message["role"] == "assistant" else "user", text + calls)


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = msgspec.json.encode(call.args).decode()
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _deltas(reply: Reply) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    for piece in reply.text.splitlines(keepends=True):
        yield {"content": piece}
    for index, call in enumerate(reply.tool_calls):
        yield {"tool_calls": [{"index": index} | _call(call)]}


def _head(ask: Ask, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-simulated", "object": kind, "created": 1_790_000_000, "model": ask.model}


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.tool_calls else FINISH.get(reply.finish, "stop")


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.thinking},
    }


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"
