"""What was promised, counted: from the rows, from what the customers saw, and from what the model, the tool and the
webhooks' receiver were asked.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import asyncpg
import msgspec

from beerforyou.settings import Settings
from tests.processes.counters import Counters
from tests.processes.customers import Customers, Seen
from tests.processes.mortal import STEPS

# Each of these must be 0.
PROMISES = (
    "refused",
    "crashes_without_a_death",
    "runs_lost",
    "runs_not_answered",
    "runs_nobody_asked_for",
    "runs_answered_twice",
    "model_calls_billed_twice",
    "tool_calls_billed_twice",
    "ledgers_not_whole",
    "events_not_contiguous",
    "events_seen_unlike_the_log",
    "turns_that_overlap",
    "same_key_other_run",
    "webhooks_not_delivered",
    "webhooks_with_several_ids",
    "webhooks_with_several_bodies",
    "webhooks_forged",
    "places_nobody_died_at",
    "processes_that_did_not_end_well",
)

RUNS = """
    SELECT run_id::text, conversation_id::text, client_id, status, outcome, started_at, finished_at, fencing_token, crashes,
           false_starts
    FROM core.runs ORDER BY run_id"""
# When the step was committed, to the microsecond: nothing may come after it, so there is no slack to give.
STEPS_OF = """
    SELECT run_id::text, seq, kind, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS committed
    FROM core.run_steps ORDER BY run_id, seq"""
EVENTS = "SELECT run_id::text, seq, type, data FROM core.events WHERE run_id IS NOT NULL ORDER BY run_id, seq"
ANSWERS = "SELECT run_id::text, text FROM core.messages WHERE role = 'assistant'"
OUTBOX = "SELECT count(*) FROM core.webhook_messages WHERE status <> 'delivered'"


class Rows(msgspec.Struct):
    """What PostgreSQL has in the end. `committed` by run and number of the step."""

    runs: dict[str, Any]
    committed: dict[tuple[str, int], float]
    ledgers: dict[str, list[str]]
    events: dict[str, list[tuple[int, str, Any]]]
    answers: dict[str, list[str]]


async def rows(settings: Settings) -> Rows:
    admin = await asyncpg.connect(settings.database_admin_url)
    try:
        ledgers, events, answers = defaultdict(list), defaultdict(list), defaultdict(list)
        steps = await admin.fetch(STEPS_OF)
        for step in steps:
            ledgers[step["run_id"]].append(f"{step['kind']}{step['seq']}")
        for event in await admin.fetch(EVENTS):
            events[event["run_id"]].append((event["seq"], event["type"], json.loads(event["data"])))
        for answer in await admin.fetch(ANSWERS):
            answers[answer["run_id"]].append(answer["text"])
        runs = {run["run_id"]: dict(run) for run in await admin.fetch(RUNS)}
        committed = {(step["run_id"], step["seq"]): step["committed"] for step in steps}
        return Rows(runs, committed, ledgers, events, answers)
    finally:
        await admin.close()


async def undelivered(settings: Settings) -> int:
    admin = await asyncpg.connect(settings.database_admin_url)
    try:
        return await admin.fetchval(OUTBOX)
    finally:
        await admin.close()


def of_the_crowd(found: Rows, customers: Customers) -> dict[str, Any]:
    """When nobody has died yet."""
    return {
        "followers_at_once": len(customers.crowd),
        "refused": customers.refused,
        "crashes_without_a_death": sum(run["crashes"] + run["false_starts"] for run in found.runs.values()),
    }


def figures(found: Rows, customers: Customers, counters: Counters, deaths: Mapping[str, int]) -> dict[str, Any]:
    seen = [*customers.crowd, *customers.seen]
    ids = {run.marker: run.run_id for run in seen}
    calls = _calls(found, counters, ids)
    ours = {run.run_id for run in seen}
    return {
        "runs": len(ours),
        "runs_taken_over": sum(run["fencing_token"] > 1 for run in found.runs.values()),
        "crashes": sum(run["crashes"] for run in found.runs.values()),
        "false_starts": sum(run["false_starts"] for run in found.runs.values()),
        "model_calls": sum(len(times) for (_, seq), times in counters.calls.items() if seq != 2),
        "tool_calls": sum(len(times) for (_, seq), times in counters.calls.items() if seq == 2),
        "late_calls": _late(found, counters, ids),
        "repeated_unfinished": {"model": calls["model again"], "tool": calls["tool again"]},
        "runs_lost": sum(not run.ended for run in seen) + len(ours - found.runs.keys()),
        "runs_not_answered": sum(not _answered(found, run) for run in seen),
        "runs_nobody_asked_for": len(found.runs.keys() - ours),
        "runs_answered_twice": sum(_twice(found, run) for run in seen),
        "model_calls_billed_twice": calls["model late"],
        "tool_calls_billed_twice": calls["tool late"],
        "ledgers_not_whole": sum(found.ledgers.get(run.run_id) != list(STEPS) for run in seen),
        "events_not_contiguous": sum(run.gaps > 0 or not _contiguous(found, run) for run in seen),
        "events_seen_unlike_the_log": sum(not run.polled and run.events != found.events[run.run_id] for run in seen),
        "turns_that_overlap": _overlaps(found),
        "same_key_other_run": customers.counts["same_key_other_run"],
        **_webhooks(found, counters),
        "places_nobody_died_at": sum(not times for times in deaths.values()),
        "deaths_at": dict(deaths),
        "customers": dict(customers.counts),
    }


def broken(figures: Mapping[str, Any]) -> Sequence[str]:
    return [name for name in PROMISES if figures[name] != 0]


def _calls(found: Rows, counters: Counters, ids: Mapping[str, str]) -> Counter[str]:
    """`late`: for a step that was committed by then. `again`: for one that was not, so that nobody had its result."""
    counts: Counter[str] = Counter()
    for (marker, seq), times in counters.calls.items():
        kind, committed = "tool" if seq == 2 else "model", found.committed.get((ids[marker], seq), float("inf"))
        late = sum(time > committed for time in times)
        counts[f"{kind} late"] += late
        counts[f"{kind} again"] += len(times) - late - 1
    return counts


def _late(found: Rows, counters: Counters, ids: Mapping[str, str]) -> list[dict[str, Any]]:
    """What was billed twice: for which step, when, and how long after that was committed."""
    return [
        {"run": ids[marker], "step": STEPS[seq - 1], "at": time, "after_s": round(time - committed, 4)}
        for (marker, seq), times in counters.calls.items()
        if (committed := found.committed.get((ids[marker], seq)))
        for time in times
        if time > committed
    ]


def _answered(found: Rows, run: Seen) -> bool:
    row, texts = found.runs.get(run.run_id, {}), found.answers.get(run.run_id, [""])
    told = run.text if run.polled else next((event[2]["text"] for event in run.events if event[1] == "answer"), None)
    return row.get("outcome") == "answered" and run.marker in texts[0] and told == texts[0]


def _twice(found: Rows, run: Seen) -> bool:
    """In the conversation, in the log, or before the customer's eyes."""
    logs = [found.events.get(run.run_id, []), run.events]
    ends = [sum(event[1] == kind for event in log) for log in logs for kind in ("answer", "finished")]
    return len(found.answers.get(run.run_id, [])) > 1 or max(ends) > 1


