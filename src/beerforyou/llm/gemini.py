"""`gemini:<model>`: the Gemini API without its SDK.

Keeps three promises: the whole call ends within its time, a reply has a largest size, and the key is in no error.
What the bytes mean is in `gemini_wire.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from beerforyou.errors import ModelError, ModelRefused, ModelTimeout, ModelUnavailable
from beerforyou.llm import gemini_wire as wire
from beerforyou.llm.model import SLOW, Reply, Request
from beerforyou.llm.settling import MAX_REPLY_BYTES
from beerforyou.llm.sse import Hearing
from beerforyou.outside.fetch import Unreadable
from beerforyou.outside.origin import Origin
from beerforyou.outside.retry_after import seconds

IDLE_S = 60.0  # that a connection is kept for the next call
MAX_QUOTE = 300  # characters of the provider's own words in an error
PASSING = (408, 429)  # with every 5xx: another try may do
REFUSED = (400, 413, 422)  # the request is at fault, not the model

UNREACHED = "try again; is BEERFORYOU_GEMINI_BASE_URL right?"
HINTS = {
    401: "check GEMINI_API_KEY",
    403: "check GEMINI_API_KEY and what it may use",
    404: "BEERFORYOU_MODEL names a model that the API does not have, or BEERFORYOU_GEMINI_BASE_URL another API",
    429: "wait, or ask the provider for more quota",
}


class Gemini:
    def __init__(self, model: str, key: str, base_url: str, timeout_s: float) -> None:
        """`key` may be empty where a proxy has it. Raises ValueError: no such address."""
        self.name = f"gemini:{model}"
        self._path = f"/v1beta/models/{model}"
        self._key = key
        self._timeout_s = timeout_s
        self._thinking = wire.thinking(model)
        headers = {"Content-Type": "application/json"} | ({"x-goog-api-key": key} if key else {})
        self._origin = Origin(base_url, headers, timeout_s, IDLE_S)

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        reader = wire.Reader(request, on_text)
        hearing = Hearing(partial(self._read, reader))
        verb = "streamGenerateContent?alt=sse" if on_text else "generateContent"
        try:
            await self._origin.post(
                f"{self._path}:{verb}", wire.encode(request, self._thinking), hearing, MAX_REPLY_BYTES
            )
        except TimeoutError:
            raise ModelTimeout(f"{self.name} did not answer within {self._timeout_s:g} s", SLOW) from None
        except OSError as error:
            raise ModelUnavailable(f"{self.name} cannot be reached: {str(error)[:MAX_QUOTE]}", UNREACHED) from None
        except Unreadable as error:
            if hearing.status == 200:  # else the status says enough
                raise ModelError(f"{self.name} sent a reply that is {error}") from None
        return self._reply(hearing, reader)

    async def close(self) -> None:
        await self._origin.close()

    def _reply(self, hearing: Hearing, reader: wire.Reader) -> Reply:
        if hearing.status != 200:
            raise self._refused(hearing)
        if hearing.streamed:
            hearing.end()
        else:
            self._read(reader, hearing.body)
        if hearing.streamed and not hearing.count:
            raise self._garbage("a stream without events")
        if reader.broken_off:
            raise ModelUnavailable(f"{self.name} broke off in the middle of its reply", "try again")
        return reader.reply()

    def _read(self, reader: wire.Reader, data: bytes) -> bool:
        """Whether the reader has all that it wants."""
        try:
            response = wire.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._garbage(str(error)) from None
        if response.error:
            raise self._error(response.error.code, response.error)
        return reader.add(response)

    def _refused(self, hearing: Hearing) -> ModelError:
        try:
            refusal = wire.decode(hearing.body).error or wire.Refusal()
        except (msgspec.DecodeError, RecursionError):  # the status says enough
            refusal = wire.Refusal()
        return self._error(hearing.status, refusal, hearing.headers.get(b"retry-after", b"").decode("latin-1"))

    def _error(self, status: int, refusal: wire.Refusal, retry_after: str = "") -> ModelError:
        quote = f"{refusal.status}: {refusal.message}"
        quote = (quote.replace(self._key, "********") if self._key else quote)[:MAX_QUOTE]
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
