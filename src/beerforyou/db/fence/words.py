"""What a model is told of SQL that was refused: which name or sign it was, and what to write in its place.

Of the database's own words nothing is handed on but types and places: they may quote a value. What is named here stands in the
model's own text.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

COLUMNS = {
    "my_purchases": (
        "purchased_on", "beer", "style", "brewery", "brewery_id", "type", "city", "state", "quantity", "unit_price", "amount",
    ),
    "my_profile": ("name", "city", "state", "country", "postal_code"),
}  # fmt: skip
LONGEST = 60  # characters of a name that is told

_SELECT_ROWS = "select rows and columns, one value in each"
_AS_IT_IS = "select the text as it is"
_ILIKE = "use ILIKE '%word%', or ILIKE ANY (ARRAY['%one%', '%other%'])"
_SUBTRACT = "days are subtracted: CURRENT_DATE - purchased_on is a number"
_ADD = "write purchased_on + INTERVAL '1 month'"
_TO_CHAR = "write to_char(purchased_on, 'YYYY-MM')"
_EXTRACT = "write extract(dow FROM purchased_on), or quarter, week, isodow"
_TODAY = "use CURRENT_DATE"
_SERIES = (
    "GROUP BY date_trunc('month', purchased_on), which has no row where nothing was bought; or list months in VALUES"
)
_INSTEAD: dict[str, str] = {
    **dict.fromkeys(("regexp_replace", "replace", "translate", "reverse", "overlay", "md5", "split_part", "rpad"), _AS_IT_IS),
    **dict.fromkeys(("regexp_match", "regexp_matches", "regexp_like", "regexp_count", "regexp_substr", "regexp_instr"), _ILIKE),
    **dict.fromkeys(("~", "~*", "SIMILAR TO", "to_tsvector", "similarity"), _ILIKE),
    **dict.fromkeys(("concat_ws", "format"), "join texts with ||"),
    **dict.fromkeys(("listagg", "xmlagg"), "use string_agg(beer, ', ')"),
    **dict.fromkeys(
        ("array_agg", "json_agg", "jsonb_agg", "json_build_object", "jsonb_build_object", "jsonobject",
         "json_object_agg", "row_to_json", "to_json", "to_jsonb", "array_length", "unnest", "explode", "cardinality"),
        _SELECT_ROWS,
    ),
    **dict.fromkeys(("datediff", "timestampdiff", "monthsbetween", "months_between", "julianday"), _SUBTRACT),
    **dict.fromkeys(("dateadd", "date_add", "date_sub", "addmonths", "add_months"), _ADD),
    **dict.fromkeys(("strftime", "date_format", "dayname", "monthname", "lpad"), _TO_CHAR),
    **dict.fromkeys(("quarter", "week", "weekday", "dayofweek", "weekofyear"), _EXTRACT),
    **dict.fromkeys(("to_timestamp", "str_to_date", "make_timestamp"), "write DATE '2026-01-31'"),
    **dict.fromkeys(("clock_timestamp", "timeofday", "sysdate", "current_time"), _TODAY),
    **dict.fromkeys(("generate_series",), _SERIES),
    "date_bin": "use date_trunc('week', purchased_on)",
    "random": "order by a column",
    "rand": "order by a column",
    "to_number": "write beer::numeric",
    "timezone": "days and times are in the client's own zone already",
    "OVERLAPS": "write purchased_on BETWEEN DATE '2026-01-01' AND DATE '2026-01-31'",
    "ESCAPE": r"write \% and \_",
    "QUALIFY": "put the window function in a subquery, and filter outside",
    ".": "name functions and columns without a schema",
    "a placeholder": "write the value into the query",
}  # fmt: skip


def function(name: str) -> str:
    return _not_allowed(f"function {name}", _INSTEAD.get(name, "use plain aggregates, and functions of text and days"))


def operator(sign: str) -> str:
    return _not_allowed(f"operator {sign}" if not sign[0].isalpha() else sign, _INSTEAD.get(sign, ""))


def table(name: str) -> str:
    return f"there is no table {name[:LONGEST]}; there are my_purchases and my_profile"


def _not_allowed(what: str, instead: str) -> str:
    return f"{what} is not allowed" + (f"; {instead}" if instead else "")


def unread(sql: str, errors: list[dict[str, Any]]) -> str:
    """`errors` as the parser lists them: `highlight` is the part of the text where it gave up."""
    near = _line(str(errors[0].get("highlight") or "")) if errors else ""
    said = "it does not parse as one SELECT of PostgreSQL" + (f", near '{near}'" if near else "")
    if "`" in sql:
        return f"{said}; names stand in double quotes, or in none"
    if re.match(r"\s*select\s+top\b", sql, re.IGNORECASE):
        return f"{said}; write LIMIT at the end in place of TOP"
    return said if re.match(r"[\s(]*(select|with)\b", sql, re.IGNORECASE) else f"{said}; send the SELECT alone"


# Of the database's errors --------------------------------------------------------------------------------------------

_TYPE = (
    r"(?:text|integer|bigint|smallint|numeric|real|double precision|boolean|date|interval|unknown|record|character varying"
    r"|character|name|time without time zone|timestamp without time zone|timestamp with time zone)"
)
_WORD = re.compile(
    r"""'(?:[^']|'')*'|(?:"[^"]*"|[^\W\d]\w*|[^\x00-\x7f]+)+(?:\s*\.\s*(?:"[^"]*"|\w+))*|[\d.]+|[^\w\s"'()]+"""
)
_OPERATOR = re.compile(rf"operator (?:does not exist|is not unique): ({_TYPE}) (\S+) ({_TYPE})$")
_FUNCTION = re.compile(
    rf"function (?:pg_catalog\.)?([\w.]+)\(({_TYPE}(?:, {_TYPE})*)?\) (?:does not exist|is not unique)$"
)
_BOTH = re.compile(rf"types? ({_TYPE})(?:,| and| to)(?: not)?(?: type)? ({_TYPE})")
_OF_TYPE = re.compile(rf"for type ({_TYPE})")
_DENIED = re.compile(r"permission denied for \w+ (\w+)$")
_LOOKS_LIKE_A_DAY = re.compile(r"'(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})(?:[ T][^']*)?'")


class Said(NamedTuple):
    """By the database: `word` of the text at which it stood, with `next` after it; `sql` without parameters."""

    message: str
    word: str
    next: str
    sql: str


def of_error(code: str, message: str, sql: str, word: str, after: str = "") -> str:
    """One line. `word` of `sql`, with what comes `after` it, as `at` finds it; empty: nobody knows."""
    tell = _TELLS.get(code) or _OF_CLASS.get(code[:2], "the database refuses it")
    said = tell if isinstance(tell, str) else tell(Said(message, word, after, sql))
    return f"{said} (SQLSTATE {code})"


def at(text: str, place: int) -> tuple[str, str]:
    """The word there, and the sign after it."""
    found = _WORD.match(text, place) if 0 <= place < len(text) else None
    return (_line(found[0]), text[found.end() :].lstrip()[:1]) if found else ("", "")


def _line(word: str) -> str:
    return " ".join(word.split())[:LONGEST]


def column(name: str, sql: str) -> str:
    """One that does not exist."""
    return _column(Said("", name[:LONGEST], "", sql))


def _column(said: Said) -> str:
    name = re.split(r"\s*\.\s*", said.word)[-1]
    plain = name.strip('"')
    missing = f"column {said.word} does not exist" if said.word else "it names a column that does not exist"
    if not plain.isascii() and not plain[:1].isalnum():
        return f"{missing}; values stand in plain quotes: 'IPA'"
    if plain == "client_id":
        return f"{missing}; every row is this client's own already"
    if name[:1] == '"':
        small = plain.lower() if any(plain.lower() in columns for columns in COLUMNS.values()) else ""
        return f"{missing}; " + (
            f"write {small}" if small else "a value stands in single quotes, and only a name in double ones"
        )
    first = re.search(rf'(\bas\s+)?"?\b{re.escape(plain)}\b', said.sql, re.IGNORECASE) if plain else None
    if first and first[1]:
        return f"{said.word} is a name given with AS, which cannot be used there; repeat what it stands for, or SELECT from a subquery"
    if view := next((view for view, columns in COLUMNS.items() if plain in columns), ""):
        return f"{missing} there; select {plain} in the subquery that is read there, or read {view}"
    return f"{missing}; {_have(said.sql)}"


def _have(sql: str) -> str:
    named = [view for view in COLUMNS if view in sql] or list(COLUMNS)
    return "; ".join(f"{view} has {', '.join(COLUMNS[view])}" for view in named)


def _table(said: Said) -> str:
    """Also of a name before a column that no FROM gives."""
    name, dot, _ = said.word.partition(".")
    if dot and name.strip():
        return f"{name.strip()} is no table of that FROM; use the name or the alias that stands there"
    return (
        table(said.word) if said.word else "it names a table that is not there; there are my_purchases and my_profile"
    )


def _ambiguous(said: Said) -> str:
    which = f"column {said.word} is ambiguous" if said.word else "a column name is ambiguous"
    return f"{which}; say of which table, with its alias before it"


def _not_grouped(said: Said) -> str:
    if said.next == "(":
        return f"{said.word}() is an aggregate, and cannot stand in WHERE, GROUP BY or another aggregate; use HAVING or a subquery"
    which = f"column {said.word}" if said.word else "a column"
    return f"{which} is neither grouped nor aggregated; add it to GROUP BY, or take its max()"


def _no_function(said: Said) -> str:
    if found := _OPERATOR.search(said.message):
        left, sign, right = found.groups()
        return f"operator {_sign(sign, said)} does not take {left} and {right}; {_other_type(left, right)}"
    if found := _FUNCTION.search(said.message):
        name, types = found[1].replace("lines.listed", "string_agg"), found[2] or ""
        if name in ("extract", "date_part") and types.endswith("integer"):
            return f"function {name} does not take a number; a day minus a day is a number of days already, leave {name} out"
        if name == "string_agg" or name in said.sql.lower():
            return f"function {name} does not take ({types}); cast what it is given, or use another"
    return f"{said.word or 'a function or operator'} does not take these types; cast one, such as ::numeric, ::text or ::date"


def _sign(sign: str, said: Said) -> str:
    """LIKE is ~~ to the database."""
    like = {"~~": "LIKE", "~~*": "ILIKE", "!~~": "NOT LIKE", "!~~*": "NOT ILIKE"}
    return like.get(sign, sign if sign in said.sql else said.word)


def _other_type(left: str, right: str) -> str:
    types = {left, right}
    if "date" in types or any(type.startswith("timestamp") for type in types):
        return "write a day as DATE '2026-01-31', and a year as extract(year FROM purchased_on)"
    if "interval" in types:
        return "write INTERVAL '30 days', or subtract days, which gives a number"
    return "cast one of them"


def _types(said: Said) -> str:
    found = _BOTH.search(said.message)
    both = f"{found[1]} and {found[2]}" if found else "these types"
    near = f" near {said.word}" if said.word else ""
    return f"types do not fit{near}: {both}; cast one, such as ::numeric or ::text, or write a condition where one is wanted"


def _unreadable(said: Said) -> str:
    found = _OF_TYPE.search(said.message)
    what = said.word if said.word[:1] == "'" else "a text"
    return f"{what} cannot be read as {found[1] if found else 'that type'}; write one, or cast what stands beside it to text"


def _no_day(said: Said) -> str:
    if re.match(r"'[+-]?\d+ [a-z]+'", said.word, re.IGNORECASE):
        return f"{said.word} cannot be read as a date; write INTERVAL {said.word}"
    strange = next((day for day in _LOOKS_LIKE_A_DAY.findall(said.sql) if not _is_day(day)), "")
    what = (
        f"there is no day '{strange}'"
        if strange
        else f"{said.word if said.word[:1] == chr(39) else 'a text'} cannot be read as a date"
    )
    return f"{what}; write days as '2026-01-31'"


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _order(said: Said) -> str:
    if said.word.isdigit():
        return f"there is no column {said.word} in the SELECT list"
    if re.search(r"distinct\s+on\b", said.sql, re.IGNORECASE):
        return "DISTINCT ON takes what ORDER BY begins with; begin ORDER BY with the same"
    return f"SELECT DISTINCT is ordered by what it selects; select {said.word or 'it'} too, or use GROUP BY"


def _denied(said: Said) -> str:
    found = _DENIED.search(said.message)
    if found and re.search(rf"\b{found[1]}\b", said.sql, re.IGNORECASE):
        return f"{found[1]} is not allowed here"
    return "it asks for something that is not allowed here"


_TELLS: dict[str, str | Callable[[Said], str]] = {
    "42601": lambda said: f"it does not parse, near '{said.word}'" if said.word else "it does not parse",
    "42703": _column,
    "42P01": _table,
    "42702": _ambiguous,
    "42803": _not_grouped,
    "42883": _no_function,
    "42725": _no_function,
    "42804": _types,
    "42846": _types,
    "42501": _denied,
    "42P10": _order,
    "42P20": "a function with OVER stands in SELECT and ORDER BY alone; put it in a subquery, and filter outside",
    "42712": "a table is named twice; give each an alias of its own",
    "22P02": _unreadable,
    "22007": _no_day,
    "22008": _no_day,
    "22003": "a number is out of range",
    "22012": "it divides by zero; write nullif(..., 0) around what divides",
    "2201E": "there is no logarithm of zero or less; leave such rows out",
    "2201F": "there is no such power of that number; leave such rows out",
    "22023": "a function does not know one of its arguments; units are 'day', 'week', 'month', 'quarter' and 'year'",
    "21000": "a subquery returns more than one row where one value is wanted; use IN, an aggregate, or LIMIT 1",
    "0A000": "PostgreSQL cannot do that; write it in steps, as subqueries",
    "25006": "only SELECT is possible",
    "28000": "it cannot say who asks",
    "54000": "a text that it joins is too long; join fewer, or select rows",
    "57014": "it took too long; join less, or filter first",
}
_OF_CLASS = {
    "22": "a value does not fit",
    "42": "it is not valid here",
    "53": "it needs too much; join less, or filter first",
    "54": "it is too large",
}
