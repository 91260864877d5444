"""What is said of rows: which purchases were counted, when, and the figure that was asked for, in both languages."""

import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from beerforyou.blocks import Table
from beerforyou.by_rule.figures import figures, says_all
from beerforyou.by_rule.possible import meant
from beerforyou.by_rule.scope import Asked
from beerforyou.by_rule.sql import Bought
from beerforyou.reading.question import Filter, Question, Span
from beerforyou.reading.words import lexicon
from beerforyou.sentences import LANGUAGES, has
from tests.by_rule.conftest import Answers

TODAY = date(2026, 11, 28)
LEXICON = Path(lexicon.__file__).parent
SEPTEMBER = Span(since="2026-09-01", until="2026-09-30")
OCTOBER = Span(since="2026-10-01", until="2026-10-31")
NOVEMBER = Span(since="2026-11-01", until="2026-11-30")
IPA = Filter(field="style", values=("ipa",))
NO_BREWPUB = Filter(field="type", values=("brewpub",), negated=True)
ALTER = Filter(field="brewery", values=("Alter",))
BREWERIES = {"Alter": Bought(("1",), (), ("Alter Brewing Company",)), "Stone": Bought()}
AMOUNT, BOTH = ("amount",), ("quantity", "amount")
SEP, OCT = "2026-09-01/2026-09-30", "2026-10-01/2026-10-31"

Rows = Sequence[Sequence[Any]]


def told(question: Question, columns: str, rows: Rows, language: str, truncated: bool = False) -> str:
    asked = Asked(question=meant(question), language=language, today=TODAY, currency="BRL", breweries=BREWERIES)
    return figures(columns.split(), rows, truncated, asked)


