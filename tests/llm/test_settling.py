"""However much a model sends, a bounded reply is kept; to settle it again changes nothing."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beerforyou.llm import settling
from beerforyou.llm.calls import NOT_MADE
from beerforyou.llm.model import Reply, Request, Source, TextPart, ToolCall
from beerforyou.llm.settling import longest_text, settled
from beerforyou.usage import Usage
from tests.cpu import quick
from tests.llm.conversations import SEARCH

REQUEST = Request(system="", messages=(), tools=(SEARCH,), max_output_tokens=100)
TALK = msgspec.structs.replace(REQUEST, tool_choice="none")


def call(args: Any, name: str = "search_breweries") -> ToolCall:
    return ToolCall("c1", name, args)


def deep(levels: int) -> dict[str, Any]:
    args: dict[str, Any] = {"city": "x"}
    for _ in range(levels - 1):
        args = {"a": args}
    return args


def test_what_is_as_large_as_it_may_be_passes_whole() -> None:
    reply = Reply(
        parts=(*(call({"sql": "x" * 4000, "n": n}) for n in range(settling.MOST_CALLS)),), model="m", usage=Usage(9, 9)
    )
    assert settled(reply, REQUEST) == reply
    text = Reply(parts=(TextPart("a" * longest_text(REQUEST)),))
    assert settled(text, REQUEST) == text


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_text_is_cut_where_it_gets_too_long(size: int) -> None:
    for parts in (
        (TextPart("a" * (longest_text(REQUEST) + size)),),
        (TextPart("a" * longest_text(REQUEST)), TextPart("b" * size)),
    ):
        reply = settled(Reply(parts=parts), REQUEST)
        assert (reply.text, reply.finish) == ("a" * longest_text(REQUEST), "length") and not reply.void


@pytest.mark.parametrize("count", [settling.MOST_CALLS + 1, 100, 500])
def test_one_call_too_many_stands_for_all_of_them(count: int) -> None:
    calls = settled(Reply(parts=tuple(call({"n": n}) for n in range(count))), REQUEST).tool_calls
    assert len(calls) == settling.MOST_CALLS + 1
    assert [NOT_MADE in made.args for made in calls] == [False] * settling.MOST_CALLS + [True]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"city": "x" * 10_000}, "too long"),
        ({f"a{n}": n for n in range(5_000)}, "too long"),
        ({"types": [[]] * 5_000}, "too long"),
        ({"x" * 6_000: 1}, "too long"),
        ({"not_an_object": "x" * 1_000_000}, "too long"),
        (deep(5), "nested"),
        (deep(900), "nested"),
        ({"city": [[[[["x"]]]]]}, "nested"),
        ({"city": "a\0b"}, "NUL"),
        ({"a\0b": "x"}, "NUL"),
    ],
)
def test_arguments_that_are_too_much_are_not_kept(args: dict[str, Any], told: str) -> None:
    (made,) = settled(Reply(parts=(call(args),)), REQUEST).tool_calls
    assert told in made.args[NOT_MADE] and len(made.args) == 1


@pytest.mark.parametrize(
    "args", [{}, deep(settling.DEEPEST_ARGS), {"types": ["micro"] * 50}, {"sql": "-- a\nSELECT 1"}]
)
def test_other_arguments_are(args: dict[str, Any]) -> None:
    (made,) = settled(Reply(parts=(call(args),)), REQUEST).tool_calls
    assert made.args == args


def test_characters_that_nobody_sees_are_no_arguments_and_no_text() -> None:
    reply = settled(Reply(parts=(TextPart("a\u202eb\x1b"), call({"ci\u200bty": "Aus\u202etin\ud800"}))), REQUEST)
    assert reply.parts == (TextPart("ab"), call({"city": "Austin"}))


@pytest.mark.parametrize(
    ("name", "kept"), [("x" * 100_000, "x" * 64), ("rm -rf\u202e /", "rm_-rf___"), ("", "unnamed")]
)
def test_a_name_is_one_that_a_provider_takes_back(name: str, kept: str) -> None:
    assert settled(Reply(parts=(call({}, name),)), REQUEST).tool_calls[0].name == kept


def test_what_comes_with_it_is_bounded_too() -> None:
    sources = tuple(Source(f"https://a/{'x' * n * 500}", "t" * 10_000) for n in range(50))
    reply = settled(
        Reply(
            parts=(TextPart("a", "s" * 100_000),), model="m" * 9_000, sources=sources, finish="malformed", why="w" * 9_000,
            usage=Usage(10**30, -5),
        ),
        REQUEST,
    )  # fmt: skip
    assert len(msgspec.json.encode(reply)) < 10_000
    assert reply.usage.input > 0 and reply.usage.output == 0


@pytest.mark.parametrize(
    ("reply", "request_", "finish"),
    [
        (Reply(parts=()), REQUEST, "empty"),
        (Reply(parts=(TextPart(" \n "),)), REQUEST, "empty"),
        (Reply(parts=(TextPart("\u200b\u2060"),)), REQUEST, "empty"),
        (Reply(parts=(TextPart("", "signature"),)), REQUEST, "empty"),
        (Reply(parts=(TextPart("Vou ver."),), finish="malformed"), REQUEST, "malformed"),
        (Reply(parts=(call({}),), finish="malformed"), REQUEST, "malformed"),
        (Reply(parts=(TextPart('Hm: search_breweries(city="x")'),)), REQUEST, "malformed"),
        (Reply(parts=(TextPart("Hm: search_\u200bbreweries(city='x')"),)), REQUEST, "malformed"),
        (Reply(parts=(TextPart("Hm: search_"), TextPart("breweries()"))), REQUEST, "malformed"),
        (Reply(parts=(call({}),)), TALK, "malformed"),
        (Reply(parts=(), finish="length"), REQUEST, "length"),
    ],
)
def test_what_cannot_be_used_is_void_and_says_why(reply: Reply, request_: Request, finish: str) -> None:
    void = settled(reply, request_)
    assert void.void and void.finish == finish and void.why
    assert settled(void, request_) == void


@pytest.mark.parametrize(
    ("reply", "request_"),
    [
        (Reply(parts=(TextPart("Achei (três)."),)), REQUEST),
        (Reply(parts=(TextPart("Achei três."), call({}))), TALK),
        (Reply(parts=(call({}),)), REQUEST),
        (Reply(parts=(), finish="safety"), REQUEST),
        (Reply(parts=(TextPart("cut sh"),), finish="length"), REQUEST),
    ],
)
def test_what_can_be_used_is_not(reply: Reply, request_: Request) -> None:
    assert not settled(reply, request_).void
    assert not (settled(reply, request_).tool_calls and request_ is TALK)


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
)
PARTS = st.builds(TextPart, st.text()) | st.builds(
    ToolCall, st.text(max_size=9), st.text(), st.dictionaries(st.text(), VALUES)
)


@given(st.lists(PARTS, max_size=15), st.sampled_from([REQUEST, TALK]))
def test_twice_is_once(parts: list[Any], request_: Request) -> None:
    once = settled(Reply(parts=tuple(parts)), request_)
    assert settled(once, request_) == once
    assert msgspec.json.encode(once), "whatever it was, it can be written"


def test_it_takes_no_longer_than_what_is_kept() -> None:
    huge = {"a": list(range(1_000_000)), "b": "x" * 10_000_000}
    reply = Reply(parts=(TextPart("word " * 1_000_000), *(call(huge) for _ in range(500))))
    with quick(0.1):
        settled(reply, REQUEST)
