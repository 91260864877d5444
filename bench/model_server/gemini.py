"""The wire of `generateContent` and `streamGenerateContent`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from beerforyou.llm.model import Content, Reply, TextPart, ToolCall, ToolResult
from bench.model_server.script import Ask

FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "safety": "SAFETY", "malformed": "MALFORMED_FUNCTION_CALL"}
# The names that the API gives to HTTP statuses (google.rpc.Code).
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
          429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}  # fmt: skip


class Gemini:
    name = "gemini"

    def read(self, body: dict[str, Any]) -> tuple[Content, ...]:
        return tuple(_message(content) for content in body["contents"])

    def whole(self, reply: Reply, ask: Ask) -> bytes:
        return msgspec.json.encode(_response(reply, ask, [_part(part) for part in reply.parts], last=True))

    def events(self, reply: Reply, ask: Ask) -> Iterator[bytes]:
        pieces = list(_pieces(reply))
        for i, piece in enumerate(pieces or [{}]):
            response = _response(reply, ask, [piece] if piece else [], last=i >= len(pieces) - 1)
            yield b"data: " + msgspec.json.encode(response) + b"\r\n\r\n"

    def error(self, status: int, message: str) -> bytes:
        return msgspec.json.encode(
            {"error": {"code": status, "message": message, "status": STATUS.get(status, "UNKNOWN")}}
        )


def _message(content: dict[str, Any]) -> Content:
    parts = tuple(_read_part(part) for part in content["parts"])
    if any(isinstance(part, ToolResult) for part in parts):
        return Content("tool", parts)
    return Content("model" if content["role"] == "model" else "user", parts)


def _read_part(part: dict[str, Any]) -> TextPart | ToolCall | ToolResult:
    if call := part.get("functionCall"):
        return ToolCall(call.get("id", ""), call["name"], call["args"], part.get("thoughtSignature", ""))
    if result := part.get("functionResponse"):
        return ToolResult(result.get("id", ""), result["name"], result["response"], "error" in result["response"])
    return TextPart(part["text"], part.get("thoughtSignature", ""))


def _part(part: TextPart | ToolCall) -> dict[str, Any]:
    signed = {"thoughtSignature": part.signature} if part.signature else {}
    if isinstance(part, TextPart):
        return {"text": part.text, **signed}
    named = {"id": part.id} if part.id else {}
    return {"functionCall": {"name": part.name, "args": part.args, **named}, **signed}


def _pieces(reply: Reply) -> Iterator[dict[str, Any]]:
    """Text by lines, calls whole; a signature comes with the last line."""
    for part in reply.parts:
        if isinstance(part, ToolCall):
            yield _part(part)
            continue
        *first, last = part.text.splitlines(keepends=True) or [""]
        yield from (_part(TextPart(line)) for line in first)
        yield _part(TextPart(last, part.signature))


def _response(reply: Reply, ask: Ask, parts: list[dict[str, Any]], last: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0}
    if parts:
        candidate["content"] = {"role": "model", "parts": parts}
    if last:
        candidate["finishReason"] = FINISH.get(reply.finish, "STOP")
    if last and reply.sources:
        chunks = [{"web": {"uri": source.url, "title": source.title}} for source in reply.sources]
        candidate["groundingMetadata"] = {"groundingChunks": chunks, "webSearchQueries": ["simulated"]}
    response: dict[str, Any] = {"candidates": [candidate], "usageMetadata": _usage(reply)}
    return response | {"modelVersion": reply.model or ask.model, "responseId": "simulated"}


def _usage(reply: Reply) -> dict[str, int]:
    usage = reply.usage
    counts = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.thinking,
        "thoughtsTokenCount": usage.thinking,
        "cachedContentTokenCount": usage.cached,
        "totalTokenCount": usage.input + usage.output,
    }
    return {name: count for name, count in counts.items() if count}
