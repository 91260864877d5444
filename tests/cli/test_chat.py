"""`beerforyou chat` as a person at a terminal has it, with a server that runs and without one."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import asyncpg
import pytest

from beerforyou.llm.model import Reply, TextPart
from beerforyou.settings import Settings
from bench.model_server.script import Answer, Ask, Hang
from bench.model_server.server import ModelServer
from tests.cli.program import BEERFORYOU, call, environment
from tests.cli.terminal import CTRL_C, CTRL_D, UP, at_a_terminal
from tests.processes.neighbour import installed
from tests.waiting import wait_until

SLOW = "quais cervejas combinam com feijoada?"
LONG = "Pronto, e agora uma frase que ninguém consegue ler em uma linha de terminal estreito, nem querendo muito."
CHAT = ("chat", "--as", "CLT-00001")


def _model(ask: Ask) -> Answer:
    said = [part.text for message in ask.messages for part in message.parts if isinstance(part, TextPart)]
    return Hang() if any(SLOW in text for text in said[-3:]) else Reply(parts=(TextPart(LONG),))


@pytest.fixture(scope="module")
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer(_model) as server:
        yield server


@pytest.fixture(scope="module")
def alone(furnished: Settings, model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a person on whose data folder no server runs."""
    return environment(furnished) | {
        "BEERFORYOU_MODEL": "gemini:gemini-2.5-flash", "GEMINI_API_KEY": "k", "BEERFORYOU_GEMINI_BASE_URL": model.url,
        "BEERFORYOU_DATA": str(tmp_path_factory.mktemp("alone")), "BEERFORYOU_IDENTITY_SECRET": _secret(furnished),
    }  # fmt: skip


@pytest.fixture(scope="module")
async def beside(
    furnished: Settings, alone: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, str]]:
    """Of one where a server does."""
    env = {**alone, "BEERFORYOU_DATA": str(tmp_path_factory.mktemp("served"))}
    async with installed(furnished, tmp_path_factory.mktemp("logs"), env):
        yield env


def _secret(settings: Settings) -> str:
    """The database knows only this one."""
    return (settings.data / "identity_secret").read_text()


@pytest.fixture(params=["with a server", "alone"])
def env(request: pytest.FixtureRequest) -> Mapping[str, str]:
    found: Mapping[str, str] = request.getfixturevalue("beside" if request.param == "with a server" else "alone")
    return found


async def test_a_chat_from_greeting_to_ctrl_d(env: Mapping[str, str], furnished: Settings) -> None:
    async with at_a_terminal(*CHAT, env=env, columns=50) as terminal:
        assert "Talking as CLT-00001 with" in await terminal.until("> ")
        terminal.type("oi\n")
        assert "Bar do Mirante" in await terminal.until("> ")
        terminal.type("conte-me algo\n")
        answer = await terminal.until("> ")
        assert " ".join(answer.replace(">", "").split()[2:]).count(LONG) == 1, "whole, and once"
        assert max(map(len, answer.splitlines())) <= 50
        terminal.type(SLOW + "\n")
        await _begun(furnished)
        terminal.type(CTRL_C)
        assert "stopped" in await terminal.until("> ")
        await _cancelled(furnished)
        terminal.type("half a line" + CTRL_C)
        await terminal.until("> ")
        terminal.type(UP + UP + "\n")  # the one before the slow one
        assert "conte-me algo" in await terminal.until("muito."), terminal.seen
        await terminal.until("> ")
        terminal.type(CTRL_D)
        assert await terminal.ended() == 0
    history = Path(env["BEERFORYOU_DATA"]) / "chat_history"
    assert history.stat().st_mode & 0o777 == 0o600
    assert history.read_text().split("\n")[:3] == ["oi", "conte-me algo", SLOW]


async def _begun(settings: Settings) -> None:
    await _status(settings, "running")


async def _cancelled(settings: Settings) -> None:
    await _status(settings, "cancelled")


async def _status(settings: Settings, status: str) -> None:
    connection = await asyncpg.connect(settings.database_admin_url)

    async def is_so() -> bool:
        found = await connection.fetchval(
            "SELECT r.status FROM core.runs r JOIN core.messages m USING (run_id) WHERE m.role = 'client' AND m.text = $1"
            " ORDER BY r.run_id DESC LIMIT 1",
            SLOW,
        )
        return bool(found == status)

    await wait_until(is_so, f"the run is {status}")
    await connection.close()


async def test_the_history_is_there_the_next_time(beside: Mapping[str, str]) -> None:
    (Path(beside["BEERFORYOU_DATA"]) / "chat_history").write_text("quem sou eu?\n")
    async with at_a_terminal(*CHAT, env=beside) as terminal:
        await terminal.until("> ")
        terminal.type(UP)
        await terminal.until("quem sou eu?")


async def test_an_unknown_client_is_told_before_he_says_anything(env: Mapping[str, str]) -> None:
    async with at_a_terminal("chat", "--as", "CLT-99999", env=env) as terminal:
        assert await terminal.ended() == 1
        assert "the client CLT-99999 is not known here" in terminal.seen and "> " not in terminal.seen
    result = await call("chat", "--as", "CLT-99999", env=env)
    assert (result.code, result.out) == (1, "") and "CLT-99999" in result.err, "and where nobody types"


async def test_what_cannot_be_said_is_told_and_the_chat_goes_on(env: Mapping[str, str]) -> None:
    result = await call(*CHAT, env=env, stdin=f"{'a' * 5000}\n\n \noi\n")
    assert result.code == 0, result.err
    assert "4000" in result.err and "Bar do Mirante" in result.out


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_a_signal_ends_it_in_order(env: Mapping[str, str], furnished: Settings, signum: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(*(BEERFORYOU, *CHAT), env=env, stdin=asyncio.subprocess.PIPE)
    assert process.stdin
    process.stdin.write(f"{SLOW}\n".encode())
    await _begun(furnished)
    process.send_signal(signum)
    assert await asyncio.wait_for(process.wait(), 20) == 130
    await _cancelled(furnished)
