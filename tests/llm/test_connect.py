import sys

import pytest
from msgspec.structs import replace

from beerforyou import llm
from beerforyou.errors import SetupError
from beerforyou.llm.connect import connect
from beerforyou.llm.fallback import Fallback
from beerforyou.llm.model import Reply, TextPart
from beerforyou.llm.services import SERVICES, address
from beerforyou.settings import Settings, load
from bench.model_server.server import ModelServer
from tests.llm.conversations import REQUESTS

KEYS = Settings(
    gemini_api_key="k-gemini", openai_api_key="k-openai", anthropic_api_key="k-anthropic",
    azure_openai_api_key="k-azure", ollama_api_key="k-ollama", compatible_api_key="k-compatible",
)  # fmt: skip


def vars_of_keys() -> list[str]:
    return [getattr(KEYS, field) for field in dict.fromkeys(service.key for service in SERVICES.values())]


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


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("name", ["brewgpt:lager-1", "openai-chta:gpt-4.1", "GEMINI:x", "http://127.0.0.1:8080/v1"])
def test_an_unknown_provider_is_named_and_told_the_known(
    name: str, installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed:
        without_the_extra(monkeypatch)
    with pytest.raises(SetupError, match=name.partition(":")[0]) as caught:
        connect(Settings(model=name))
    assert all(f"`{known}:`" in caught.value.hint for known in ("offline", *SERVICES))
    assert ("deepseek" in caught.value.hint) == installed, "those of pydantic-ai are known only where it is"


NAMES = {
    "gemini": "gemini:gemini-2.5-flash", "openai": "openai-chat:gpt-4.1", "anthropic": "anthropic:claude-haiku-5-5",
    "azure": "azure:gpt-4.1", "ollama": "ollama:qwen3", "compatible": "compatible:x",
}  # fmt: skip


@pytest.mark.parametrize("of", NAMES)
@pytest.mark.parametrize(
    "url",
    ["", " ", "model.example", "localhost:11434", "ftp://x", "https://", "http://:80", "http://h:x", "http://h:70000",
     "https://h/v1?key=s3cret", "https://h#x", "http://a b/", "https://ha..lo"],
)  # fmt: skip
def test_a_bad_address_is_told(of: str, url: str) -> None:
    with pytest.raises(SetupError, match=f"BEERFORYOU_{of.upper()}_BASE_URL") as caught:
        connect(replace(KEYS, model=NAMES[of], **{f"{of}_base_url": url}))
    assert "http" in caught.value.hint


@pytest.mark.parametrize("of", [of for of in NAMES if of != "gemini"])
@pytest.mark.parametrize("url", ["https://me:s3cret@h/v1", "http://s3cret@h", "ftp://me:s3cret@h"])
def test_a_password_in_an_address_is_refused_and_not_shown(of: str, url: str) -> None:
    with pytest.raises(SetupError, match=f"BEERFORYOU_{of.upper()}_BASE_URL") as caught:
        connect(replace(KEYS, model=NAMES[of], **{f"{of}_base_url": url}))
    assert "s3cret" not in f"{caught.value} {caught.value.hint}" and "_KEY" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "given", "asked"),
    [
        ("openai:x", "https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("openai:x", "http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("openai-chat:x", "http://[::1]:8000/", "http://[::1]:8000/v1"),
        ("openai-chat:x", " https://h/v1/ ", "https://h/v1"),
        ("openai-chat:x", "https://h/v1/chat/completions", "https://h/v1"),
        ("openai:x", "https://h/api/paas/v4/responses", "https://h/api/paas/v4"),
        ("compatible:x", "http://10.0.0.7:4000", "http://10.0.0.7:4000/v1"),
        ("compatible:x", "https://h/v1beta/openai/", "https://h/v1beta/openai"),
        ("ollama:x", "http://ollama:11434", "http://ollama:11434/v1"),
        ("anthropic:x", "https://api.anthropic.com/v1/messages", "https://api.anthropic.com"),
        ("anthropic:x", "https://h/claude/v1/", "https://h/claude"),
        ("gemini:x", "https://h/v1beta/", "https://h"),
        ("azure:x", "https://name.openai.azure.com/", "https://name.openai.azure.com"),
        ("azure:x", "https://name.openai.azure.com/openai/v1/", "https://name.openai.azure.com"),
        ("azure-responses:x", "https://h/apim/openai/v1/responses", "https://h/apim"),
    ],
)
def test_an_address_may_be_written_as_it_is_found(name: str, given: str, asked: str) -> None:
    field = SERVICES[name.partition(":")[0]].url
    assert address(name, replace(KEYS, **{field: given})) == asked


