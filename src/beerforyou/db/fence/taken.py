"""What models write in other words than the fence's own, and what it becomes: the same in words that it knows. All that the
gate checks comes afterwards, so nothing is let through here.
"""

import re
from collections.abc import Callable

from sqlglot import exp

SCHEMAS = frozenset({"own", "public"})  # where models look for the views; there are no others
JOINED, LISTED = "lines.joined", "lines.listed"  # || and string_agg() with an end to what they make (fence.sql)

_PLAIN = r"[^\\.*+?()\[\]{}|^$]+"  # what means itself in a regular expression
_ANCHORED = re.compile(rf"(\^(?!\.\*))?\^?(?:\.\*)?(?:({_PLAIN})|\(({_PLAIN}(?:\|{_PLAIN})*)\))(?:\.\*\$?|(\$))?")
_SIMILAR = re.compile(rf"({_PLAIN})?\(({_PLAIN}(?:\|{_PLAIN})*)\)({_PLAIN})?")
_UTC = frozenset({"utc", "gmt", "z", "etc/utc"})
_OURS = "ours="  # the parser takes names of a comment for its own notes, up to a sign of equality
_DAYS = {"curdate": exp.CurrentDate, "today": exp.CurrentDate, "getdate": exp.CurrentTimestamp}


def select_of(tree: exp.Expr) -> exp.Expr:
    """Without brackets around all of it."""
    while isinstance(tree, (exp.Subquery, exp.Paren)) and not any(v for k, v in tree.args.items() if k != "this"):
        tree = tree.this
    return tree.pop() if tree.parent else tree


def _identifier(node: exp.Expr) -> exp.Expr:
    """As PostgreSQL reads it, which knows only the letters of ASCII to be large or small."""
    name = node.args["this"]
    if not name.islower() and not node.args.get("quoted"):
        node.set("this", "".join([c.lower() if c.isascii() else c for c in name]))
    return node


def without_schema(node: exp.Expr) -> exp.Expr:
    schema = node.args.get("db")
    if schema and schema.name.lower() in SCHEMAS and not node.args.get("catalog"):
        node.set("db", None)
    return node


def _real(node: exp.Expr) -> exp.Expr:
    """Worked out in 64 bits: of long numbers it takes seconds. Numeric again, for round() to take."""
    base, number = node.this, node.expression
    if is_ours(node):
        return node
    if isinstance(node, exp.Log) and number is not None:  # log(b, x), or log10(x)
        return _decimal(node, exp.Div(this=_ln(number), expression=_ln(base), typed=True))
    for key in ("this", "expression"):
        if node.args.get(key) is not None:
            node.set(key, _cast(node.args[key], "DOUBLE"))
    return _decimal(node, node)


def _ln(number: exp.Expr) -> exp.Expr:
    return _ours(exp.Ln(this=_cast(number, "DOUBLE")))


def _decimal(node: exp.Expr, worked_out: exp.Expr) -> exp.Expr:
    cast = exp.Cast(to=exp.DataType(this=exp.DataType.Type.DECIMAL))
    node.replace(cast)
    cast.set("this", exp.Paren(this=worked_out) if isinstance(worked_out, exp.Div) else _ours(worked_out))
    return cast


def _cast(node: exp.Expr, kind: str) -> exp.Expr:
    return exp.Cast(this=node, to=exp.DataType(this=exp.DataType.Type[kind]))


def _ours(node: exp.Expr) -> exp.Expr:
    node.meta[_OURS] = True
    return node


def is_ours(node: exp.Expr) -> bool:
    return _OURS in node.meta


def _regex(node: exp.Expr) -> exp.Expr:
    """Words alone, one of several, at the beginning or the end: as LIKE does it."""
    pattern = node.expression
    branches = _branches(pattern.name) if isinstance(pattern, exp.Literal) and pattern.is_string else None
    return _like(node, branches, exp.ILike if isinstance(node, exp.RegexpILike) else exp.Like)


def _branches(pattern: str) -> list[str] | None:
    found = []
    for part in [pattern] if "(" in pattern else pattern.split("|"):
        anchored = _ANCHORED.fullmatch(part)
        if not anchored:
            return None
        before, after = ("" if anchored[1] else "%"), ("" if anchored[4] else "%")
        words = (anchored[2] or anchored[3]).split("|")
        found += [before + re.sub(r"([%_])", r"\\\1", word) + after for word in words]
    return found


