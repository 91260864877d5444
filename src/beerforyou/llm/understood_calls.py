"""Tool calls that a model wrote as text, in the form of its family, where the reply is nothing but calls of tools that it has.

Whatever else is in it makes it prose, of which nothing is called. One pass, each character looked at a few times: what is no
call ends it. `tests/llm/test_understood_calls.py` is the list of forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, cast

import msgspec

MOST = 11  # calls of one reply: one more than are made, so that it is known
DEEPEST = 8  # of an argument; what tools declare has three levels
_NAME_KEYS = ("name", "tool", "tool_name", "function", "function_name", "recipient_name", "action")
_ARGS_KEYS = ("arguments", "parameters", "args", "input", "action_input", "tool_input")
_BESIDE = {"type", "id", "call_id", "index"}  # what else such an object may have
_WORDS = {"true": True, "false": False, "null": None, "none": None}

# Marks of Qwen and Hermes, Llama, Mistral, DeepSeek, Kimi, OpenAI, Gemini and Anthropic, and what stands between two calls.
_MARK = r"<[|｜](?!im_start)[\w▁ ]{1,40}[|｜]>"
_BETWEEN = re.compile(
    r"(?:```(?:[\w-]*+[ \n])?"
    r"|</?(?:\w{1,30}:)?(?:start_|begin_|end_)?(?:tool|function)[_ -]?(?:call|use|code)s?>|</?tools>"
    r"|\[/?TOOL_CALLS\]"
    rf"|{_MARK}"
    r"|(?:analysis|commentary|function|json)\b(?=\s*+(?:to=|<))|\bto="
    r"|[\s,;\[\]])*+",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"""\s*+(?:(?P<string>\"\"\"(?:[^"\\]|\\.|\"(?!\"\"))*+\"\"\"|"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')"""
    r"""|(?P<number>-?\d{1,20}(?:\.\d{1,20})?(?![\w.]))|(?P<word>[A-Za-z_]\w{0,63})|(?P<mark>[][{}():=,]))""",
    re.DOTALL,
)
_PARAMETER = re.compile(
    r"\s*+<(?:\w{1,30}:)?parameter(?:=|\s+name\s*=\s*)[\"']?(?P<name>\w{1,64})[\"']?\s*>"
    r"(?P<value>[^<]*+(?:<(?!/(?:\w{1,30}:)?parameter\s*>)[^<]*+)*+)</(?:\w{1,30}:)?parameter\s*>",
    re.IGNORECASE,
)
_CLOSED = re.compile(r"\s*+</(?:\w{1,30}:)?(?:invoke|function)\s*>", re.IGNORECASE)


class Written(NamedTuple):
    """`source`: the characters that it was written with."""

    name: str
    args: dict[str, Any]
    source: str


class _NoCall(Exception):
    pass


def understood(text: str, names: Iterable[str]) -> list[Written]:
    """None where there is anything else in it, or a call of another tool."""
    reader = _Reader(text.strip(), _Names.of(tuple(names)))
    try:
        return list(reader.calls())
    except _NoCall:
        return []


