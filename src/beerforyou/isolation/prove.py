"""The proof: canary clients, every attack on them, and a search for their words wherever they should not be.

Each part says what it found wrong, one line each; a proof without lines holds. The service and the API that are attacked
are the real ones, in this process, on the configured servers.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import msgspec

from beerforyou.house import opened
from beerforyou.isolation import left_behind, through_http, through_sql, through_tools
from beerforyou.isolation.canaries import BEERS, canaries
from beerforyou.isolation.part import Part, found_in
from beerforyou.isolation.watching import backends, named
from beerforyou.settings import Settings
from beerforyou.worker.worker import working


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """`checks` says how much was tried; `holes` what went wrong, and must be empty."""

    checks: dict[str, int]
    holes: list[str]


async def prove(settings: Settings) -> Proof:
    """Raises SetupError and Unavailable when there is nothing to prove anything on."""
    checks: dict[str, int] = {}
    holes: list[str] = []
    async for part in _parts(settings):
        checks[part.name] = part.checks
        holes += [f"{part.name}: {hole}" for hole in part.holes]
    return Proof(checks=checks, holes=holes)


async def _parts(settings: Settings) -> AsyncIterator[Part]:
    mine, name = named(_with_own_tokens(settings))
    with left_behind.Heard() as heard:
        async with canaries(settings) as made, opened(mine) as house, backends(settings, name) as watched:
            for canary in made:
                await through_sql.arrived(house, canary, BEERS)
            yield await through_sql.fence(house)
            yield await through_sql.queries(house, settings, made, watched)
            yield await through_sql.pool(house, made)
            yield await through_tools.arguments(house, made)
            async with working(house), through_http.served(house) as address:
                said = [await through_http.talk(house, address, canary) for canary in made]
                yield await through_http.routes(house, address, made, said)
                yield through_http.events(made, said)
            yield await left_behind.valkey(house, made)
        yield Part("logs", heard.lines, list(found_in("the log of this process", heard.text, made)))
    yield left_behind.server_log(settings, made)


def _with_own_tokens(settings: Settings) -> Settings:
    return msgspec.structs.replace(
        settings, auth_jwks_url="", auth_secret=secrets.token_urlsafe(48), model="offline:", fallback_models=""
    )
