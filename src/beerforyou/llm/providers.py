"""Every other `provider:model`, through pydantic-ai's model classes, which others maintain: slower, and right.

Needs the extra `providers`. Addresses and keys of services.py come from our settings; other providers find theirs where
pydantic-ai's documentation says. `providers_wire.py` does the translating.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any, get_args

import aiohttp
import httpx2
from openai import AsyncAzureOpenAI, AsyncOpenAI
from pydantic_ai import exceptions as pai
from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.messages import ModelResponse, PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta
from pydantic_ai.models import KnownModelName, Model, OpenAIChatCompatibleProvider, infer_model
from pydantic_ai.profiles import ModelProfile, merge_profile
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider, infer_provider, infer_provider_class
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.azure import AzureProvider
from pydantic_ai.providers.ollama import OllamaProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from beerforyou.errors import ModelError, ModelRefused, ModelTimeout, ModelUnavailable, SetupError
from beerforyou.llm import providers_wire as wire
from beerforyou.llm.model import SLOW, Reply, Request
from beerforyou.llm.services import KNOWN, SERVICES, Service, address, key
from beerforyou.llm.settling import MAX_REPLY_BYTES, MOST_EMPTY, longest_text
from beerforyou.outside import permit
from beerforyou.outside.fetch import Outside, Unreadable, pieces
from beerforyou.outside.public import named_by_operator
from beerforyou.settings import Settings, env_name

# What a service is to pydantic-ai, which needs some key: none goes out where there is none.
KINDS = {"compatible": "openai-chat", "compatible-responses": "openai-responses"}
NO_KEY = "none"
KEY_HEADERS = frozenset({"authorization", "x-api-key"})
AZURE_WITHOUT = frozenset({"authorization"})  # its key goes as `api-key`, and a second one may be taken for another
# Many a server knows the old name of the limit alone (Ollama, by its documentation of what it takes); those that know the new one take both. A second system message
# is refused by the templates of some models.
COMPATIBLE = OpenAIModelProfile(
    openai_chat_supports_max_completion_tokens=False, openai_chat_supports_multiple_system_messages=False
)
AZURE_V1 = ("", "v1", "latest", "preview")  # versions that are none: the API without dates
MOST_LINES = 60_000  # of a reply; an event has two or three, and holds a token or more
SLICE = 4096  # bytes handed on at a time: an SDK takes 0.2 ms an event, and others want their turn
IDLE_S = 60.0  # that a connection is kept for the next call
MAX_QUOTE = 300  # characters of the provider's own words in an error
PASSING = (
    pai.ModelRateLimitError,
    pai.ModelQuotaExceededError,
    pai.ModelUnavailableError,
    pai.ModelServerError,
    pai.ModelConnectionError,
)
SETUP = (pai.ModelAuthenticationError, pai.ModelNotFoundError)  # no request gets through


def connect(name: str, settings: Settings) -> PydanticAI:
    """Raises SetupError."""
    service, _, model_name = name.partition(":")
    secret = key(name, settings) if service in SERVICES else ""
    base_url = address(name, settings) if service in SERVICES else ""
    outside = Outside(settings.model_timeout_s, named_by_operator, idle_s=IDLE_S)
    without = AZURE_WITHOUT if service.startswith("azure") else frozenset() if secret or not base_url else KEY_HEADERS
    transport = _Transport(outside, without)
    http = httpx2.AsyncClient(transport=transport, timeout=None, follow_redirects=False, trust_env=False)

    def provider(of: str) -> Provider[Any]:
        return _of_settings(service, base_url, secret or NO_KEY, settings, http) if base_url else _provider(of, http)

    try:
        model = infer_model(f"{KINDS.get(service, service)}:{model_name}", provider)
    except (pai.UserError, ValueError) as error:
        others = f"known are {KNOWN}, and with keys of their own {', '.join(_others())}"
        hint = others if _unknown(service) else "`offline:` needs no key"
        raise SetupError(f"{name} cannot be used: {error}", hint) from None
    return PydanticAI(name, model, settings.model_timeout_s, http, secret, base_url)


def _of_settings(service: str, base_url: str, key: str, settings: Settings, http: httpx2.AsyncClient) -> Provider[Any]:
    match service:
        case "anthropic":
            return AnthropicProvider(api_key=key, base_url=base_url, http_client=http)
        case "azure" | "azure-responses":
            return AzureProvider(openai_client=_azure(base_url, key, settings.azure_api_version.strip(), http))  # type: ignore[call-overload]
        case "ollama":
            return _Ollama(base_url, key, http_client=http)
        case "compatible" | "compatible-responses":
            return OpenAICompatibleProvider(
                "compatible", base_url=base_url, api_key=key, http_client=http, profile=COMPATIBLE
            )
    return OpenAIProvider(base_url, key, http_client=http)


class _Ollama(OllamaProvider):
    @staticmethod
    def model_profile(model_name: str) -> ModelProfile | None:
        return merge_profile(OllamaProvider.model_profile(model_name), COMPATIBLE)


def _azure(base_url: str, key: str, version: str, http: httpx2.AsyncClient) -> AsyncOpenAI:
    """With a dated version the deployment is in the path; in the v1 API it is the model, as everywhere else."""
    if version not in AZURE_V1:
        return AsyncAzureOpenAI(azure_endpoint=base_url, api_key=key, api_version=version, http_client=http)
    query = {"api-version": version} if version in ("latest", "preview") else {}
    where, headers = f"{base_url}/openai/v1", {"api-key": key}
    return AsyncOpenAI(base_url=where, api_key=key, default_headers=headers, default_query=query, http_client=http)


def _unknown(service: str) -> bool:
    try:
        return not infer_provider_class(KINDS.get(service, service))
    except (ValueError, ImportError) as error:
        return isinstance(error, ValueError)


def _others() -> list[str]:
    """The providers that find their own keys."""
    named = (name.partition(":")[0] for name in get_args(KnownModelName.__value__))
    found = {*named, *get_args(OpenAIChatCompatibleProvider.__value__)} - {*SERVICES, "test"}
    return sorted(provider for provider in found if not provider.startswith("gateway/"))


def _provider(of: str, http: httpx2.AsyncClient) -> Provider[Any]:
    """On our way to strangers where its SDK can take it; one that has a transport of its own, or wants httpx, cannot."""
    if of.startswith("gateway/"):
        return infer_provider(of)
    kind = infer_provider_class(of)
    wants = signature(kind).parameters.get("http_client")
    return kind() if wants is None or "httpx.AsyncClient" in str(wants.annotation) else kind(http_client=http)  # type: ignore[call-arg]


class _Transport(httpx2.AsyncBaseTransport):
    """The SDKs' calls, on our one way to strangers, `without` some headers."""

    def __init__(self, outside: Outside, without: frozenset[str]) -> None:
        self._outside, self._without = outside, without

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        sent = {name: value for name, value in request.headers.items() if name not in self._without}
        headers = {**sent, "accept-encoding": "identity"}
        body = await request.aread()
        call = self._outside.request(request.method, str(request.url), data=body, headers=headers)
        with _in_httpx_words():
            response = await call.__aenter__()
        return httpx2.Response(response.status, headers=response.raw_headers, stream=_Body(response))

    async def aclose(self) -> None:
        await self._outside.close()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_httpx_words():
            async for piece in self._pieces():
                for start in range(0, len(piece), SLICE):
                    yield piece[start : start + SLICE]
                    await asyncio.sleep(0)

    async def _pieces(self) -> AsyncIterator[bytes]:
        lines = MOST_LINES
        try:
            async for piece in pieces(self._response, MAX_REPLY_BYTES):
                lines -= piece.count(b"\n")
                if lines < 0:
                    raise Unreadable(f"longer than {MOST_LINES} lines")
                yield piece
        except Unreadable:
            if self._response.status == 200:
                raise  # else the status says enough

    async def aclose(self) -> None:
        self._response.release()


