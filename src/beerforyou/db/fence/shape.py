"""What can be told of a SQL text before anything parses it: its length, its brackets, and how much work they make of it.

One pass over the text, by PostgreSQL's own rules of where strings, names and comments end. The gate's parser and the
planner behind it may take twice as long for each nesting; neither gets to see a text that is nested deeply.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from beerforyou.db.fence.functions import FUNCTIONS
from beerforyou.errors import Refused

LONGEST = 4000  # characters of SQL: what the planner can be made to do with them stays under half a second
TOKENS = 1200  # four times a list of a hundred ids
DEEPEST = 16  # brackets and CASEs within each other; tests/evals/honest_sql.jsonl has 4
WORK = 4000  # tokens, each as often as the brackets around it let the parser begin anew; the honest ones have 80
SELECTS = 16
FACTORS = 60  # signs of products and divisions: one of the longest numbers takes 0.02 s and cannot be interrupted
KNOWN = 2000  # texts that are remembered
HINT = "correct it, or ask something simpler"

_FENCED = re.compile(
    r"\s*```[ \t]*(?:(?:sql|postgres\w*|p\w*sql)\b)?((?:(?!```).)*)```[\s;]*", re.DOTALL | re.IGNORECASE
)
_TICKED = re.compile(r"('(?:[^']|'')*'|\"[^\"]*\")|`(\w+)`")
_TOKEN = re.compile(
    r"""(?:\s|--[^\r\n]*)*+(?:
      (?P<special>(?:[EeBbXxNn]|[Uu]&)(?=['"])|\$)
    | (?P<word>[^\W\d]\w*)
    | (?P<comment>/\*)
    | (?P<text>'[^']*+(?:''[^']*+)*+')
    | (?P<name>"[^"]*+(?:""[^"]*+)*+")
    | (?P<number>\.?\d[\w.]*(?:(?<=[Ee])[+-]\d+)?)
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<strange>['"{}\\])
    | (?P<sign>.))""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"/\*|\*/")
_NO_CHARACTER = re.compile(r"[\0\ud800-\udfff]")  # halves of one, which JSON can carry and UTF-8 cannot
# Of long numbers long products are made. An id may look like one: 5e100.
_LONG_NUMBER = re.compile(r"\de[+-]?\d{4}|\d{21}", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(r"[\d.]+(e[+-]?\d+)?", re.IGNORECASE)
_ID = re.compile(r"'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'")
_ZONE = re.compile(r"(?:[a-z]{3}|>)[+-]?\d", re.IGNORECASE)  # such as Foo+3:17, which nobody knew before
_SLUG = re.compile(r"'[0-9a-z-]*'")  # the id of a brewery, not a day with a zone
_OURS = "bfy_"  # how names begin that the query around the text uses (ask.py)
_EXPONENT = re.compile(r"\de[+-]?\d{3}", re.IGNORECASE)
_E_NOTATION = re.compile(r'"[\d.]*e[+-]?\d*"', re.IGNORECASE)  # in a to_char format: it would write such a number
_DAY = re.compile(r"\d[-/.:]\d|now|today|epoch", re.IGNORECASE)
# Before a bracket that follows any other word, the parser tries a type, a function and what not, one after the other.
_ONCE = (FUNCTIONS - {"date", "text", "numeric", "int4", "int8", "float8", "bool"}) | frozenset({
    "select", "distinct", "on", "from", "join", "lateral", "where", "and", "or", "not", "in", "exists", "any", "all",
    "some", "between", "is", "like", "ilike", "as", "over", "filter", "group", "by", "having", "order", "values",
    "when", "then", "else", "case", "end", "cast", "coalesce", "nullif", "greatest", "least", "trim", "within",
    "union", "intersect", "except", "rollup", "cube", "sets", "using", "both", "leading", "trailing", "grouping",
    "with", "materialized",
})  # fmt: skip
_TYPE = re.compile(rf'(?!(?:{"|".join(_ONCE)}|date)$)[^\W\d]|"')
_LONG_TYPE = re.compile(r"'?[\s+]*0*[1-9]\d{4,}\s*'?")
_OPENED_BY = {")": "(", "]": "[", "end": "case"}
_GROWS = frozenset({"(", "[", "row", "array"})
_LITERAL = frozenset({"text", "number"})

Token = tuple[str, str, int]  # kind, text, and where it begins; words in small letters


class Shape(msgspec.Struct, frozen=True):
    """`zones`: a string may name a time zone, and a session keeps every one that it was ever told of.

    `outline` is the text without its literals, which are in `literals` with where they begin.
    """

    zones: bool
    outline: str = ""
    literals: tuple[tuple[int, str], ...] = ()


def checked(sql: str) -> Shape:
    """Raises Refused, in words for the model."""
    if len(sql) > LONGEST:
        raise refused(f"it has {len(sql)} characters; at most {LONGEST} are allowed")
    shape = _shape(sql)
    if isinstance(shape, str):
        raise refused(shape)
    return shape


def bare(sql: str) -> str:
    """Without the ``` around it, and with "names" in place of `names`."""
    if "`" not in sql:
        return sql
    fenced = _FENCED.fullmatch(sql)
    return _TICKED.sub(lambda found: found[1] or f'"{found[2].lower()}"', fenced[1].strip() if fenced else sql)


def refused(why: str) -> Refused:
    return Refused(f"the query was refused: {why}", HINT)


@lru_cache(KNOWN)
def _shape(sql: str) -> Shape | str:
    """Or why there is none."""
    if _NO_CHARACTER.search(sql):
        return "it holds characters that are none"
    try:
        tokens = list(_tokens(sql))
    except ValueError as strange:
        return f"it does not parse: {strange}"
    if len(tokens) > TOKENS:
        return f"it has more than {TOKENS} words and signs"
    texts = [text for _, text, _ in tokens]
    if texts.count("select") > SELECTS or sum(map(texts.count, "*/%")) > FACTORS:
        return f"it has more than {SELECTS} SELECTs, or {FACTORS} products"
    if "recursive" in texts:  # a name has its quotes
        return "WITH RECURSIVE is not allowed; list months or numbers in VALUES"
    literals = [token for token in tokens if token[0] in _LITERAL]
    if any(_long_number(kind, text) for kind, text, _ in literals):
        return "a number is too long, or not plain digits"
    if _OURS in sql.lower() and any(_is_ours(kind, text) for kind, text, _ in tokens):
        return f"names that begin with {_OURS} are not allowed"
    zones = any(kind == "text" and names_zone(text) for kind, text, _ in literals)
    places = tuple((at, text) for _, text, at in literals)
    return _grown(texts) or _nested(tokens) or Shape(zones, _outline(sql, places), places)


def _outline(sql: str, literals: tuple[tuple[int, str], ...]) -> str:
    """No text holds a NUL. A number stays one of its kind: what is right for 5 need not be for 5.5."""
    parts, end = [], 0
    for at, text in literals:
        parts += [sql[end:at], "\0'" if text[0] == "'" else "\0." if "." in text else "\0"]
        end = at + len(text)
    return "".join([*parts, sql[end:]])


def strange_literal(name: str, written: str) -> str:
    """Why it is not let through the gate, or nothing. `name` is what it says, `written` how."""
    if _E_NOTATION.search(name) or (_EXPONENT.search(name) and not _ID.fullmatch(f"'{name}'")):
        return "a number is too long"
    if written[0] == "'" and _DAY.search(name) and names_zone(written):
        return "a time zone is named there; write days and times without one"
    return ""


def _long_number(kind: str, literal: str) -> bool:
    if kind == "number" and not _PLAIN_NUMBER.fullmatch(literal):
        return True  # 0xff, 1_000
    return bool(_LONG_NUMBER.search(literal)) and not _ID.fullmatch(literal)


def _is_ours(kind: str, text: str) -> bool:
    return kind in ("word", "name") and text.lower().lstrip('"').startswith(_OURS)


def names_zone(literal: str) -> bool:
    return bool(_ZONE.search(literal)) and not _SLUG.fullmatch(literal)


def _tokens(sql: str) -> Iterator[Token]:
    """Raises ValueError where another reader than PostgreSQL may read something else."""
    at, before, match = 0, "", _TOKEN.match
    while found := match(sql, at):
        kind, at = found.lastgroup or "", found.end()
        text = found[kind]
        if kind == "comment":
            at = _after_comment(sql, at)
            continue
        if kind == "special":
            raise ValueError("write values into it, as 'plain' strings")
        if kind == "strange" or kind == before == "text":
            raise ValueError(f"what is {text[:20]} there?")
        yield kind, text.lower() if kind == "word" else text, at - len(text)
        before = kind


def _after_comment(sql: str, at: int) -> int:
    """PostgreSQL's may hold others."""
    depth = 1
    while depth:
        found = _COMMENT.search(sql, at)
        if found is None:
            raise ValueError("a comment does not end")
        at, depth = found.end(), depth + (1 if found[0] == "/*" else -1)
    return at


def _grown(tokens: list[str]) -> str:
    """Why it may make a long text of a short one, which LIKE then searches for minutes; or nothing.

    Lists have their place beside ANY and ALL. `char(n)` makes n characters of one.
    """
    texts = ["", "", *tokens, "", ""]
    for at, text in enumerate(texts):
        if text not in _GROWS:
            continue
        before, after = texts[at - 2 : at], texts[at + 1 : at + 3]
        if (text == "[" and before[1:] != ["array"]) or (text == "row" and after[:1] == ["("]):
            return "rows and lists cannot stand there; select columns, or compare them one by one"
        if text == "array" and (after[:1] != ["["] or before[:1] not in (["any"], ["all"], ["some"])):
            return "lists stand only in = ANY (ARRAY[...]); use IN (...), or VALUES in FROM"
        if text == "(" and after[1:] == [")"] and _LONG_TYPE.fullmatch(after[0]) and _TYPE.match(before[1]):
            return "a type is too long"
    return ""


def _nested(tokens: list[Token]) -> str:
    """Why it is nested too deeply, or not as brackets are; or nothing."""
    inside, times, work, before = [""], [1], 0, ("sign", "")
    for kind, text, _ in tokens:
        work += times[-1]
        if kind == "open" or (text == "case" and kind == "word"):
            inside.append(text)
            times.append(times[-1] * (1 if text == "case" or _read_once(text, before) else 2))
            if len(inside) > DEEPEST:
                return "it is nested too deeply"
        elif kind == "close" or (text == "end" and kind == "word" and inside[-1] == "case"):
            if inside.pop() != _OPENED_BY[text]:
                return "its brackets do not match"
            times.pop()
        if work > WORK:
            return "it is nested too deeply"
        before = kind, text
    return "" if len(inside) == 1 else "its brackets do not match"


def _read_once(bracket: str, before: tuple[str, str]) -> bool:
    kind, text = before
    return bracket == "(" and (kind in ("sign", "open") or (kind == "word" and text in _ONCE))
