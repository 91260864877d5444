"""What was promised, counted: from the rows, from what the customers saw, and from what the model, the tool and the
webhooks' receiver were asked.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import asyncpg
import msgspec

from beerforyou.runs.claim import EVENTS_A_CLAIM
from beerforyou.settings import Settings
from tests.processes.counters import Counters
from tests.processes.customers import Customers, Seen, SeenEvent
from tests.processes.mortal import COSTS, STEPS

TOLD_ONLY = ("started", "tool_started", "tool_finished", "text")  # while it is under way

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
    "costs_begun_before_the_last_was_kept",
    "ledgers_not_whole",
    "events_that_did_not_rise",
    "events_after_the_end",
    "events_kept_and_not_seen",
    "events_seen_unlike_the_log",
    "texts_unlike_the_answer",
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
    SELECT run_id::text, conversation_id::text, client_id, status, outcome, text, blocks, last_event, started_at, finished_at,
           fencing_token, crashes
    FROM core.runs ORDER BY run_id"""
STEPS_OF = "SELECT run_id::text, seq, kind FROM core.run_steps ORDER BY run_id, seq"
# When each was made, to the microsecond: nothing may come after it, so there is no slack to give.
COMMITS = """
    SELECT run_id::text, steps, events, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS committed
    FROM core.ledger ORDER BY run_id, seq"""
ANSWERS = "SELECT run_id::text, text FROM core.messages WHERE role = 'assistant'"
OUTBOX = "SELECT count(*) FROM core.webhook_messages WHERE status <> 'delivered'"


class Rows(msgspec.Struct):
    """What PostgreSQL has in the end. `committed` by run and number of the step; `events` are those that a follower must see."""

    runs: dict[str, Any]
    committed: dict[tuple[str, int], float]
    ledgers: dict[str, list[str]]
    events: dict[str, list[SeenEvent]]
    answers: dict[str, list[str]]


async def rows(settings: Settings) -> Rows:
    admin = await asyncpg.connect(settings.database_admin_url)
    try:
        ledgers, answers = defaultdict(list), defaultdict(list)
        for step in await admin.fetch(STEPS_OF):
            ledgers[step["run_id"]].append(f"{step['kind']}{step['seq']}")
        for answer in await admin.fetch(ANSWERS):
            answers[answer["run_id"]].append(answer["text"])
        runs = {run["run_id"]: dict(run) for run in await admin.fetch(RUNS)}
        commits = [dict(commit) for commit in await admin.fetch(COMMITS)]
        committed = {
            (commit["run_id"], step["seq"]): commit["committed"]
            for commit in commits
            for step in json.loads(commit["steps"])
        }
        return Rows(runs, committed, ledgers, _kept(runs, commits), answers)
    finally:
        await admin.close()


def _kept(runs: Mapping[str, Any], commits: Iterable[Mapping[str, Any]]) -> dict[str, list[SeenEvent]]:
    """What is in the ledger, the beginning of the run, and its end."""
    kept: dict[str, list[SeenEvent]] = {run_id: [(1, "started", {})] for run_id in runs}
    for commit in commits:
        told = json.loads(commit["events"])
        kept[commit["run_id"]] += [(event["seq"], event["type"], event["data"]) for event in told]
    for run_id, run in runs.items():
        if last := run["last_event"]:
            answer = {"text": run["text"], "blocks": json.loads(run["blocks"])}
            end = {"status": run["status"], "outcome": run["outcome"]}
            kept[run_id] += [(last - 1, "answer", answer), (last, "finished", end)]
    return kept


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
        "crashes_without_a_death": sum(run["crashes"] for run in found.runs.values()),
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
        "model_calls": sum(len(times) for (_, seq), times in counters.calls.items() if seq != 2),
        "tool_calls": sum(len(times) for (_, seq), times in counters.calls.items() if seq == 2),
        "late_calls": _late(found, counters, ids),
        "repeated_unfinished": {"model": calls["model again"], "tool": calls["tool again"]},
        "replies_lost": sum(times - 1 for times in counters.replies.values() if times > 1),
        "runs_lost": sum(not run.ended for run in seen) + len(ours - found.runs.keys()),
        "runs_not_answered": sum(not _answered(found, run) for run in seen),
        "runs_nobody_asked_for": len(found.runs.keys() - ours),
        "runs_answered_twice": sum(_twice(found, run) for run in seen),
        "model_calls_billed_twice": calls["model late"],
        "tool_calls_billed_twice": calls["tool late"],
        "costs_begun_before_the_last_was_kept": _early(found, counters, ids),
        "ledgers_not_whole": sum(found.ledgers.get(run.run_id) != list(STEPS) for run in seen),
        "events_that_did_not_rise": sum(run.fallen for run in seen),
        **_followed(found, [run for run in seen if not run.polled]),
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


def _early(found: Rows, counters: Counters, ids: Mapping[str, str]) -> int:
    """What had been paid for must be in the ledger when the next thing that costs begins, whoever begins it."""
    return sum(
        min(counters.calls.get((marker, later), ()), default=float("inf"))
        < found.committed.get((run_id, earlier), float("inf"))
        for marker, run_id in ids.items()
        for earlier, later in pairwise(COSTS)
    )


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


def _followed(found: Rows, seen: Sequence[Seen]) -> dict[str, int]:
    """What a worker told and did not live to keep may be seen, too, but for the last one, who kept all but the text. Where the
    first one died before it told anything, the first `started` is that of the next.
    """
    counts: Counter[str] = Counter(events_after_the_end=0)
    for run in seen:
        kept = {event[0]: event for event in found.events[run.run_id]}
        last_worker = (found.runs[run.run_id]["fencing_token"] - 1) * EVENTS_A_CLAIM
        unkept = [event for event in run.events if event[0] not in kept]
        counts["events_after_the_end"] += bool(run.events) and run.events[-1][1] != "finished"
        began = bool(run.events) and run.events[0][1] == "started"
        counts["events_kept_and_not_seen"] += not (began and kept.keys() - {1} <= {event[0] for event in run.events})
        counts["events_seen_unlike_the_log"] += any(event != kept.get(event[0], event) for event in run.events) or any(
            kind not in TOLD_ONLY or (number > last_worker and kind != "text") for number, kind, _ in unkept
        )
        counts["texts_unlike_the_answer"] += not _said(run)
        counts["runs_whose_text_was_heard"] += any(kind == "text" for _, kind, _ in run.events)
    return dict(counts)


def _said(run: Seen) -> bool:
    """Whether the sentences since the last beginning are those of the answer, in its order, as far as they were heard."""
    said: list[str] = []
    for _, kind, data in run.events:
        match kind:
            case "started":
                said = []
            case "text":
                said.append(data["text"].strip())
            case "answer":
                place = 0
                for text in said:
                    place = data["text"].find(text, place) + len(text)
                    if place < len(text):
                        return False
    return True


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
