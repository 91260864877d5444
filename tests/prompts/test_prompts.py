"""What every model reads: short, about every tool, and its examples run."""

import re
from datetime import date

import pytest

from beerforyou import prompts
from beerforyou.house import House
from beerforyou.sentences import LANGUAGES
from beerforyou.sentences.rendering import heading
from beerforyou.tools import TOOLS

DAY = date(2026, 11, 29)
EXAMPLES = re.findall(r'^"(.+)": (SELECT .+|WITH .+)$', prompts.SQL, re.MULTILINE)


def test_there_are_five_examples() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize(("question", "sql"), EXAMPLES)
async def test_an_example_runs_through_the_fence(house: House, question: str, sql: str) -> None:
    """And its columns have headings in every language."""
    ever = sql.replace("2026-03-01", "2000-01-01").replace("2026-03-31", "2100-12-31")
    found = await house.database.fence.ask("CLT-00001", ever, "UTC")
    assert found.rows, question
    for language in LANGUAGES:
        assert all(heading(column, language) != column for column in found.columns), found.columns


def test_every_tool_has_a_line_on_when_to_use_it() -> None:
    listed = re.findall(r"^- (\w+): ", prompts.SYSTEM, re.MULTILINE)
    assert len(listed) == len(set(listed)) and TOOLS.keys() <= set(listed)


def test_it_is_short() -> None:
    """Every call pays for it: 624 tokens of rules and 755 of SQL, as Qwen 2.5 counts them."""
    assert len(prompts.SYSTEM) < 2_800 and len(prompts.SQL) < 3_000
    assert all(len(prompts.reminder(DAY, "pt", found)) < 500 for found in (False, True))


def test_rules_and_question_stand_apart() -> None:
    for found in (False, True):
        rules = prompts.reminder(DAY, "pt", found)
        assert "Today is Sunday 2026-11-29." in rules and "Portuguese" in rules
    assert prompts.reminder(DAY, "pt") != prompts.reminder(DAY, "pt", found=True)


# What the catalogue of prompts must say, since a model cannot know it: of words and of figures.
@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("system", "A result of one figure has no table"),
        ("system", "correct the call once"),
        ("system", "appear below your text by themselves"),
        ("sql", "An order is a day with purchases"),
        ("sql", "'ID' (1 is Monday)"),
        ("sql", "style ILIKE '%IPA%'"),
        ("sql", "in one currency"),
    ],
)
def test_what_a_model_cannot_know_is_said(prompt: str, says: str) -> None:
    assert says in {"system": prompts.SYSTEM, "sql": prompts.SQL}[prompt]


IPA = "SELECT round(100.0 * count(*) FILTER (WHERE {which}) / count(*), 1) AS share FROM my_purchases"


async def test_a_style_and_its_family_are_different_figures(house: House) -> None:
    """As the prompt tells them apart."""
    exact, family = [
        (await house.database.fence.ask("CLT-00001", IPA.format(which=which), "UTC")).rows[0][0]
        for which in ("style = 'IPA'", "style ILIKE '%IPA%'")
    ]
    assert 0 <= exact < family
