"""Which rows: superlatives, numbers of rows, lists, and rows of the last table."""

from __future__ import annotations

from beerforyou.reading.asking.asked import Unread
from beerforyou.reading.asking.evidence import before, words_of_marks
from beerforyou.reading.question import Dimension
from beerforyou.reading.words.lexicon import Mark

_DATED = ("first", "last", "since", "change")
_BESIDE = ("most", "least", "ordinal", "dearness")  # what a number of rows stands next to


def pointed(r: Unread, listed: int) -> None:
    """ "com ela", "da primeira", "on the last one": rows of the table before, which has `listed`."""
    m = r.m
    single = listed == 1 or (r.follows is not None and r.follows.limit == 1)
    for mark in r.free("pointing") if listed else ():
        everyone = m.has_at(mark.start, "pointing_all")
        if everyone or single:
            r.asked.pointed += (None if everyone else 0,)
            r.take(mark)
    for mark in (*r.free("ordinal"), *r.free("last")) if listed else ():
        if int(mark.value or -1) <= listed and _points_at_row(r, mark):
            r.asked.pointed += (int(mark.value or -1),)
            r.take(mark, *m.starting(mark.end, "row_tail"))


def _points_at_row(r: Unread, mark: Mark) -> bool:
    """ "com a primeira", "on the first one"; not "a primeira vez", nor "as 3 primeiras"."""
    m, beside = r.m, (mark.start - 1, mark.end)
    counts = any(m.word(i).isdecimal() or (m.has_at(i, "number") and not m.has_at(i, "row_tail")) for i in beside)
    if counts or not m.has_at(mark.start - 1, "article", "of_or_with"):
        return False
    if mark.end == len(m) or m.starts(mark.end, "row_tail", "single", "in_place"):
        return True
    return not m.has_at(mark.start, "moment") and not m.starts(mark.end, "axis", "unit", "bought")


def dearness(r: Unread) -> None:
    """ "mais barata", "best price": of the price, but "pedido mais caro" of the amount."""
    marks = r.free("dearness")
    if not marks:
        return
    r.asked.direction = marks[0].value
    r.take(*marks)
    if not r.asked.measures and not any(_is_sized(r, mark, marks) for mark in r.free("axis", "order")):
        r.asked.measures = ("price",)


def rank(r: Unread) -> None:
    asked = r.asked
    if ways := r.free("sorted_by"):
        asked.direction = ways[0].value
        r.take(*ways)
    superlatives = [*r.free("most"), *r.free("least")]
    number = _number(r, bool(superlatives))
    one_of_times = bool(asked.direction) and len(asked.spans or ()) == 2 and not (asked.by or superlatives or number)
    if asked.aggregate in _DATED or asked.only_order or one_of_times:
        return
    asked.direction = asked.direction or _direction(r, superlatives)
    if asked.direction or number:
        _ranked_by(r, r.free("sized"), number)
    if asked.by or _keeps_rows(r):
        r.take(*superlatives)
        if (
            asked.measures == ("amount",)
            and asked.by != ("order",)
            and any(r.m.has_at(mark.end, "bought") for mark in superlatives)
        ):
            asked.measures = ("quantity", "amount")  # "quanto gastei com as 3 mais compradas"
    elif asked.direction:
        asked.direction = ""  # "gastei mais?" ranks nothing
        r.used -= words_of_marks(*r.m.all("dearness"))
    if number:
        asked.limit = number
        asked.direction = asked.direction or ("most" if not r.follows or not r.follows.direction else "")


def _direction(r: Unread, superlatives: list[Mark]) -> str:
    """Of superlatives, of "ranking", or of nouns sorted by a measure: "meus estilos por valor"."""
    if superlatives:
        return "least" if any(mark.tag == "least" for mark in superlatives) else "most"
    ranks = r.free("ranks") if r.free("axis") else []
    r.take(*ranks)
    return "most" if ranks or (r.sorts and r.nouns() and not r.asked.by) else ""


def _ranked_by(r: Unread, sized: list[Mark], number: int) -> None:
    """What the superlative is of: the noun after "qual", else the first; beers (breweries, of a type) where none is."""
    asked, m = r.asked, r.m
    nouns = [mark for mark in r.free("axis") if mark.value != "order" or _is_sized(r, mark, sized)]
    after_which = [mark for mark in nouns if before(m, mark.start, "which", 3) or mark.value == "order"]
    noun = next(iter(after_which or nouns), None)
    if noun and noun.value == "day" and (orders := [mark for mark in nouns if mark.value == "order"]):
        r.take(noun)  # "que dia foi meu maior pedido": an order is told by its day
        noun = orders[0]
    single = False
    if noun and (not asked.by or noun.value in asked.by):  # "top 3 cervejas de cada mês" can't be said
        r.take(noun)
        single = not asked.by and not m.has_at(noun.start, "plural")
        asked.by = asked.by or (noun.value,)  # type: ignore[assignment]
        asked.measures = asked.measures or (("amount",) if noun.value == "order" else ())
    elif _keeps_rows(r):
        single = m.has("single", "of_those")
        asked.measures = asked.measures or (("amount",) if sized and r.follows and r.follows.by[0] == "order" else ())
        r.take(*r.free("of_those"))
    elif not asked.by and sized and r.follows and r.follows.measures == ("orders",) and not r.follows.by:
        asked.by, asked.measures, single = ("order",), ("amount",), True  # "quantos pedidos?", "e qual foi o maior?"
    elif not asked.by and (r.bare or number or m.has("which", "single", "possessive")):
        asked.by = ("brewery",) if any(each.field == "type" for each in asked.filters) else ("beer",)
        single = m.has("single", "which") and not m.has("several_asked") and not r.bare
    if single and not number:
        asked.limit = 1


