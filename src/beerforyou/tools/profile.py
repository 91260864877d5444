"""Tool 1A: the caller's own profile."""

from __future__ import annotations

from typing import Any

import msgspec

from beerforyou.blocks import Notice, Table
from beerforyou.clients.profiles import Profile
from beerforyou.labels import Label, of_client
from beerforyou.sentences import say
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.tool import Result

TOP = 5  # of each ranking; the model needs no more to know a taste
HISTORY = 50  # breweries of the whole history that the model is told; the number of all comes with them


class NoArgs(msgspec.Struct, frozen=True):
    pass


def reads(caller: Caller, args: NoArgs) -> Label:
    return caller.own("profile")


async def get_client_profile(caller: Caller, hands: Hands, args: NoArgs) -> Result:
    """The caller's own profile: place, what they buy most (types, styles, beers, breweries), and every brewery that
    they ever bought from.

    For who they are to us, or what they usually buy. For numbers, rankings or periods use run_analytical_query.
    search_breweries already knows the profile.
    """
    profile, version = await hands.profile()
    if profile is None:
        notice = Notice(key="profile_missing", text=say("profile.missing", caller.language))
        return Result(content={"profile": None}, label=caller.own(), blocks=(notice,))
    return Result(
        content={"profile": _content(profile)},
        label=Label(frozenset({of_client(caller.client_id)}), {"profile": version}),
        blocks=_tables(profile),
    )


def _content(profile: Profile) -> dict[str, Any]:
    history = [f"{bought.name}, {bought.city}" if bought.city else bought.name for bought in profile.history]
    return {
        "name": profile.name,
        "place": ", ".join(filter(None, (profile.city, profile.state, profile.country))),
        "window": profile.window,
        "types": [share.name for share in profile.types[:TOP]],
        "styles": [share.name for share in profile.styles[:TOP]],
        "beers": [beer.name for beer in profile.beers[:TOP]],
        "breweries": [brewery.name for brewery in profile.breweries[:TOP]],
        "units": profile.totals.quantity,
        "since": profile.totals.first,
        "history": history[:HISTORY],
        "history_of": len(history),
    }


def _tables(profile: Profile) -> tuple[Table, ...]:
    if not profile.breweries:
        return ()
    rows = tuple((brewery.name, brewery.quantity) for brewery in profile.breweries[:TOP])
    return (Table(title="profile", columns=("brewery", "quantity"), rows=rows),)
