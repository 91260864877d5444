"""Gemini's JSON: our request written as `GenerateContentRequest`, its `GenerateContentResponse` read as our reply.

Pure: bytes in, bytes out. The contract tests hold both directions to the official SDK and to pydantic-ai;
`gemini.py` carries the bytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from beerforyou.llm.calls import CallIds, as_object, is_ours, parsed
from beerforyou.llm.model import (
    Choice,
    Content,
    Finish,
    Reply,
    Request,
    Source,
    TextPart,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from beerforyou.llm.settling import MOST_EMPTY, MOST_PARTS, longest_text
from beerforyou.usage import Usage

# Since Gemini 3 the first call of a model turn must carry a signature. This one, which the documentation of thought
# signatures names for calls that Gemini did not make, stands in after a change of provider.
FOREIGN_CALL = b64encode(b"skip_thought_signature_validator").decode()
MOST_OBJECTS = 200_000  # in one response: 15 ms of decoding; its bytes would allow for seven times that
MOST_DETAILS = 16_384  # bytes

MODES: dict[Choice, str] = {"auto": "AUTO", "none": "NONE", "required": "ANY"}

FINISH: dict[str, Finish] = {
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"), "safety"),
    **dict.fromkeys(("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"), "malformed"),
}


class _Call(msgspec.Struct):
    name: str = ""
    args: msgspec.Raw = msgspec.Raw()  # not decoded before its size is known
    id: str | None = None


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: _Call | None = None


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Web(msgspec.Struct):
    uri: str | None = None
    title: str | None = None


class _Chunk(msgspec.Struct):
    web: _Web | None = None


class _Grounding(msgspec.Struct, rename="camel"):
    grounding_chunks: list[_Chunk] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    grounding_metadata: _Grounding | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None


class Refusal(msgspec.Struct):
    """`google.rpc.Status`. `details` may hold a RetryInfo; it is a list of objects, not decoded yet."""

    code: int = 0
    message: str = ""
    status: str = ""
    details: msgspec.Raw = msgspec.Raw()


class GenerateContentResponse(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Usage | None = None
    model_version: str | None = None
    error: Refusal | None = None


_decode = msgspec.json.Decoder(GenerateContentResponse).decode


def decode(data: bytes) -> GenerateContentResponse:
    """Raises msgspec.DecodeError and RecursionError."""
    if len(data) > MOST_OBJECTS and data.count(b"{") > MOST_OBJECTS:
        raise msgspec.DecodeError(f"it holds more than {MOST_OBJECTS} objects")
    return _decode(data)


def retry_delay(refusal: Refusal) -> str:
    """What its RetryInfo says: "14s", "0.5s"."""
    if len(refusal.details) > MOST_DETAILS:
        return ""
    try:
        details = msgspec.json.decode(refusal.details or b"[]", type=list[dict[str, Any]] | None)
    except (msgspec.DecodeError, RecursionError):
        return ""
    delays: list[Any] = [detail.get("retryDelay") for detail in details or ()]
    return next((delay.removesuffix("s") for delay in delays if isinstance(delay, str)), "")


def encode(request: Request, thinking: bytes = b"") -> bytes:
    """What stays the same from call to call comes first, and is the same bytes each time."""
    stable = _stable(
        request.system,
        request.tools,
        request.tool_choice,
        request.max_output_tokens,
        request.temperature,
        request.grounded,
        thinking,
    )
    return b"".join((stable, b',"contents":', msgspec.json.encode(_contents(request)), b"}"))


@lru_cache(64)  # sets of tools and limits of tokens that are in use at a time, with some room
def _stable(
    system: str,
    tools: tuple[ToolSpec, ...],
    choice: Choice,
    most: int,
    temperature: float,
    grounded: bool,
    thinking: bytes,
) -> bytes:
    """An object that lacks its end."""
    config: dict[str, Any] = {"maxOutputTokens": most, "temperature": temperature}
    if thinking:
        config["thinkingConfig"] = msgspec.Raw(thinking)
    body: dict[str, Any] = {"generationConfig": config}
    if system:
        body["systemInstruction"] = {"role": "user", "parts": [{"text": system}]}
    if grounded:
        body["tools"] = [{"googleSearch": {}}]
    elif tools:
        body["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in tools]}]
        body["toolConfig"] = {"functionCallingConfig": {"mode": MODES[choice]}}
    return msgspec.json.encode(body)[:-1]


def thinking(model: str) -> bytes:
    config = thinking_config(model)
    return msgspec.json.encode(config) if config else b""


def thinking_config(model: str) -> dict[str, Any] | None:
    """The least thinking that a model family allows; None where it has none or its name doesn't say.

    Thoughts count against maxOutputTokens: left to itself, Gemini 2.5 spends nearly all of a short limit on them
    and the answer is cut.
    """
    version = re.match(r"gemini-(\d+)(?:\.(\d+))?-", model)
    if version is None or "image" in model:
        return None
    if int(version[1]) >= 3:
        return {"thinkingLevel": "LOW"}
    if (version[1], version[2]) != ("2", "5"):
        return None
    return {"thinkingBudget": 128 if "pro" in model else 0}  # 2.5 Pro cannot stop thinking; 128 is its least


def _contents(request: Request) -> list[dict[str, Any]]:
    contents = [content for message in request.messages if (content := _content(message))]
    if not contents or contents[0]["role"] == "model":  # the API wants a user to begin
        contents.insert(0, {"role": "user", "parts": [{"text": ""}]})
    if request.last:
        _remind(contents, request)
    return contents


def _remind(contents: list[dict[str, Any]], request: Request) -> None:
    """After tool results it is a content of its own: Gemini takes text beside them for the model's words."""
    parts = [{"text": text} for text in request.last]
    if request.messages and request.messages[-1].role == "user":
        contents[-1]["parts"] += parts
    else:
        contents.append({"role": "user", "parts": parts})


