"""From the setting `model` to a model. Start here; nothing is sent until its first `generate`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from beerforyou.errors import SetupError
from beerforyou.llm.model import Model
from beerforyou.settings import Settings

FORMS = "`offline:`, `gemini:<model>`, or another <provider>:<model>, such as `openai:gpt-5` or `anthropic:claude-...`"


def connect(settings: Settings) -> Model:
    """Raises SetupError. Providers are imported here, each only by who uses it: they are slow to load."""
    provider, colon, model = settings.model.partition(":")
    if not colon or not provider or bool(model) == (provider == "offline"):
        raise SetupError(f"BEERFORYOU_MODEL={settings.model} names no model", f"write {FORMS}")
    if provider == "offline":
        from beerforyou.llm.offline import Offline

        return Offline()
    if provider == "gemini":
        return _gemini(model, settings)
    return _other(settings)


def _gemini(model: str, settings: Settings) -> Model:
    from beerforyou.llm.gemini import Gemini

    key = settings.gemini_api_key.strip()
    if not key:
        raise SetupError(f"gemini:{model} needs a key", "set GEMINI_API_KEY, or BEERFORYOU_MODEL=offline:")
    if not (key.isascii() and key.isprintable()):
        raise SetupError("GEMINI_API_KEY holds a character that no key has", "copy it again")
    if not re.fullmatch(r"\w[\w.-]*", model, re.ASCII):
        raise SetupError(f"BEERFORYOU_MODEL=gemini:{model} names no model", f"write {FORMS}")
    url = urlsplit(settings.gemini_base_url)
    if url.scheme not in ("http", "https") or not url.netloc:
        raise SetupError(
            f"BEERFORYOU_GEMINI_BASE_URL={settings.gemini_base_url} is no address", "write https://host, without a path"
        )
    return Gemini(model, key, settings.gemini_base_url, settings.model_timeout_s)


def _other(settings: Settings) -> Model:
    try:
        from beerforyou.llm import providers

        return providers.connect(settings.model, settings)
    except ImportError as error:
        raise SetupError(
            f"BEERFORYOU_MODEL={settings.model} needs a package that is not installed: {error.name or error}",
            "pip install 'beerforyou[providers]'",
        ) from None
