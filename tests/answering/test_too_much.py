"""What nobody could take apart is said to be so: no answer to another question, and no error of ours."""

import pytest

from beerforyou.llm.model import TextPart
from beerforyou.sentences import say
from tests.answering.test_planner import Scripted, says
from tests.conftest import Walk

TOO_MUCH = {
    "a list of names": " and ".join(f"Xyz{chr(97 + i)}{chr(97 + j)} Brewing" for i in range(8) for j in range(8)),
    "too many words": "how much did I buy in March, and in April? " * 50,
    "too many sentences": "\n".join(f"{n} boxes of IPA" for n in range(60)),
}
VAGUE = [
    "how much did I buy from The Beer Company?",
    "how much did I spend on Brewing Co in March?",
    "quanto comprei da Beer Co?",
    "quanto gastei com a Ales Brewing?",
    "tell me about The Brewing Company",
    "me fala da Brewing Company",
]


@pytest.mark.parametrize("kind", TOO_MUCH)
async def test_too_much_at_once_is_told_to_be_too_much(walk: Walk, kind: str) -> None:
    run = await walk(TOO_MUCH[kind])
    assert run["text"].startswith((say("talk.tangled", "en"), say("talk.tangled", "pt")))
    assert [step["kind"] for step in run["steps"]] == ["rule"]


@pytest.mark.parametrize("kind", TOO_MUCH)
async def test_a_model_gets_it_as_it_is(walk: Walk, kind: str) -> None:
    model = Scripted(says("Let me see."))
    run = await walk(TOO_MUCH[kind], model)
    (asked,) = model.requests[0].messages[-1].parts
    assert isinstance(asked, TextPart) and asked.text.strip() == TOO_MUCH[kind].strip()
    assert run["text"].startswith("Let me see.")


@pytest.mark.parametrize("question", VAGUE)
async def test_a_name_of_too_many_breweries_is_asked_about(walk: Walk, question: str) -> None:
    run = await walk(question)
    before, after = say("details.vague", "en" if "I" in question or "tell" in question else "pt", name="|").split("|")
    assert run["text"].startswith(before) and after in run["text"]


async def test_a_name_of_one_brewery_is_counted(walk: Walk) -> None:
    """The other side of the above: the same questions with a name that means something."""
    bought = (await walk("my top 1 breweries"))["text"]
    name = bought.split(" comes first")[0]
    run = await walk(f"how much did I buy from {name}?")
    assert [step["name"] for step in run["steps"] if step["kind"] == "tool"] == ["run_analytical_query"]
