"""Our structs as pydantic-ai's messages, and its responses as our replies.

What a provider must get back and our structs have no words for (thinking, its signature, item ids) travels in
`signature`, under the name of the system that may read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import (
    InstructionPart,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
    WebCitationSource,
)
from pydantic_ai.messages import (
    TextPart as SdkTextPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.native_tools import WebSearchTool
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import RequestUsage

from beerforyou.llm.calls import CallIds, as_object, parsed
from beerforyou.llm.model import Content, Finish, Reply, Request, Source, TextPart, ToolCall, ToolResult
from beerforyou.usage import Usage

FINISH: dict[str | None, Finish] = {"length": "length", "content_filter": "safety", "error": "malformed"}
# Models that reason, or whose profile says so, refuse a temperature.
NO_TEMPERATURE = ("openai_supports_reasoning", "anthropic_disallows_sampling_settings")


class _Thought(msgspec.Struct, omit_defaults=True):
    content: str = ""
    id: str | None = None
    signature: str | None = None
    provider_details: dict[str, Any] | None = None


class _Extras(msgspec.Struct, omit_defaults=True):
    """Of one part: the thinking before it and what belongs to it."""

    thoughts: list[_Thought] = []
    id: str | None = None
    provider_details: dict[str, Any] | None = None


def messages(request: Request, model: Model[Any]) -> list[ModelMessage]:
    history = [_message(message, model) for message in request.messages if message.parts]
    last = [UserPromptPart(text) for text in request.last]
    if last and history and isinstance(history[-1], ModelRequest):
        history[-1] = ModelRequest([*history[-1].parts, *last])
    elif last:
        history.append(ModelRequest(last))
    return history


def parameters(request: Request) -> ModelRequestParameters:
    tools = [
        ToolDefinition(
            name=tool.name, parameters_json_schema=tool.parameters, description=tool.description, strict=False
        )
        for tool in request.tools
    ]
    return ModelRequestParameters(
        function_tools=[] if request.grounded else tools,
        native_tools=[WebSearchTool()] if request.grounded else [],
        instruction_parts=[InstructionPart(request.system)] if request.system else None,
    )


def settings(request: Request, model: Model[Any]) -> ModelSettings:
    """As little thinking as the model allows: thoughts count against max_tokens and are paid for.

    Whether to try again is the planner's to decide, not an SDK's. The prefix is cached, which all clients share; the
    conversation is not, because each request ends in a reminder that the next one has elsewhere.
    """
    settings = ModelSettings(
        max_tokens=request.max_output_tokens, thinking=False, max_retries=0, cache={"messages": False}
    )
    if model.system == "openai" or isinstance(model, OpenAIResponsesModel):
        settings["openai_store"] = False  # type: ignore[typeddict-unknown-key]  # a client's data is not left there
    if not any(model.profile.get(flag) for flag in NO_TEMPERATURE):
        settings["temperature"] = request.temperature
    if request.tools and not request.grounded:
        settings["tool_choice"] = request.tool_choice
    return settings


def reply(response: ModelResponse, request: Request, model: Model[Any]) -> Reply:
    parts = tuple(_reply_parts(response, CallIds(request), model))
    return Reply(
        parts=parts,
        usage=_usage(response.usage),
        finish=FINISH.get(response.finish_reason, "stop" if any(_says(part) for part in parts) else "empty"),
        model=response.model_name or "",
        sources=tuple(_sources(response).values()),
    )


def _message(message: Content, model: Model[Any]) -> ModelMessage:
    if message.role != "model":
        return ModelRequest([_request_part(part) for part in message.parts])
    parts = [item for part in message.parts for item in _response_parts(part, model)]
    return ModelResponse(parts, provider_name=model.system, canonical_system=model.canonical_system)


def _request_part(part: TextPart | ToolCall | ToolResult) -> ModelRequestPart:
    match part:
        case TextPart(text):
            return UserPromptPart(text)
        case ToolResult():
            return _tool_return(part)
        case ToolCall(name=name):
            raise UserError(f"a call of {name} in a message that the model did not write")


def _tool_return(result: ToolResult) -> ToolReturnPart:
    """What is no object becomes one; pydantic-ai would send a list as so many texts."""
    if result.is_error:
        return ToolReturnPart(result.name, result.failure, result.call_id, outcome="failed")
    content = result.content if isinstance(result.content, dict) else {"output": result.content}
    return ToolReturnPart(result.name, content, result.call_id)


def _response_parts(part: TextPart | ToolCall | ToolResult, model: Model[Any]) -> Iterator[ModelResponsePart]:
    if isinstance(part, ToolResult):
        raise UserError(f"a result of {part.name} in a message of the model")
    extras = _unpack(part.signature, model)
    for thought in extras.thoughts:
        yield ThinkingPart(**msgspec.structs.asdict(thought), provider_name=model.system)
    own = {"id": extras.id, "provider_details": extras.provider_details, "provider_name": model.system}
    if isinstance(part, ToolCall):
        yield ToolCallPart(part.name, part.args, part.id, **own)  # type: ignore[arg-type]
    else:
        yield SdkTextPart(part.text, **own)  # type: ignore[arg-type]


def _reply_parts(response: ModelResponse, ids: CallIds, model: Model[Any]) -> Iterator[TextPart | ToolCall]:
    thoughts: list[_Thought] = []
    for part in response.parts:
        match part:
            case ThinkingPart():
                thoughts.append(_Thought(part.content, part.id, part.signature, part.provider_details))
            case ToolCallPart():
                signature = _pack(thoughts, part, model)
                yield ToolCall(ids.settle(part.tool_call_id), part.tool_name, as_object(_args(part)), signature)
                thoughts = []
            case SdkTextPart():
                text = TextPart(part.content, _pack(thoughts, part, model))
                if _says(text) or text.signature:
                    yield text
                    thoughts = []


def _args(part: ToolCallPart) -> Any:
    return parsed(part.args) if isinstance(part.args, str) else part.args


def _pack(thoughts: list[_Thought], part: SdkTextPart | ToolCallPart, model: Model[Any]) -> str:
    details = {key: value for key, value in (part.provider_details or {}).items() if key != "citations"}
    extras = _Extras(thoughts, part.id, details or None)
    if extras == _Extras():
        return ""
    return f"{model.canonical_system}:{msgspec.json.encode(extras).decode()}"


def _unpack(signature: str, model: Model[Any]) -> _Extras:
    system, _, packed = signature.partition(":")
    return msgspec.json.decode(packed, type=_Extras) if packed and system == model.canonical_system else _Extras()


def _says(part: TextPart | ToolCall) -> bool:
    return isinstance(part, ToolCall) or bool(part.text)


def _usage(usage: RequestUsage) -> Usage:
    thinking = usage.output_reasoning_tokens or usage.details.get("reasoning_tokens", 0)
    return Usage(usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, thinking)


def _sources(response: ModelResponse) -> dict[str, Source]:
    texts = (part for part in response.parts if isinstance(part, SdkTextPart))
    citations = (citation for text in texts for citation in text.citations or ())
    cited = (source for citation in citations for source in citation.sources)
    found: dict[str, Source] = {}
    for source in cited:
        if isinstance(source, WebCitationSource):
            found.setdefault(source.url, Source(source.url, source.title or ""))
    return found
