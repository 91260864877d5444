import sys

import msgspec
import pytest

from beerforyou import llm
from beerforyou.errors import SetupError
from beerforyou.llm.connect import connect
from beerforyou.llm.fallback import Fallback
from beerforyou.llm.model import Reply, TextPart
from beerforyou.settings import Settings
from bench.model_server.server import ModelServer
from tests.llm.conversations import REQUESTS


def test_offline_is_the_default_and_needs_nothing() -> None:
    models = connect(Settings())
    assert models.name == "offline:"
    assert (models.model, models.by_rule) == (None, False), "alone, since it cannot fail"


async def test_gemini_takes_its_key_from_the_settings() -> None:
    async with ModelServer([Reply(parts=(TextPart("Oi."),))]) as server:
        model = connect(Settings(model="gemini:gemini-2.5-flash", gemini_api_key=" k\n", gemini_base_url=server.url))
        assert model.name == "gemini:gemini-2.5-flash" and model.model
        await model.model.generate(REQUESTS["tools"])
        await model.close()
    assert server.asks[0].headers["x-goog-api-key"] == "k"


@pytest.mark.parametrize("name", ["openai:gpt-5-mini", "openai-chat:gpt-4.1", "anthropic:claude-haiku-5-5"])
async def test_others_take_theirs_too(name: str) -> None:
    model = connect(Settings(model=name, openai_api_key="k", anthropic_api_key="k"))
    assert model.name == name
    await model.close()


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("gemini:gemini-2.5-flash", "GEMINI_API_KEY"),
        ("openai:gpt-5-mini", "OPENAI_API_KEY"),
        ("openai-chat:gpt-4.1", "OPENAI_API_KEY"),
        ("anthropic:claude-haiku-5-5", "ANTHROPIC_API_KEY"),
    ],
)
def test_a_missing_key_names_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, variable: str) -> None:
    """A key in the environment alone is none: settings.py is where the environment is read."""
    monkeypatch.setenv(variable, "from the environment")
    with pytest.raises(SetupError, match="needs a key") as caught:
        connect(Settings(model=name))
    assert variable in caught.value.hint


@pytest.mark.parametrize(
    "name", ["", ":", "gemini", "gemini:", "gemini-2.5-flash", ":gpt-5", "gemini:../../x", "gemini:a b", "offline:x"]
)
def test_a_bad_name_is_told_the_forms(name: str) -> None:
    with pytest.raises(SetupError, match="names no model") as caught:
        connect(Settings(model=name, gemini_api_key="k"))
    assert all(form in caught.value.hint for form in ("offline:", "gemini:<model>", "<provider>:<model>"))


def test_an_unknown_provider_is_named() -> None:
    with pytest.raises(SetupError, match="brewgpt"):
        connect(Settings(model="brewgpt:lager-1"))


@pytest.mark.parametrize("url", ["", "generativelanguage.example", "ftp://x", "https://"])
def test_a_bad_address_is_told(url: str) -> None:
    with pytest.raises(SetupError, match="BEERFORYOU_GEMINI_BASE_URL"):
        connect(Settings(model="gemini:gemini-2.5-flash", gemini_api_key="k", gemini_base_url=url))


def test_a_key_with_odd_characters_is_told_without_showing_it() -> None:
    with pytest.raises(SetupError, match="GEMINI_API_KEY") as caught:
        connect(Settings(model="gemini:gemini-2.5-flash", gemini_api_key="k\u00e9y\nx"))
    assert "k\u00e9y" not in f"{caught.value} {caught.value.hint}"


def test_without_the_extra_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "beerforyou.llm.providers", raising=False)
    monkeypatch.delattr(llm, "providers", raising=False)
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)
    with pytest.raises(SetupError, match="pydantic_ai") as caught:
        connect(Settings(model="openai:gpt-5-mini", openai_api_key="k"))
    assert "beerforyou[providers]" in caught.value.hint


@pytest.mark.parametrize(
    ("listed", "others"),
    [
        ("", []),
        (" , ", []),
        ("offline:", ["offline:"]),
        (" openai:gpt-5-mini ,, offline:,", ["openai:gpt-5-mini", "offline:"]),
        ("gemini:gemini-2.5-flash,offline:,offline:", ["offline:"]),
    ],
)
async def test_the_fallback_models_follow_each_once(listed: str, others: list[str]) -> None:
    keys = Settings(gemini_api_key="k", openai_api_key="k")
    models = connect(msgspec.structs.replace(keys, model="gemini:gemini-2.5-flash", fallback_models=listed))
    assert isinstance(models.model, Fallback)
    by_rule = ["offline:"] if models.by_rule else []
    assert [*(one.name for one in models.model.models), *by_rule] == ["gemini:gemini-2.5-flash", *others]
    await models.close()


@pytest.mark.parametrize(
    ("listed", "hint"),
    [
        ("offline:, gemini", "gemini:<model>"),
        ("gemini:gemini-2.5-flash", "GEMINI_API_KEY"),
        ("anthropic:claude-haiku-5-5", "ANTHROPIC_API_KEY"),
        ("offline:,brewgpt:lager-1", "offline:"),
    ],
)
def test_a_fallback_model_is_checked_like_the_first(listed: str, hint: str) -> None:
    with pytest.raises(SetupError, match="BEERFORYOU_FALLBACK_MODELS") as caught:
        connect(Settings(fallback_models=listed))
    assert hint in caught.value.hint


def test_the_first_model_is_named_by_its_own_variable() -> None:
    with pytest.raises(SetupError, match=r"^BEERFORYOU_MODEL: `gemini` names no model"):
        connect(Settings(model="gemini"))