def _keeps_rows(r: Unread) -> bool:
    """Does the question before have rows that this one only ranks anew?"""
    m = r.m
    if r.follows is None or not r.follows.by or r.asked.by or r.bare:
        return False
    return not m.has("i") or m.has("of_those") or m.starts(0, "and", "and_what_about", "continues")


def _is_sized(r: Unread, order: Mark, sized: list[Mark]) -> bool:
    """ "maior pedido", "pedido mais caro", "biggest order": not what I ordered most."""
    m = r.m
    beside = any(mark.end == order.start or mark.start == order.end for mark in sized)
    dear = m.ends(order.start, "dearness") or m.starts(order.end, "dearness")
    return beside or dear or (m.ends(order.start, "most") and not m.has_at(order.start - 1, "bare_most"))


def _number(r: Unread, ranked: bool) -> int:
    """ "top 5", "as 10 mais", "5 cervejas", "só as 3 primeiras": a number that counts rows; another is left over."""
    m = r.m
    numbers = [Mark("number", i, i + 1, word) for i, word in enumerate(m.plain) if word.isdecimal() and len(word) < 4]
    numbers += [mark for mark in m.all("number") if not m.has_at(mark.start, "row_tail")]
    for mark in numbers:
        if m.has_at(mark.start - 1, "option"):  # "number 2" is the second
            continue
        beside = m.has_at(mark.end, "axis", "style", *_BESIDE) or m.has_at(mark.start - 1, "top", *_BESIDE)
        led = m.has_at(mark.start - 1, "self", "possessive", "find", "shows", "the_many")
        if r.taken.isdisjoint(range(mark.start, mark.end)) and (beside or (led and (mark.end == len(m) or ranked))):
            r.take(mark, *(o for o in r.free("ordinal") if o.start == mark.end or o.end == mark.start))
            return int(mark.value)
    return 0


def rows(r: Unread) -> None:
    """ "quais IPAs compro", "o que comprei", "minhas cervejas": rows are asked for, not a figure."""
    asked, m = r.asked, r.m
    if asked.aggregate or asked.direction or asked.limit or asked.only_order:
        return
    when = r.free("moment", "when")
    if asked.having:
        asked.aggregate, asked.by = "list", asked.by or (_listed(r) or "beer",)
    elif when and m.has("bought"):
        r.take(*when)
        asked.aggregate, asked.by = "list", asked.by or ("day",)
    elif not (m.has("how_many") or asked.measures or asked.by):
        _bare_list(r)


def _bare_list(r: Unread) -> None:
    asked, m, noun = r.asked, r.m, _listed(r)
    which = any(not m.has_at(mark.start, "and_what_about") for mark in m.all("which", "shows"))
    if noun or (which and asked.filters) or (r.bare and m.has("bought")):
        asked.aggregate, asked.by = "list", (noun or "beer",)
        asked.measures = ("quantity", "amount") if noun == "order" else ()
        r.take(*r.free("all_of"))


def _listed(r: Unread) -> Dimension | None:
    """What the list is of: the first noun that may be, orders after everything else."""
    nouns = r.free("axis") if r.m.has("which") else r.nouns()
    goods = [mark for mark in nouns if mark.value != "order"]
    noun = next(iter(goods or nouns), None)
    if noun is None or (noun.value == "order" and r.follows is not None):
        return None
    r.take(noun)
    return noun.value  # type: ignore[return-value]


def idle_nouns(r: Unread) -> None:
    """Nouns that say no more than what is asked about anyway: "com cervejas", "em cervejarias do Texas"."""
    if r.asked.by:
        r.take(*(mark for mark in r.free("shows") if mark.end - mark.start > 1))
    r.take(*(mark for mark in r.free("bought") if mark.end - mark.start > 1 and r.m.has_at(mark.start, "i", "self")))
    r.take(*(mark for mark in r.free("whence") if r.m.ends(mark.start, "axis")))  # "cervejarias onde mais gasto"
    r.take(*(mark for mark in r.free("already") if r.m.has_at(mark.end, "bought")))  # "do I already buy from Stone?"
    if r.asked.direction:
        return
    if r.asked.aggregate != "list":
        r.take(*r.free("axis", "beer"))
    if any(each.field in ("type", "state", "city", "brewery") for each in r.asked.filters):
        r.take(*r.free("axis", "brewery"))
