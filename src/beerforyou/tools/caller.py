"""Who asks, and what a tool may use for it.

No tool has a client id among its arguments: it is the caller's, which comes from the token.
"""

from __future__ import annotations

import asyncio
from datetime import date

import msgspec

from beerforyou.by_rule.sql import Bought
from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.names import brewery_key
from beerforyou.clients.profiles import Profile, Profiles
from beerforyou.db.database import ClientReads, Reads
from beerforyou.db.fence.ask import Fence
from beerforyou.labels import SCOPES, Label, of_client
from beerforyou.reading.question import Question
from beerforyou.reading.reading import Ref
from beerforyou.sentences import Language

MOST_BREWERIES = 5  # that one name may mean; more is not a name


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """`today` is the day in `time_zone` (empty: the installation's), `currency` what amounts are in. `versions`: of catalogue, profile, purchases, home and
    statistics, as this turn began; its `moment` is no other turn's.

    From the conversation: `agreed` are the breweries whose details the client said yes to, `shown` those that the last list
    had, `question` is what the message was read as, for the next message to lean on.
    """

    client_id: str
    name: str
    home: Place
    language: Language
    today: date
    time_zone: str = ""
    currency: str = ""
    scopes: frozenset[str] = SCOPES
    versions: dict[str, str] = {}
    agreed: tuple[Ref, ...] = ()
    shown: tuple[Ref, ...] = ()
    question: Question | None = None

    def agrees_to(self, brewery: str) -> bool:
        """Did the client's yes mean this brewery, given by id or by name?"""
        names = {ref.id for ref in self.agreed} | {brewery_key(ref.name) for ref in self.agreed}
        return bool(brewery) and (brewery in names or brewery_key(brewery) in names)

    def own(self, *made_of: str) -> Label:
        """The label of what is made from this client's data, of these versions."""
        return Label(frozenset({of_client(self.client_id)}), self.versions_of(*made_of))

    def public(self, *made_of: str) -> Label:
        return Label(versions=self.versions_of("catalogue", *made_of))

    def versions_of(self, *made_of: str) -> dict[str, str]:
        known = self.versions | {"day": self.today.isoformat()}
        return {name: known[name] for name in made_of if known.get(name)}


class Hands:
    """What the tools of one turn share. They read where the replica is, which may be behind: `seen` says how far."""

    def __init__(
        self,
        rows: ClientReads,
        fence: Fence,
        statistics: Reads,
        catalogue: Catalogue,
        replicated: bool = False,
        profiles: Profiles | None = None,
        profile_version: str = "",
    ) -> None:
        self.rows, self.fence, self.statistics, self.catalogue = rows, fence, statistics, catalogue
        self.asking = asyncio.Lock()  # whoever holds it may ask the fence
        self.refusals = 0  # SQL that was refused in this turn
        self._replicated = replicated
        self._profiles, self._profile_version = profiles or Profiles(), profile_version

    async def profile(self) -> tuple[Profile | None, str]:
        """The profile and its version; None before the first purchase was loaded."""
        return await self._profiles.of(self.rows, self._profile_version)

    async def seen(self, label: Label) -> Label:
        """The label with the version of the purchases that are really there to be read, when that may be another."""
        if not self._replicated or "purchases" not in label.versions:
            return label
        row = await self.rows.fetchrow("clients.purchases_version")
        there = {"purchases": str(row["version"])} if row else {}
        return msgspec.structs.replace(label, versions=label.versions | there)

    async def bought_as(self, brewery: str) -> Bought:
        """A brewery that was named, as the caller's purchases have it: by its name, else by whole words of it."""
        profile, _ = await self.profile()
        history, key = profile.history if profile else (), brewery_key(brewery)
        meant = {
            same for match in self.catalogue.find(brewery) for same in self.catalogue.same_brewery(match.brewery.id)
        }
        found = [b for b in history if b.brewery_id in meant or brewery_key(b.name) == key]
        found = found or [b for b in history if key and f" {key} " in f" {brewery_key(b.name)} "]
        ids = {same for b in found if b.brewery_id for same in self.catalogue.same_brewery(b.brewery_id)}
        vague = len(found) > MOST_BREWERIES or (not found and self.catalogue.is_vague(brewery))
        return Bought(
            ids=tuple(sorted(ids)),
            names=tuple(sorted({b.name for b in found if not b.brewery_id})),
            shown=tuple(dict.fromkeys(b.name for b in found)),
            vague=vague,
        )
