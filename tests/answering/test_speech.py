"""Sentences leave as they are whole, whatever the pieces they come in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beerforyou.answering.speech import LONGEST, MOST_SENTENCES, Speech
from tests.cpu import quick

TEXT = "Achei três. A primeira é nova!\nQuer saber mais? Sim… ou não"
SENTENCES = ["Achei três.", "A primeira é nova!", "Quer saber mais?", "Sim…", "ou não"]


def told(pieces: list[str]) -> list[str]:
    speech = Speech()
    sentences = [sentence for piece in pieces for sentence in speech.hear(piece)]
    return [sentence for sentence in (*sentences, speech.end()) if sentence.strip()]


@given(st.lists(st.integers(0, len(TEXT)), max_size=20))
def test_the_sentences_are_the_same_however_it_is_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(TEXT)]
    assert [sentence.strip() for sentence in told([TEXT[a:b] for a, b in pairwise(edges)])] == SENTENCES


def test_a_sentence_does_not_wait_for_the_next() -> None:
    speech = Speech()
    assert speech.hear("Achei três. A pri") == ["Achei três."]


@pytest.mark.parametrize(
    "begins", ["<tool_call>", "```tool_code", '{"name":', "[TOOL_CALLS]", "search_breweries(", "Action: x", "x(y)"]
)
def test_from_where_a_call_may_begin_it_waits_for_the_end(begins: str) -> None:
    speech = Speech()
    assert speech.hear(f"Vou ver.\n{begins}. ") == ["Vou ver."]
    assert speech.hear("More. And more. ") == []
    assert speech.end() == f"{begins}. More. And more. "


@pytest.mark.parametrize("piece", ["a", " ", ". ", "a.\n", "(a). ", ".", "…", "\n"])
def test_its_time_is_linear_and_what_it_holds_is_bounded(piece: str) -> None:
    speech, heard = Speech(), 0
    with quick(2.0):
        for _ in range(200_000):
            heard += len(speech.hear(piece))
    assert heard <= MOST_SENTENCES and len(speech.end()) <= LONGEST
