"""Runs SQL that a model wrote, which is to say an attacker: as the login bfy_reader, in a transaction of its own that reads
only and is always rolled back, on behalf of the one client whose signed identity entered it.

What holds is the database: roles, views and row policies (migration 0002), functions and limits (fence.sql). Here is the
form in which a text reaches it: short and flat (shape.py), as one cursor over one SELECT, fetched up to a limit. The gate
(parser.py) comes before.
"""

import asyncio
import contextlib
import json
import time
from typing import Any

import asyncpg
import msgspec

from beerforyou import clock
from beerforyou.db.failure import GONE, answered
from beerforyou.db.fence import shape
from beerforyou.db.fence.parser import Gate
from beerforyou.db.identity import Identity
from beerforyou.db.pool import Pool
from beerforyou.db.replica import Route
from beerforyou.errors import Refused, SetupError, Unavailable

HEAVY_S = 0.5  # a query that took longer may have left memory behind: its connection is not used again
RUNS = 300  # of one session, which is then renewed: it keeps what it was told of, such as time zones
QUERIES_A_RUN = 5  # as asyncpg counts them

# One round trip. A name that clock.known() lets pass: there is no quote in any.
BEGIN = "BEGIN READ ONLY; SET LOCAL TIME ZONE '{zone}'"
ENTER = "SELECT authz.enter($1)"
LEAVE = "ROLLBACK"
LEAVE_UNLOCKED = "ROLLBACK; SELECT authz.leave()"  # advisory locks are not rolled back; where SQL can take them
# DECLARE promises one SELECT; JSON cut to a length promises that no value is larger than what we want to hold.
DECLARE = "DECLARE q NO SCROLL CURSOR FOR SELECT * FROM (\n{sql}\n) AS bfy_row"
FETCH = "SELECT lines.of_q($1, $2) AS line"

