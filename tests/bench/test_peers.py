"""What is measured beside us tells its runs as the load generator listens, brings its whole conversation along, and is pinned."""

from __future__ import annotations

import asyncio
import re

import msgspec
import pytest

from bench.asking import Events
from bench.kinds import ANSWER, SEARCH, USUAL, message, new_sql
from bench.model_server.lean import Connection, Playing
from bench.peers.environment import REQUIREMENTS
from bench.peers.plain import MINE, frame, mine
from bench.talking import Lines


@pytest.mark.parametrize(("ok", "outcome"), [(True, "answered"), (False, "a tool failed")])
def test_its_stream_is_read_as_ours_is(ok: bool, outcome: str) -> None:
    run = {name: "0199aaaa-0000-7000-8000-000000000001" for name in ("run_id", "conversation_id")}
    events = Events(0.0)
    for told in [
        frame("accepted", run),
        frame("tool_finished", {"name": "get_client_profile", "ok": ok}),
        frame("text", {"text": "Olá.\n\nevent: finished\ndata: {}"}),
    ]:
        events.take(told.encode())
    assert not events.ended and events.accepted_s
    events.take(frame("finished", {"outcome": "answered"}).encode())
    assert events.ended and events.outcome == outcome and str(events.accepted().run_id) == run["run_id"]


@pytest.mark.parametrize("sql", [*USUAL, new_sql(7), "SELECT beer FROM my_purchases WHERE beer LIKE '%IPA%'"])
def test_the_models_sql_is_asked_as_it_is_written(sql: str) -> None:
    assert mine(sql) % {"client": "c"} == MINE % {"client": "c"} + sql


@pytest.mark.parametrize("turns", [1, 2, 5])
async def test_the_model_server_counts_the_tool_results_of_this_run_alone(turns: int) -> None:
    """However many earlier ones a request brings along."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(Playing([])), "127.0.0.1", 0)
    async with server:
        line = await Lines(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 1).take()
        contents, heard = list[object](), list[list[str]]()
        for number in range(turns):
            contents.append({"role": "user", "parts": [{"text": message(SEARCH, number)}]})
            replies = []
            while not replies or "functionCall" in replies[-1]:
                body, said = msgspec.json.encode({"contents": contents}), list[bytes]()
                await line.ask(
                    b"POST /v1beta/models/m:streamGenerateContent HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(body), body),
                    said.append,
                )
                replies.append(b"".join(said).decode())
                contents.append({"role": "user", "parts": [{"functionResponse": {"name": "a", "response": {}}}]})
            heard.append(replies)
        line.close()
    assert [[("functionCall" in reply, ANSWER[0] in reply) for reply in replies] for replies in heard] == [
        [(True, False), (True, False), (False, True)]
    ] * turns


def test_its_packages_are_pinned_hashed_and_from_no_named_index() -> None:
    lines = REQUIREMENTS.read_text().splitlines()
    assert [line for line in lines if not re.match(r"[a-z0-9-]+==[^ ]+ |    --hash=sha256:[0-9a-f]{64}", line)] == []