def _contiguous(found: Rows, run: Seen) -> bool:
    log = found.events.get(run.run_id, [])
    return [event[0] for event in log] == list(range(1, len(log) + 1)) and bool(log) and log[-1][1] == "finished"


def _overlaps(found: Rows) -> int:
    conversations = defaultdict(list)
    for run in found.runs.values():
        conversations[run["conversation_id"]].append((run["started_at"], run["finished_at"]))
    return sum(
        later[0] is None or earlier[1] is None or later[0] < earlier[1]
        for turns in conversations.values()
        for earlier, later in pairwise(turns)
    )


def _webhooks(found: Rows, counters: Counters) -> dict[str, int]:
    hooks = counters.hooks.values()
    owed = {
        (hook.webhook_id, run["run_id"])
        for run in found.runs.values()
        for hook in hooks
        if hook.client == run["client_id"]
    }
    confirmed = {(hook.webhook_id, run_id) for hook in hooks for run_id in hook.confirmed}
    return {
        "webhooks_owed": len(owed),
        "webhook_attempts": counters.attempts,
        "webhooks_refused_once": counters.refused,
        "webhooks_not_delivered": len(owed - confirmed),
        "webhooks_with_several_ids": sum(len(ids) > 1 for hook in hooks for ids in hook.ids.values()),
        "webhooks_with_several_bodies": sum(len(said) > 1 for hook in hooks for said in hook.bodies.values()),
        "webhooks_forged": counters.forged,
    }
