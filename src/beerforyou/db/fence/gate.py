"""The gate before the fence: lets through what an analysis looks like, and hands on SQL written anew from its tree.

It exists to tell a model early and plainly what is wrong, and to keep surprises from the database; what holds is the
database itself, with this gate switched off as well. It is for a process of its own: parser.py.
"""

import logging
import re
from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects import Postgres

from beerforyou.db.fence import shape, words
from beerforyou.db.fence.forms import DECIMAL, WHOLE, Form, Passed
from beerforyou.db.fence.functions import FUNCTIONS
from beerforyou.db.fence.shape import refused as _refused
from beerforyou.db.fence.taken import JOINED, LISTED, SCHEMAS, TAKES, is_ours, select_of
from beerforyou.db.fence.weighing import VIEWS, Weighing
from beerforyou.errors import Refused

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it would write what a model wrote into the log
TABLES = frozenset(VIEWS)
MOST = 8  # tables, and as many WITH queries: each join multiplies what the planner may try
DEEPEST = 60  # levels of nesting
WINDOWS = 16  # each may sort all rows once more, and keep them
LENGTH = 1000  # of a type such as varchar(80): char(n) makes n characters of one

_TYPES = frozenset({
    "BOOLEAN", "SMALLINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "TEXT", "VARCHAR", "CHAR",
    "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL", "UNKNOWN", "NULL",
})  # fmt: skip
_SHAPES = (
    exp.Select, exp.SetOperation, exp.Subquery, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered,
    exp.Limit, exp.Offset, exp.Fetch, exp.LimitOptions, exp.With, exp.CTE, exp.Table, exp.TableAlias, exp.Column,
    exp.Identifier, exp.Star, exp.Alias, exp.Values, exp.Tuple, exp.Paren, exp.Distinct, exp.Lateral, exp.Literal,
    exp.Boolean, exp.Null, exp.Unary, exp.In, exp.Between, exp.Case, exp.If, exp.Exists, exp.Cast,
    exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Any,
    exp.All, exp.Array, exp.Window, exp.WindowSpec, exp.Filter, exp.WithinGroup, exp.GroupingSets, exp.Rollup, exp.Cube,
    exp.Grouping, exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp, exp.Trim, exp.AtTimeZone,
    # operators, as the database has them (fence.sql)
    exp.Connector, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Like, exp.ILike,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod,
)  # fmt: skip
_COMPARED = (
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
    *(exp.Like, exp.ILike, exp.In, exp.Between),
)
_JOINED = (exp.And, exp.Or, exp.Not, exp.Paren)
# Rows and lists have a place where they are compared; anywhere else their text could be made into that of others.
_COMPARING = (exp.In, exp.Predicate, exp.Values, exp.Group, exp.GroupingSets, exp.Rollup, exp.Cube, exp.Count)
_SIGNS: dict[type[exp.Expr], str] = {
    exp.RegexpLike: "~", exp.RegexpILike: "~*", exp.SimilarTo: "SIMILAR TO", exp.Overlaps: "OVERLAPS", exp.Escape: "ESCAPE",
    exp.Collate: "COLLATE", exp.BitwiseAnd: "&", exp.BitwiseOr: "|", exp.BitwiseXor: "#", exp.BitwiseNot: "~",
    exp.BitwiseLeftShift: "<<", exp.BitwiseRightShift: ">>", exp.JSONExtract: "->", exp.JSONExtractScalar: "->>",
    exp.ArrayContainsAll: "@>", exp.ArrayOverlaps: "&&", exp.Dot: ".", exp.Qualify: "QUALIFY", exp.Placeholder: "a placeholder",
    exp.Bracket: "[]",
}  # fmt: skip
_COUNTED = (exp.CTE, exp.Table, exp.Select, exp.Window, exp.Literal)  # none of them has kinds below it
_NAME = re.compile(r'"?(\w+)"?\(')
_names: dict[type[exp.Expr], str] = {}

OfKind = dict[type[exp.Expr], list[Any]]


class _Verbatim(Postgres):  # type: ignore[misc]
    """PostgreSQL, with formats of days and numbers left as they are written."""

    TIME_MAPPING: ClassVar[dict[str, str]] = {}


_DIALECT = _Verbatim()
_INT, _DECIMAL = exp.DataType.Type.INT, exp.DataType.Type.DECIMAL


def passed(sql: str) -> str:
    """The SQL to run, without parameters. Raises Refused."""
    sql = shape.bare(sql)
    return _plain(judged(sql), dict(shape.checked(sql).literals))


def _plain(found: Passed, literals: dict[int, str]) -> str:
    return Form(found.sql, tuple(literals[begins] for begins in found.open)).plain


def judged(sql: str) -> Passed:
    """Raises Refused, in words for the model."""
    literals = dict(shape.checked(sql).literals)
    try:
        return _checked(sql, literals)
    except Refused:
        raise
    except Exception as error:  # whatever a text does to the parser, it does not pass
        raise _refused(words.unread(sql, getattr(error, "errors", []))) from None


