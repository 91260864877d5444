"""The promise: 95 of 100 messages are read right, on the real catalogue, and in a millisecond."""

import time
from pathlib import Path
from statistics import quantiles

import msgspec
import pytest

from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.evaluate import evaluate
from beerforyou.reading.read import read
from beerforyou.reading.reading import Context
from tests.reading.conftest import TODAY

EVALS = Path(__file__).parents[1] / "evals"


@pytest.mark.parametrize("name", ["reading_dev.jsonl", "reading.jsonl"])
def test_at_least_95_percent_are_read_right(whole_catalogue: Catalogue, name: str) -> None:
    lines = [msgspec.json.decode(line) for line in (EVALS / name).read_bytes().splitlines()]
    summary = evaluate(lines, whole_catalogue, TODAY)["summary"]
    assert len(lines) >= 300
    assert summary["accuracy"] >= 0.95, summary


def test_a_language_that_is_a_file_is_read_as_well(whole_catalogue: Catalogue) -> None:
    """Its first contact was 97.5 % (tests/evals/README.md); below 95 a change has cost it something."""
    lines = [msgspec.json.decode(line) for line in (EVALS / "reading_es.jsonl").read_bytes().splitlines()]
    summary = evaluate(lines, whole_catalogue, TODAY)["summary"]
    assert len(lines) >= 120 and summary["accuracy"] >= 0.95, summary


def test_half_of_the_messages_take_less_than_a_millisecond(whole_catalogue: Catalogue) -> None:
    """CPU, warm. The median, since this machine is not ours alone; bench/reading.py tells the rest."""
    texts = [msgspec.json.decode(line)["text"] for line in (EVALS / "reading.jsonl").read_bytes().splitlines()]
    times = []
    for _ in range(2):
        times = [_seconds(text, whole_catalogue) for text in texts]
    assert quantiles(times, n=2)[0] < 0.001


def _seconds(text: str, catalogue: Catalogue) -> float:
    started = time.thread_time()
    read(text, catalogue, Context(), TODAY)
    return time.thread_time() - started
