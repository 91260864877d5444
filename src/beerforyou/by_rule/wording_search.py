"""Sentences about a search: what was looked for and where, how many there are, what of the message no catalogue can know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from beerforyou.reading.reading import Reading, Search
from beerforyou.sentences import Language, listed, located, number, say
from beerforyou.sentences.rendering import KM_A_MILE, distance_text

Content = dict[str, Any]
MOST_WORDS = 4  # words that are quoted; more is a story
MOST_PLACED = 3  # breweries of one name whose addresses fit into a sentence


def searched(content: Content, language: Language) -> str:
    return " ".join(filter(None, (_found(content, language), *_besides(content, language))))


def unheeded(reading: Reading, language: Language) -> str:
    """What of a search was not taken into account: what no catalogue knows, with what can be done, and words that said
    nothing to us."""
    if reading.intent not in ("search", "recommend"):
        return ""
    if reading.wishes:
        known = [say(f"wish.{kind}", language) for kind in reading.wishes]
        instead = say("search.can_style" if "style" in reading.wishes else "search.can_web", language)
        return f"{say('search.not_known', language, what=listed(known, language, 'or'))} {instead}"
    if reading.leftover:
        words = [f'"{word}"' for word in reading.leftover[:MOST_WORDS]]
        return say("search.unheeded", language, words=listed(words, language))
    return ""


def asks_only_unknown(reading: Reading) -> bool:
    """Is there nothing to look for but what no catalogue knows ("something hoppy")?"""
    return bool(reading.wishes) and reading.intent == "search" and reading.search in (None, Search(), Search(limit=1))


def _found(content: Content, language: Language) -> str:
    n, shown, where = content["total"], len(content["breweries"]), _where(content, language)
    new = content.get("only_new", False)
    if n and content.get("counted"):
        return say("search.counted_new" if new else "search.counted", language, n=n, where=where)
    if not n:
        return say("search.nothing_new" if new and content.get("known") else "search.nothing", language, where=where)
    if not shown:
        return say("search.no_more", language, n=n)
    if content.get("alike") and shown:
        return say("search.alike", language, name=content["name"], alike=content["breweries"][0]["name"])
    if shown == 1 < n and content.get("nearest") and content["first"] == 1:
        first = content["breweries"][0]
        return say(
            "search.nearest_new" if new else "search.nearest_first",
            language,
            where=where,
            **_told(first, content, language),
        )
    if new:
        key = "search.recommended_this" if shown == 1 < n else "search.recommended"
        return say(key, language, n=n, shown=shown, where=where, in_city=_in_city(content, language))
    if content.get("name") and shown == n <= MOST_PLACED:
        return " ".join(
            say("search.is_at", language, **_told(each, content, language)) for each in content["breweries"]
        )
    if shown == 1 < n:
        return say("search.found_this", language, n=n, where=where)
    return say("search.found_shown" if shown < n else "search.found", language, n=n, shown=shown, where=where)


def _told(brewery: Content, content: Content, language: Language) -> dict[str, str]:
    """Its name, where it is, and how far when that is known."""
    unit = content.get("unit", "km")
    away = say("search.away", language, far=distance_text(brewery["km"], unit, language)) if "km" in brewery else ""
    place = ", ".join(filter(None, (brewery.get("address"), brewery["place"])))
    return {"name": brewery["name"], "place": place, "away": away}


def _in_city(content: Content, language: Language) -> str:
    """ " (34 in the city itself)", where it was looked farther around."""
    here = content.get("in_city", 0)
    return say("search.in_city", language, n=here) if 0 < here < content["total"] else ""


def _besides(content: Content, language: Language) -> Iterator[str]:
    by_distance = content.get("nearest") or (content.get("within_km") and not content.get("only_new"))
    if by_distance and any("km" not in brewery for brewery in content["breweries"]):
        yield say("search.no_distance", language)
    if len(content["breweries"]) > 1 and not content.get("name") and (place := content.get("closest_to")):
        yield say(
            "search.closest_to_you" if content.get("closest_to_you") else "search.closest_to", language, place=place
        )
    if most := content.get("at_most"):
        yield say("search.at_most", language, n=most)


def _where(content: Content, language: Language) -> str:
    """ " of type brewpub or taproom in San Diego, California, with a website"."""
    parts = []
    if kinds := content.get("type"):
        parts.append(say("search.of_type", language, type=listed(_types(kinds, language), language, "or")))
    if kinds := content.get("not_types"):
        parts.append(say("search.not_of_type", language, type=listed(_types(kinds, language), language, "or")))
    if name := content.get("name"):
        parts.append(say("search.named", language, name=name))
    if name := content.get("like"):
        parts.append(say("search.like", language, name=name))
    if wanted := content.get("has"):
        parts.append(say("search.having", language, what=listed([say(f"has.{w}", language) for w in wanted], language)))
    parts.append(_in_place(content, language))
    if places := content.get("not_in"):
        parts.append(say("search.not_in", language, place=listed(places, language, "or")))
    return "".join(parts)


def _types(kinds: list[str], language: Language) -> list[str]:
    return [say(f"type.{kind}", language) for kind in kinds]


def _in_place(content: Content, language: Language) -> str:
    places = content.get("place", [])
    if not (km := content.get("within_km")):
        return f" {listed([located(place, language) for place in places], language, 'or')}" if places else ""
    key = "search.around_you" if content.get("around_you") else "search.within"
    return say(key, language, far=_far(km, content.get("unit", "km"), language), place=listed(places, language, "or"))


def _far(km: float, unit: str, language: Language) -> str:
    far = km / KM_A_MILE if unit == "mi" else km
    return f"{number(round(far, 1), language)} {unit}"
