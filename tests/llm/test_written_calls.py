"""Calls that models wrote as text, by the habits of many, and prose that only looks a little like them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beerforyou.llm.model import Reply, Request, TextPart, ToolCall
from beerforyou.llm.settling import settled
from beerforyou.llm.written_calls import SUSPICIOUS, is_call
from beerforyou.tools import TOOLS
from tests.cpu import quick

NAMES = tuple(TOOLS)
CALLS = [
    '```tool_code\nprint(default_api.search_breweries(city="San Diego", only_new=True))\n```',
    "```tool_call\nget_client_profile\n```",
    "```tool_outputs\n{}\n```",
    'search_breweries(city="San Diego")',
    "search_breweries (city = 'San Diego')",
    'search\\_breweries(city="San Diego")',
    'searchBreweries(city: "San Diego")',
    "`search_breweries`(city='San Diego')",
    "**search_breweries**({})",
    "[search_breweries(city='San Diego'), get_client_profile()]",
    "print(get_client_profile())",
    "default_api.get_website_summary(brewery='Stone')",
    "result = default_api.web_search('x')",
    'functions.search_breweries({"city": "Austin"})',
    'functions.search_breweries:0 {"city": "Austin"}',
    'commentary to=functions.search_breweries {"city": "Austin"}',
    'commentary to=search_breweries json{"city": "Austin"}',
    '{"name": "search_breweries", "arguments": {"city": "San Diego"}}',
    "{'name': 'search_breweries', 'parameters': {'city': 'San Diego'}}",
    '{"type": "function", "function": {"name": "default_api:search_breweries"}}',
    '{"tool": "run_sql", "args": {"sql": "SELECT 1"}}',
    '{"tool_name": "get_client_profile"}',
    '{"action": "search_breweries", "action_input": {"city": "Austin"}}',
    '{"search_breweries": {"city": "Austin"}}',
    '{"city": "San Diego", "only_new": true}',
    '```json\n{"city": "San Diego"}\n```',
    '[{"city": "San Diego"}]',
    'Vou consultar.\n<tool_call>{"name": "x"}</tool_call>',
    "<tool_call>\nsearch_breweries",
    "<|tool_call|>[...]",
    "<|python_tag|>search_breweries.call(city='Austin')",
    "<｜tool▁calls▁begin｜>",
    "<function=search_breweries>{}</function>",
    '<function_calls><invoke name="search_breweries">',
    '<invoke name="x">',
    "<search_breweries><city>Austin</city></search_breweries>",
    '<search_breweries city="Austin"/>',
    "<start_function_call>call:search_breweries{city:Austin}<end_function_call>",
    '[TOOL_CALLS] [{"name": "x"}]',
    '[TOOL_CALLS]search_breweries[ARGS]{"city": "Austin"}',
    "[tool_call: search]",
    "Thought: I need breweries.\nAction: search_breweries\nAction Input: Austin",
    'search_breweries: {"city": "Austin"}',
    'search_breweries\n{"city": "Austin"}',
    "Claro! Um momento.\n\nsearch_breweries(city='Austin')\n\nAchei três.",
]
PROSE = [
    "Achei três cervejarias (todas novas) em San Diego.",
    "I can search for breweries in San Diego (California), if you like.",
    "Your search: breweries in Austin. Found: 3 (of 12).",
    "The function of hops (bitterness) is to balance malt; the tool is a kettle.",
    "I used search_breweries to look around Austin.",
    "search_breweries and get_client_profile told me so.",
    "Call (512) 555-0100 to ask for a tour.",
    "Você gastou R$ 1.234,50 (12% a mais) [em março].",
    "Name: Stone Brewing. City: Escondido {California}.",
    "It's 5 < 6 and 7 > 2 | nothing else.",
    "Take action: order before Friday.",
    "Compre a `Pliny the Elder` (IPA), *nova* para você.",
    "[1] Stone Brewing, [2] Modern Times",
    "Here you go 👩‍🍳 :) ;-) (=",
    "The profile says: 3 orders, 2 breweries; the summary (paid) costs money.",
    "Print the list and bring it along (it has an index).",
    "A search of breweries(3) in town",
    "Nada encontrado...",
    "",
]


@pytest.mark.parametrize("text", CALLS)
def test_a_written_call_is_one(text: str) -> None:
    assert is_call(text, NAMES)
    assert SUSPICIOUS.search(text), "what streams must wait for it"


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_none(text: str) -> None:
    assert not is_call(text, NAMES)


SAID_PLAINLY = re.compile(r"[{<\[`|_]|\w[(（]|\bdefault_api|\bfunctions\.|\baction\b", re.IGNORECASE)
PIECES = st.sampled_from(["action", "ACTİON", "actıon", "ac", "functions", "functionſ", ".", "(", "（", " ", "é", "x", "default_api", "|"])  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_suspicion_is_the_same_however_it_is_looked_for(text: str) -> None:
    assert bool(SUSPICIOUS.search(text)) == bool(SAID_PLAINLY.search(text))


def test_a_tool_that_the_caller_may_not_use_has_no_name() -> None:
    assert not is_call("search_breweries(city='Austin')", ["get_client_profile"])


@pytest.mark.parametrize(
    "text",
    ["`" * 8192, "search_breweries" + " " * 8000 + "x", "name:" * 1638, "name=" * 1638, "<" * 8192, "<a" * 4096,
     "search_breweries (" + "a" * 8000, "search_breweries" + "\"'`*\\" * 1600, "search_breweries " * 481, "{" * 8192,
     "```" + " " * 8000 + "```", "a:" * 4096, "[tool " * 1365, "search_" * 1170, "name" + " " * 8000],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    with quick(0.1):
        is_call(text, NAMES)


@pytest.mark.parametrize("text", CALLS)
def test_beside_a_real_call_it_is_no_matter(text: str) -> None:
    request = Request(system="", messages=(), tools=tuple(tool.spec for tool in TOOLS.values()))
    real = ToolCall("c1", "get_client_profile", {})
    assert not settled(Reply(parts=(TextPart(text), real)), request).void
    alone = settled(Reply(parts=(TextPart(text),)), request)
    assert alone.void or not alone.text, "it is made, or asked for again (test_understood_calls.py)"
