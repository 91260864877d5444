"""Tool calls that a model wrote as text. They are no prose, and nobody must see them; what merely speaks of searching, or
has a parenthesis in it, is prose. `tests/llm/test_written_calls.py` is the list of both.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from functools import lru_cache

import msgspec

# Every call has some of it, and prose hardly ever: a sentence without it may be let go before the reply is whole.
# It begins with one class of characters, so that a search skips all others at the pace of a table.
SUSPICIOUS = re.compile(r"[{<\[`|_(（.cC](?:(?<=[{<\[`|_])|(?<=\w[(（])|(?i:(?<=\bfunctions\.)|(?<=\bac)tion\b))")

# What models write around calls, in the words of Gemini, Qwen and Hermes, Llama, Mistral, DeepSeek, OpenAI and Anthropic.
_MARKS = (
    r"```\s*(?:tool|function)[_ -]?(?:code|calls?|outputs?|use)",
    r"</?(?:\w{1,30}:)?(?:start_|begin_|end_)?(?:tool|function)[_ -]?(?:calls?|use|code|response|outputs?)\b",
    r"</?(?:\w{1,30}:)?(?:function\s*=|invoke\b|parameter\s*(?:=|name))",
    r"<[|｜][\w▁ :./-]{1,40}[|｜]>",
    r"\[/?(?:tool[_ ](?:calls?|use|code|requests?|results?)|available_tools|func(?:tion)?[_ ]calls?)\b",
    r"\bdefault_api\.",
    r"\bfunctions\.\w{1,64}\s*[(:{]",
)
# ... and around the name of a tool. No two repetitions of the same characters meet: that would be quadratic.
_NAMED = (
    r"\bNAME[`*\"'\\]*[(（{]",
    r"\bNAME[`*\"'\\\s]*(?:[:=]\s*)?(?:\[ARGS\]\s*)?(?:[{\[]|[(（]\s*(?:[)）{\[\"'\d]|\w+\s*[=:]))",
    r"\b(?:name|tool|function|action|recipient|to)(?:_name)?[\"']?\s*[:=]\s*[`\"']?(?:[\w-]{1,30}[.:/]){0,3}NAME\b",
    r"</?NAME\b",
    r"\bcall:NAME\b",
)


def is_call(text: str, names: Iterable[str]) -> bool:
    """Whether there is one in it of a tool of these names, or it is data from beginning to end."""
    return bool(SUSPICIOUS.search(text)) and (bool(_calls(tuple(names)).search(text)) or _is_data(text))


@lru_cache(16)  # one for each set of tools that a token allows
def _calls(names: tuple[str, ...]) -> re.Pattern[str]:
    """Of each name also what Markdown and other habits make of it: search\\_breweries, searchBreweries."""
    spelled = "|".join(r"\\?[_-]?".join(map(re.escape, name.split("_"))) for name in names)
    named = (pattern.replace("NAME", f"(?:{spelled})") for pattern in _NAMED if names)
    return re.compile("|".join((*_MARKS, *named)), re.IGNORECASE)


def _is_data(text: str) -> bool:
    data = text.strip()
    if data.startswith("```"):
        data = data.strip("`").lstrip(string.ascii_letters).strip()
    if not data.startswith(("{", "[")):
        return False
    try:
        decoded = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(decoded, dict) or any(isinstance(item, dict) for item in decoded)
