"""The command line as a person types it: real processes, exit codes, and what goes where."""

import asyncio
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest

from beerforyou.llm.model import Reply, TextPart, ToolCall
from beerforyou.settings import Settings, env_name
from beerforyou.usage import Usage
from bench.model_server.server import ModelServer
from tests.cli.program import BEERFORYOU, URLS, call, environment


async def test_words_are_a_question(furnished: Settings) -> None:
    result = await call("Cervejarias novas em San Diego", "--as", "CLT-00001", settings=furnished)
    assert result.code == 0, result.err
    assert "San Diego" in result.out
    assert "search_breweries" in result.err and "search_breweries" not in result.out


async def test_json_is_the_run_with_steps_calls_and_blocks(furnished: Settings) -> None:
    result = await call("--as", "CLT-00001", "Cervejarias", "novas em San Diego", "--json", settings=furnished)
    run = json.loads(result.out)
    assert (run["status"], run["outcome"]) == ("succeeded", "answered")
    assert [step["name"] for step in run["steps"] if step["kind"] == "tool"] == ["search_breweries"]
    assert {block["type"] for block in run["blocks"]} >= {"text", "brewery_list", "offer"}
    assert run["labels"] == ["client:CLT-00001", "public"]


async def test_a_chat_leans_on_what_was_said(furnished: Settings) -> None:
    result = await call(
        "chat", "--as", "CLT-00001", "--json", settings=furnished, stdin="breweries in San Diego\n\nthe second one\n"
    )
    first, second = [json.loads(line) for line in result.out.splitlines()]
    listed = next(block for block in first["blocks"] if block["type"] == "brewery_list")
    card = next(block for block in second["blocks"] if block["type"] == "brewery")
    assert card["brewery_id"] == listed["breweries"][1]["brewery_id"]


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["oi"], 2, "--as"),
        (["serv"], 2, "Did you mean 'serve'"),
        (["oi", "--as"], 2, "--as"),
        (["load", "nothing.csv", "nothing.csv"], 2, "nothing.csv"),
        (["serve", "--port", "70000"], 2, "70000"),
        (["token"], 2, "--as"),
        (["token", "--as", "CLT-00001", "--scope", "beer"], 2, "purchases"),
        (["eval", "reading", "nothing.jsonl"], 2, "nothing.jsonl"),
    ],
)
async def test_called_wrongly(args: list[str], code: int, says: str) -> None:
    result = await call(*args)
    assert result.code == code
    assert says in result.err
    assert result.out == ""


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["oi", "--as", "CLT-99999"], "CLT-99999"),
        ([" ", "--as", "CLT-00001"], "empty"),
        (["a" * 5000, "--as", "CLT-00001"], "4000"),
        (["bell \a", "--as", "CLT-00001"], "U+0007"),
        (["oi", "--as", "CLT-00001", "--conversation", "01a20507-8cc7-7f47-a4d4-a9e81b8b822c"], "conversation"),
    ],
)
async def test_what_does_not_work_is_one_sentence_with_a_hint(furnished: Settings, args: list[str], says: str) -> None:
    result = await call(*args, settings=furnished)
    assert result.code == 1
    assert says in result.err
    told = [line for line in result.err.strip().splitlines() if not line.startswith("Starting")]  # on a slow machine
    assert len(told) == 1 and result.err.rstrip().endswith(")")
    assert result.out == ""


