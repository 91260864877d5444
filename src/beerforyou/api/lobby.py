"""All connections of a server, and since when each keeps us waiting: one timer looks after them all, when
the first of them may be late.

Whoever waits for us may wait; whoever keeps us waiting has a deadline, and when there are too many of them the one who has
done so the longest goes first.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Literal

from beerforyou.house import OWN_FILES, open_files
from beerforyou.settings import Settings

if TYPE_CHECKING:
    from beerforyou.api.connection import Connection

LINGER_S = 1.0  # how long somebody refused is still read: to hang up on unread bytes is to take the answer back
SILENT_S = 15.0  # proxies cut what is silent for longer than 30 s or a minute
LOOK_S = 0.1  # how much later somebody is found late, so that many are found at once
AT_ONCE = 500  # who are looked after in one go, so that thousands of followers are no pause for others

# What the other side keeps us waiting for; and `silence`, which is what we owe a follower whom there is nothing to tell.
Owed = Literal["head", "body", "next", "reading", "leave", "silence"]

DEAR: tuple[Owed, ...] = ("head", "body", "reading", "leave")  # they may hold a head, a body or an answer
ANY: tuple[Owed, ...] = (*DEAR, "next")  # who says nothing after an answer holds two kilobytes


class Lobby:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.most = min(settings.http_connections, open_files() - OWN_FILES)
        self.connections: set[Connection] = set()
        self.patience: dict[Owed, float] = {
            "head": settings.http_head_s,
            "body": settings.http_body_s,
            "next": settings.http_idle_s,
            "reading": settings.http_read_s,
            "leave": LINGER_S,
            "silence": SILENT_S,
        }
        self._since: dict[Owed, dict[Connection, float]] = {owed: {} for owed in self.patience}  # the longest first
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.next_look = math.inf  # by the loop's clock; never, when nobody owes anything

    def owes(self, connection: Connection, before: Owed | None, now: Owed | None) -> None:
        if before:
            self._since[before].pop(connection, None)
        if now:
            since = self._since[now][connection] = self._loop.time()
            self._look_after(since + self.patience[now])

    def _look_after(self, end: float) -> None:
        if self.next_look > end + LOOK_S:
            self.close()
            self.next_look = end + LOOK_S
            self._timer = self._loop.call_at(self.next_look, self._look)

    def make_room(self) -> bool:
        """For the newest connection; False when none of the others may go."""
        if sum(len(self._since[owed]) for owed in DEAR) > self.settings.http_waiting:
            self._longest(DEAR).drop()
            return True
        if len(self.connections) <= self.most:
            return True
        if sum(len(self._since[owed]) for owed in ANY) > 1:  # and not the newest alone
            self._longest(ANY).drop()
            return True
        return False

    def _longest(self, kinds: Sequence[Owed]) -> Connection:
        fronts = [next(iter(found.items())) for owed in kinds if (found := self._since[owed])]
        return min(fronts, key=lambda front: front[1])[0]

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _look(self) -> None:
        self.next_look, now = math.inf, self._loop.time()
        for owed, found in self._since.items():
            end = now - self.patience[owed]
            late = takewhile(lambda item, end=end: item[1] <= end, found.items())  # type: ignore[misc]
            for connection, _ in list(islice(late, AT_ONCE)):
                connection.late(owed)
        ends = [next(iter(found.values())) + self.patience[owed] for owed, found in self._since.items() if found]
        if ends:
            self._look_after(max(now, min(ends)))
