"""From the settings `model` and `fallback_models` to models. Start here; nothing is sent until its first `generate`."""

from __future__ import annotations

import re
from typing import NamedTuple

from beerforyou.errors import SetupError
from beerforyou.llm.model import Model
from beerforyou.settings import Settings, env_name

FORMS = "`offline:`, `gemini:<model>`, or another <provider>:<model>, such as `openai:gpt-5` or `anthropic:claude-...`"


OFFLINE = "offline:"  # no model: the planner by rule


class Models(NamedTuple):
    """`model` is none where the planner by rule is the choice; `by_rule`: it stands in when no model can."""

    model: Model | None
    by_rule: bool

    @property
    def name(self) -> str:
        return self.model.name if self.model else OFFLINE

    async def close(self) -> None:
        if self.model:
            await self.model.close()


def connect(settings: Settings) -> Models:
    """Raises SetupError. Providers are imported here, each only by who uses it: they are slow to load."""
    listed = [name for part in settings.fallback_models.split(",") if (name := part.strip())]
    others = [name for name in dict.fromkeys(listed) if name != settings.model]
    chosen = [
        _named_by("model", settings.model, settings),
        *(_named_by("fallback_models", o, settings) for o in others),
    ]
    if chosen[0] is None:
        return Models(None, by_rule=False)  # it cannot fail
    from beerforyou.llm.fallback import Fallback

    asked = chosen[: chosen.index(None)] if None in chosen else chosen
    return Models(Fallback([model for model in asked if model], settings), by_rule=None in chosen)


def _named_by(field: str, name: str, settings: Settings) -> Model | None:
    try:
        return _model(name, settings)
    except SetupError as error:
        raise SetupError(f"{env_name(field)}: {error.message}", error.hint) from None


def _model(name: str, settings: Settings) -> Model | None:
    """None for the planner by rule."""
    provider, colon, model = name.partition(":")
    if not colon or not provider or bool(model) == (provider == "offline"):
        raise SetupError(f"`{name}` names no model", f"write {FORMS}")
    if provider == "offline":
        return None
    return _gemini(model, settings) if provider == "gemini" else _other(name, settings)


def _gemini(model: str, settings: Settings) -> Model:
    from beerforyou.llm.gemini import Gemini

    key = settings.gemini_api_key.strip()
    if not key:
        raise SetupError(f"gemini:{model} needs a key", "set GEMINI_API_KEY; `offline:` needs no key")
    if not (key.isascii() and key.isprintable()):
        raise SetupError("GEMINI_API_KEY holds a character that no key has", "copy it again")
    if not re.fullmatch(r"\w[\w.-]*", model, re.ASCII):
        raise SetupError(f"`gemini:{model}` names no model", f"write {FORMS}")
    try:
        return Gemini(model, key, settings.gemini_base_url, settings.model_timeout_s)
    except ValueError:
        raise SetupError(
            f"BEERFORYOU_GEMINI_BASE_URL={settings.gemini_base_url} is no address", "write https://host, without a path"
        ) from None


def _other(name: str, settings: Settings) -> Model:
    try:
        from beerforyou.llm import providers

        return providers.connect(name, settings)
    except ImportError as error:
        raise SetupError(
            f"{name} needs a package that is not installed: {error.name or error}",
            "pip install 'beerforyou[providers]'",
        ) from None
