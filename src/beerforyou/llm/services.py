"""Who is asked at an address and with a key of our settings. The address is the operator's own: it may be of any network."""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from beerforyou.errors import SetupError
from beerforyou.settings import Settings, env_name

HOME = {field.name: field.default for field in msgspec.structs.fields(Settings)}


class Service(NamedTuple):
    """`url` and `key` are settings. `path` follows an address that has none; of what people copy behind an address, `cut` is
    added again by whoever asks."""

    url: str
    key: str
    needs_key: Literal["always", "at home", "never"]
    path: str = ""
    cut: tuple[str, ...] = ()


_OPENAI = "/v1", ("/chat/completions", "/responses")
_AZURE = Service("azure_base_url", "azure_openai_api_key", "always", "", (*_OPENAI[1], "/v1", "/openai"))
_COMPATIBLE = Service("compatible_base_url", "compatible_api_key", "never", *_OPENAI)

SERVICES = {
    "gemini": Service("gemini_base_url", "gemini_api_key", "at home", "", ("/v1beta",)),
    "openai": Service("openai_base_url", "openai_api_key", "at home", *_OPENAI),
    "openai-responses": Service("openai_base_url", "openai_api_key", "at home", *_OPENAI),
    "openai-chat": Service("openai_base_url", "openai_api_key", "at home", *_OPENAI),
    "anthropic": Service("anthropic_base_url", "anthropic_api_key", "at home", "", ("/messages", "/v1")),
    "azure": _AZURE,
    "azure-responses": _AZURE,
    "ollama": Service("ollama_base_url", "ollama_api_key", "never", *_OPENAI),
    "compatible": _COMPATIBLE,
    "compatible-responses": _COMPATIBLE,
}

KNOWN = ", ".join(f"`{provider}:`" for provider in ("offline", *SERVICES))


def address(name: str, settings: Settings) -> str:
    """Of the service of `provider:model`, without a slash at its end. Raises SetupError."""
    service = SERVICES[name.partition(":")[0]]
    url = str(getattr(settings, service.url)).strip().rstrip("/")
    if not url:
        raise SetupError(f"{name} needs an address, and {env_name(service.url)} is empty", _hint(service))
    if wrong := _wrong(url, with_user=service.url == "gemini_base_url"):
        shown = url if "@" not in url else "********"
        raise SetupError(f"{env_name(service.url)}={shown} is no address of a model: {wrong}", _hint(service))
    for tail in service.cut:
        url = url.removesuffix(tail)
    return url if urlsplit(url).path else url + service.path


def key(name: str, settings: Settings) -> str:
    """Empty where none is set and none may be needed. Raises SetupError."""
    service = SERVICES[name.partition(":")[0]]
    given = str(getattr(settings, service.key)).strip()
    at_home = getattr(settings, service.url) == HOME[service.url]
    if not given and (service.needs_key == "always" or (service.needs_key == "at home" and at_home)):
        raise SetupError(f"{name} needs a key", f"set {env_name(service.key)}; `offline:` needs no key")
    if not (given.isascii() and (given.isprintable() or not given)):
        raise SetupError(f"{env_name(service.key)} holds a character that no key has", "copy it again")
    return given


def _wrong(url: str, with_user: bool) -> str:
    """What is wrong with it; nothing, if it will do."""
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "it begins with neither http:// nor https:// and a host"
    if port == 0:
        return "its port is 0"
    if parts.query or parts.fragment:
        return "nothing may follow its path"
    if parts.username is not None and not with_user:
        return "it holds a user or a password"
    return "" if url.isascii() and url.isprintable() and " " not in url else "it holds a character that none has"


def _hint(service: Service) -> str:
    version = f"; a version goes to {env_name('azure_api_version')}" if service is _AZURE else ""
    return f"write https://host, or http://host:port{service.path}; a key goes to {env_name(service.key)}{version}"
