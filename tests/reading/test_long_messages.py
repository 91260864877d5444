"""However it is made, a message of the longest takes milliseconds, and asks the catalogue no more than makes sense.

`fuzz.py` makes them up; here are those that were found to be the worst, and what each kind must cost at most.
"""

import os
from collections.abc import Callable, Iterator
from statistics import quantiles
from typing import Any

import pytest

from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.read import read
from beerforyou.reading.reading import Context
from beerforyou.reading.words.lookups import MOST
from beerforyou.reading.words.text import MAX_CHARS, MAX_WORDS
from tests.cpu import calls, slowness
from tests.reading.conftest import TODAY
from tests.reading.fuzz import CONTEXT, P99_S, check, fuzzed, longest

pytestmark = pytest.mark.long
FUZZ_S = float(os.environ.get("BEERFORYOU_FUZZ_S") or 20)
# Each again and again, up to the longest message.
UNITS = [
    "Here and Now Brewing Co, ",
    "and Brewing Co, ",
    "Brewing Company. Brewing Co, ",
    "The Beer Company of the Old River Creek Brewing, ",
    "Stone Xyzzy Plugh Qwert Asdfg, ",
    "Rock Bottom Brewery - Granite City Food & Brewery - ",
    "Xyzzy and Plugh Brewing Company and ",
    "Cervejaria do Xyzzy, ",
    "Stone ",
    "Co ",
    "Portland ",
    "in Portland, Oregon, in Portland, Maine, ",
    "Hope Bend Media Golden March ",
    "in Xyzzy de ",
    "St. Louis, Mt. Airy, ",
    "OR ME IN CO ",
    "german breweries ",
    "não compro new, já compro, ",
    "not brewpub, no more Denver, ",
    "only large and grande ",
    "the clients that buy, everyone, o cliente ",
    "bar do João, Joe's Tavern, Anna's order history, ",
    "did Xyzzy does Plugh ",
    "how many beers by month by brewery ",
    "last month first quarter past 2 weeks ",
    "1 a 15 de maio, 1/5/2026 - ",
    "segunda, a 2, 3ª ",
    "brewreies in Portlnad ",
    "me Ligue? By the Name of Stage? Riviera mokke ",
    "Kings Brewing Company. Xyzzy, Kegg, fourth. ",
    "Xyz. ",
    "sim, não. ",
    "20 km 5 ",
    "a. b. ",
    "& + ' - ",
    "ﷺ",
    "e\u0301",
    "\n",
    "🍺",
]  # fmt: skip


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the catalogue is asked."""
    asked: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        method = getattr(Catalogue, name)

        def one(self: Catalogue, *args: Any) -> Any:
            asked.append(f"{name} {args}")
            return method(self, *args)

        return one

    for name in ("find", "nearest"):
        monkeypatch.setattr(Catalogue, name, counted(name))
    yield asked


@pytest.mark.parametrize("context", [Context(), CONTEXT], ids=["alone", "follow-up"])
@pytest.mark.parametrize("unit", UNITS)
def test_the_worst_take_no_longer_than_they_may(whole_catalogue: Catalogue, unit: str, context: Context) -> None:
    for written in (unit, unit.lower(), unit.title()):
        check(longest(written), whole_catalogue, context)


@pytest.mark.parametrize("unit", UNITS)
def test_the_catalogue_is_asked_each_question_once(whole_catalogue: Catalogue, questions: list[str], unit: str) -> None:
    read(longest(unit), whole_catalogue, CONTEXT, TODAY)
    assert len(set(questions)) == len(questions) <= MOST


def test_names_that_all_differ_are_not_all_looked_up(whole_catalogue: Catalogue, questions: list[str]) -> None:
    names = [f"Stone {a}{b}qz Brewing" for a in "bcdfghjklm" for b in "npqrstvwxz"]
    assert read(", ".join(names), whole_catalogue, Context(), TODAY).intent == "tangled"
    assert len(questions) == MOST
    questions.clear()
    assert read(", ".join(names[:10]), whole_catalogue, Context(), TODAY).intent != "tangled"
    assert 0 < len(questions) <= MOST


@pytest.mark.parametrize("unit", UNITS)
def test_the_work_grows_with_the_length_and_not_with_its_square(whole_catalogue: Catalogue, unit: str) -> None:
    """Counted in calls. With the square it would be four times."""
    text = longest(unit)
    half, whole = (
        calls(lambda part=part: read(part, whole_catalogue, Context(), TODAY))
        for part in (text[: len(text) // 2], text)
    )
    assert whole < 2.5 * half + 5000


def test_a_text_past_the_longest_is_not_read_in_part(whole_catalogue: Catalogue) -> None:
    question = "how much did I buy in March? "
    assert read(question, whole_catalogue, Context(), TODAY).intent == "own_data"
    for more in (question + " " * MAX_CHARS + "and in April?", question * 80, question + "ok " * (MAX_WORDS - 5)):
        assert read(more, whole_catalogue, Context(), TODAY).intent == "tangled"
    assert read(question + "ok " * (MAX_WORDS - 7), whole_catalogue, Context(), TODAY).intent != "tangled"


def test_made_up_messages_take_no_longer_than_they_may(whole_catalogue: Catalogue) -> None:
    """BEERFORYOU_FUZZ_S says for how many seconds; so does python -m tests.reading.fuzz."""
    times = fuzzed(whole_catalogue, FUZZ_S)
    assert len(times) >= 100 and quantiles(times, n=100)[98] <= P99_S * slowness()
