"""Numbers in digits and in words, with the words that say them."""

from __future__ import annotations

import pytest

from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.times.numbers import numbers_in
from beerforyou.reading.words.lookups import Lookups
from beerforyou.reading.words.text import words_of
from beerforyou.reading.words.utterance import Utterance


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quero vinte cervejarias", {"vinte": 20}),
        ("top vinte e cinco do mês", {"vinte e cinco": 25}),
        ("comprei uma dúzia e depois meia dúzia", {"uma duzia": 12, "meia duzia": 6}),
        ("duas dúzias de ipa", {"duas duzias": 24}),
        ("cento e vinte e três caixas", {"cento e vinte e tres": 123}),
        ("quatrocentos e dois", {"quatrocentos e dois": 402}),
        ("mais de mil unidades", {"mil": 1000}),
        ("dois mil reais", {"dois mil": 2000}),
        ("gastei uns 30 com isso", {"uns 30": 30}),
        ("cerca de quarenta caixas em 1.000", {"cerca de quarenta": 40, "1 000": 1000}),
        ("mostra as três e as 5", {"tres": 3, "5": 5}),
        ("dez a quinze por mês", {"dez": 10, "quinze": 15}),
        ("show me twenty of them", {"twenty": 20}),
        ("twenty-five breweries", {"twenty five": 25}),
        ("a dozen or two dozen", {"a dozen": 12, "two dozen": 24}),
        ("half a dozen please", {"half a dozen": 6}),
        ("a couple of breweries", {"a couple": 2}),
        ("a hundred and twenty cases", {"a hundred and twenty": 120}),
        ("three hundred bottles", {"three hundred": 300}),
        ("about 30 or roughly forty", {"about 30": 30, "roughly forty": 40}),
        ("twenty and five", {"twenty": 20, "five": 5}),
        ("call 55512345678 or 3t25", {}),
    ],
)
def test_numbers_and_their_words(catalogue: Catalogue, text: str, expected: dict[str, int]) -> None:
    m = Utterance(words_of(text), Lookups(catalogue))
    said = {" ".join(m.plain[n.start : n.end]): n.value for n in numbers_in(m) if not n.article}
    assert said == expected


def test_an_article_may_count_one(catalogue: Catalogue) -> None:
    m = Utterance(words_of("uma cervejaria nova em Houston"), Lookups(catalogue))
    assert [(n.start, n.value, n.article) for n in numbers_in(m)] == [(0, 1, True)]
