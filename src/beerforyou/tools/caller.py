"""Who asks, and what a tool may use for it.

No tool has a client id among its arguments: it is the caller's, which comes from the token.
"""

from __future__ import annotations

import asyncio
from datetime import date

import msgspec

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


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """`today` is the day in `time_zone` (empty: the installation's). `versions`: of catalogue, profile, purchases, home and
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

    async def known_as(self, brewery: str) -> tuple[list[str], list[str]]:
        """Ids of a brewery, and the spellings under which the caller buys from it where it has none. Never by a part.

        Neither where the name could mean too many breweries, and the caller buys from none that is called so.
        """
        profile, _ = await self.profile()
        key = brewery_key(brewery)
        bought = [b for b in (profile.history if profile else ()) if brewery_key(b.name) == key]
        found = [match.brewery.id for match in self.catalogue.find(brewery)] + [b.brewery_id for b in bought]
        ids = {same for id in found if id for same in self.catalogue.same_brewery(id)}
        return sorted(ids), sorted({b.name for b in bought if not b.brewery_id})
