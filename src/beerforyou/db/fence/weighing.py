"""What a query becomes in the planner: a subquery's columns are written out wherever they are named, so that each level
may copy the one below it several times; and what is multiplied grows. Here both are added up before anything runs.
"""

from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from beerforyou.db.fence.shape import refused
from beerforyou.db.fence.taken import JOINED, LISTED
from beerforyou.db.fence.words import COLUMNS

WRITTEN = 5000  # nodes, all written out; honest queries have up to 220, and a planner takes about 10 us for each
DIGITS = 1000  # of a product; amounts have 12 each
ANY = 100_000  # digits of a text that is read as a number
NUMBER = 20  # of a number of the client's rows, or a count

REAL = 310  # of the largest number of 64 bits
NUMBERS = frozenset({"purchased_on", "quantity", "unit_price", "amount"})
_DAYS = frozenset({"DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"})
_WORDS = frozenset({"TEXT", "VARCHAR", "CHAR"})
_SOURCES = ("from_", "joins", "laterals", "with_")


class Column(NamedTuple):
    """`written`: nodes when nothing is named but all is written out. `text`: of a row, or made of one."""

    written: int
    digits: int = NUMBER
    text: bool = False


_ONE, _LONG = Column(1), Column(1, ANY, True)
Relation = dict[str, Column]
Sources = dict[str, Relation]

VIEWS: Sources = {
    view: {column: _ONE if column in NUMBERS else _LONG for column in columns} for view, columns in COLUMNS.items()
}


class Weighing:
    """Of one statement. `known` are the relations that a name may mean, `outer` what the queries around it select from."""

    def __init__(self) -> None:
        self.written = 0
        self.unknown = ""  # a column that nothing has

    def query(self, node: exp.Expr, known: Sources, outer: tuple[Sources, ...] = ()) -> Relation:
        """Its columns. Raises Refused."""
        known = known | self._ctes(node, known, outer)
        if isinstance(node, (exp.Subquery, exp.Paren, exp.Lateral)):
            return _renamed(self.query(node.this, known, outer), node)
        if isinstance(node, exp.Table):
            return _renamed(known.get(node.name, {}), node)
        if isinstance(node, exp.SetOperation):
            both = self.query(node.left, known, outer), self.query(node.right, known, outer)
            merged = _merged(*both)
            self._clauses(node, ({"": merged}, *outer), known, ("this", "expression", *_SOURCES))
            return merged
        if isinstance(node, exp.Values):
            rows = [{str(n): self._value(cell, outer, known) for n, cell in enumerate(row)} for row in node.expressions]
            return _renamed(_merged(*rows), node)
        return self._select(node, known, outer)

    def _ctes(self, node: exp.Expr, known: Sources, outer: tuple[Sources, ...]) -> Sources:
        made: Sources = {}
        for cte in (node.args.get("with_") or exp.With()).expressions:
            made[cte.alias] = _renamed(self.query(cte.this, known | made, outer), cte)
        return made

    def _select(self, node: exp.Expr, known: Sources, outer: tuple[Sources, ...]) -> Relation:
        sources: Sources = {}
        for item in _items(node):
            sources[item.alias_or_name or f"#{len(sources)}"] = self.query(item, known, (sources, *outer))
        scopes = (sources, *outer)
        columns: Relation = {}
        for n, projection in enumerate(node.expressions):
            if projection.is_star:
                named = sources.get(projection.table) if isinstance(projection, exp.Column) else None
                for relation in sources.values() if named is None else [named]:
                    columns |= relation
            else:
                columns[projection.alias_or_name or f"#{n}"] = self._counted(projection, scopes, known)
        self._clauses(node, (sources | {"": columns}, *outer), known, ("expressions", *_SOURCES))
        return columns

    def _clauses(self, node: exp.Expr, scopes: tuple[Sources, ...], known: Sources, but: tuple[str, ...]) -> None:
        conditions = [join.args.get("on") for join in node.args.get("joins") or ()]
        for name, clause in [*node.args.items(), *(("on", condition) for condition in conditions)]:
            for part in clause if isinstance(clause, list) else [clause]:
                if name not in but and isinstance(part, exp.Expr):
                    self._counted(part, scopes, known)

    def _counted(self, node: exp.Expr, scopes: tuple[Sources, ...], known: Sources) -> Column:
        value = self._value(node, scopes, known)
        self.written += value.written
        if self.written > WRITTEN:
            raise refused("it repeats too much of what its subqueries select")
        return value

    def _value(self, node: exp.Expr, scopes: tuple[Sources, ...], known: Sources) -> Column:
        if isinstance(node, exp.Column):
            return self._resolved(node, scopes)
        if isinstance(node, exp.Query):
            before = self.written
            column = next(iter(self.query(node, known, scopes).values()), _ONE)
            return column._replace(written=max(1, self.written - before))
        parts = [self._value(part, scopes, known) for part in node.iter_expressions()]
        written = 1 + sum([part.written for part in parts])
        if written > WRITTEN:
            raise refused("it repeats too much of what its subqueries select")
        made = _made(node, parts)
        return made if written == 1 else Column(written, made.digits, made.text)

    def _resolved(self, node: exp.Column, scopes: tuple[Sources, ...]) -> Column:
        """Raises Refused where a name means a whole row, which grows with each time that it is written as text."""
        name, table = node.name, node.table
        for sources in scopes:
            asked = [sources[table]] if table in sources and table else [] if table else sources.values()
            if found := [relation[name] for relation in asked if name in relation]:
                return max(found)
        if not table and any(name in sources for sources in scopes):
            raise refused(f"{name} is a table there; name its columns")
        relations = [relation for sources in scopes for relation in sources.values()]
        if not any(
            column.startswith("#") for relation in relations for column in relation
        ):  # else it may be its own name
            self.unknown = self.unknown or (f"{table}.{name}" if table else name)
        return max([column for relation in relations for column in relation.values()], default=_ONE)


