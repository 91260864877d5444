"""What a terminal shows while an answer comes, and a file once it is there."""

import os
from typing import Any

import click
import pytest

from beerforyou.cli import printing
from beerforyou.cli.printing import Paper, Printing, cells, rest_of

ANSWER = "Achei duas. Veja:\n\n1. Fall\n2. Harbor\n\nQuer mais?"


class Screen:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys, self._seen = capsys, ""

    @property
    def text(self) -> str:
        """All that was ever written to it."""
        self._seen += self._capsys.readouterr().out
        return self._seen


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Screen:
    """A terminal of 40 columns, with the notes among what is printed."""
    monkeypatch.setattr(printing, "note", click.echo)
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_, **__: os.terminal_size((40, 20)))
    return Screen(capsys)


def show(*events: tuple[str, dict[str, Any]]) -> None:
    shown = Printing(terminal=True)
    for kind, data in events:
        shown.show(kind, data)
    shown.end()


def text(sentence: str) -> tuple[str, dict[str, Any]]:
    return "text", {"text": sentence}


STARTED: tuple[str, dict[str, Any]] = ("started", {})
FINISHED: tuple[str, dict[str, Any]] = ("finished", {"status": "succeeded", "outcome": "answered"})


def test_a_terminal_sees_each_sentence_when_it_comes(screen: Screen) -> None:
    shown = Printing(terminal=True)
    shown.show(*STARTED)
    shown.show(*text("Achei duas."))
    assert screen.text == "Achei duas."
    shown.show(*text("Veja:"))
    assert screen.text == "Achei duas. Veja:"
    shown.show("answer", {"text": ANSWER})
    assert screen.text == f"{ANSWER}\n"


@pytest.mark.parametrize(
    ("told", "rest"),
    [
        ([], ANSWER),
        (["Achei duas."], " Veja:\n\n1. Fall\n2. Harbor\n\nQuer mais?"),
        (["Achei duas.", "Veja:", "1. Fall"], "\n2. Harbor\n\nQuer mais?"),
        (["Achei duas.", "1. Fall"], None),  # something was left out
        (["Achei três."], None),
        (["Veja:", "Achei duas."], None),
        ([ANSWER], ""),
        ([ANSWER, "E mais."], None),
    ],
)
def test_the_rest_is_what_was_not_told(told: list[str], rest: str | None) -> None:
    assert rest_of(ANSWER, told) == rest


@pytest.mark.parametrize(
    "between",
    [[STARTED], [STARTED, text("Achei")], [STARTED, text("Achei duas."), STARTED], []],
    ids=["again", "another beginning", "again and again", "the answer is another one"],
)
def test_what_was_told_in_vain_is_said_to_be_void(screen: Screen, between: list[tuple[str, dict[str, Any]]]) -> None:
    show(STARTED, text("São 12 mil reais."), *between, ("answer", {"text": ANSWER}), FINISHED)
    wrong, right = screen.text.rsplit("does not count", 1)
    assert wrong.startswith("São 12 mil reais.\n… what stands above")
    assert right.partition("\n")[2] == f"{ANSWER}\n", "and the answer is whole"


@pytest.mark.parametrize("outcome", ["cancelled", "error_timeout", None])
def test_text_without_an_answer_is_void(screen: Screen, outcome: str | None) -> None:
    show(STARTED, text("São 12 mil reais."), ("finished", {"status": "failed", "outcome": outcome}))
    assert screen.text.startswith("São 12 mil reais.\n… what stands above does not count")
    assert screen.text.endswith(f"… {outcome or 'failed'}\n")


def test_a_pipe_gets_the_whole_answer_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Printing(terminal=False)
    told = [text("Nada."), STARTED, text("Achei duas."), text("Veja:")]
    for kind, data in (STARTED, *told, ("answer", {"text": ANSWER}), FINISHED):
        shown.show(kind, data)
    shown.end()
    assert capsys.readouterr().out == f"{ANSWER}\n"


def test_a_note_never_stands_in_a_line_of_the_answer(screen: Screen) -> None:
    show(STARTED, text("Vou ver."), ("tool_started", {"name": "search_breweries"}), text("Achei."))
    assert screen.text == "Vou ver.\n… search_breweries\nAchei.\n"


@pytest.mark.parametrize(
    "pieces",
    [
        ["uma frase que é mais longa do que a tela é larga, e mais outra que também não cabe nela"],
        ["uma frase que é mais longa do que", " a tela é larga, e mais outra", " que também não cabe nela"],
        [
            "1. uma cervejaria de nome comprido: microcervejaria, San Diego\n   tipo nº 1 nas suas compras; a 2,7 km daqui"
        ],
        ["醸造所はサンディエゴにあります。 " * 5],
        ["https://example.com/a-word-that-is-longer-than-any-terminal-is-wide and more"],
        ["a\n\n\nb", "\n- c d e f g h i j k l m n o p q r s t u v w x y z"],
        [""],
    ],
)
def test_no_line_is_wider_than_the_terminal(screen: Screen, pieces: list[str]) -> None:
    paper = Paper()
    for piece in pieces:
        paper.write(piece)
    longest_word = max(map(cells, "".join(pieces).split()), default=0)
    assert all(cells(line) <= max(40, longest_word) for line in screen.text.split("\n"))
    assert screen.text.split() == "".join(pieces).split(), "no word is lost"


def test_an_item_goes_on_under_its_own_text(screen: Screen) -> None:
    Paper().write("1. uma cervejaria de nome comprido e mais comprido ainda")
    assert screen.text == "1. uma cervejaria de nome comprido e\n   mais comprido ainda"
