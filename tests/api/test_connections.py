"""Who waits for the server may wait; who keeps it waiting goes when there are too many, the longest first."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from beerforyou.health import Health
from beerforyou.settings import Settings
from tests.api.conftest import MINE, bearer
from tests.api.talking import Held, Replica, asked, call, following, look, replica, seen
from tests.api.wire import connected, heard, is_well, request, understood
from tests.waiting import wait_until


def address(here: Replica) -> str:
    return str(here.mine._base_url).rstrip("/")


@contextmanager
def silent(here: Replica, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(connected(address(here))) for _ in range(count)]


def is_closed(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


async def test_a_follower_and_a_long_poll_wait_longer_than_anybody_may_keep_us_waiting(settings: Settings) -> None:
    patience = {f"http_{what}_s": 0.4 for what in ("head", "body", "idle", "read")}
    async with replica(settings, model := Held(), **patience) as here:
        run_id = (await asked(here.mine))["run_id"]
        async with following(here.mine, run_id) as events:
            polled = asyncio.create_task(look(here.mine, run_id, prefer="wait=30"))
            await model.asked.wait()
            for _ in range(3):  # as long as the silent are suffered, three times over
                with silent(here, 1) as (sock,):
                    await asyncio.to_thread(heard, sock)
            assert not polled.done()
            model.go.set()
            assert (await seen(events))[-1].event == "finished"
            assert (await polled).body["finished_at"]


async def test_of_many_who_say_nothing_the_longest_goes(settings: Settings) -> None:
    async with replica(settings, works=False, http_waiting=20) as here:
        with silent(here, 15) as early, silent(here, 40) as late:

            async def gone() -> bool:
                return all(map(is_closed, early))

            await wait_until(gone, "the longest have gone")
            assert not any(map(is_closed, late[-15:]))
            for _ in range(5):
                assert await asyncio.to_thread(is_well, address(here))
                assert (await call(here.mine, "GET", "/v1/webhooks")).status == 200


async def test_who_was_answered_may_stay_for_the_next_request(settings: Settings) -> None:
    async with replica(settings, works=False, http_waiting=20) as here:
        with contextlib.ExitStack() as stack:
            stay = []
            for _ in range(40):
                stay.append(sock := stack.enter_context(connected(address(here))))
                sock.sendall(request("GET /healthz"))
                assert (await asyncio.to_thread(sock.recv, 65_536)).startswith(b"HTTP/1.1 200")
            assert not any(map(is_closed, stay))


async def test_who_is_answered_keeps_the_place_of_who_says_nothing(settings: Settings) -> None:
    token = bearer(settings, MINE)["authorization"]
    async with replica(settings, Held(), http_connections=12) as here:
        run_id = (await asked(here.mine))["run_id"]
        follow = request(f"GET /v1/runs/{run_id}/events", f"Authorization: {token}")
        with silent(here, 30) as strangers:
            followers, told = await asyncio.to_thread(_crowded, address(here), follow)
            assert 8 < len(followers) <= 12 and all(map(is_closed, strangers))
            refused = understood(told)
            assert refused.statuses == [503] and refused.answers[0].headers["connection"] == "close"
            assert refused.answers[0].problem["hint"]
            assert not any(map(is_closed, followers))
        for follower in followers:
            follower.close()

        async def well() -> bool:
            return await asyncio.to_thread(is_well, address(here))

        await wait_until(well, "there is room again")


def _crowded(where: str, follow: bytes) -> tuple[list[socket.socket], bytes]:
    """Followers until there is no place for one more, and what that one is told."""
    followers = []
    for _ in range(40):
        sock = socket.create_connection(where.removeprefix("http://").split(":"), timeout=20)
        sock.sendall(follow)
        head = sock.recv(12)
        if head != b"HTTP/1.1 200":
            return followers, head + b"".join(iter(lambda sock=sock: sock.recv(65_536), b""))
        sock.recv(65_536)
        followers.append(sock)
    raise AssertionError("there is no end to them")


async def test_all_who_ask_whether_we_are_ready_share_one_look(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, ready = 0, Health.ready

    async def counted(health: Health) -> dict[str, bool]:
        nonlocal looks
        looks += 1
        return await ready(health)

    monkeypatch.setattr(Health, "ready", counted)
    async with replica(settings, works=False) as here:
        answers = await asyncio.gather(*(call(here.mine, "GET", "/readyz") for _ in range(100)))
    assert {answer.status for answer in answers} == {200} and looks < 50