@contextmanager
def _in_httpx_words() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpx2.ReadTimeout(str(error)) from None
    except (aiohttp.ClientError, OSError) as error:  # aiohttp's errors may hold the headers, so no chain
        raise httpx2.NetworkError(type(error).__name__) from None


class PydanticAI:
    """`http` is closed with it; `key` is kept out of every error. `base_url` is where a service of services.py is asked."""

    def __init__(
        self,
        name: str,
        model: Model[Any],
        timeout_s: float,
        http: httpx2.AsyncClient | None = None,
        key: str = "",
        base_url: str = "",
    ) -> None:
        self.name = name
        self._model = model
        self._timeout_s = timeout_s
        self._http = http
        self._key = key
        self._base_url = base_url

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await (self._stream(request, on_text) if on_text else self._whole(request))
        except (TimeoutError, pai.ModelTimeoutError, pai.ModelRequestTimeout):
            raise ModelTimeout(f"{self.name} did not answer within {self._timeout_s:g} s", SLOW) from None
        except (pai.AgentRunError, pai.UserError) as error:  # a chain would show the SDK's request, key and all
            permit.ask()  # what it raised at the connection is to an SDK a connection that failed
            raise self._error(error) from None
        except (
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
            RecursionError,
        ) as error:  # how the SDKs trip over garbage
            raise ModelError(f"{self.name} answered something that is no reply: {type(error).__name__}") from None
        return wire.reply(response, request, self._model)

    async def close(self) -> None:
        async with self._model:  # leaving it closes what the provider opened itself
            pass
        if self._http:
            await self._http.aclose()

    async def _whole(self, request: Request) -> ModelResponse:
        return await model_request(self._model, wire.messages(request, self._model), **self._options(request))

    async def _stream(self, request: Request, on_text: Callable[[str], None]) -> ModelResponse:
        messages = wire.messages(request, self._model)
        async with model_request_stream(self._model, messages, **self._options(request)) as stream:
            left, events = longest_text(request), MOST_EMPTY
            async for event in stream:
                text = _text_of(event)
                if heard := text[: max(left, 0)]:
                    on_text(heard)
                left, events = left - len(text), events - (not text)
                if left < 0 or events < 0:
                    break
            return stream.get()

    def _options(self, request: Request) -> dict[str, Any]:
        return {
            "model_settings": wire.settings(request, self._model),
            "model_request_parameters": wire.parameters(request),
            "instrument": False,
        }

    def _error(self, error: pai.AgentRunError | pai.UserError) -> ModelError:
        said = str(error).replace(self._key, "********") if self._key else str(error)
        message = f"{self.name} failed: {said[:MAX_QUOTE]}"
        hint = _hint(error, SERVICES.get(self.name.partition(":")[0]))
        if not isinstance(error, PASSING):
            request_at_fault = isinstance(error, pai.ModelRequestRejectedError) and not isinstance(error, SETUP)
            return (ModelRefused if request_at_fault else ModelError)(message, hint)
        if isinstance(error, pai.ModelConnectionError) and self._base_url:
            message = f"{self.name} cannot be reached at {self._base_url}, or broke off: {said[:MAX_QUOTE]}"
        passing = ModelUnavailable(message, hint or "try again")
        passing.retry_after_s = error.retry_after
        return passing


def _text_of(event: object) -> str:
    match event:
        case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
    return ""


def _hint(error: Exception, service: Service | None) -> str:
    where, secret = (env_name(service.url), env_name(service.key)) if service else ("", "the provider's key")
    match error:
        case pai.ModelAuthenticationError():
            return f"check {secret}"
        case pai.ModelNotFoundError():
            also = f", and whether {where} leads to an API that has it" if where else ""
            return f"check the model's name in BEERFORYOU_MODEL{also}"
        case pai.ModelConnectionError() if where:
            return f"is it running, and is {where} right?"
        case pai.ModelRequestRejectedError():
            return "its own words say what it will not take; does it have a model of that name?"
    return ""
