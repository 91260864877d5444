"""Yes, no, a finger pointing, and small talk."""

import pytest

from tests.reading.conftest import Said


@pytest.mark.parametrize(
    "text",
    [
        "sim", "Sim, por favor", "quero sim", "pode ser", "bora", "siiim", "yes please", "sure, go ahead", "y", "👍",
        "a segunda", "the last one", "#3", "a 2", "number 2", "sim, a primeira", "tell me more about the first one",
        "a de Denver", "the one in Denver", "the brewpub", "me fala mais", "more details", "sim, obrigado", "both",
    ],
)  # fmt: skip
def test_acceptance(said: Said, text: str) -> None:
    reading = said(text)
    assert (reading.intent, reading.tool) == ("accept", "get_website_summary")
    assert reading.brewery is None
    assert reading.leans


@pytest.mark.parametrize(
    "text",
    ["não", "não, obrigado", "agora não", "deixa pra lá", "no thanks", "nope", "never mind", "maybe later", "👎"],
)
def test_declining(said: Said, text: str) -> None:
    assert (said(text).intent, said(text).tool) == ("decline", "none")


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("oi", "greeting"),
        ("Olá, bom dia!", "greeting"),
        ("hey there", "greeting"),
        ("valeu!", "thanks"),
        ("ok, thanks", "thanks"),
        ("tchau", "goodbye"),
        ("see you later", "goodbye"),
        ("o que você faz?", "help"),
        ("what can you do?", "help"),
        ("quero falar com um humano", "person"),
        ("get me a real person", "person"),
    ],
)
def test_small_talk_needs_no_tool(said: Said, text: str, intent: str) -> None:
    reading = said(text)
    assert (reading.intent, reading.tool, reading.leftover) == (intent, "none", ())


@pytest.mark.parametrize(
    "text",
    [
        "Oi, tudo bem? Quais brewpubs tem em Denver?",
        "Bom dia! brewpubs em Denver por favor",
        "hi, brewpubs in Denver? thanks!",
    ],
)
def test_courtesies_hide_no_question(said: Said, text: str) -> None:
    search = said(text).search
    assert search is not None
    assert (search.city, search.type) == ("Denver", "brewpub")
