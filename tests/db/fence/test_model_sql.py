"""SELECTs as models write them, dialects and slips included: each runs and says what plain Python says of the same rows, or is
refused with a line from which the fix is plain.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import exp, log, log2, log10, sqrt
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from beerforyou import clock
from beerforyou.errors import Refused
from beerforyou.house import House

ME = "CLT-00001"
WRITTEN = (Path(__file__).parents[2] / "evals/model_sql.sql").read_text()
CORPUS = {
    name.strip(): sql.strip()
    for name, _, sql in (block.partition("\n") for block in f"\n{WRITTEN}".split("\n-- # ")[1:])
}
HAS = r"my_purchases has purchased_on, beer, .*amount"
REFUSED = {
    "bad-date": r"no day '2026-02-30'; write days as",
    "day-first-date": r"no day '31/10/2026'; write days as",
    "qualify": r"QUALIFY is not allowed; .*subquery",
    "top-tsql": r"near '5'; write LIMIT",
    "count-distinct-window": r"DISTINCT .* OVER; .*GROUP BY",
    "days-extracted": r"extract does not take a number; .*leave extract out",
    "datediff": r"function datediff is not allowed; .*CURRENT_DATE - purchased_on",
    "regex-anchored": r"operator ~ is not allowed; use ILIKE",
    "regexp-replace": r"function regexp_replace is not allowed; select the text",
    "split-part": r"function split_part is not allowed; select the text",
    "array-agg": r"function array_agg is not allowed; select rows",
    "json-agg": r"function json_agg is not allowed; select rows",
    "lpad": r"function lpad is not allowed; write to_char",
    "format": r"function format is not allowed; join texts with \|\|",
    "generate-series-months": r"function generate_series is not allowed; GROUP BY date_trunc.*VALUES",
    "generate-series-numbers": r"function generate_series is not allowed; .*VALUES",
    "recursive": r"RECURSIVE is not allowed; .*VALUES",
    "having-alias": r"total is a name given with AS.*repeat",
    "where-alias": r"total is a name given with AS.*repeat",
    "where-aggregate": r"SUM\(\) is an aggregate.*HAVING",
    "where-window": r"OVER .*subquery",
    "not-grouped": r"column beer is neither grouped nor aggregated; add it to GROUP BY",
    "unknown-column": rf"column quantity_sold does not exist; {HAS}",
    "unknown-qualified": rf"column p.beer_name does not exist; {HAS}",
    "unknown-price": rf"column price does not exist; {HAS}",
    "unknown-date": rf"column purchase_date does not exist; {HAS}",
    "unknown-table": r"no table orders; there are my_purchases and my_profile",
    "unknown-alias": r"x is no table of that FROM; use the name or the alias",
    "client-column": r"column client_id does not exist; every row is this client's own",
    "ambiguous": r"column beer is ambiguous; .*alias",
    "type-mismatch": r"operator > does not take text and integer; cast",
    "sum-text": r"a text is .*summed up there; use quantity",
    "union-types": r"'all' cannot be read as integer; .*cast",
    "case-types": r"'many' cannot be read as integer; .*cast",
    "where-number": r"near quantity: boolean and integer; .*condition",
    "division-by-zero": r"divides by zero; write nullif",
    "subquery-rows": r"more than one row .*use IN",
    "order-by-distinct": r"select purchased_on too, or use GROUP BY",
    "sleep": r"function pg_sleep is not allowed",
    "version": r"function version is not allowed",
    "strftime": r"function strftime is not allowed; write to_char",
    "date-format": r"function date_format is not allowed; write to_char",
    "dateadd": r"function dateadd is not allowed; write purchased_on \+ INTERVAL",
    "at-time-zone-local": r"AT TIME ZONE is not allowed; leave it out",
    "to-timestamp": r"function to_timestamp is not allowed; write DATE",
    "overlaps": r"OVERLAPS is not allowed; write purchased_on BETWEEN",
    "trim-characters": r"only blanks",
    "replace": r"function replace is not allowed; select the text",
    "random": r"function random is not allowed; order by a column",
    "unnest": r"use IN \(...\), or VALUES",
    "explain": r"only one SELECT is possible",
    "two-statements": r"not one statement; join several with UNION ALL",
    "dollar-placeholder": r"write values into it",
    "named-placeholder": r"write the value into the query",
    "mixed-prose": r"near ':'; send the SELECT alone",
    "double-quoted-value": r'column "IPA" does not exist; a value stands in single quotes',
    "smart-quotes": r"values stand in plain quotes",
    "date-bin": r"function date_bin is not allowed; use date_trunc",
}


class Line(NamedTuple):
    purchased_on: date
    beer: str
    style: str
    brewery: str
    city: str
    state: str
    quantity: int
    unit_price: Decimal
    amount: Decimal


Lines = list[Line]
Key = Callable[[Line], Any]


@pytest.fixture(scope="module")
async def bought(house: House) -> Lines:
    """As the superuser reads it."""
    admin = await asyncpg.connect(house.settings.database_admin_url)
    rows = await admin.fetch(
        "SELECT purchased_on, shown_beer, shown_style, shown_brewery, shown_city, shown_state, quantity, unit_price,"
        " quantity * unit_price FROM core.purchases WHERE client_id = $1",
        ME,
    )
    await admin.close()
    return [Line(*row) for row in rows]


def by(lines: Lines, key: Key) -> dict[Any, Lines]:
    groups: dict[Any, Lines] = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    return groups


def spent(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def units(lines: Iterable[Line]) -> int:
    return sum(line.quantity for line in lines)


def rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def month(line: Line) -> date:
    return line.purchased_on.replace(day=1)


def before(day: date, months: int) -> date:
    year, number = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = (date(year + (number == 11), (number + 1) % 12 + 1, 1) - timedelta(1)).day
    return date(year, number + 1, min(day.day, last))


def beer(line: Line) -> str:
    return line.beer


def style(line: Line) -> str:
    return line.style


def by_units(lines: Lines, many: int) -> list[tuple[Any, ...]]:
    return sorted(((name, units(of)) for name, of in by(lines, beer).items()), key=lambda row: -row[1])[:many]


def month_by_month(lines: Lines) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for first, of in sorted(by(lines, month).items()):
        previous = found[-1][1] if found else None
        change = rounded((spent(of) - previous) / previous * 100, 2) if previous else None
        found.append((first, spent(of), previous, change))
    return found


def ranked(lines: Lines) -> list[tuple[Any, ...]]:
    sold = {name: units(of) for name, of in by(lines, beer).items()}
    return [(name, n, 1 + sum(other > n for other in sold.values())) for name, n in sold.items()]


def best_of_months(lines: Lines) -> list[tuple[Any, ...]]:
    return [
        (first, *min(((name, units(sold)) for name, sold in by(of, beer).items()), key=lambda row: (-row[1], row[0])))
        for first, of in by(lines, month).items()
    ]


def running(lines: Lines) -> list[tuple[Any, ...]]:
    return [
        (day, spent(of), spent(line for line in lines if line.purchased_on <= day))
        for day, of in by(lines, lambda line: line.purchased_on).items()
    ]


def last_bought(lines: Lines) -> dict[str, date]:
    return {name: max(line.purchased_on for line in of) for name, of in by(lines, beer).items()}


def one_of(*words: str) -> Callable[[Lines], list[tuple[Any, ...]]]:
    def found(lines: Lines) -> list[tuple[Any, ...]]:
        named = [line for line in lines if any(word in line.style.lower() for word in words)]
        return [(name, units(of)) for name, of in by(named, style).items()]

    return found


def pareto(lines: Lines) -> list[tuple[Any, ...]]:
    left, many = spent(lines) * Decimal("0.8"), 0
    for amount in sorted((spent(of) for of in by(lines, lambda line: line.brewery).values()), reverse=True):
        many, left = many + (left > 0), left - amount
    return [(many,)]


Expected = Callable[[Lines, date], list[tuple[Any, ...]]]
EXPECTED: dict[str, Expected] = {
    "total-spent": lambda lines, today: [(spent(lines),)],
    "total-in-fence": lambda lines, today: [(spent(line for line in lines if month(line) == today.replace(day=1)),)],
    "title-case": lambda lines, today: sorted(
        ((name, spent(of)) for name, of in by(lines, lambda line: line.brewery).items()), key=lambda row: -row[1]
    )[:3],
    "quoted-capitals": lambda lines, today: [
        (min(lines, key=lambda line: (-line.purchased_on.toordinal(), line.beer)).beer,)
    ],
    "schema-in-columns": lambda lines, today: by_units(lines, 3),
    "cte-case": lambda lines, today: [(first, spent(of)) for first, of in by(lines, month).items()],
    "last-month-interval": lambda lines, today: [
        (spent(line for line in lines if month(line) == before(today.replace(day=1), 1)) or None,)
    ],
    "last-three-months": lambda lines, today: [
        (units(line for line in lines if line.purchased_on >= before(today, 3)),)
    ],
    "interval-mysql": lambda lines, today: [(units(line for line in lines if line.purchased_on >= before(today, 3)),)],
    "extract-dow": lambda lines, today: [
        (day, units(of)) for day, of in by(lines, lambda line: line.purchased_on.isoweekday() % 7).items()
    ],
    "quarter-joined": lambda lines, today: [
        (f"{year}-Q{quarter}", spent(of))
        for (year, quarter), of in by(
            lines, lambda line: (line.purchased_on.year, (line.purchased_on.month + 2) // 3)
        ).items()
    ],
    "share-window": lambda lines, today: [
        (name, spent(of), rounded(100 * spent(of) / spent(lines), 2)) for name, of in by(lines, style).items()
    ],
    "share-joined": lambda lines, today: [
        (name, f"{rounded(100 * spent(of) / spent(lines), 1)}%") for name, of in by(lines, style).items()
    ],
    "rank-beers": lambda lines, today: ranked(lines),
    "top-per-month": lambda lines, today: best_of_months(lines),
    "first-order": lambda lines, today: [
        (min(line.purchased_on for line in lines), max(line.purchased_on for line in lines))
    ],
    "month-over-month": lambda lines, today: month_by_month(lines),
    "running-total": lambda lines, today: running(lines),
    "not-exists": lambda lines, today: [
        (name,) for name, last in last_bought(lines).items() if last < today - timedelta(60)
    ],
    "stopped": lambda lines, today: [
        (name, last, (today - last).days) for name, last in last_bought(lines).items() if last < today - timedelta(45)
    ],
    "regex": lambda lines, today: [(sum(row[1] for row in one_of("ipa")(lines)),)],
    "regex-or": lambda lines, today: one_of("ipa", "stout", "porter")(lines),
    "regex-not": lambda lines, today: [(spent(line for line in lines if "lager" not in line.style.lower()),)],
    "similar-to": lambda lines, today: one_of("ipa", "stout")(lines),
    "ilike-any": lambda lines, today: one_of("ipa", "stout")(lines),
    "position": lambda lines, today: [(name,) for name, of in by(lines, beer).items() if "IPA" in of[0].style],
    "strpos": lambda lines, today: [(sum("ale" in line.style.lower() for line in lines),)],
    "string-agg": lambda lines, today: [
        (name, ", ".join(sorted(by(of, beer)))) for name, of in by(lines, lambda line: line.brewery).items()
    ],
    "concat": lambda lines, today: sorted(
        (
            (f"{name} ({city}, {state})", spent(of))
            for (name, city, state), of in by(lines, lambda line: (line.brewery, line.city, line.state)).items()
        ),
        key=lambda row: -row[1],
    )[:5],
    "logarithms": lambda lines, today: [
        (name, round(exp(sum(log(line.unit_price) for line in of) / len(of)), 2))
        for name, of in by(lines, style).items()
    ],
    "square-root": lambda lines, today: [
        (round(sqrt(sum(line.quantity**2 for line in lines) / len(lines)), 2), log10(spent(lines)))
    ],
    "log-base": lambda lines, today: [(log2(units(lines)),)],
    "caret": lambda lines, today: [(sum(line.quantity**2 for line in lines),)],
    "pareto": lambda lines, today: pareto(lines),
    "values-join": lambda lines, today: [
        (name, units(line for line in lines if line.style == name)) for name in ("IPA", "Stout", "Gose")
    ],
    "backticks": lambda lines, today: by_units(lines, 5),
    "date-sub": lambda lines, today: [(spent(line for line in lines if line.purchased_on >= before(today, 1)),)],
    "year-function": lambda lines, today: [
        (year, spent(of)) for year, of in by(lines, lambda line: line.purchased_on.year).items()
    ],
    "median-rounded": lambda lines, today: [
        (name, float((sorted(p)[(len(p) - 1) // 2] + sorted(p)[len(p) // 2]) / 2))
        for name, p in ((name, [line.unit_price for line in of]) for name, of in by(lines, style).items())
    ],
}


def told(value: Any) -> Any:
    """As JSON has it, near enough for binary fractions."""
    if isinstance(value, (Decimal, float)):
        return round(float(value), 2)
    return value.isoformat() if isinstance(value, date) else value


def sheet(rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
    return sorted(([told(value) for value in row] for row in rows), key=repr)


@pytest.mark.parametrize("name", [name for name in CORPUS if name not in REFUSED])
async def test_what_a_model_writes_runs(house: House, bought: Lines, name: str) -> None:
    found = await house.database.fence.ask(ME, CORPUS[name])
    if name in EXPECTED:
        assert sheet(found.rows) == sheet(EXPECTED[name](bought, clock.today(house.settings.time_zone)))


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused_says_what_to_change(house: House, name: str) -> None:
    with pytest.raises(Refused, match=REFUSED[name]) as refused:
        await house.database.fence.ask(ME, CORPUS[name])
    line = f"{refused.value.message}; {refused.value.hint}"
    assert "\n" not in line and len(line) < 300
    assert not re.search(r"core\.|authz|lines\.|bfy_|pg_catalog", line)


def test_the_corpus_is_what_it_says() -> None:
    assert len(CORPUS) == 200 and set(REFUSED) < set(CORPUS) and set(EXPECTED) < set(CORPUS) - set(REFUSED)