def _items(node: exp.Expr) -> list[exp.Expr]:
    """What a query selects from, in order."""
    start = [node.args["from_"].this] if node.args.get("from_") else []
    items = [*start, *(join.this for join in node.args.get("joins") or ()), *(node.args.get("laterals") or ())]
    inner = [item.this for item in items if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Table)]
    return [*items, *inner, *(join.this for table in inner for join in table.args.get("joins") or ())]


def _made(node: exp.Expr, parts: list[Column]) -> Column:
    """What becomes of its parts; how much is written is for the caller to say."""
    digits, text = NUMBER, False
    for part in parts:
        digits, text = max(digits, part.digits), text or part.text
    return _rules[type(node)](node, parts, Column(1, digits, text))


def _literal(node: exp.Expr) -> Column:
    return Column(1, max(NUMBER, len(node.name)) + (100 if "e" in node.name.lower() else 0))


def _cast(node: exp.Expr, most: Column) -> Column:
    kind = node.args["to"].this.name if isinstance(node, exp.Cast) else "DATE"
    if kind in _WORDS:
        return _LONG
    if kind in _DAYS and most.text:
        raise refused("a text of a row cannot be read as a day or a time; compare purchased_on")
    return Column(1, most.digits if kind == "DECIMAL" else NUMBER)


Rule = Callable[[exp.Expr, list[Column], Column], Column]  # a node, its parts, and the most of what they are
_RULES: tuple[tuple[Rule, tuple[type[exp.Expr], ...]], ...] = (  # the first that fits
    (lambda node, parts, most: _literal(node), (exp.Literal,)),
    (lambda node, parts, most: parts[0] if parts else _ONE, (exp.Window, exp.Filter)),
    (lambda node, parts, most: _cast(node, most), (exp.Cast, exp.Date, exp.TsOrDsToDate)),
    (
        lambda node, parts, most: _LONG if '"' in node.sql(dialect="postgres") else _ONE,
        (exp.ToChar, exp.TimeToStr),
    ),
    (lambda node, parts, most: most, (exp.Greatest, exp.Least, exp.Coalesce, exp.Case, exp.If)),
    (
        lambda node, parts, most: _ONE,
        (exp.Predicate, exp.Connector, exp.Not, exp.Count, exp.Length, exp.Extract),
    ),
    (
        lambda node, parts, most: _LONG,
        (exp.Lower, exp.Upper, exp.Initcap, exp.Substring, exp.Left, exp.Right, exp.Trim),
    ),
    (lambda node, parts, most: Column(1, REAL), (exp.Exp, exp.Pow)),
    (lambda node, parts, most: _LONG if node.name in (JOINED, LISTED) else most, (exp.Anonymous,)),
    (
        lambda node, parts, most: Column(1, _within(sum(part.digits for part in parts))),
        (exp.Mul, exp.Div, exp.Mod, exp.IntDiv),
    ),
    (
        lambda node, parts, most: Column(1, _within(2 * most.digits)),
        (exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop, exp.Corr),
    ),
    (lambda node, parts, most: Column(1, most.digits + 1, most.text), (exp.Binary,)),
    (lambda node, parts, most: most, (exp.Expr,)),
)


class _ByKind(dict[type[exp.Expr], Rule]):
    """Found once for each kind."""

    def __missing__(self, kind: type[exp.Expr]) -> Rule:
        self[kind] = found = next(rule for rule, kinds in _RULES if issubclass(kind, kinds))
        return found


_rules = _ByKind()


def _within(digits: int) -> int:
    if digits > DIGITS:
        raise refused(
            "a text is multiplied, divided or summed up there; use quantity, unit_price or amount"
            if digits >= ANY
            else "a number is too long"
        )
    return digits


def _merged(*relations: Relation) -> Relation:
    """Rows of one below those of another: by position, under the first one's names."""
    columns = [list(relation.values()) for relation in relations]
    first = [name for relation in relations[:1] for name in relation]
    return {name: max(row) for name, row in zip(first, zip(*columns, strict=False), strict=False)}


def _renamed(relation: Relation, node: exp.Expr) -> Relation:
    """`AS v(a, b)`"""
    alias = node.args.get("alias")
    names = [column.name for column in alias.args.get("columns") or ()] if isinstance(alias, exp.TableAlias) else []
    return dict(zip([*names, *list(relation)[len(names) :]], relation.values(), strict=False))
