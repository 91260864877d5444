"""Fuzzes reading with the catalogue's own words, phrases of the lexicon, numbers and rubbish, up to the longest message.

python -m tests.reading.fuzz --seconds 60 --catalogue breweries.csv
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.sync import read_csv
from beerforyou.reading.question import Filter, Question
from beerforyou.reading.read import read_anew
from beerforyou.reading.reading import Context, Ref, Search
from beerforyou.reading.words.lexicon import LANGUAGES, phrases, table
from beerforyou.reading.words.text import MAX_CHARS, MAX_WORDS, words_of
from tests.cpu import slowness
from tests.reading.conftest import TODAY

LONGEST_S, P99_S = 0.2, 0.05  # of CPU, on a quiet core
JOINERS = ("and", "e", "de", "da", "do", "of", "the", "a", "o", "in", "em", "no", "for", "by", "not", "não", "sem", "St.", "&",
           "+", "'s", "Co", "Beer", "Brewing", "Brewing Co", "Brewing Company", "Brewery", "Cervejaria", "Company")  # fmt: skip
NUMBERS = (
    "1",
    "2",
    "12",
    "2026",
    "1/5",
    "15/05/2026",
    "2026-05-15",
    "20km",
    "20 km",
    "1 de maio",
    "5th",
    "3ª",
    "Q1",
    "CLT-0042",
)
GAPS = (" ", " ", " ", " ", "", ", ", ". ", "? ", "! ", "; ", "\n", " - ", " & ", "/", "'s ")
CONTEXT = Context(
    shown=(Ref(id="b0", name="Stone Brewing"), Ref(id="b1", name="Alter Brewing Company", city="Downers Grove")),
    offered=True,
    search=Search(city="Denver"),
    question=Question(filters=(Filter(field="brewery", values=("Stone Brewing",)),)),
    choices=(Search(city="Portland", state="Oregon"), Search(city="Portland", state="Maine")),
    language="en",
)


def messages(catalogue: Catalogue) -> st.SearchStrategy[str]:
    """A few pieces, or as many as a message may have: all different, or a few again and again."""
    some = st.lists(_pieces(catalogue), min_size=1, max_size=40).map("".join)
    return st.one_of(some, some.map(longest))


def longest(text: str) -> str:
    """The text again and again, as far as anything of it is read."""
    words = words_of(text * (MAX_CHARS // max(1, len(text)) + 1))
    return "".join(word.gap + word.raw for word in words[:MAX_WORDS])[:MAX_CHARS]


def check(text: str, catalogue: Catalogue, context: Context) -> float:
    """Seconds of CPU for a reading, which is the same again. A pause that is not the text's own is not counted."""
    seconds, first = _timed(text, catalogue, context)
    again, second = _timed(text, catalogue, context)
    assert first == second, text
    least = min(seconds, again)
    if least > LONGEST_S:
        least = min(_timed(text, catalogue, context)[0] for _ in range(3)) / slowness()
    assert least <= LONGEST_S, f"{least:.2f} s for {text!r}"
    return least


def fuzzed(catalogue: Catalogue, seconds: float) -> list[float]:
    """The CPU of each text that was tried within so many seconds. Raises AssertionError at one that takes too long."""
    end, times = time.monotonic() + seconds, list[float]()

    @settings(
        max_examples=100, deadline=None, database=None, phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(messages(catalogue), st.sampled_from([Context(), CONTEXT]))
    def one(text: str, context: Context) -> None:
        times.append(check(text, catalogue, context))

    while time.monotonic() < end:
        one()
    return times


def _pieces(catalogue: Catalogue) -> st.SearchStrategy[str]:
    names = [brewery.name for brewery in catalogue.breweries]
    places = sorted({place for b in catalogue.breweries for place in (b.city, b.state, b.country) if place})
    words = st.one_of(
        st.sampled_from(names),
        st.sampled_from(sorted({word for name in names for word in name.split()})),
        st.sampled_from(places),
        st.sampled_from(_lexicon()),
        st.sampled_from(JOINERS),
        st.sampled_from(NUMBERS),
        st.text("abcdeghilmnorstuv", min_size=3, max_size=9),
        st.text(max_size=4),
    )
    cases: list[Callable[[str], str]] = [str, str, str.lower, str.title, str.upper]
    return st.builds(lambda word, case, gap: case(word) + gap, words, st.sampled_from(cases), st.sampled_from(GAPS))


def _lexicon() -> list[str]:
    """Every phrase of both languages."""
    tables = [table(language) for language in LANGUAGES]
    texts = [text for said in tables for text in (*said["function"].values(), *said["meanings"].values())]
    texts += [text for said in tables for values in said["values"].values() for text in values.values()]
    return sorted({phrase for text in texts for phrase in phrases(text)})


def _timed(text: str, catalogue: Catalogue, context: Context) -> tuple[float, object]:
    started = time.thread_time()
    reading = read_anew(text, catalogue, context, TODAY)
    return time.thread_time() - started, reading


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument(
        "--catalogue", type=Path, default=os.environ.get("BEERFORYOU_TEST_CATALOGUE"), required=False
    )
    given = arguments.parse_args()
    if given.catalogue is None:
        arguments.error("give Open Brewery DB as a CSV file: --catalogue, or BEERFORYOU_TEST_CATALOGUE")
    catalogue = Catalogue(read_csv(Path(given.catalogue)))
    gc.freeze()
    times = sorted(fuzzed(catalogue, given.seconds))
    cuts = quantiles(times, n=100)
    print(
        f"{len(times)} texts; CPU in ms: p50 {cuts[49] * 1e3:.1f}, p99 {cuts[98] * 1e3:.1f}, most {times[-1] * 1e3:.1f}"
    )


if __name__ == "__main__":
    main()
