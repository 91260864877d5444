"""The offline model's sentences about breweries: what is known of one, several side by side, and why they were shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from beerforyou.sentences import Language, listed, say

Fact = dict[str, Any]
MOST_SENTENCES = 3  # breweries of which a sentence each is said; a table shows more
KM_A_MILE = 1.609344
_NEAR_KM = 10  # below it a distance has a decimal


def facts(known: Sequence[Fact], asks: Sequence[str], language: Language) -> str:
    if not asks:
        return say("facts.known" if len(known) == 1 else "facts.side_by_side", language, name=known[0]["name"])
    if len(known) > MOST_SENTENCES:
        return say("facts.side_by_side", language)
    return " ".join(_answer(fact, each, language) for fact in known for each in asks).replace("..", ".")  # "Ale Co.."


def _answer(fact: Fact, asked: str, language: Language) -> str:
    name = fact["name"]
    match asked:
        case "phone" | "website":
            known = fact.get(asked)
            return say(f"facts.{asked}" if known else f"facts.no_{asked}", language, name=name, value=known)
        case "address":
            key = "address" if "address" in fact else "place"
            return say(f"facts.{key}", language, name=name, value=fact.get("address"), place=fact["place"])
        case "type":
            return say("facts.type", language, name=name, value=say(f"type.{fact['type']}", language))
        case "distance" | "miles":
            return _distance(fact, asked, language)
        case "bought" | "since":
            return _bought(fact, language)
        case "beers":
            own = fact.get("bought", {}).get("beers", [])
            more = [say("facts.own_beers", language, beers=listed(own, language))] if own else []
            return " ".join([say("facts.no_beers", language, name=name), *more])
        case _:
            return say(f"facts.no_{asked}", language, name=name)


def _distance(fact: Fact, asked: str, language: Language) -> str:
    if "km" not in fact:
        return say("facts.no_distance", language, name=fact["name"])
    away = fact["km"] / (KM_A_MILE if asked == "miles" else 1)
    value = round(away, 1) if away < _NEAR_KM else round(away)
    return say(f"facts.{asked}", language, name=fact["name"], value=value)


def _bought(fact: Fact, language: Language) -> str:
    if "bought" not in fact:
        return say("facts.hidden", language)
    own = fact["bought"]
    return say("facts.bought" if own else "facts.not_bought", language, **({"name": fact["name"]} | own))


def reasons(content: dict[str, Any], picked: Sequence[str], best: bool, language: Language) -> str:
    """Of those that were picked, or of all; a search that recommends nothing has none."""
    if not content.get("only_new"):
        return say("why.no_ranking" if best else "why.found", language)
    why = {line["name"]: line.get("why", "") for line in content["breweries"]}
    named = [name for name in picked if why.get(name)]
    if not named:
        return say("why.all", language)
    return " ".join(say("why.best" if best else "why.one", language, name=name, why=why[name]) for name in named)