def _similar(node: exp.Expr) -> exp.Expr:
    pattern = node.expression
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        return node
    if found := _SIMILAR.fullmatch(pattern.name):
        branches = [(found[1] or "") + word + (found[3] or "") for word in found[2].split("|")]
    else:
        branches = pattern.name.split("|")
    return _like(node, branches if all(re.fullmatch(_PLAIN, branch) for branch in branches) else None, exp.Like)


def _like(node: exp.Expr, branches: list[str] | None, like: type[exp.Expr]) -> exp.Expr:
    if branches is None:
        return node
    words = [exp.Literal.string(branch) for branch in branches]
    listed = words[0] if len(words) == 1 else exp.Any(this=exp.Paren(this=exp.Array(expressions=words)))
    return _put(node, like(this=node.this, expression=listed))


def _put(node: exp.Expr, instead: exp.Expr) -> exp.Expr:
    node.replace(instead)
    return instead


def _zone(node: exp.Expr) -> exp.Expr:
    """The only zone that is a number of hours: a session keeps each name that it is told."""
    zone = node.args["zone"]
    if isinstance(zone, exp.Literal) and zone.is_string and zone.name.lower() in _UTC:
        node.set("zone", exp.Interval(this=exp.Literal.string("0")))
    return node


def _concat(node: exp.Expr) -> exp.Expr:
    """Unlike ||, concat() passes over NULL."""
    parts: list[exp.Expr] = [
        exp.Coalesce(this=_as_text(part), expressions=[exp.Literal.string("")]) for part in node.expressions
    ]
    return _put(node, _join(parts)) if parts else node


def _piped(node: exp.Expr) -> exp.Expr:
    parts: list[exp.Expr] = []
    left: exp.Expr = node
    while isinstance(left, exp.DPipe):
        parts.append(left.expression)
        left = left.this
    return _put(node, _join([_as_text(part) for part in [left, *reversed(parts)]]))


def _as_text(node: exp.Expr) -> exp.Expr:
    return node if isinstance(node, exp.Literal) and node.is_string else _cast(node, "TEXT")


def _join(parts: list[exp.Expr]) -> exp.Expr:
    """Two by two, so that it is not deep."""
    if len(parts) == 1:
        return parts[0]
    half = (len(parts) + 1) // 2
    return _ours(exp.Anonymous(this=JOINED, expressions=[_join(parts[:half]), _join(parts[half:])]))


def _list(node: exp.Expr) -> exp.Expr:
    """`string_agg(DISTINCT a, ', ' ORDER BY a)`, which the parser has as ((DISTINCT a) ORDER BY a), ', '."""
    value, between = node.this, node.args.get("separator") or exp.Literal.string(",")
    if isinstance(value, exp.Order):
        value, between = value.this, exp.Order(this=between, expressions=value.expressions)
    return _put(node, _ours(exp.Anonymous(this=LISTED, expressions=[value, between])))


def _days_off(node: exp.Expr) -> exp.Expr:
    """`DATE_SUB(day, INTERVAL 1 MONTH)`"""
    by = node.expression
    if not isinstance(by, exp.Interval):
        return node
    return _put(
        node, exp.Paren(this=(exp.Sub if isinstance(node, exp.DateSub) else exp.Add)(this=node.this, expression=by))
    )


def _named(node: exp.Expr) -> exp.Expr:
    name = node.this.lower() if isinstance(node.this, str) else ""
    if name in _DAYS and not node.expressions:
        return _put(node, _DAYS[name]())
    if name == "timezone" and len(node.expressions) == 2:
        zone, what = node.expressions
        return _zone(_put(node, exp.AtTimeZone(this=what, zone=zone)))
    return node


# The node in its place: itself, or what it has become.
TAKES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Identifier: _identifier,
    exp.Column: without_schema,
    **dict.fromkeys((exp.Ln, exp.Exp, exp.Pow, exp.Log), _real),
    **dict.fromkeys((exp.RegexpLike, exp.RegexpILike), _regex),
    exp.SimilarTo: _similar,
    exp.AtTimeZone: _zone,
    exp.Concat: _concat,
    exp.DPipe: _piped,
    exp.GroupConcat: _list,
    exp.Anonymous: _named,
    **dict.fromkeys((exp.DateSub, exp.DateAdd), _days_off),
}