# What the model is told of an error: nothing that the database says of its own, which may quote a value.
REASONS = {
    "42601": "it does not parse",
    "42703": "it names a column that is not there",
    "42P01": "it names a table that is not there; there are my_purchases and my_profile",
    "42702": "a column name is ambiguous; say of which table",
    "42803": "a column is neither grouped nor aggregated",
    "42883": "a function or operator is not there for these types",
    "42501": "it asks for something that is not allowed here",
    "42804": "types do not fit",
    "22P02": "a text cannot be read as that type",
    "22007": "a text cannot be read as a date",
    "22008": "a date is out of range",
    "22012": "it divides by zero",
    "21000": "a subquery returns more than one row",
    "25006": "only SELECT is possible",
    "28000": "it cannot say who asks",
    "57014": "it took too long",
}
BY_CLASS = {
    "22": "a value does not fit",
    "42": "it is not valid here",
    "53": "it needs too much",
    "54": "it is too large",
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Of a result: `rows`, `bytes` of all its rows as JSON. `seconds` before the connection is given up."""

    rows: int
    bytes: int
    seconds: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """`truncated`: there are more rows, or larger ones, than fit."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    truncated: bool = False


class _Late(Exception):
    """There is no answer in time; whether the text or the server is slow is not known."""


class Fence:
    CACHEABLE = 60  # statements up to this length are prepared: ENTER and FETCH, never what a model wrote

    def __init__(
        self, route: Route, identity: Identity, limits: Limits, functions_revoked: bool, gate: Gate, zone: str
    ) -> None:
        self._route, self._identity, self._limits, self._gate, self._zone = route, identity, limits, gate, zone
        self._leave = LEAVE if functions_revoked else LEAVE_UNLOCKED

    async def ask(self, client_id: str, sql: str, zone: str = "") -> Found:
        """Through the gate. Raises as `run` does."""
        return await self.run(client_id, await self._gate.passed(sql), zone)

    async def run(self, client_id: str, sql: str, zone: str = "") -> Found:
        """In `zone`, where the client has one, CURRENT_DATE is the client's day. Raises Refused, in words for the model,
        Unavailable and SetupError."""
        shape.checked(sql)
        begin = BEGIN.format(zone=clock.usable(zone or self._zone))
        try:
            lines = await self._route.ask(lambda pool: self._lines(pool, client_id, begin, sql))
        except asyncpg.PostgresError as error:
            raise _refused(error) from None
        return self._found(lines)

    async def _lines(self, pool: Pool, client_id: str, begin: str, sql: str) -> list[str]:
        try:
            async with pool.acquire(timeout=self._limits.seconds, whose=client_id) as connection:
                token = self._identity.token(client_id)  # now: it would not outlive a long wait
                return await self._transaction(connection, begin, token, sql)
        except (asyncpg.QueryCanceledError, asyncpg.ConfigurationLimitExceededError, asyncpg.OutOfMemoryError):
            raise  # its own limits: another server would not be faster
        except _Late:
            # A server that stands still does not answer anybody; that is no fault of the text.
            await answered(pool.ask(self._limits.seconds, lambda connection: connection.execute("SELECT"), client_id))
            raise Refused("the query was refused: it took too long", "ask for less") from None
        except GONE as error:  # also TimeoutError: the server let nobody in
            raise Unavailable("the database does not answer", "try again in a moment") from error

    async def _transaction(self, connection: asyncpg.Connection, begin: str, token: str, sql: str) -> list[str]:
        """Always rolled back. Where something heavy ran, or still does, the connection is given up instead; the server
        ends what runs for nobody (client_connection_check_interval in fence.sql).
        """
        started, used_up = time.monotonic(), shape.checked(sql).zones
        limits = self._limits
        try:
            async with asyncio.timeout(limits.seconds):
                await _begin(connection, begin)
                await connection.fetchval(ENTER, token)
                await self._declare(connection, sql)
                return [row["line"] for row in await connection.fetch(FETCH, limits.rows + 1, limits.bytes + 1)]
        except TimeoutError:
            raise _Late from None
        except asyncpg.OutOfMemoryError:
            used_up = True
            raise
        finally:
            if used_up or time.monotonic() - started > HEAVY_S:
                connection.terminate()
            else:
                with contextlib.suppress(*GONE):
                    await connection.execute(self._leave)

    async def _declare(self, connection: asyncpg.Connection, sql: str) -> None:
        try:
            await connection.fetch(DECLARE.format(sql=sql))
        except asyncpg.InterfaceError:
            if connection.is_closed():
                raise
            raise Refused("the query was refused: it has parameters", "write values into it") from None

    def _found(self, lines: list[str]) -> Found:
        fit, size = 0, 0
        for line in lines[: self._limits.rows]:
            size += len(line.encode())
            if size > self._limits.bytes:
                break
            fit += 1
        if lines and not fit:
            raise Refused("the query was refused: its first row alone is too large", "select fewer or shorter values")
        rows = [json.loads(line, object_pairs_hook=tuple, parse_int=_integer) for line in lines[:fit]]
        return Found(
            columns=tuple(name for name, _ in rows[0]) if rows else (),
            rows=tuple(tuple(_plain(value) for _, value in row) for row in rows),
            truncated=fit < len(lines),
        )


async def _begin(connection: asyncpg.Connection, begin: str) -> None:
    """What this refuses is no fault of the text that follows."""
    try:
        await connection.execute(begin)
    except asyncpg.InvalidParameterValueError as error:
        raise SetupError(f"PostgreSQL refuses a client's time zone: {error}", "update its time zones") from None


def _integer(text: str) -> int | float | str:
    """A number that others can read, too: 64 bits, or about."""
    if len(text) < 19:
        return int(text)
    return float(text) if len(text) < 300 else text


def _plain(value: Any) -> Any:
    """A cell: rows and lists within a row become text."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (tuple, list)) else value


def _refused(error: asyncpg.PostgresError) -> Refused:
    code = error.sqlstate or ""
    reason = REASONS.get(code) or BY_CLASS.get(code[:2], "the database refuses it")
    return Refused(f"the query was refused: {reason} (SQLSTATE {code})", "correct it, or ask something simpler")
