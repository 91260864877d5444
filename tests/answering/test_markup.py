"""Markdown is made plain, and what only looks like it stays; the same whether it comes whole or in pieces."""

import re
from itertools import pairwise

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from beerforyou.answering.markup import plain
from beerforyou.answering.speech import LONGEST, Speech
from beerforyou.house import House
from tests.answering.test_planner import Scripted, call, calls, says
from tests.conftest import Walk
from tests.cpu import quick
from tests.hearing import hearing

PLAIN = [
    ("Achei **três** cervejarias.", "Achei três cervejarias."),
    ("**Nota: são novas. Quer saber mais?**", "Nota: são novas. Quer saber mais?"),
    ("You spent **$1,234.50** on __IPA__, ~~not stout~~.", "You spent $1,234.50 on IPA, not stout."),
    ("***Muito*** bom", "Muito bom"),
    ("**3**ª de **10**", "3ª de 10"),
    ("R$**45,90**", "R$45,90"),
    ("# Cervejarias\nAchei duas.", "Cervejarias\nAchei duas."),
    ("### Top 3 ###\n\nUma.", "Top 3\n\nUma."),
    ("Título\n=====\nTexto", "Título\nTexto"),
    ("- Stone\n- Modern Times\n", "Stone\nModern Times\n"),
    ("* Stone. It is new.\n  + Modern Times", "Stone. It is new.\nModern Times"),
    ("* **Stone Brewing**: micro", "Stone Brewing: micro"),
    ("> Achei duas.", "Achei duas."),
    ("Um.\n\n---\n\nDois.", "Um.\n\nDois."),
    ("Compre a `Pliny the Elder`.", "Compre a Pliny the Elder."),
    ("Use ``a`b`` não", "Use ``a`b`` não"),
    ("```\nStone: 3\n**x**\n```\nFim.", "Stone: 3\n**x**\nFim."),
    ("See [their site](https://stone.example/a?b=c).", "See their site (https://stone.example/a?b=c)."),
    ("See [stone.example](https://stone.example).", "See stone.example."),
    ('[Stone]( <https://stone.example> "the site" )', "Stone (https://stone.example)"),
    ("[Call](tel:+15125550100) or <https://stone.example>", "Call or https://stone.example"),
    ("[x](javascript:alert)", "x"),
    ("![logo](https://stone.example/logo.png) Stone", "logo Stone"),
    ("[**Stone**](https://stone.example)", "Stone (https://stone.example)"),
    ("| cerveja | unidades |\n|---|--:|\n| IPA | 12 |\n| **Pils** | 3 |\n\nFim.", "cerveja, unidades\nIPA, 12\nPils, 3\n\nFim."),
    ("Veja:\nbeer | units\n--- | ---\nIPA | 3", "Veja:\nbeer, units\nIPA, 3"),
    (r"A \*Star\* e a Beer\_Works", "A *Star* e a Beer_Works"),
]  # fmt: skip

AS_IT_IS = [
    "Try *Star* in Denver, or Beer_Works and _Under_ Brewing.",
    "4*5 is 20, 2**3 is 8, 2 ** 3 too, and a * b * c.",
    "5 < 6 | nothing else",
    "#1 in Ohio, C# and 3 # 4",
    "It fell by 5 - not more. -5% in all.",
    "Achei duas. - Uma é nova.",
    "1. Stone\n2. Modern Times",
    "snake__case__name and __init",
    "**aberto e nunca fechado",
    "[1] Stone (Escondido), [2] Modern Times [sic]",
    "O que há `de novo?",
    r"a \u0000, \\u0000 and \\\u0000",
    "Você gastou R$ 1.234,50 (12% a mais).\nIsso é tudo.",
    "--- x", "~ 5 km", "50~60", "(a)(b) [a] (b)", "", "\n", "*", "**", "- ", "#",
]  # fmt: skip


@pytest.mark.parametrize(("written", "read"), PLAIN)
def test_markdown_is_made_plain(written: str, read: str) -> None:
    assert plain(written) == read


@pytest.mark.parametrize("text", AS_IT_IS)
def test_what_is_none_stays(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize("name", ["**Star** Brewing", "__Under__", "[Redacted](Ales)", "`Tick`", "Half ~~Off~~"])
def test_a_name_keeps_its_marks(name: str) -> None:
    text = f"Try **this**: {name}, or **{name.strip('*_`')}**."
    assert name in plain(text, lambda: f'[{{"name":"{name}"}}]') and "**this" not in plain(text, lambda: name)
    assert name not in plain(text)


def pieces(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


def told(parts: list[str]) -> list[str]:
    speech = Speech()
    return [*(sentence for part in parts for sentence in speech.hear(part)), speech.end()]


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


TEXTS = [written for written, _ in PLAIN] + AS_IT_IS


@examples(st.lists(st.sampled_from(TEXTS), max_size=4), st.lists(st.integers(0, 300), max_size=12))
def test_in_pieces_it_is_the_same(texts: list[str], cuts: list[int]) -> None:
    for between in ("\n", "\n\n"):
        text = between.join(texts)
        assert words(" ".join(told(pieces(text, cuts)))) == words(plain(text))


@examples(st.text("*_`~#-|[]()<>\\ \n.aé1", max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_any_text_is_told_as_it_is_made_plain(text: str, cuts: list[int]) -> None:
    assert words(" ".join(told(pieces(text, cuts)))) == words(" ".join(told([text])))


def test_a_line_without_marks_does_not_wait() -> None:
    speech = Speech()
    assert speech.hear("Achei duas. **Uma. ") == ["Achei duas."]
    assert speech.hear("Outra** é nova. Mais.\nE ") == ["Uma. Outra é nova. Mais."]
    assert speech.hear("esta. ") == ["E esta."]


@pytest.mark.parametrize("piece", ["**a. ", "** ", "[a](", "`a", "a** ", "# # ", "- - ", "|-", "> ", "*** ", "\\", "<http://a", "![", "~~a~~", "**a**", "__"])  # fmt: skip
def test_its_time_is_linear(piece: str) -> None:
    speech, text = Speech(), piece * (8_192 // len(piece))
    with quick(0.5):
        plain(text, lambda: "x" * 50_000)
        for _ in range(LONGEST // len(piece)):
            speech.hear(piece)


@pytest.mark.parametrize("heard_as_written", [False, True])
async def test_a_client_sees_none(walk: Walk, house: House, heard_as_written: bool) -> None:
    """Neither in what is told while it is written nor in the answer, whoever writes it and however it is asked for."""
    search = calls(call("search_breweries", city="San Diego"))
    first = [search, search] if heard_as_written else [search]
    text = "**Achei. Três** em *San Diego*.\n\n- `Uma` 4*5\n- [Duas](https://a.example)"
    with hearing(house) as heard:
        run = await walk("breweries in San Diego", Scripted(*first, says(text)))
    made = "Achei. Três em *San Diego*.\n\nUma 4*5\nDuas (https://a.example)"
    assert run["blocks"][0].text == made
    assert words(" ".join(heard.sentences(run["run_id"]))) == words(made)