def _content(message: Content) -> dict[str, Any] | None:
    parts = list(_model_parts(message) if message.role == "model" else _user_parts(message))
    return {"role": "model" if message.role == "model" else "user", "parts": parts} if parts else None


def _user_parts(message: Content) -> Iterator[dict[str, Any]]:
    for part in message.parts:
        if isinstance(part, TextPart):
            yield {"text": part.text}
        elif isinstance(part, ToolResult):
            yield {"functionResponse": _result(part)}


def _model_parts(message: Content) -> Iterator[dict[str, Any]]:
    unsigned = FOREIGN_CALL
    for part in message.parts:
        signature = part.signature if isinstance(part, TextPart | ToolCall) and _is_gemini(part.signature) else ""
        if isinstance(part, ToolCall):
            signature, unsigned = signature or unsigned, ""
            yield _signed({"functionCall": _named({"name": part.name, "args": part.args}, part.id)}, signature)
        elif isinstance(part, TextPart) and (part.text or signature):
            yield _signed({"text": part.text}, signature)


def _is_gemini(signature: str) -> bool:
    """Base64 has no colon; the signatures of `providers.py` have."""
    return ":" not in signature


def _signed(part: dict[str, Any], signature: str) -> dict[str, Any]:
    return part | {"thoughtSignature": signature} if signature else part


def _named(call: dict[str, Any], call_id: str) -> dict[str, Any]:
    """An id that the API did not send it need not see."""
    return call if is_ours(call_id) else call | {"id": call_id}


def _result(result: ToolResult) -> dict[str, Any]:
    """`output` and `error` are the keys that the API documents for what is no object of its own."""
    if result.is_error:
        response = {"error": result.failure}
    else:
        response = result.content if isinstance(result.content, dict) else {"output": result.content}
    return _named({"name": result.name, "response": response}, result.call_id)


def _declaration(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}