def _checked(sql: str, literals: dict[int, str]) -> Passed:
    """`literals` by where they begin."""
    trees = [tree for tree in _DIALECT.parse(sql) if not isinstance(tree, (exp.Semicolon, type(None)))]
    if len(trees) != 1:
        raise _refused("it is not one statement; join several with UNION ALL, or ask them one by one")
    tree = select_of(trees[0])
    if not isinstance(tree, (exp.Select, exp.SetOperation)):
        raise _refused("only one SELECT is possible, which may begin with WITH")
    of_kind = _each_checked(tree)
    _check_relations(of_kind)
    _weigh(tree, sql)
    opened = [node for node in of_kind[exp.Literal] if _is_open(node, literals)]
    opened.sort(key=_start)
    for number, node in enumerate(opened, start=2):
        _open(node, number)
    found = Passed(_DIALECT.generate(tree, copy=False, comments=False), tuple(map(_start, opened)))
    shape.checked(_plain(found, literals))  # as it is written anew, it may be longer
    return found


def _weigh(tree: exp.Expr, sql: str) -> None:
    """Of a name that is nobody's the most is expected: then it is that which is wrong."""
    weighing = Weighing()
    try:
        weighing.query(tree, VIEWS)
    except Refused:
        if weighing.unknown:
            raise _refused(words.column(weighing.unknown, sql)) from None
        raise


def _each_checked(tree: exp.Expr) -> OfKind:
    """All nodes, a level after the other, as what they are taken for."""
    found: OfKind = {kind: [] for kind in _COUNTED}
    level = [tree]
    for _ in range(DEEPEST + 1):
        for at, node in enumerate(level):
            if (kind := type(node)) in TAKES:
                level[at] = node = TAKES[kind](node)
                kind = type(node)
            for check in _checks[kind]:
                check(node)
            if kind in found:
                found[kind].append(node)
        level = [below for node in level for below in node.iter_expressions()]
    if level:
        raise _refused("it is nested too deeply")
    return found


def _start(node: exp.Literal) -> int:
    """Where it begins in the text."""
    return int(node.meta.get("start", -1))


def _is_open(node: exp.Literal, literals: dict[int, str]) -> bool:
    """Whether a parameter means the same in its place: in a WHERE of its own SELECT, compared with something.

    Elsewhere it may name a column (ORDER BY 1), or must equal another literal (GROUP BY), or the planner wants to know it (LIMIT).
    """
    name = node.name
    if literals.get(_start(node)) != _as_written(node):
        return False  # the parser made it
    if not node.is_string and not WHOLE.fullmatch(name) and not DECIMAL.fullmatch(name):
        return False
    where = node.parent
    if node.is_string and isinstance(where, exp.Cast) and where.is_type("date"):
        where = where.parent
    if not isinstance(where, _COMPARED):
        return False
    while isinstance(where, (*_COMPARED, *_JOINED)):
        where = where.parent
    return isinstance(where, exp.Where) and isinstance(where.parent, exp.Select)


def _open(node: exp.Literal, number: int) -> None:
    """PostgreSQL finds a parameter's type as it does a string's; a number has its type by itself."""
    parameter: exp.Expr = exp.Parameter(this=exp.Literal.number(number))
    if not node.is_string:
        parameter = exp.Cast(this=parameter, to=exp.DataType(this=_INT if node.is_int else _DECIMAL))
    node.replace(parameter)


def _check_plain(node: exp.Expr) -> None:
    args = node.args
    if args.get("into") or args.get("locks") or args.get("sample"):
        raise _refused("only a plain SELECT is possible: no INTO, no FOR UPDATE, no TABLESAMPLE")


def _not_available(node: exp.Expr) -> None:
    raise _refused(words.operator(_SIGNS.get(type(node), node.key)))


def _check_literal(node: exp.Expr) -> None:
    if why := shape.strange_literal(node.name, _as_written(node)):
        raise _refused(why)


def _as_written(literal: exp.Expr) -> str:
    name = literal.name
    return "'" + name.replace("'", "''") + "'" if literal.is_string else name


def _check_type(node: exp.Expr) -> None:
    if getattr(node.this, "name", "") not in _TYPES:
        raise _refused(
            f"the type {node.sql(dialect=_DIALECT)[:40].lower()} is not allowed; use numeric, int, text, date or timestamp"
        )


def _check_trim(node: exp.Expr) -> None:
    if node.expression:
        raise _refused("trim() takes only blanks away; leave the characters out")


def _check_zone(node: exp.Expr) -> None:
    if not isinstance(node.args["zone"], exp.Interval):
        raise _refused("AT TIME ZONE is not allowed; leave it out: days and times are in the client's own zone already")


def _check_window(node: exp.Expr) -> None:
    if isinstance(node.this, exp.Func) and isinstance(node.this.this, exp.Distinct):
        raise _refused("DISTINCT cannot stand in a function with OVER; count in a subquery with GROUP BY")


def _check_length(node: exp.Expr) -> None:
    if not _is_number(node.this, LENGTH):
        raise _refused("a type is too long")