class _Names:
    """How a tool may be spelled, and the two ways that a call may begin with it."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._plain = {_folded(name): name for name in names}
        spelled = "|".join(r"\\?[_-]?".join(map(re.escape, name.split("_"))) for name in names) or r"(?!)"
        name = rf"(?:(?:default_api|functions?|tools?)[.:])?[`*]{{0,3}}(?P<name>{spelled})[`*]{{0,3}}"
        self.called = re.compile(
            rf"(?P<print>print\(\s*+)?{name}(?:\.call)?(?::\d{{1,4}})?\s*+"
            rf"(?:(?P<open>\()|(?:\[ARGS\]|[:=]|{_MARK})?\s*+(?:json\s*+)?(?:```(?:json)?\s*+|{_MARK}\s*+)?(?=\{{)"
            r"|(?=```|</|<[|｜]|$))",
            re.IGNORECASE,
        )
        self.tagged = re.compile(
            rf"<(?:\w{{1,30}}:)?(?:invoke\s+name\s*=\s*|function\s*=\s*)[\"']?{name}[\"']?\s*>", re.IGNORECASE
        )

    @classmethod
    @lru_cache(16)  # one for each set of tools that a piece allows
    def of(cls, names: tuple[str, ...]) -> _Names:
        return cls(names)

    def tool(self, written: Any) -> str:
        """Raises _NoCall."""
        bare = re.split(r"[.:/]", written)[-1] if isinstance(written, str) else ""
        if name := self._plain.get(_folded(bare)):
            return name
        raise _NoCall


def _folded(name: str) -> str:
    return re.sub(r"[\\_-]", "", name).lower()


class _Reader:
    """At `at` in the text; each method goes on past what it reads, or raises _NoCall."""

    def __init__(self, text: str, names: _Names) -> None:
        self.text, self.names, self.at = text, names, 0

    def calls(self) -> Iterator[Written]:
        for _ in range(MOST + 1):
            self._pass(_BETWEEN)
            if self.at == len(self.text):
                return
            start = self.at
            for name, args in self._call():
                yield Written(name, args, self.text[start : self.at])
        raise _NoCall

    def _call(self) -> list[tuple[str, dict[str, Any]]]:
        if self.text.startswith("{", self.at):
            return self._of_object(self._value(1))
        if tagged := self._pass(self.names.tagged):
            return [(self.names.tool(tagged["name"]), self._parameters())]
        if called := self._pass(self.names.called):
            return [(self.names.tool(called["name"]), self._arguments(called))]
        raise _NoCall

    def _pass(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if found := pattern.match(self.text, self.at):
            self.at = found.end()
        return found

    def _of_object(self, written: Any) -> list[tuple[str, dict[str, Any]]]:
        """An object that says which tool, and with what: by keys, or by the tool's name as its only one."""
        if isinstance(calls := written.get("tool_calls"), list) and len(written) == 1:
            return [call for each in calls if isinstance(each, dict) for call in self._of_object(each)]
        if isinstance(inner := written.get("function"), dict) and not written.keys() - {"function", *_BESIDE}:
            return self._of_object(inner)
        if len(written) == 1 and isinstance(args := next(iter(written.values())), dict):
            return [(self.names.tool(next(iter(written))), args)]
        name, args = _one_of(written, _NAME_KEYS), _one_of(written, _ARGS_KEYS)
        if written.keys() - {*_NAME_KEYS, *_ARGS_KEYS, *_BESIDE}:
            raise _NoCall
        if isinstance(args, str):
            args = _Reader(args, self.names).whole() if args.strip() else {}
        return [(self.names.tool(name), _an_object({} if args is None else args))]

    def whole(self) -> Any:
        value = self._value(1)
        if self.text[self.at :].strip():
            raise _NoCall
        return value

    def _arguments(self, called: re.Match[str]) -> dict[str, Any]:
        if not called["open"]:
            return _an_object(self._value(1)) if self.text.startswith("{", self.at) else {}
        args = self._in_parentheses()
        if called["print"] and self._piece() != ")":
            raise _NoCall
        return args

    def _in_parentheses(self) -> dict[str, Any]:
        """Named ones, or an object with all of them; the parenthesis is open."""
        if (piece := self._piece()) == "{":
            args = _an_object(self._rest_of("}", 2))
            if self._piece() != ")":
                raise _NoCall
            return args
        return self._pairs(")", piece, 2)

    def _parameters(self) -> dict[str, Any]:
        if (piece := _TOKEN.match(self.text, self.at)) and piece["mark"] == "{":
            args = _an_object(self._value(1))
        else:
            args = {}
            while given := self._pass(_PARAMETER):
                args[given["name"]] = self._of_text(given["value"].strip())
        if not self._pass(_CLOSED) and self.at < len(self.text):
            raise _NoCall
        return args

    def _of_text(self, value: str) -> Any:
        """Between two tags everything is text; lists and objects are meant."""
        return _Reader(value, self.names).whole() if value.startswith(("[", "{")) else value

    def _piece(self) -> Any:
        """A mark as it is, a value in a tuple of one, a word as bytes: which it is depends on what follows."""
        found = self._pass(_TOKEN)
        if found is None:
            raise _NoCall
        if found["string"] is not None:
            return (_text(found["string"]),)
        if found["number"]:
            return (float(found["number"]) if "." in found["number"] else int(found["number"]),)
        return found["word"].encode() if found["word"] else found["mark"]

    def _value(self, depth: int, piece: Any = None) -> Any:
        piece = piece or self._piece()
        if depth > DEEPEST:
            raise _NoCall
        if isinstance(piece, tuple):
            return piece[0]
        if piece in ("{", "["):
            return self._rest_of("}" if piece == "{" else "]", depth + 1)
        word = piece.decode().lower() if isinstance(piece, bytes) else ""
        if word not in _WORDS:
            raise _NoCall
        return _WORDS[word]

    def _rest_of(self, end: str, depth: int) -> Any:
        if end == "}":
            return self._pairs(end, self._piece(), depth)
        items = []
        while (piece := self._piece()) != end:
            items.append(self._value(depth, piece))
            if not self._goes_on(end):
                break
        return items

    def _pairs(self, end: str, piece: Any, depth: int) -> dict[str, Any]:
        """Up to `end`, with a comma between each two; a key is a word or a text, and = or : stands behind it."""
        pairs: dict[str, Any] = {}
        while piece != end:
            key = piece.decode() if isinstance(piece, bytes) else piece[0] if isinstance(piece, tuple) else None
            if not isinstance(key, str) or self._piece() not in ("=", ":"):
                raise _NoCall
            pairs[key] = self._value(depth)
            if not self._goes_on(end):
                break
            piece = self._piece()
        return pairs

    def _goes_on(self, end: str) -> bool:
        piece = self._piece()
        if piece not in (",", end):
            raise _NoCall
        return bool(piece == ",")


def _one_of(written: dict[str, Any], keys: tuple[str, ...]) -> Any:
    """The value of the only one that is there."""
    there = [key for key in keys if key in written]
    if len(there) > 1:
        raise _NoCall
    return written[there[0]] if there else None


def _an_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _NoCall
    return value


def _text(string: str) -> str:
    """Of a text in quotes, by the rules of JSON, where a newline and an apostrophe may stand as they are."""
    quotes = 3 if string.startswith('"""') else 1
    inner = re.sub(r"\\.|\"", _as_json, string[quotes:-quotes], flags=re.DOTALL)
    inner = inner.replace("\r", r"\r").replace("\n", r"\n").replace("\t", r"\t")
    try:
        return cast(str, msgspec.json.decode(f'"{inner}"'))
    except msgspec.DecodeError:
        raise _NoCall from None


def _as_json(found: re.Match[str]) -> str:
    """Of a quote, or of a backslash and what it stands before."""
    match found[0]:
        case '"':
            return r"\""
        case r"\'":
            return "'"
        case two if two[1] in r'\/bfnrtu"':
            return two
        case two:
            return rf"\\{two[1]}"