class Reader:
    """Gathers the responses of one call: a single whole one, or the pieces of a stream, until it is full."""

    def __init__(self, request: Request, on_text: Callable[[str], None] | None = None) -> None:
        self._ids = CallIds(request)
        self._on_text = on_text
        self._parts: list[TextPart | ToolCall] = []
        self._words: list[str] = []  # of a text without a signature, which is joined when another part comes
        self._left = longest_text(request)
        self._responses, self._most = 0, MOST_EMPTY + self._left
        self._usage = _Usage()
        self._sources: dict[str, Source] = {}
        self._reason = self._message = ""
        self._model = ""
        self._blocked = False

    @property
    def broken_off(self) -> bool:
        """Parts without a finish reason: the stream ended too early."""
        return bool(self._parts or self._words) and not self._reason

    def add(self, response: GenerateContentResponse) -> bool:
        """Whether it is full: there may be more, and nobody wants it."""
        self._responses += 1
        if response.model_version:
            self._model = response.model_version
        if response.usage_metadata:
            self._count(response.usage_metadata)
        if response.prompt_feedback and response.prompt_feedback.block_reason:
            self._blocked = True
        if response.candidates:
            self._take(response.candidates[0])
        full = self._full or self._responses > self._most
        if full and self._reason not in FINISH:
            self._reason = "MAX_TOKENS"
        return full

    @property
    def _full(self) -> bool:
        return self._left <= 0 or len(self._parts) >= MOST_PARTS

    def reply(self) -> Reply:
        self._join()
        usage = self._usage
        thinking = usage.thoughts_token_count or 0
        return Reply(
            parts=tuple(self._parts),
            usage=Usage(
                input=(usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0),
                output=(usage.candidates_token_count or 0) + thinking,
                cached=usage.cached_content_token_count or 0,
                thinking=thinking,
            ),
            finish=self._finish(),
            model=self._model,
            sources=tuple(self._sources.values()),
            why=self._message,
        )

    def _finish(self) -> Finish:
        if self._blocked:
            return "safety"
        said = any(isinstance(part, ToolCall) or part.text for part in self._parts)
        return FINISH.get(self._reason, "stop" if said else "empty")

    def _count(self, now: _Usage) -> None:
        """Each piece counts from the beginning; a count that a later piece leaves out still stands."""
        was, self._usage = self._usage, now
        now.prompt_token_count = now.prompt_token_count or was.prompt_token_count
        now.tool_use_prompt_token_count = now.tool_use_prompt_token_count or was.tool_use_prompt_token_count
        now.candidates_token_count = now.candidates_token_count or was.candidates_token_count
        now.thoughts_token_count = now.thoughts_token_count or was.thoughts_token_count
        now.cached_content_token_count = now.cached_content_token_count or was.cached_content_token_count

    def _take(self, candidate: _Candidate) -> None:
        self._reason = candidate.finish_reason or self._reason
        self._message = candidate.finish_message or self._message
        for part in (candidate.content and candidate.content.parts) or ():
            if self._full:
                break
            if part.function_call:
                self._take_call(part.function_call, part.thought_signature or "")
            elif part.text is not None and not part.thought and (part.text or part.thought_signature):
                self._take_text(part.text[: self._left], part.thought_signature or "")
        if candidate.grounding_metadata:
            for chunk in candidate.grounding_metadata.grounding_chunks or ():
                if chunk.web and chunk.web.uri:
                    self._sources.setdefault(chunk.web.uri, Source(chunk.web.uri, chunk.web.title or ""))

    def _take_call(self, call: _Call, signature: str) -> None:
        self._join()
        self._parts.append(ToolCall(self._ids.settle(call.id), call.name, as_object(parsed(call.args)), signature))

    def _take_text(self, text: str, signature: str) -> None:
        """Pieces are joined, but never a signed one with another: a signature holds for its own part."""
        self._left -= len(text)
        if text and self._on_text:
            self._on_text(text)
        if signature:
            self._join()
            self._parts.append(TextPart(text, signature))
        else:
            self._words.append(text)

    def _join(self) -> None:
        if self._words:
            self._parts.append(TextPart("".join(self._words)))
            self._words = []