def _check_row(node: exp.Expr) -> None:
    """Rows and lists are there to be compared, `t.*` to be selected."""
    where = node.parent
    while isinstance(where, (exp.Paren, exp.Column)):
        where = where.parent
    if isinstance(where, exp.Distinct):
        where = where.parent
        fits = isinstance(where, exp.Count) or (isinstance(where, exp.Select) and node.arg_key == "on")
    elif isinstance(node, exp.Tuple):
        fits = isinstance(where, _COMPARING)
    elif isinstance(node, exp.Array):
        fits = isinstance(where, (exp.Any, exp.All)) and not any(
            isinstance(part, exp.Query) for part in node.expressions
        )
    else:
        fits = isinstance(where, (exp.Select, exp.Count))
    if not fits:
        raise _refused(f"a row or a list cannot stand there: {node.sql(dialect=_DIALECT)[:40]}")


class _Checks(dict[type[exp.Expr], tuple[Callable[[exp.Expr], None], ...]]):
    """What has to be looked at in nodes of a kind, found once for each; most kinds are what they are."""

    def __missing__(self, kind: type[exp.Expr]) -> tuple[Callable[[exp.Expr], None], ...]:
        checks = [check for of, check in _OF_ITS_OWN if issubclass(kind, of)]
        if issubclass(kind, exp.Func) and not issubclass(kind, _SHAPES):
            checks.append(_check_function)
        elif issubclass(kind, (exp.Tuple, exp.Array, exp.Star)):
            checks.append(_check_row)
        elif not issubclass(kind, _SHAPES):
            checks.append(_not_available)
        self[kind] = found = tuple(checks)
        return found


_OF_ITS_OWN: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Callable[[exp.Expr], None]], ...] = (
    ((exp.Query, exp.Table), _check_plain),
    (exp.Literal, _check_literal),
    (exp.DataType, _check_type),
    (exp.Trim, _check_trim),
    (exp.DataTypeParam, _check_length),
    (exp.AtTimeZone, _check_zone),
    (exp.Window, _check_window),
)
_checks = _Checks()


def _is_number(node: exp.Expr | None, most: int) -> bool:
    node = node.this if isinstance(node, exp.Neg) else node
    return isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit() and int(node.name) <= most


def _check_function(node: exp.Expr) -> None:
    """By the name that PostgreSQL will read, whatever the parser calls it."""
    name = node.name.lower() if isinstance(node, exp.Anonymous) else _written(node)
    if name not in FUNCTIONS and not (name in (JOINED, LISTED) and is_ours(node)):
        raise _refused(
            words.operator(_SIGNS[type(node)]) if type(node) in _SIGNS else words.function(_called(node, name))
        )
    decimals = node.args.get("decimals")
    if decimals is not None and not _is_number(decimals, 30):
        raise _refused(f"{name} takes up to 30 decimals, written as a number")
    if isinstance(node, exp.Substring) and getattr(node.args.get("start"), "is_string", False):
        raise _refused(
            "regular expressions are not allowed in substring(); use substring(text, from, length), or ILIKE"
        )
    if isinstance(node, exp.StrPosition) and (node.args.get("position") or node.args.get("occurrence")):
        raise _refused("strpos() takes two texts: where, and what")


def _called(node: exp.Expr, written: str) -> str:
    """What a model called it: some are written anew as something else."""
    if isinstance(node, exp.Anonymous):
        return written[: words.LONGEST]
    return written if written.isidentifier() and written not in ("cast", "case") else node.key


def _written(node: exp.Expr) -> str:
    """The name under which a known function is written; worked out once for each."""
    if known := _names.get(type(node)):
        return known
    written = node.sql(dialect=_DIALECT, comments=False)
    if found := _NAME.match(written):
        _names[type(node)] = found[1].lower()
    return found[1].lower() if found else written[:40]


def _check_relations(of_kind: OfKind) -> None:
    queries, tables = of_kind[exp.CTE], of_kind[exp.Table]
    if len(tables) > MOST or len(queries) > MOST or len(of_kind[exp.Select]) > 2 * MOST:
        raise _refused(f"it names more than {MOST} tables or WITH queries; use CASE or FILTER in place of joins")
    if len(of_kind[exp.Window]) > WINDOWS:
        raise _refused(f"it has more than {WINDOWS} windows")
    made = {query.alias for query in queries}
    for table in tables:
        _check_table(table, made)


def _check_table(table: exp.Expr, made: set[str]) -> None:
    """`made` are the names of WITH queries, which hide a view of that name."""
    name, schema, catalog = table.name, table.args.get("db"), table.args.get("catalog")
    if not isinstance(table.this, exp.Identifier) or catalog or (name in made and schema):
        raise _refused(words.table(table.sql(dialect=_DIALECT)))
    if name in made:
        return
    if name.lower() not in TABLES or (schema and schema.name.lower() not in SCHEMAS):
        raise _refused(words.table(f"{schema.name}.{name}" if schema else name))
    table.set("db", None)
    if name.lower() != name:
        table.set("alias", table.args.get("alias") or exp.TableAlias(this=table.this.copy()))
        table.this.set("this", name.lower())
