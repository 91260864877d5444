"""A tool says beforehand whose data it will read, and in which versions; what comes then is made of no other."""

from typing import Any

import pytest

from beerforyou.errors import BadInput
from beerforyou.reading.reading import Ref
from beerforyou.tools import TOOLS
from beerforyou.tools.tool import Result
from tests.tools.conftest import Asker, Make

ME, PUBLIC, EVERYONE = {"client:CLT-00001"}, {"public"}, {"aggregate"}
VERSIONS = {"catalogue": "c", "profile": "p", "purchases": "7", "home": "h", "statistics": "3", "moment": "m"}

CASES: list[tuple[str, dict[str, Any], set[str], set[str]]] = [
    ("get_client_profile", {}, ME, {"profile"}),
    ("run_sql", {"sql": "SELECT sum(quantity) AS quantity FROM my_purchases"}, ME, {"catalogue", "purchases", "home"}),
    ("run_sql", {"sql": "SELECT CURRENT_DATE AS day"}, ME, {"catalogue", "purchases", "home", "day"}),
    ("run_sql", {"sql": "SELECT count(*) AS n FROM my_purchases WHERE purchased_on > now() - interval '7 days'"}, ME,
     {"catalogue", "purchases", "home", "moment"}),
    ("run_sql", {"sql": "SELECT 'today'::date AS day"}, ME, {"catalogue", "purchases", "home", "day"}),
    *(("run_analytical_query", {"about": "me"} | slots, ME, {"catalogue", "purchases", *more}) for slots, more in (
        ({}, ()),
        ({"by": ["beer"], "direction": "most", "limit": 3}, ()),
        ({"spans": [{"since": "2001-03-01", "until": "2001-03-31"}]}, ()),
        ({"spans": [{"until": "2001-03-31"}]}, ()),
        ({"filters": [{"field": "style", "values": ["today"]}]}, ()),
        ({"filters": [{"field": "brewery", "values": ["Stone"]}]}, ("profile",)),
        ({"spans": [{"since": "2001-03-01"}]}, ("day",)),  # it may be told as "so far"
        ({"spans": [{"since": "2001-03-01", "until": "2099-03-31"}]}, ("day",)),
        ({"aggregate": "since"}, ("day",)),
        ({"aggregate": "mean", "per": "week"}, ("day",)),
        ({"aggregate": "mean", "per": "order"}, ()),
        ({"by": ["beer"], "having": "stopped"}, ("day",)),
        ({"by": ["beer"], "having": "once"}, ()),
        ({"aggregate": "change", "by": ["month"]}, ("day",)),
    )),
    ("run_analytical_query", {"about": "everyone", "by": ["style"]}, EVERYONE, {"catalogue", "statistics"}),
    ("run_analytical_query", {"about": "everyone", "filters": [{"field": "city", "values": ["Portland"]}]}, EVERYONE, {"catalogue", "statistics", "home"}),
    ("search_breweries", {"city": "San Diego", "state": "California"}, PUBLIC, {"catalogue", "home"}),
    ("search_breweries", {"type": "nano"}, PUBLIC | ME, {"catalogue", "home"}),
    ("search_breweries", {"state": "Ohio", "nearest": True}, PUBLIC | ME, {"catalogue", "home"}),
    ("search_breweries", {"city": "Portland"}, PUBLIC, {"catalogue", "home"}),
    ("search_breweries", {"near_me": True}, PUBLIC | ME, {"catalogue", "home"}),
    ("search_breweries", {"only_new": True, "state": "Ohio"}, PUBLIC | ME, {"catalogue", "home", "profile"}),
    ("search_breweries", {"breweries": ["Stone Brewing"]}, ME, {"catalogue", "home", "profile"}),
    ("get_website_summary", {"brewery": "Stone Brewing", "state": "California"}, PUBLIC, {"catalogue"}),
    ("get_website_summary", {"brewery": "Stone Brewing"}, PUBLIC, {"catalogue", "home"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "audience", "versions"), CASES)
def test_it_is_said_beforehand(
    asker: Make, name: str, args: dict[str, Any], audience: set[str], versions: set[str]
) -> None:
    label = TOOLS[name].reads(asker(versions=VERSIONS).caller, args)
    assert label.audience == audience and set(label.versions) == versions
    assert all(label.versions[each] == VERSIONS[each] for each in versions - {"day"})


@pytest.mark.parametrize(("name", "args", "audience", "versions"), CASES)
async def test_and_is_what_came(
    asker: Make, name: str, args: dict[str, Any], audience: set[str], versions: set[str]
) -> None:
    me = asker()
    known = await really(me)
    me = asker(versions=known)
    result = await TOOLS[name](*me, args)
    assert result.label.audience >= audience and not result.label.mixed
    said = TOOLS[name].reads(me.caller, args)
    assert said.versions.items() <= result.label.versions.items()


async def really(me: Asker) -> dict[str, str]:
    """The versions as a worker would load them."""
    _, profile = await me.hands.profile()
    purchases = await me.hands.rows.fetchrow("clients.purchases_version")
    edition = (await me.hands.statistics.fetch("statistics.cells", "total", "", "", "", "", "", "", "", "clients", "most", 1))[0]["edition"]  # fmt: skip
    catalogue = me.hands.catalogue.version
    assert purchases is not None
    return VERSIONS | {"catalogue": catalogue, "profile": profile, "purchases": str(purchases["version"]), "statistics": str(edition)}  # fmt: skip


async def test_a_profile_that_is_newer_than_it_was_said_to_be_is_kept_apart(asker: Make) -> None:
    result: Result = await TOOLS["get_client_profile"](*asker(versions={"profile": "an older one"}), {})
    assert result.label.mixed and "an older one+" in "+".join(
        sorted(result.label.versions["profile"].split("+"), key=len)
    )


def test_a_name_that_was_shown_means_that_one_in_this_conversation_only(asker: Make) -> None:
    shown = (Ref(id="b1", name="Stone Brewing", city="Escondido", state="California"),)
    tell = TOOLS["get_website_summary"]
    leaning = tell.reads(asker(shown=shown).caller, {"brewery": "Stone Brewing"})
    plain = tell.reads(asker().caller, {"brewery": "Stone Brewing"})
    assert leaning.versions == plain.versions | {"shown": "b1"}


def test_arguments_that_make_no_sense_are_refused_beforehand_too(asker: Make) -> None:
    with pytest.raises(BadInput):
        TOOLS["search_breweries"].reads(asker().caller, {"page": "many"})
