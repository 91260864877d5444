"""What reading costs: CPU of one message, warm, by kind of message. Needs a CSV of Open Brewery DB.

python bench/reading.py breweries.csv
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from statistics import quantiles

from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.sync import read_csv
from beerforyou.reading.read import read, read_anew
from beerforyou.reading.reading import Context
from beerforyou.reading.words.text import MAX_CHARS, MAX_WORDS, words_of

EVALS = Path(__file__).parents[1] / "tests/evals"
TODAY = date(2026, 11, 22)
ROUNDS = 5
LONG = (  # what was dearest of its kind when texts were made up at random and bred by their cost
    "cervejarias novas em San Diego, que eu ainda não compro? ",
    "Here and Now Brewing Co, ",
    "and Brewing Co, ",
    "Stone ",
    "Portland ",
    "me Ligue? By the Name of Stage? Riviera mokke ",
    "Kings Brewing Company. Fourth, Yonkers. Kegg, Polish 2. negative, ",
    "not brewpub, no more Denver, ",
    "\ufdfa",
)


def main(path: Path) -> None:
    catalogue = Catalogue(read_csv(path))
    lines = [json.loads(line) for name in ("reading.jsonl", "reading_dev.jsonl") for line in _lines(EVALS / name)]
    gc.freeze()  # a full collection takes 100 ms with the catalogue, whoever happens to cause it
    started = time.process_time()
    read("oi", catalogue, Context(), TODAY)
    print(f"first message, lexicon and all: {(time.process_time() - started) * 1000:.0f} ms")
    started = time.process_time()
    for _ in range(1000):
        read("oi", catalogue, Context(), TODAY)
    print(f"the same again, remembered: {(time.process_time() - started) * 1000:.1f} us\n")
    print(f"{'microseconds':24}{'n':>6}{'p50':>8}{'p95':>8}{'p99':>8}")
    _show("all messages", (line["text"] for line in lines), catalogue)
    for kind in sorted({line["kind"] for line in lines if "kind" in line}):
        _show(kind, (line["text"] for line in lines if line.get("kind") == kind), catalogue)
    print(f"\n{'the longest, of':24}{'n':>6}{'p50':>8}{'p95':>8}{'p99':>8}")
    for unit in LONG:
        _show(unit[:22], [_longest(unit)], catalogue)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _longest(unit: str) -> str:
    """The unit as often as a message may have it."""
    words = words_of(unit * MAX_CHARS)[:MAX_WORDS]
    return "".join(word.gap + word.raw for word in words)


def _show(label: str, texts: Iterable[str], catalogue: Catalogue) -> None:
    messages = list(texts)
    for text in messages:
        read_anew(text, catalogue, Context(), TODAY)
    times = sorted(_seconds(text, catalogue) for _ in range(ROUNDS) for text in messages)
    cuts = quantiles(times, n=100)
    print(f"{label:24}{len(messages):6}" + "".join(f"{cuts[i - 1] * 1e6:8.0f}" for i in (50, 95, 99)))


def _seconds(text: str, catalogue: Catalogue) -> float:
    started = time.thread_time()
    read_anew(text, catalogue, Context(), TODAY)
    return time.thread_time() - started


if __name__ == "__main__":
    main(Path(sys.argv[1]))
