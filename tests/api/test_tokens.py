"""Who the caller is: our own tokens, and those of an OpenID Connect provider (a real key set over HTTP)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from beerforyou.api.tokens import Tokens, mint
from beerforyou.errors import NotAuthenticated, SetupError, Unavailable
from beerforyou.settings import Settings, kept_secret

SECRET = "a key of thirty-two bytes or more, for tests"


def ours(**changes: Any) -> Settings:
    return Settings(auth_secret=SECRET, **changes)


def signed(key: Any = SECRET, algorithm: str = "HS256", headers: dict[str, str] | None = None, **changes: Any) -> str:
    claims = {"iss": "beerforyou", "aud": "beerforyou", "exp": time.time() + 60, "sub": "CLT-00001"} | changes
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm, headers)


async def test_a_token_of_ours_names_its_client() -> None:
    assert (await Tokens(ours()).bearer(mint(ours(), "CLT-00001", 60))).client_id == "CLT-00001"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(exp=time.time() - 1), id="expired"),
        pytest.param(signed(exp=None), id="never expires"),
        pytest.param(signed(iss="somebody else"), id="of another issuer"),
        pytest.param(signed(aud="another service"), id="for another service"),
        pytest.param(signed(key="another key of thirty-two bytes or more"), id="signed by somebody else"),
        pytest.param(signed(sub=None), id="without a client"),
        pytest.param(signed(sub=""), id="for nobody"),
        pytest.param(jwt.encode({"sub": "CLT-00001"}, "", "none"), id="unsigned"),
        pytest.param("not.a.token", id="garbage"),
        pytest.param("é", id="not ascii"),
    ],
)
async def test_a_token_that_proves_nothing_is_refused(token: str) -> None:
    with pytest.raises(NotAuthenticated):
        await Tokens(ours()).bearer(token)


async def test_a_verified_token_is_not_believed_beyond_its_end() -> None:
    tokens, token = Tokens(ours()), mint(ours(), "CLT-00001", 1)
    assert (await tokens.bearer(token)).client_id == "CLT-00001"
    await asyncio.sleep(1.1)
    with pytest.raises(NotAuthenticated):
        await tokens.bearer(token)


def test_the_key_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    first = kept_secret(settings, "auth_secret")
    assert kept_secret(settings, "auth_secret") == first and len(first) >= 32
    assert (tmp_path / "auth_secret").stat().st_mode & 0o077 == 0


def test_a_short_key_is_refused() -> None:
    with pytest.raises(SetupError, match="32 bytes"):
        kept_secret(Settings(auth_secret="short"), "auth_secret")


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
async def provider(key: rsa.RSAPrivateKey) -> AsyncIterator[Settings]:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())) | {
        "kid": "k1",
        "alg": "RS256",
        "use": "sig",
    }

    async def keys(request: web.Request) -> web.Response:
        return web.json_response({"keys": [public]})

    app = web.Application()
    app.router.add_get("/keys", keys)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    yield Settings(auth_jwks_url=f"http://127.0.0.1:{port}/keys")
    await runner.cleanup()


async def test_a_token_of_the_provider_names_its_client(provider: Settings, key: rsa.RSAPrivateKey) -> None:
    assert (await Tokens(provider).bearer(signed(key, "RS256", {"kid": "k1"}))).client_id == "CLT-00001"


async def test_the_claim_that_holds_the_client_is_a_setting(provider: Settings, key: rsa.RSAPrivateKey) -> None:
    settings = Settings(auth_jwks_url=provider.auth_jwks_url, auth_client_claim="tenant")
    assert (
        await Tokens(settings).bearer(signed(key, "RS256", {"kid": "k1"}, tenant="CLT-00007"))
    ).client_id == "CLT-00007"


async def test_with_a_provider_nobody_else_signs(provider: Settings, key: rsa.RSAPrivateKey) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    tokens = Tokens(provider)
    for token in (signed(), signed(stranger, "RS256", {"kid": "k1"}), signed(stranger, "RS256", {"kid": "k2"})):
        with pytest.raises(NotAuthenticated):
            await tokens.bearer(token)
    with pytest.raises(SetupError):
        mint(provider, "CLT-00001", 60)


async def test_a_provider_that_does_not_answer_is_no_verdict_on_the_token(key: rsa.RSAPrivateKey) -> None:
    settings = Settings(auth_jwks_url="http://127.0.0.1:9/keys")
    with pytest.raises(Unavailable):
        await Tokens(settings).bearer(signed(key, "RS256", {"kid": "k1"}))