async def test_a_setting_that_makes_no_sense_is_named(furnished: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    process = await asyncio.create_subprocess_exec(
        BEERFORYOU,
        "settings",
        env=environment(None) | {"BEERFORYOU_PORT": "many"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 1
    assert b"BEERFORYOU_PORT" in err


async def test_settings_never_show_a_secret(furnished: Settings) -> None:
    result = await call("settings", settings=furnished)
    assert result.code == 0
    for field in URLS:
        assert getattr(furnished, field) not in result.out
    assert all(env_name(field) in result.out for field in Settings.__struct_fields__)


async def test_doctor_finds_all_in_order_and_says_what_it_is_doing(furnished: Settings) -> None:
    result = await call("doctor", "--json", settings=furnished)
    report = json.loads(result.out)
    assert report["ok"] and result.code == 0
    names = [check["name"] for check in report["checks"]]
    assert names and [line.removesuffix(" …") for line in result.err.splitlines()][-len(names) :] == names


async def test_doctor_says_what_to_do(embedded_settings: Settings, furnished: Settings, settings: Settings) -> None:
    result = await call("doctor", settings=settings)
    assert result.code == 1
    assert "beerforyou catalogue sync" in result.out


async def test_db_status(furnished: Settings) -> None:
    assert (await call("db", "status", settings=furnished)).out == "Up to date.\n"


async def test_a_token_opens_the_api_until_ctrl_c(furnished: Settings) -> None:
    import aiohttp

    process = await asyncio.create_subprocess_exec(
        BEERFORYOU, "serve", "--port", "0", env=environment(furnished), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    address = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
    token = (await call("token", "--as", "CLT-00001", settings=furnished)).out.strip()
    async with aiohttp.ClientSession(address, headers={"authorization": f"Bearer {token}"}) as http:
        async with http.post("/v1/runs", json={"message": "oi"}) as response:
            assert response.status == 202
            location = response.headers["location"]
        async with http.get(f"{location}/events") as response:
            assert "event: finished" in await response.text()
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 20) == 0


@pytest.mark.parametrize(
    ("client", "changes", "says"),
    [
        ("CLT-00001", {}, ""),
        ("CLT-99999", {}, "CLT-99999 is not known"),
        ("clt-00001", {}, "clt-00001 is not known"),
        ("CLT-00001", {"database_url": "postgresql://bfy_service:x@127.0.0.1:1/bfy"}, "could not be looked up"),
        ("CLT-00001", {"database_url": ""}, "no database here"),
    ],
)
async def test_a_token_for_a_client_that_is_not_known_says_so(
    furnished: Settings, tmp_path: Path, client: str, changes: dict[str, str], says: str
) -> None:
    """It is made in any case: the client may be loaded later, and who signs may have no database."""
    settings = msgspec.structs.replace(furnished, data=tmp_path / "keys", **changes)
    result = await call("token", "--as", client, "--scope", "web", settings=settings)
    assert result.code == 0
    said = jwt.decode(result.out.strip(), options={"verify_signature": False})
    assert (said["sub"], said["scope"]) == (client, "web")
    assert says in result.err and bool(result.err) is bool(says)
    assert not (tmp_path / "keys" / "servers").exists()


async def test_an_address_that_is_taken_is_said_so(furnished: Settings) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = await call("serve", "--port", str(taken.getsockname()[1]), settings=furnished)
    assert result.code == 2
    assert "--port" in result.err


async def test_eval_reading_needs_no_server(tmp_path: Path) -> None:
    lines = [
        {
            "id": "1",
            "text": "brewpubs em Denver",
            "tool": "search_breweries",
            "args": {"city": "Denver", "type": "brewpub"},
            "lang": "pt",
        },
        {"id": "2", "text": "oi", "tool": "search_breweries", "args": {}, "kind": "wrong on purpose"},
    ]
    file = tmp_path / "set.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    nowhere = Settings(data=tmp_path / "nothing here")
    result = await call("eval", "reading", str(file), "--json", settings=nowhere)
    report = json.loads(result.out)
    assert report["n"] == 2
    assert [(line["id"], line["ok"]) for line in report["lines"]] == [("1", True), ("2", False)]
    assert report["lines"][0]["lang"] == "pt" and report["lines"][1]["kind"] == "wrong on purpose"
    assert report["summary"]["accuracy"] == 0.5
    assert not (tmp_path / "nothing here").exists()


async def test_eval_conversations_walks_to_the_last_turn(tmp_path: Path, furnished: Settings) -> None:
    lines = [
        {"id": "1", "lang": "pt", "client": "CLT-00001", "turns": ["oi", "quem sou eu?"], "tool": "get_client_profile"},
        {"id": "2", "client": "CLT-00002", "turns": ["bom dia"], "outcome": "refused"},
        {"id": "3", "client": "CLT-00003", "turns": ["brewpubs in Denver", "any more?"]},
    ]
    file = tmp_path / "set.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    report = json.loads((await call("eval", "conversations", str(file), "--json", settings=furnished)).out)
    assert [line.get("ok") for line in report["lines"]] == [True, False, None]
    summary = {"expected": 2, "right": 1, "by_reading": 3, "by_reading_wrong": 1}
    assert report["summary"] == summary and report["n"] == 3
    last = report["lines"][2]
    assert (last["tool"], last["args"]["page"]) == ("search_breweries", 2) and last["text"] and "leftover" in last


@pytest.mark.parametrize(
    "line", [{"client": "CLT-00001", "turns": []}, {"id": "1", "client": "CLT-X", "turns": ["oi"]}]
)
async def test_a_conversation_that_nobody_can_have_is_named_by_line(
    tmp_path: Path, furnished: Settings, line: dict[str, Any]
) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text(json.dumps(line))
    result = await call("eval", "conversations", str(file), settings=furnished)
    assert (result.code, "line 1" in result.err) == (1, True)


async def test_a_broken_evaluation_set_is_named_by_line(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text('{"id": "1", "text": "oi", "tool": "none", "args": {}}\n{"id"')
    result = await call("eval", "reading", str(file), settings=Settings(data=tmp_path / "nothing here"))
    assert result.code == 1
    assert "set.jsonl:2" in result.err


async def test_doctor_calls_each_model_where_it_is_told_to(furnished: Settings) -> None:
    """One that works, one that nobody serves, and the planner by rule."""
    call_, said = ToolCall("c1", "list_breweries", {"city": "Denver"}), TextPart("Great Divide\nWynkoop\n")
    async with ModelServer(lambda ask: Reply(parts=(said if ask.results else call_,), usage=Usage(100, 10))) as server:
        env = {
            "BEERFORYOU_MODEL": "compatible:qwen", "BEERFORYOU_COMPATIBLE_BASE_URL": server.url,
            "BEERFORYOU_FALLBACK_MODELS": "ollama:qwen3, offline:", "BEERFORYOU_OLLAMA_BASE_URL": "http://127.0.0.1:1",
        }  # fmt: skip
        quiet = await call("doctor", "--json", settings=furnished, env=env)
        assert server.count == 0, "nobody is asked without being told to"
        result = await call("doctor", "--call", "--json", settings=furnished, env=env)
    first, second, third = json.loads(result.out)["models"]
    assert result.code == 1 and "models" not in json.loads(quiet.out)
    assert (first["name"], first["ok"], first["tool"], first["streams"]) == ("compatible:qwen", True, "called", True)
    assert (first["usage"], first["usd"]) == ({"input": 200, "output": 20}, None)
    assert not second["ok"] and "BEERFORYOU_OLLAMA_BASE_URL" in second["hint"] and "tool" not in second
    assert third["ok"] and third["name"] == "offline:"
