"""`gemini:<model>`: the Gemini API without its SDK.

Keeps three promises: the whole call ends within its time, a reply has a largest size, and the key is in no error.
What the bytes mean is in `gemini_wire.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
import msgspec

from beerforyou.errors import ModelError, ModelRefused, ModelTimeout, ModelUnavailable
from beerforyou.llm import gemini_wire as wire
from beerforyou.llm.model import Reply, Request
from beerforyou.llm.settling import MAX_REPLY_BYTES
from beerforyou.llm.sse import events
from beerforyou.outside.fetch import Outside, Unreadable, pieces, whole
from beerforyou.outside.public import named_by_operator
from beerforyou.outside.retry_after import seconds

BREATH = 100  # events of a stream, after which others get their turn: half a millisecond
IDLE_S = 60.0  # that a connection is kept for the next call
MAX_QUOTE = 300  # characters of the provider's own words in an error
PASSING = (408, 429)  # with every 5xx: another try may do
REFUSED = (400, 413, 422)  # the request is at fault, not the model

HINTS = {
    401: "check GEMINI_API_KEY",
    403: "check GEMINI_API_KEY and what it may use",
    404: "BEERFORYOU_MODEL names a model that the API does not have, or BEERFORYOU_GEMINI_BASE_URL another API",
    429: "wait, or ask the provider for more quota",
}


class Gemini:
    def __init__(self, model: str, key: str, base_url: str, timeout_s: float) -> None:
        self.name = f"gemini:{model}"
        self._url = f"{base_url.rstrip('/')}/v1beta/models/{model}"
        self._key = key
        self._timeout_s = timeout_s
        self._thinking = wire.thinking_config(model)
        headers = {"x-goog-api-key": key, "Content-Type": "application/json"}
        self._outside = Outside(timeout_s, named_by_operator, headers, IDLE_S)

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        body = wire.encode(request, self._thinking)
        reader = wire.Reader(request, on_text)
        verb = "streamGenerateContent?alt=sse" if on_text else "generateContent"
        try:
            await self._call(verb, body, reader)
        except TimeoutError:
            raise ModelTimeout(f"{self.name} did not answer within {self._timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:  # aiohttp's errors may hold the headers, so no chain
            raise ModelUnavailable(f"{self.name} cannot be reached: {type(error).__name__}", "try again") from None
        except Unreadable as error:
            raise ModelError(f"{self.name} sent a reply that is {error}") from None
        if reader.broken_off:
            raise ModelUnavailable(f"{self.name} broke off in the middle of its reply", "try again")
        return reader.reply()

    async def close(self) -> None:
        await self._outside.close()

    async def _call(self, verb: str, body: bytes, reader: wire.Reader) -> None:
        async with self._outside.request("POST", f"{self._url}:{verb}", data=body) as response:
            if response.status != 200:
                raise await self._refused(response)
            if response.content_type != "text/event-stream":
                return self._read(await whole(response, MAX_REPLY_BYTES), reader)
            count = 0
            async for event in events(pieces(response, MAX_REPLY_BYTES)):
                self._read(event, reader)
                count += 1
                if reader.full:
                    break
                if count % BREATH == 0:
                    await asyncio.sleep(0)
            if not count:
                raise self._garbage("a stream without events")

    def _read(self, data: bytes, reader: wire.Reader) -> None:
        try:
            response = wire.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._garbage(str(error)) from None
        if response.error:
            raise self._error(response.error.code, response.error)
        reader.add(response)

    async def _refused(self, response: aiohttp.ClientResponse) -> ModelError:
        try:
            refusal = wire.decode(await whole(response, MAX_REPLY_BYTES)).error or wire.Refusal()
        except (msgspec.DecodeError, RecursionError, Unreadable):  # the status says enough
            refusal = wire.Refusal()
        return self._error(response.status, refusal, response.headers.get("Retry-After", ""))

    def _error(self, status: int, refusal: wire.Refusal, retry_after: str = "") -> ModelError:
        quote = f"{refusal.status}: {refusal.message}".replace(self._key, "********")[:MAX_QUOTE]
        message = f"{self.name} answered {status} {quote}".rstrip(" :")
        if status not in PASSING and status < 500:
            wrong_key = "API key" in quote  # a wrong key is answered with 400
            kind = ModelRefused if status in REFUSED and not wrong_key else ModelError
            return kind(message, HINTS[401] if wrong_key else HINTS.get(status, ""))
        error = ModelUnavailable(message, HINTS.get(status, "try again"))
        error.retry_after_s = seconds(retry_after or wire.retry_delay(refusal))
        return error

    def _garbage(self, what: str) -> ModelError:
        return ModelError(
            f"{self.name} answered something that is no reply: {what}", "check BEERFORYOU_GEMINI_BASE_URL"
        )
