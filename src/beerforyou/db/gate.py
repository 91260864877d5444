"""The gate before the fence: lets through what an analysis looks like, and hands on SQL written anew from its tree.

It exists to tell a model early and plainly what is wrong, and to keep surprises from the database; what holds is the
database itself, with this gate switched off as well.
"""

import logging
import re
from functools import lru_cache
from typing import ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects import Postgres

from beerforyou.db.fence import LONGEST
from beerforyou.db.functions import FUNCTIONS
from beerforyou.errors import Refused

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it would write what a model wrote into the log
TABLES = frozenset({"my_purchases", "my_profile"})
MOST = 8  # tables, and as many WITH queries: each join multiplies what the planner may try
DEEPEST = 60  # levels of nesting
CHECKED = 2000  # texts whose verdict is remembered; a verdict costs a millisecond, a look-up nothing

_TYPES = frozenset({
    "BOOLEAN", "SMALLINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "TEXT", "VARCHAR", "CHAR",
    "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL", "UNKNOWN", "NULL",
})  # fmt: skip
_SHAPES = (
    exp.Select, exp.SetOperation, exp.Subquery, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered,
    exp.Limit, exp.Offset, exp.Fetch, exp.LimitOptions, exp.With, exp.CTE, exp.Table, exp.TableAlias, exp.Column,
    exp.Identifier, exp.Star, exp.Alias, exp.Values, exp.Tuple, exp.Paren, exp.Distinct, exp.Lateral, exp.Literal,
    exp.Boolean, exp.Null, exp.Binary, exp.Unary, exp.In, exp.Between, exp.Case, exp.If, exp.Exists, exp.Cast,
    exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Any,
    exp.All, exp.Array, exp.Window, exp.WindowSpec, exp.Filter, exp.WithinGroup, exp.GroupingSets, exp.Rollup, exp.Cube,
    exp.Grouping, exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp, exp.Trim,
)  # fmt: skip
# Of long numbers long products are made, and a product cannot be interrupted.
_EXPONENT = re.compile(r"\de[+-]?\d{3}|\d{21}", re.IGNORECASE)
_E_NOTATION = re.compile(r'"[\d.]*e[+-]?\d*"', re.IGNORECASE)  # in a to_char format: it would write such a number
_NAME = re.compile(r'"?(\w+)"?\(')
_names: dict[type[exp.Func], str] = {}


class _Verbatim(Postgres):  # type: ignore[misc]
    """PostgreSQL, with formats of days and numbers left as they are written."""

    TIME_MAPPING: ClassVar[dict[str, str]] = {}


def passed(sql: str) -> str:
    """The SQL to run. Raises Refused, in words for the model."""
    if len(sql) > LONGEST:
        raise _refused(f"it has {len(sql)} characters; at most {LONGEST} are allowed")
    verdict = _verdict(sql)
    if isinstance(verdict, Refused):
        raise verdict
    return verdict


@lru_cache(CHECKED)
def _verdict(sql: str) -> str | Refused:
    try:
        return _checked(sql)
    except Refused as refused:
        return refused
    except Exception:  # whatever a text does to the parser, it does not pass
        return _refused("it does not parse as one SELECT of PostgreSQL")


def _checked(sql: str) -> str:
    trees = [
        tree for tree in sqlglot.parse(sql, dialect=_Verbatim) if not isinstance(tree, (exp.Semicolon, type(None)))
    ]
    if len(trees) != 1:
        raise _refused("it is not one statement")
    (tree,) = trees
    if not isinstance(tree, (exp.Select, exp.SetOperation)):
        raise _refused("only one SELECT is possible")
    for node in tree.walk():
        _check(node)
    _check_relations(tree)
    return tree.sql(dialect=_Verbatim, comments=False)


def _check(node: exp.Expr) -> None:
    if node.depth > DEEPEST:
        raise _refused("it is nested too deeply")
    if isinstance(node, exp.Literal) and (_EXPONENT.search(node.this) or _E_NOTATION.search(node.this)):
        raise _refused("a number is too long")
    if isinstance(node, exp.DataType) and getattr(node.this, "name", "") not in _TYPES:
        raise _refused(f"the type {node.sql(dialect=_Verbatim)} is not available")
    if node.args.get("into") or node.args.get("locks") or node.args.get("sample"):
        raise _refused("only a plain SELECT is possible: no INTO, no FOR UPDATE, no TABLESAMPLE")
    if isinstance(node, exp.Func) and not isinstance(node, _SHAPES):
        _check_function(node)
    elif not isinstance(node, (*_SHAPES, exp.Func)):
        raise _refused(f"{node.key} is not available")


def _check_function(node: exp.Func) -> None:
    """By the name that PostgreSQL will read, whatever the parser calls it."""
    name = node.name.lower() if isinstance(node, exp.Anonymous) else _written(node)
    if name not in FUNCTIONS:
        raise _refused(f"the function {name} is not available; use plain aggregates, text and date functions")


def _written(node: exp.Func) -> str:
    """The name under which a known function is written; worked out once for each."""
    if known := _names.get(type(node)):
        return known
    written = node.sql(dialect=_Verbatim, comments=False)
    if found := _NAME.match(written):
        _names[type(node)] = found[1].lower()
    return found[1].lower() if found else written[:40]


def _check_relations(tree: exp.Expr) -> None:
    queries = list(tree.find_all(exp.CTE))
    if any(found.args.get("recursive") for found in tree.find_all(exp.With)):
        raise _refused("WITH RECURSIVE is not available")
    tables = list(tree.find_all(exp.Table))
    if len(tables) > MOST or len(queries) > MOST or len(list(tree.find_all(exp.Select))) > 2 * MOST:
        raise _refused(f"it names more than {MOST} tables or WITH queries")
    known = TABLES | {query.alias for query in queries}
    for table in tables:
        if not isinstance(table.this, exp.Identifier) or table.db or table.catalog or table.name not in known:
            raise _refused(
                f"there is no table {table.sql(dialect=_Verbatim)[:60]}; there are my_purchases and my_profile"
            )


def _refused(why: str) -> Refused:
    return Refused(f"the query was refused: {why}", "correct it, or ask something simpler")
