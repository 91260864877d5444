"""A token may be narrowed down: a tool outside its scopes does not exist for the run."""

from typing import Any

import aiohttp
import pytest

from beerforyou.api.tokens import Bearer, Tokens, mint
from beerforyou.labels import SCOPES
from beerforyou.settings import Settings
from tests.api.conftest import MINE
from tests.api.test_http import asked, followed
from tests.api.test_tokens import ours, signed

QUESTION = {"message": "quanto comprei este ano?"}


async def answered(address: str, settings: Settings, *scopes: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {mint(settings, MINE, 60, scopes)}"}
    async with aiohttp.ClientSession(address, headers=headers) as http:
        accepted = await asked(http, QUESTION)
        await followed(http, accepted["run_id"])
        async with http.get(f"/v1/runs/{accepted['run_id']}?include=steps") as response:
            return dict(await response.json())


@pytest.mark.parametrize(("scopes", "calls"), [((), 1), (("purchases",), 1), (("breweries", "profile"), 0)])
async def test_a_tool_outside_the_scopes_is_not_there(
    address: str, furnished: Settings, scopes: tuple[str, ...], calls: int
) -> None:
    run = await answered(address, furnished, *scopes)
    (decision,) = [d for d in run["decisions"] if d["tool"] == "run_analytical_query"]
    assert decision["calls"] == calls == sum(step["kind"] == "tool" for step in run["steps"])
    assert ("token does not cover it" in decision["why"]) is not bool(calls)
    assert run["status"] == "succeeded" and run["text"]


@pytest.mark.parametrize(
    ("claim", "scopes"),
    [
        (None, SCOPES),
        ("purchases web", {"purchases", "web"}),
        (["breweries"], {"breweries"}),
        ("openid email", set()),
        (7, set()),
    ],
)
async def test_what_a_claim_says(claim: Any, scopes: set[str]) -> None:
    assert await Tokens(ours()).bearer(signed(scope=claim)) == Bearer("CLT-00001", frozenset(scopes))
