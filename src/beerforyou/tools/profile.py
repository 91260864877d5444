"""Tool 1A: the caller's own profile."""

from __future__ import annotations

import msgspec

from beerforyou.blocks import Notice
from beerforyou.messages import say
from beerforyou.tools.tool import Caller, Outcome

TOP = 5  # of each ranking; the model needs no more to know a taste


class NoArgs(msgspec.Struct, frozen=True):
    pass


async def get_client_profile(caller: Caller, args: NoArgs) -> Outcome:
    """The caller's own profile: place, what they buy most (types, styles, beers, breweries) and since when.

    For questions about who they are to us or what they usually buy. For numbers, rankings or periods use
    run_analytical_query. search_breweries already knows the profile: no need to call this before it.
    """
    profile, version = await caller.profile()
    if profile is None:
        notice = Notice(key="profile_missing", text=say("profile.missing", caller.language))
        return Outcome(content={"profile": None}, label=caller.own(), blocks=(notice,))
    return Outcome(content=_content(caller, profile), label=caller.own(profile=version), blocks=(_table(profile),))
