"""Phrases of time with their meaning, made up from a grammar. The meaning is found by walking over days one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from beerforyou.reading.words.lexicon import LANGUAGES, phrases, table

DAY = timedelta(1)
Stretch = tuple[date, date]
_MONTHS = {
    "pt": [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
_NUMBERS = {
    "pt": {2: "dois", 3: "três", 15: "quinze", 45: "quarenta e cinco"},
    "en": {2: "two", 3: "three", 15: "fifteen", 45: "forty-five"},
}
_WEEKDAYS = {
    "pt": ["segunda-feira", "terça", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"],
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
}
_UNITS = {
    "pt": {"day": "dias", "week": "semanas", "month": "meses"},
    "en": {"day": "days", "week": "weeks", "month": "months"},
}
_SPECIAL = [
    date(2024, 2, 29),
    date(2028, 2, 29),
    date(2026, 12, 31),
    date(2027, 1, 1),
    date(2025, 3, 1),
    date(2026, 3, 31),
]


def some_phrases(count: int, seed: int) -> Iterator[tuple[str, date, list[str]]]:
    """Message, today, and the spans as "since..until"; none where the phrase means no time that has begun."""
    random = Random(seed)
    for _ in range(count):
        today = random.choice(_SPECIAL) if random.random() < 0.2 else date(2024, 1, 1) + random.randrange(1827) * DAY
        language = random.choice(("pt", "en"))
        phrase, spans = random.choice(_FORMS)(random, language, today)
        lead = "quanto gastei" if language == "pt" else "how much did I spend"
        future = any(since and since > today for since, _ in spans)
        yield f"{lead} {phrase}", today, [] if future else [f"{since or ''}..{until or ''}" for since, until in spans]


def some_words(count: int, seed: int) -> Iterator[tuple[str, date]]:
    """Words of time in any order, and a today."""
    random = Random(seed)
    tables = [table(language) for language in LANGUAGES]
    words = [word for each in tables for text in _texts(each) for word in phrases(text) if word] + _FIGURES
    for _ in range(count):
        text = random.choice((" ", " ", " ", "-", "/", ", ")).join(
            random.choices(words, k=random.choice((2, 3, 5, 8, 30)))
        )
        yield text, date(2024, 1, 1) + random.randrange(1827) * DAY


def _texts(words: dict[str, Any]) -> Iterator[str]:
    yield from (words["meanings"][tag] for tag in _TAGS)
    yield from (text for tag in _VALUES for text in words["values"][tag].values())
    yield from (text for text in words["time"].values() if isinstance(text, str))


_TAGS = [
    "since",
    "until",
    "before",
    "after",
    "between",
    "onward",
    "so_far",
    "now",
    "ago_lead",
    "ago",
    "every",
    "few",
    "more_than",
    "many_units",
    "half_of",
    "holiday",
    "vague_time",
    "clock",
    "contrast",
    "earlier",
    "later",
    "same_time",
    "roughly",
]
_VALUES = [
    "season",
    "number",
    "multiple",
    "ordinal",
    "month",
    "weekday",
    "doubtful_weekday",
    "weekdays",
    "unit",
    "shift",
    "relative_day",
    "edge",
    "to_date",
    "part_of_year",
]
_FIGURES = [
    "2025",
    "2026",
    "31/02",
    "5",
    "14th",
    "9/3",
    "999",
    "1",
    "0",
    "04/2026",
    "2026-05",
    "1.000",
    "2099",
    "1950",
    "12/31/2099",
    "2100",
    "99999",
    "'25",
    "/25",
]
_Said = tuple[str, list[tuple[date | None, date | None]]]
_Form = Callable[[Random, str, date], _Said]


def _around(day: date, same: Callable[[date], object]) -> Stretch:
    """All days around that one for which `same` is equal."""
    first = last = day
    while same(first - DAY) == same(day):
        first -= DAY
    while same(last + DAY) == same(day):
        last += DAY
    return first, last


def _back(today: date, wanted: Callable[[date], bool]) -> date:
    while not wanted(today):
        today -= DAY
    return today


def _month_of(day: date) -> Stretch:
    return _around(day, lambda d: d.month)


def _week(random: Random, language: str, today: date) -> tuple[str, Stretch]:
    weeks = random.randrange(3)
    words = {
        "pt": ["esta semana", "semana passada", "na semana retrasada"],
        "en": ["this week", "last week", "the week before last"],
    }
    return words[language][weeks], _around(today - 7 * weeks * DAY, lambda d: d.isocalendar()[:2])


def _units(random: Random, language: str, today: date) -> tuple[str, Stretch]:
    """This, the last, and the one before that."""
    unit, same = random.choice([
        ("mês month", lambda d: (d.year, d.month)), ("trimestre quarter", lambda d: (d.year, (d.month + 2) // 3)),
        ("ano year", lambda d: d.year), ("semestre semester", lambda d: (d.year, d.month > 6)),
        ("bimestre bimester", lambda d: (d.year, (d.month + 1) // 2)),
    ])  # fmt: skip
    name = unit.split()[language == "en"]
    back = random.randrange(3)
    stretch = _around(today, same)
    for _ in range(back):
        stretch = _around(stretch[0] - DAY, same)
    words = {
        "pt": [f"este {name}", f"{name} passado", f"no {name} retrasado"],
        "en": [f"this {name}", f"last {name}", f"the {name} before last"],
    }
    return words[language][back], stretch


def _month(random: Random, language: str, today: date) -> tuple[str, Stretch]:
    month = random.randrange(12)
    name = _MONTHS[language][month]
    form = random.randrange(4)
    if form == 0:
        return ("em " if language == "pt" else "in ") + name, _month_of(_back(today, lambda d: d.month == month + 1))
    year = today.year - 1 if form == 1 else random.randrange(2022, today.year)
    last_year = {"pt": f"em {name} do ano passado", "en": f"in {name} last year"}
    said = {"pt": f"em {name} de {year}", "en": f"in {name} {year}"}
    digits = f"em {month + 1:02}/{year}" if language == "pt" else f"in {month + 1}/{year}"
    return (last_year[language] if form == 1 else said[language] if form == 2 else digits), _month_of(
        date(year, month + 1, 15)
    )


def _day(random: Random, language: str, today: date) -> tuple[str, Stretch]:
    day = date(2024, 1, 1) + random.randrange(366) * DAY
    name = _MONTHS[language][day.month - 1]
    form = random.randrange(4)
    if form == 0:
        number = random.randrange(11, 32)
        found = _back(today, lambda d: d.day == number)
        suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number not in (11, 12, 13) else 0, "th")
        return (f"no dia {number}" if language == "pt" else f"on the {number}{suffix}"), (found, found)
    if form == 1:
        found = _back(today, lambda d: (d.month, d.day) == (day.month, day.day))
        return (f"em {day.day} de {name}" if language == "pt" else f"on {name} {day.day}"), (found, found)
    if form == 2:
        found = _back(today, lambda d: (d.month, d.day) == (day.month, day.day))
        return (f"em {day.day:02}/{day.month:02}" if language == "pt" else f"on {day.month}/{day.day}"), (found, found)
    found = _back(today - DAY, lambda d: d.weekday() == day.weekday())
    name = _WEEKDAYS[language][day.weekday()]
    return (
        f"{name} passada"
        if language == "pt" and day.weekday() < 5
        else f"no {name} passado"
        if language == "pt"
        else f"last {name}"
    ), (found, found)


def _full_date(random: Random, language: str, today: date) -> tuple[str, Stretch]:
    day = _back(today - random.randrange(700) * DAY, lambda d: True)
    name = _MONTHS[language][day.month - 1]
    forms = {
        "pt": [
            f"em {day.day} de {name} de {day.year}",
            f"em {day:%d/%m/%Y}",
            f"em {day.isoformat()}",
            f"em {day:%d/%m/%y}",
        ],
        "en": [f"on {name} {day.day}, {day.year}", f"on {day:%m/%d/%Y}", f"on {day.isoformat()}", f"on {day:%m/%d/%y}"],
    }
    return random.choice(forms[language]), (day, day)


def _counted(random: Random, language: str, today: date) -> tuple[str, Stretch]:
    unit = random.choice(("day", "week", "month"))
    count = random.choice((2, 3, 10, 15, 30, 45, 90) if unit != "month" else (2, 3, 6, 12, 15))
    number = _NUMBERS[language].get(count, str(count)) if random.random() < 0.5 else str(count)
    number = "duas" if number == "dois" and unit == "week" else number
    words = {"pt": "últimas" if unit == "week" else "últimos", "en": "last"}[language]
    name = _UNITS[language][unit]
    phrase = random.choice(
        [f"{words} {number} {name}", f"{'nas' if unit == 'week' else 'nos'} {number} {words} {name}"]
        if language == "pt"
        else [f"in the last {number} {name}", f"past {number} {name}"]
    )
    if unit != "month":
        days = count * (7 if unit == "week" else 1)
        return phrase, (today - (days - 1) * DAY, today)
    month = (today.year * 12 + today.month - 1) - count
    same_day = _back(
        date(month // 12, month % 12 + 1, 28) + 3 * DAY, lambda d: d.month == month % 12 + 1 and d.day <= today.day
    )
    return phrase, (same_day + DAY, today)


def _ago(random: Random, language: str, today: date) -> tuple[str, Stretch]:
    unit = random.choice(("day", "week", "month"))
    count = random.choice((2, 3, 5))
    number = {"pt": {2: "duas" if unit == "week" else "dois", 3: "três", 5: "5"}, "en": {2: "two", 3: "three", 5: "5"}}[
        language
    ][count]
    name = _UNITS[language][unit]
    phrase = (
        random.choice((f"há {number} {name}", f"{number} {name} atrás")) if language == "pt" else f"{number} {name} ago"
    )
    if unit == "day":
        return phrase, (today - count * DAY,) * 2
    if unit == "week":
        return phrase, _around(today - 7 * count * DAY, lambda d: d.isocalendar()[:2])
    stretch = _month_of(today)
    for _ in range(count):
        stretch = _month_of(stretch[0] - DAY)
    return phrase, stretch


def _part(random: Random, language: str, today: date) -> tuple[str, Stretch]:
    year = random.randrange(2022, today.year + 1)
    if random.random() < 0.5:
        quarter = random.randrange(4)
        first = date(year, quarter * 3 + 1, 1)
        words = {
            "pt": [f"no {w} trimestre de {year}" for w in ("primeiro", "segundo", "terceiro", "quarto")],
            "en": [f"in the {w} quarter of {year}" for w in ("first", "second", "third", "fourth")],
        }
        phrase = words[language][quarter] if random.random() < 0.5 else f"Q{quarter + 1} {year}"
        return phrase, _around(first, lambda d: (d.year, (d.month + 2) // 3))
    month, second = random.randrange(12), random.random() < 0.5
    name = _MONTHS[language][month]
    days = _around(date(year, month + 1, 16 if second else 1), lambda d: (d.month, d.day > 15))
    words = {"pt": ["primeira", "segunda"], "en": ["first", "second"]}[language][second]
    return (
        f"na {words} quinzena de {name} de {year}" if language == "pt" else f"in the {words} half of {name} {year}"
    ), days


_SINGLE = (_week, _units, _month, _day, _full_date, _counted, _ago, _part)


def _plain(random: Random, language: str, today: date) -> _Said:
    phrase, stretch = random.choice(_SINGLE)(random, language, today)
    return phrase, [stretch]


def _opened(random: Random, language: str, today: date) -> _Said:
    phrase, (first, last) = random.choice((_week, _units, _month, _day, _full_date, _part))(random, language, today)
    bare = phrase.removeprefix("em ").removeprefix("in ").removeprefix("on ").removeprefix("no ").removeprefix("na ")
    kind = random.randrange(4)
    leads = {"pt": ("desde", "até", "antes de", "depois de"), "en": ("since", "until", "before", "after")}
    spans = ((first, None), (None, last), (None, first - DAY), (last + DAY, None))
    return f"{leads[language][kind]} {bare}", [spans[kind]]


def _range(random: Random, language: str, today: date) -> _Said:
    """From one month or day to another, with years or without."""
    if random.random() < 0.5:
        (a, (first, _)), (b, (_, last)) = sorted(
            (_full_date(random, language, today) for _ in range(2)), key=lambda said: said[1]
        )
        a, b = (phrase.removeprefix("em ").removeprefix("on ") for phrase in (a, b))
        said = {"pt": [f"de {a} a {b}", f"entre {a} e {b}"], "en": [f"from {a} to {b}", f"between {a} and {b}"]}
        return random.choice(said[language]), [(first, last)]
    a_month, b_month = random.randrange(12), random.randrange(12)
    a, b = _MONTHS[language][a_month], _MONTHS[language][b_month]
    first = _month_of(_back(today, lambda d: d.month == a_month + 1))[0]
    end = first
    while end.month != b_month + 1:
        end += DAY
    if b_month < a_month and end > today:  # over the new year: the last that has begun to end
        first = first.replace(year=first.year - 1)
        end = end.replace(day=1, year=end.year - 1)
    said = {
        "pt": [f"de {a} a {b}", f"de {a} até {b}", f"entre {a} e {b}"],
        "en": [f"from {a} to {b}", f"{a} through {b}", f"between {a} and {b}"],
    }
    return random.choice(said[language]), [(first, _month_of(end)[1])]


def _listed(random: Random, language: str, today: date) -> _Said:
    two = [random.choice((_week, _units, _month, _full_date))(random, language, today) for _ in range(2)]
    phrase = f"{two[0][0]} {'e' if language == 'pt' else 'and'} {two[1][0]}"
    names = [(language == "pt" and "em " in said) or "in " in said for said, _ in two]
    if all(names) or "ano" in phrase or "year" in phrase:  # "outubro e novembro de 2025": that year is of both
        return two[0][0], [two[0][1]]
    return phrase, [two[0][1], two[1][1]]


_FORMS: tuple[_Form, ...] = (_plain, _plain, _plain, _opened, _range, _listed)
