"""A server in which nobody owes anything is not woken up; and who owes something is found in time."""

import asyncio
import math
from typing import cast

import pytest

from beerforyou.api.connection import Connection
from beerforyou.api.lobby import LOOK_S, Lobby, Owed
from beerforyou.settings import Settings


class Late:
    def __init__(self) -> None:
        self.owed: list[Owed] = []
        self.late = self.owed.append


@pytest.fixture
async def lobby(embedded_settings: Settings) -> Lobby:
    return Lobby(embedded_settings)


async def test_where_nobody_owes_anything_nobody_looks(lobby: Lobby) -> None:
    assert lobby.next_look == math.inf


@pytest.mark.parametrize("first", ["head", "body", "next", "reading", "leave", "silence"])
@pytest.mark.parametrize("second", ["head", "next", "leave", "silence"])
async def test_it_is_looked_when_the_first_may_be_late(lobby: Lobby, first: Owed, second: Owed) -> None:
    one, two, now = cast(Connection, Late()), cast(Connection, Late()), asyncio.get_running_loop().time()
    lobby.owes(one, None, first)
    lobby.owes(two, None, second)
    sooner, later = sorted((lobby.patience[first], lobby.patience[second]))
    assert lobby.next_look == pytest.approx(now + sooner + LOOK_S)
    lobby.owes(one, first, None)
    lobby.owes(two, second, None)
    lobby._look()
    assert lobby.next_look == math.inf
    lobby.owes(one, None, first)
    lobby.owes(two, None, second)
    lobby.owes(*((one, first, None) if lobby.patience[first] == sooner else (two, second, None)))
    lobby._look()
    assert lobby.next_look == pytest.approx(now + later + LOOK_S)
    lobby.close()


@pytest.mark.parametrize("owed", ["head", "next", "silence"])
@pytest.mark.parametrize("many", [1, 3])
async def test_all_who_are_late_are_told(lobby: Lobby, owed: Owed, many: int) -> None:
    lobby.patience[owed] = 0.0
    late = [Late() for _ in range(many)]
    for each in late:
        lobby.owes(cast(Connection, each), None, owed)
    lobby._look()
    assert [each.owed for each in late] == [[owed]] * many
    assert lobby.next_look < math.inf, "they are still here"
    lobby.close()
