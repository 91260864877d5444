"""From the settings `model` and `fallback_models` to models. Start here; nothing is sent until its first `generate`."""

from __future__ import annotations

import re
from typing import NamedTuple

from beerforyou.errors import SetupError
from beerforyou.llm.model import Model
from beerforyou.llm.services import KNOWN, SERVICES, address, key
from beerforyou.settings import Settings, env_name

FORMS = "`offline:`, `gemini:<model>`, or another <provider>:<model>, such as `openai:gpt-5` or `ollama:qwen3`"
LONGEST_NAME = 200  # characters; it is in the name of a queue, of which RabbitMQ takes 255

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
    chosen = [model_of(field, name, settings) for field, name in names(settings)]
    if chosen[0] is None:
        return Models(None, by_rule=False)  # it cannot fail
    from beerforyou.llm.fallback import Fallback

    asked = chosen[: chosen.index(None)] if None in chosen else chosen
    return Models(Fallback([model for model in asked if model], settings), by_rule=None in chosen)


def names(settings: Settings) -> list[tuple[str, str]]:
    """Of the models, in the order in which they are asked, with the setting of each."""
    listed = [name for part in settings.fallback_models.split(",") if (name := part.strip())]
    others = [name for name in dict.fromkeys(listed) if name != settings.planner]
    return [("model", settings.planner), *(("fallback_models", name) for name in others)]


def model_of(field: str, name: str, settings: Settings) -> Model | None:
    """None for the planner by rule. Raises SetupError."""
    try:
        return _model(name, settings)
    except SetupError as error:
        raise SetupError(f"{env_name(field)}: {error.message}", error.hint) from None


def _model(name: str, settings: Settings) -> Model | None:
    provider, colon, model = name.partition(":")
    if not colon or not provider or bool(model) == (provider == "offline") or len(name) > LONGEST_NAME:
        raise SetupError(f"`{name[:LONGEST_NAME]}` names no model", f"write {FORMS}; known are {KNOWN}")
    if provider == "offline":
        return None
    return _gemini(name, settings) if provider == "gemini" else _other(name, settings)


def _gemini(name: str, settings: Settings) -> Model:
    from beerforyou.llm.gemini import Gemini

    model = name.partition(":")[2]
    if not re.fullmatch(r"\w[\w.-]*", model, re.ASCII):
        raise SetupError(f"`{name}` names no model", f"write {FORMS}")
    return Gemini(model, key(name, settings), address(name, settings), settings.model_timeout_s)


def _other(name: str, settings: Settings) -> Model:
    try:
        from beerforyou.llm import providers
    except ImportError as error:
        if name.partition(":")[0] not in SERVICES:
            known = f"known are {KNOWN}; those of pydantic-ai need pip install 'beerforyou[providers]'"
            raise SetupError(f"{name} is of no provider that is known here", known) from None
        raise _missing(name, error) from None
    try:
        return providers.connect(name, settings)
    except ImportError as error:
        raise _missing(name, error) from None


def _missing(name: str, error: ImportError) -> SetupError:
    return SetupError(
        f"{name} needs a package that is not installed: {error.name or error}", "pip install 'beerforyou[providers]'"
    )
