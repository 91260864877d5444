"""What the documents don't mention does not exist for a user; what they link to must be there."""

import re
from pathlib import Path
from typing import get_args

import pytest

from beerforyou.answering.turn import Outcome
from beerforyou.api.routes import ROUTES
from beerforyou.blocks import AnyBlock
from beerforyou.catalogue.ranking import REASONS
from beerforyou.cli import COMMANDS
from beerforyou.runs.run import EventType
from beerforyou.runs.why import Decision, Planned
from beerforyou.settings import Settings, env_name

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def missing(page: str, names: list[str]) -> list[str]:
    text = (REFERENCE / page).read_text()
    return [name for name in names if f"`{name}" not in text and f" {name}`" not in text]


def test_every_setting_is_documented() -> None:
    assert missing("settings.md", [env_name(field) for field in Settings.__struct_fields__]) == []


def test_every_command_is_documented() -> None:
    assert missing("cli.md", [f"beerforyou {command}" for command in COMMANDS]) == []


def test_every_route_is_documented() -> None:
    assert missing("http.md", [route.at for route in ROUTES]) == []


def test_every_event_outcome_block_and_reason_is_documented() -> None:
    blocks = [block.__struct_config__.tag for block in get_args(AnyBlock)]
    assert missing("http.md", [*get_args(EventType), *get_args(Outcome), *blocks, *REASONS]) == []


def test_every_file_that_is_named_is_there() -> None:
    """In the pages, but the decisions, which tell of their own day; and in what the code says of itself."""
    code = [path for room in ("src", "tests", "bench") for path in (ROOT / room).rglob("*.py")]
    there = [f"/{path.relative_to(ROOT)}" for path in code]
    pages = [page for page in PAGES if page.parent.name != "decisions"]
    named = {(page, name) for page in (*pages, *code) for name in re.findall(r"[\w/]+\.py\b", page.read_text("utf-8"))}
    assert [
        f"{page}: {name}"
        for page, name in sorted(named)
        if not any(path.endswith(f"/{name.lstrip('/')}") for path in there)
    ] == []


def test_every_field_of_a_decision_is_documented() -> None:
    assert missing("http.md", [*Decision.__struct_fields__, *Planned.__struct_fields__]) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