CASES: list[tuple[Question, str, Rows, str, str]] = [
    (Question(), "quantity", [[1234]], "Você comprou 1.234 unidades.", "You bought 1,234 units."),
    (
        Question(measures=AMOUNT, spans=(OCTOBER,)), "amount", [[13898.69]],
        "Você gastou R$ 13.898,69 em outubro de 2026.", "You spent R$13,898.69 in October 2026.",
    ),
    (
        Question(measures=AMOUNT, spans=(NOVEMBER,)), "amount", [[10]],
        "Você gastou R$ 10,00 em novembro de 2026 até agora.", "You spent R$10.00 in November 2026 so far.",
    ),
    (
        Question(measures=BOTH, filters=(IPA, NO_BREWPUB), spans=(Span(since="2026-05-01", until="2026-05-15"),), unit="box"),
        "quantity amount", [[1, 48.3]],
        "Você comprou uma unidade e gastou R$ 48,30 com IPA de 1 a 15 de maio de 2026 (sem brewpub). "
        "A conta é em unidades: as compras não dizem o número de caixas.",
        "You bought one unit and spent R$48.30 on IPA from May 1 to 15, 2026 (without brewpub). "
        "I count units: purchases don't tell the number of boxes.",
    ),
    (
        Question(measures=AMOUNT, filters=(ALTER,), spans=(Span(until="2026-11-27"),)), "amount", [[7]],
        "Você gastou R$ 7,00 com Alter Brewing Company até ontem.",
        "You spent R$7.00 on Alter Brewing Company until yesterday.",
    ),
    (
        Question(measures=("price",), filters=(IPA,)), "price", [[48.34]],
        "Você pagou em média R$ 48,34 por unidade de IPA.", "You paid on average R$48.34 a unit of IPA.",
    ),
    (
        Question(filters=(Filter(field="weekday", values=("6", "7")),)), "quantity", [[9]],
        "Você comprou 9 unidades (só sábado e domingo).", "You bought 9 units (on Saturday and Sunday only).",
    ),
    (
        Question(measures=BOTH, only_order="last"), "order quantity amount", [["2026-11-26", 88, 4877.85]],
        "Seu último pedido foi em 26 de novembro de 2026: 88 unidades e R$ 4.877,85.",
        "Your last order was on November 26, 2026: 88 units and R$4,877.85.",
    ),
    (
        Question(aggregate="mean", measures=AMOUNT), "orders amount amount_mean", [[4, 10, 2.5]],
        "Em média: R$ 2,50 por pedido (R$ 10,00 em 4 pedidos).", "On average: R$2.50 per order (R$10.00 in 4 orders).",
    ),
    (
        Question(aggregate="mean", per="week", spans=(OCTOBER,)), "weeks quantity quantity_mean", [[5, 107, 21.4]],
        "Em média em outubro de 2026: 21,4 unidades por semana (107 unidades em 5 semanas).",
        "On average in October 2026: 21.4 units per week (107 units in 5 weeks).",
    ),
    (
        Question(aggregate="share", measures=AMOUNT, filters=(IPA,)), "amount amount_whole amount_share", [[148, 1000, 14.8]],
        "IPA: 14,8% do valor gasto (R$ 148,00 de R$ 1.000,00).",
        "IPA: 14.8% of the money spent (R$148.00 of R$1,000.00).",
    ),
    (
        Question(aggregate="change", measures=AMOUNT, spans=(OCTOBER, SEPTEMBER)), "period amount", [[SEP, 100], [OCT, 106.7]],
        "Você gastou mais em outubro de 2026: R$ 106,70, contra R$ 100,00 em setembro de 2026 (+R$ 6,70, +6,7%).",
        "You spent more in October 2026: R$106.70, against R$100.00 in September 2026 (+R$6.70, +6.7%).",
    ),
    (
        Question(aggregate="change", spans=(SEPTEMBER, OCTOBER), direction="most"), "period quantity", [[SEP, 849], [OCT, 843]],
        "Não. Você comprou menos em outubro de 2026: 843 unidades, contra 849 unidades em setembro de 2026 (-6, -0,7%).",
        "No. You bought less in October 2026: 843 units, against 849 units in September 2026 (-6, -0.7%).",
    ),
    (
        Question(aggregate="change", spans=(SEPTEMBER, OCTOBER), direction="least"), "period quantity", [[SEP, 5], [OCT, 5]],
        "Não. Foi igual: 5 unidades em outubro de 2026 e em setembro de 2026.",
        "No. It was the same: 5 units in October 2026 and in September 2026.",
    ),
    (
        Question(aggregate="change", spans=(SEPTEMBER, OCTOBER)), "period quantity", [[SEP, None], [OCT, 5]],
        "Não há o que comparar. Setembro de 2026: nenhuma compra; outubro de 2026: 5 unidades.",
        "There is nothing to compare. September 2026: no purchases; October 2026: 5 units.",
    ),
    (
        Question(measures=AMOUNT, spans=(OCTOBER, SEPTEMBER)), "period amount", [[OCT, 2], [SEP, None]],
        "Outubro de 2026: R$ 2,00; setembro de 2026: nenhuma compra.", "October 2026: R$2.00; September 2026: no purchases.",
    ),
    (
        Question(measures=AMOUNT, spans=(OCTOBER, SEPTEMBER), direction="most", limit=1), "period amount", [[OCT, 2], [SEP, 3]],
        "Setembro de 2026: R$ 3,00, contra R$ 2,00 em outubro de 2026.",
        "September 2026: R$3.00, against R$2.00 in October 2026.",
    ),
    (
        Question(aggregate="change", by=("month",)), "month quantity quantity_change",
        [["2026-10", 100, None], ["2026-11", 110, 10]],
        "Unidades e variação por mês. Por último, de outubro de 2026 para novembro de 2026 até agora: +10% "
        "(100 unidades, depois 110 unidades).",
        "Units and change by month. Last, from October 2026 to November 2026 so far: +10% (100 units, then 110 units).",
    ),
    (
        Question(aggregate="last", filters=(IPA,)), "last days_ago", [["2026-11-26", 2]],
        "A última compra de IPA foi há 2 dias, em 26 de novembro de 2026.",
        "The last purchase of IPA was 2 days ago, on November 26, 2026.",
    ),
    (
        Question(aggregate="first"), "first days_ago", [["2026-11-27", 1]],
        "A primeira compra foi em 27 de novembro de 2026, ontem.", "The first purchase was on November 27, 2026, yesterday.",
    ),
    (
        Question(by=("weekday",), direction="least", limit=1), "weekday among quantity", [["7", 1, 9]],
        "Só domingo: 9 unidades.", "Only Sunday: 9 units.",
    ),
    (
        Question(by=("month",), measures=AMOUNT, direction="most", limit=1), "month among amount", [["2026-07", 5, 13898.69]],
        "Julho de 2026 vem em primeiro lugar: R$ 13.898,69.", "July 2026 comes first: R$13,898.69.",
    ),
    (
        Question(by=("order",), measures=AMOUNT, direction="most", limit=1), "order amount", [["2026-07-18", 9321.9]],
        "Seu maior pedido foi em 18 de julho de 2026: R$ 9.321,90.", "Your biggest order was on July 18, 2026: R$9,321.90.",
    ),
    (
        Question(by=("beer",), measures=("price",), direction="least", limit=1), "beer brewery price", [["Rye", "Alter", 27.29]],
        "Rye (Alter) tem o preço mais baixo: R$ 27,29 por unidade.", "Rye (Alter) has the lowest price: R$27.29 a unit.",
    ),
    (
        Question(by=("weekday",), direction="most", limit=1), "weekday quantity", [["6", 30], ["3", 30]],
        "Sábado e quarta-feira empatam em primeiro lugar: 30 unidades cada.",
        "Saturday and Wednesday share first place: 30 units each.",
    ),
    (
        Question(by=("style",), measures=AMOUNT, spans=(OCTOBER,)), "style amount", [["IPA", 2], ["Stout", 1]],
        "Valor por estilo em outubro de 2026:", "Amount by style in October 2026:",
    ),
    (
        Question(by=("week",)), "week quantity", [["2026-W40", 2]],
        "Só semana de 28 de setembro de 2026: 2 unidades.", "Only week of September 28, 2026: 2 units.",
    ),
    (
        Question(aggregate="list", by=("brewery",), filters=(Filter(field="state", values=("Texas",)),)), "brewery quantity",
        [["Alter", 2], ["Surly", 1]], "2 cervejarias (Texas):", "2 breweries (Texas):",
    ),
    (
        Question(aggregate="list", spans=(SEPTEMBER, OCTOBER)), "period beer brewery quantity",
        [[SEP, "Rye", "Alter", 2], [OCT, "Rye", "Alter", 1]],
        "Unidades por cerveja em setembro de 2026 e em outubro de 2026:", "Units by beer in September 2026 and in October 2026:",
    ),
    (
        Question(having="once"), "beer brewery last quantity", [["Rye", "Alter", "2026-10-02", 2]],
        "Uma cerveja que você comprou em um único dia: Rye (Alter), 2 unidades.",
        "One beer that you bought on one day only: Rye (Alter), 2 units.",
    ),
    (
        Question(having="stopped"), "beer brewery last quantity", [["Rye", "A", "2026-09-02", 2], ["Ale", "A", "2026-08-02", 2]],
        "2 cervejas que você não compra há 60 dias ou mais:", "2 beers that you have not bought for 60 days or more:",
    ),
    (
        Question(having="new", spans=(NOVEMBER,), by=("style",)), "style first quantity", [],
        "Nenhum estilo que você comprou pela primeira vez em novembro de 2026 até agora.",
        "No style that you bought for the first time in November 2026 so far.",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[3][:50])
def test_a_sentence_says_what_was_counted(case: tuple[Question, str, Rows, str, str]) -> None:
    question, columns, rows, portuguese, english = case
    assert told(question, columns, rows, "pt") == portuguese
    assert told(question, columns, rows, "en") == english


@pytest.mark.parametrize(
    ("question", "columns", "rows"),
    [
        (Question(filters=(IPA,), spans=(OCTOBER,)), "quantity", []),
        (Question(filters=(IPA,), spans=(OCTOBER,)), "quantity", [[None]]),
        (Question(filters=(IPA,), spans=(OCTOBER,), measures=("orders",)), "orders", [[0]]),
        (Question(filters=(IPA,), spans=(OCTOBER,), aggregate="last"), "last days_ago", [[None, None]]),
        (Question(filters=(IPA,), spans=(OCTOBER,), aggregate="mean"), "orders quantity quantity_mean", [[0, None, None]]),
        (Question(filters=(IPA,), spans=(OCTOBER,), by=("month",)), "month quantity", []),
        (Question(filters=(IPA,), spans=(OCTOBER,), only_order="last"), "order quantity", [[None, None]]),
        (Question(filters=(IPA,), spans=(OCTOBER,), aggregate="share"), "quantity quantity_whole quantity_share", [[None, 9, None]]),
    ],
)  # fmt: skip
def test_nothing_is_never_a_figure(question: Question, columns: str, rows: Rows) -> None:
    assert told(question, columns, rows, "pt") == "Não encontrei compras suas em outubro de 2026 (IPA)."
    assert told(question, columns, rows, "en") == "I found no purchases of yours in October 2026 (IPA)."


def test_a_brewery_that_was_never_bought_from_is_named() -> None:
    stone = Filter(field="brewery", values=("Stone",))
    assert told(Question(filters=(stone,)), "quantity", [[None]], "pt") == "Não encontrei Stone nas suas compras."
    both = Filter(field="brewery", values=("Alter", "Stone"))
    said = told(Question(filters=(both,)), "quantity", [[3]], "en")
    assert said == "I don't find Stone in your purchases. You bought 3 units of Alter Brewing Company."
    without = Filter(field="brewery", values=("Stone",), negated=True)
    assert "3 unidades" in told(Question(filters=(without,)), "quantity", [[3]], "pt")


def test_what_is_named_and_was_never_bought_is_named() -> None:
    beer = Filter(field="beer", values=("Foxhole", "Rye"))
    assert (
        told(Question(filters=(beer,)), "quantity", [[None]], "pt") == "Não encontrei Foxhole ou Rye nas suas compras."
    )
    said = told(Question(filters=(beer,), spans=(OCTOBER,)), "quantity", [[None]], "en")
    assert said == "I found no purchases of yours in October 2026 (Foxhole and Rye)."


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_container_that_may_be_named_has_a_word(language: str) -> None:
    words = tomllib.loads((LEXICON / f"{language}.toml").read_text())["values"]["vessel"]
    assert words and all(has(f"unit.{name}", language) for name in words)


def test_what_is_cut_says_so() -> None:
    rows = [[f"Beer {n}", "Alter", 1] for n in range(50)]
    said = told(Question(aggregate="list"), "beer brewery quantity", rows, "pt", truncated=True)
    assert said == "Mais de 50 cervejas. Estas são as primeiras 50:"


def test_what_the_sentence_says_is_no_table_beside_it() -> None:
    assert says_all(("beer", "quantity"), [["Rye", 1]]) and says_all(("period", "amount"), [[OCT, 1], [SEP, 2]])
    assert not says_all(("beer", "quantity"), [["Rye", 1], ["Ale", 2]])
    assert not says_all(("period", "beer", "amount"), [[OCT, "Rye", 1], [SEP, "Rye", 2]])


async def test_a_table_of_the_clients_own(answers: Answers) -> None:
    answered = await answers(Question(measures=("amount",), by=("month",)), "pt", "USD")
    assert answered.text == "Valor por mês:" and answered.result
    (table,) = answered.result.blocks
    assert isinstance(table, Table) and table.currency == "USD"
    assert all(" de 20" in str(month) for month, _ in table.rows), "months are words"


async def test_what_can_be_pointed_at_in_the_next_message(answers: Answers) -> None:
    answered = await answers(Question(by=("brewery",), direction="most"))
    assert answered.result
    (table,) = answered.result.blocks
    assert isinstance(table, Table)
    shown = [Filter(field="brewery", values=(str(row[0]),)) for row in table.rows]
    assert list(answered.result.context.listed) == shown and 2 < len(shown) <= 10


async def test_what_is_known_by_its_rows_only_is_found(answers: Answers) -> None:
    """The best-selling beer by its name, and a brewery by a word of its name."""
    best = await answers(Question(by=("beer",), direction="most", limit=1))
    assert best.result
    beer, brewery, _, units = best.result.content["rows"][0]
    by_beer = await answers(Question(filters=(Filter(field="beer", values=(beer.lower(),)),)))
    assert by_beer.text == f"You bought {units} units of {beer.lower()}."
    word = brewery.split()[1]
    by_word = await answers(Question(filters=(Filter(field="brewery", values=(word,)),)))
    assert brewery in by_word.text and "units of" in by_word.text
