"""Whole conversations without a model: tool, question and outcome of each last turn (tests/evals/README.md)."""

import json
from pathlib import Path

from beerforyou.cli.walking import walked
from beerforyou.house import House

LINES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "evals/conversations.jsonl").read_text("utf-8").splitlines()
]
RIGHT = 0.97


async def test_conversations_go_as_they_should(house: House) -> None:
    result = await walked(house, LINES)
    wrong = [
        (line["id"], line["turns"], line["tool"], line["question"], line["outcome"])
        for line in result["lines"]
        if not line["ok"]
    ]
    assert result["summary"]["right"] >= RIGHT * len(LINES), wrong
    assert len(LINES) >= 400 and not any(
        "get_website_summary" in line["calls"] for line in result["lines"] if line["kind"] == "no consent"
    )
