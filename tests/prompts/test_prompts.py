"""What every model reads: short, about every tool, and its examples run."""

import re

import pytest

from beerforyou import prompts
from beerforyou.house import House
from beerforyou.sentences import LANGUAGES
from beerforyou.sentences.rendering import heading

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
