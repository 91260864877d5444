"""Several models as one: the first is the choice, the others answer when it cannot.

Here and nowhere else a model call is tried again. Each model has a breaker, so that one that is down costs nobody's time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn

from msgspec.structs import replace

from beerforyou import prompts
from beerforyou.errors import ModelError, ModelRefused, ModelSenseless, ModelUnavailable
from beerforyou.llm.breaker import Breaker
from beerforyou.llm.model import Model, Reply, Request
from beerforyou.llm.settling import settled
from beerforyou.outside import permit
from beerforyou.outside.patience import patiently
from beerforyou.settings import Settings
from beerforyou.usage import Usage

log = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 2.0  # a person is waiting
LONGEST_ASKED_S = 5.0  # who asks for more than this is left for the next model
WARMER = 0.7  # added to the temperature where the same words would come again

OnText = Callable[[str], None] | None


class Fallback:
    def __init__(self, models: Sequence[Model], settings: Settings) -> None:
        self.name = models[0].name
        self._upstreams = [_Upstream(model, settings) for model in models]

    @property
    def models(self) -> list[Model]:
        return [upstream.model for upstream in self._upstreams]

    async def generate(self, request: Request, on_text: OnText = None) -> Reply:
        """Raises the last model's error when none answered."""
        draft, left = _Draft(on_text), set() if request.left is None else request.left
        error: ModelError = ModelUnavailable(
            f"{self.name} failed too often and is left alone for a while, as is every other model", "try again later"
        )
        for upstream in self._upstreams:
            if upstream.model.name in left or not upstream.breaker.lets_through:
                continue
            try:
                reply = await upstream.ask(request, draft)
            except ModelError as failure:
                error = failure
                if isinstance(failure, ModelSenseless):
                    left.add(upstream.model.name)
            else:
                reply = replace(reply, usage=reply.usage + draft.paid)
                return reply if upstream is self._upstreams[0] else replace(reply, fallback=True)
        raise error

    async def close(self) -> None:
        await asyncio.gather(*(model.close() for model in self.models))


class _Upstream:
    """One model, its breaker, and how often it is tried."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self.model = model
        self.breaker = Breaker(settings.breaker_failures, settings.breaker_s, counts=_is_the_models)
        self._tries = settings.model_tries
        self._timeout_s = settings.model_timeout_s

    async def ask(self, request: Request, draft: _Draft) -> Reply:
        """A reply without sense is asked for once more, in other words than before."""
        try:
            return await self._patiently(request, draft)
        except ModelSenseless as senseless:
            if not self.breaker.lets_through:
                raise
            asked = _otherwise(request, senseless.hint)
        return await self._patiently(asked, draft)

    async def _patiently(self, request: Request, draft: _Draft) -> Reply:
        return await patiently(
            partial(self._once, request, draft),
            self._again,
            first_s=FIRST_WAIT_S,
            longest_s=LONGEST_WAIT_S,
            jitter_s=FIRST_WAIT_S,
            tries=self._tries,
            within_s=self._timeout_s,
        )

    async def _once(self, request: Request, draft: _Draft) -> Reply:
        permit.ask()
        try:
            with self.breaker.call():
                reply = settled(await self.model.generate(request, draft.begin()), request)
                if reply.void:
                    await self._void(replace(reply, model=reply.model or self.model.name), request, draft)
                return reply
        except ModelError as error:
            log.warning("%s", error.message)
            raise

    async def _void(self, reply: Reply, request: Request, draft: _Draft) -> NoReturn:
        if request.paid:
            await request.paid(reply)
        else:
            draft.paid += reply.usage
        raise ModelSenseless(f"{self.model.name} made no sense: {reply.why}", reply.why)

    def _again(self, error: Exception) -> bool | float:
        """Whether another try may do, or the wait that the provider asks for. A timeout has cost enough already."""
        if not isinstance(error, ModelUnavailable) or not self.breaker.lets_through:
            return False
        wait = error.retry_after_s
        return True if not wait else wait if wait <= LONGEST_ASKED_S else False


def _is_the_models(error: Exception) -> bool:
    """One client's request that is refused, or not wanted any more, must not close the model to all."""
    return isinstance(error, ModelError) and not isinstance(error, ModelRefused)


def _otherwise(request: Request, why: str) -> Request:
    """Never the same again byte by byte: what came of that is known."""
    reminder = f"{request.reminder}\n\n{prompts.again(why)}".strip()
    return replace(request, reminder=reminder, temperature=min(request.temperature + WARMER, 1.0))


class _Draft:
    """The text of one call on its way to `on_text`; each attempt begins on an empty page."""

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._written = False
        self.paid = Usage()  # of what came to nothing, where nobody else keeps it

    def begin(self) -> OnText:
        if self._on_text and self._written:
            self._on_text("")
            self._written = False
        return self._write if self._on_text else None

    def _write(self, piece: str) -> None:
        self._written = True
        if self._on_text:
            self._on_text(piece)