@pytest.mark.parametrize("of", [of for of in NAMES if of != "azure"])
async def test_a_server_of_ones_own_needs_no_key(of: str) -> None:
    async with ModelServer([Reply(parts=(TextPart("Oi."),))]) as server:
        models = connect(Settings(model=NAMES[of], **{f"{of}_base_url": server.url}))
        assert models.model and (await models.model.generate(REQUESTS["tools"])).text == "Oi."
        await models.close()
    assert not {"authorization", "x-api-key", "x-goog-api-key"} & {name.lower() for name in server.asks[0].headers}


@pytest.mark.parametrize("of", NAMES)
async def test_a_key_goes_to_its_own_server_alone(of: str) -> None:
    async with ModelServer([Reply(parts=(TextPart("Oi."),))]) as server:
        models = connect(replace(KEYS, model=NAMES[of], **{f"{of}_base_url": server.url}))
        assert models.model
        await models.model.generate(REQUESTS["tools"])
        await models.close()
    sent = str(server.asks[0].headers)
    assert [key for key in vars_of_keys() if key in sent] == [f"k-{of}"]


def test_a_key_with_odd_characters_is_told_without_showing_it() -> None:
    with pytest.raises(SetupError, match="GEMINI_API_KEY") as caught:
        connect(Settings(model="gemini:gemini-2.5-flash", gemini_api_key="k\u00e9y\nx"))
    assert "k\u00e9y" not in f"{caught.value} {caught.value.hint}"


def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "beerforyou.llm.providers", raising=False)
    monkeypatch.delattr(llm, "providers", raising=False)
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)


def test_without_the_extra_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_extra(monkeypatch)
    with pytest.raises(SetupError, match="pydantic_ai") as caught:
        connect(Settings(model="openai:gpt-5-mini", openai_api_key="k"))
    assert "beerforyou[providers]" in caught.value.hint


@pytest.mark.parametrize(
    ("listed", "others"),
    [
        ("", []),
        (" , ", []),
        (",", []),
        (" \t\n", []),
        ("offline:", ["offline:"]),
        (" openai:gpt-5-mini ,, offline:,", ["openai:gpt-5-mini", "offline:"]),
        ("gemini:gemini-2.5-flash,offline:,offline:", ["offline:"]),
    ],
)
async def test_the_fallback_models_follow_each_once(listed: str, others: list[str]) -> None:
    keys = Settings(gemini_api_key="k", openai_api_key="k")
    models = connect(replace(keys, model="gemini:gemini-2.5-flash", fallback_models=listed))
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


@pytest.mark.parametrize(
    ("environment", "listed"),
    [({}, "offline:"), ({"BEERFORYOU_FALLBACK_MODELS": ""}, ""), ({"BEERFORYOU_MODEL": ""}, "offline:")],
)
async def test_no_fallback_model_is_a_choice(environment: dict[str, str], listed: str) -> None:
    """Any other setting that is empty is not set."""
    settings = load(environment)
    assert (settings.model, settings.fallback_models) == ("offline:", listed)
    models = connect(replace(settings, model="gemini:gemini-2.5-flash", gemini_api_key="k"))
    assert models.by_rule == bool(listed)
    await models.close()


async def test_blanks_around_a_name_are_no_part_of_it() -> None:
    models = connect(replace(KEYS, model=" gemini:gemini-2.5-flash\n", fallback_models="gemini:gemini-2.5-flash"))
    assert models.model and [one.name for one in models.model.models] == ["gemini:gemini-2.5-flash"]  # type: ignore[attr-defined]
    await models.close()
