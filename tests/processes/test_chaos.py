"""The quick form of the chaos run keeps every promise, and it was one: everything that should go wrong did."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.processes.chaos import chaos, quick
from tests.processes.figures import PROMISES

SEED = 20261125


@pytest.fixture(scope="module")
async def figures() -> AsyncIterator[dict[str, Any]]:
    yield await chaos(quick(SEED))


@pytest.mark.parametrize("promise", PROMISES)
async def test_a_promise_is_kept(figures: dict[str, Any], promise: str) -> None:
    assert figures[promise] == 0, figures


async def test_everything_went_wrong(figures: dict[str, Any]) -> None:
    assert all(figures["deaths_at"].values()) and figures["runs_taken_over"] > 0
    assert {"postgresql", "valkey", "rabbitmq", "flushall", "sleep"} <= figures["accidents"].keys()
    assert figures["runs"] >= 60 and figures["webhooks_owed"] > 0 and figures["webhooks_refused_once"] > 0
    assert figures["repeated_unfinished"]["model"] > 0  # what died in the middle of a call was asked for again
