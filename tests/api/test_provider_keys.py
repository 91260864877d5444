"""Tokens of an OpenID Connect provider: a real key set over HTTP, in every shape that key sets come in."""

import asyncio
import itertools
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from beerforyou.api import provider_keys
from beerforyou.api.tokens import Tokens, mint
from beerforyou.errors import NotAuthenticated, SetupError, Unavailable
from beerforyou.settings import Settings
from tests.api.test_http import ASK
from tests.api.test_tokens import made, no_internals, signed
from tests.processes.neighbour import installed, undisturbed
from tests.waiting import wait_until

ALGORITHMS = {"rsa": "RS256", "other rsa": "RS256", "p256": "ES256", "p384": "ES384", "ed": "EdDSA", "short": "RS256"}


@cache
def private(name: str) -> Any:
    match name:
        case "rsa" | "other rsa" | "stranger":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "short":
            return rsa.generate_private_key(public_exponent=65537, key_size=1024)
        case "ed":
            return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key({"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "k1": ec.SECP256K1()}[name])


def published(name: str, **more: Any) -> dict[str, Any]:
    public = private(name).public_key()
    kinds = {
        rsa.RSAPublicKey: RSAAlgorithm,
        ec.EllipticCurvePublicKey: ECAlgorithm,
        ed25519.Ed25519PublicKey: OKPAlgorithm,
    }
    kind: Any = next(reader for kind, reader in kinds.items() if isinstance(public, kind))
    jwk = {k: v for k, v in json.loads(kind.to_jwk(public)).items() if k not in ("kid", "key_ops")}
    return jwk | more


def token(name: str, kid: str | None = None, algorithm: str = "", **claims: Any) -> str:
    return signed(private(name), algorithm or ALGORITHMS[name], {"kid": kid} if kid is not None else None, **claims)


class Provider:
    """`says` is its key set; `asked` how often it was fetched; while `slow` is not set it does not answer."""

    def __init__(self) -> None:
        self.says: Any = {"keys": [published("rsa", kid="k1", use="sig", alg="RS256")]}
        self.asked, self.slow, self.settings = 0, asyncio.Event(), Settings()
        self.slow.set()

    async def keys(self, request: web.Request) -> web.Response:
        self.asked += 1
        await self.slow.wait()
        body = self.says if isinstance(self.says, bytes) else json.dumps(self.says).encode()
        return web.Response(body=body, content_type="application/json")


@asynccontextmanager
async def providing() -> AsyncIterator[Provider]:
    provider, app = Provider(), web.Application()
    app.router.add_get("/keys", provider.keys)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    provider.settings = Settings(auth_jwks_url=f"http://127.0.0.1:{port}/keys")
    try:
        yield provider
    finally:
        provider.slow.set()
        await runner.cleanup()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with providing() as provider:
        yield provider


async def test_a_token_of_the_provider_names_its_client(provider: Provider) -> None:
    assert (await Tokens(provider.settings).bearer(token("rsa", "k1"))).client_id == "CLT-00001"


async def test_the_claim_that_holds_the_client_is_a_setting(provider: Provider) -> None:
    settings = Settings(auth_jwks_url=provider.settings.auth_jwks_url, auth_client_claim="tenant")
    assert (await Tokens(settings).bearer(token("rsa", "k1", tenant="CLT-00007"))).client_id == "CLT-00007"


async def test_with_a_provider_nobody_else_signs(provider: Provider) -> None:
    tokens = Tokens(provider.settings)
    assert await tokens.bearer(token("rsa", "k1"))
    for forged in (signed(), *(signed(private("stranger"), "RS256", {"kid": kid}) for kid in ("k1", "k2"))):
        with pytest.raises(NotAuthenticated):
            await tokens.bearer(forged)
    with pytest.raises(SetupError):
        mint(provider.settings, "CLT-00001", 60)


async def test_a_provider_that_does_not_answer_is_no_verdict_on_the_token() -> None:
    with pytest.raises(Unavailable):
        await Tokens(Settings(auth_jwks_url="http://127.0.0.1:9/keys")).bearer(token("rsa", "k1"))


@pytest.mark.parametrize(
    ("keys", "good"),
    [
        pytest.param([("rsa", {"kid": "k1"})], [("rsa", None)], id="a token without a name"),
        pytest.param([("rsa", {})], [("rsa", "k1"), ("rsa", None)], id="a key without a name"),
        pytest.param(
            [("rsa", {}), ("other rsa", {})], [("rsa", None), ("other rsa", None), ("rsa", "k")], id="two without"
        ),
        pytest.param(
            [("rsa", {"kid": "k"}), ("other rsa", {"kid": "k"})], [("rsa", "k"), ("other rsa", "k")], id="one name"
        ),
        pytest.param(
            [("rsa", {"kid": "k"}), ("p256", {"kid": "k"})], [("rsa", "k"), ("p256", "k")], id="one name, two types"
        ),
        pytest.param(
            [("p256", {}), ("p384", {}), ("ed", {})], [("p256", None), ("p384", None), ("ed", None)], id="curves"
        ),
        pytest.param([("rsa", {"use": "sig"}), ("other rsa", {"use": "enc"})], [("rsa", None)], id="one to encrypt"),
        pytest.param([("rsa", {"kid": ""})], [("rsa", ""), ("rsa", None)], id="an empty name"),
        pytest.param(
            [("rsa", {"key_ops": ["verify"], "x5c": ["?"], "x": [{}]})], [("rsa", None)], id="more than we know"
        ),
    ],
)
async def test_the_key_is_found_whether_or_not_it_is_named(
    provider: Provider, keys: list[tuple[str, dict[str, Any]]], good: list[tuple[str, str | None]]
) -> None:
    provider.says = {"keys": [published(name, **more) for name, more in keys]}
    tokens = Tokens(provider.settings)
    for name, kid in good:
        assert (await tokens.bearer(token(name, kid))).client_id == "CLT-00001"
        forged = token(name, kid)
        with pytest.raises(NotAuthenticated):  # whatever the set is like
            await tokens.bearer(f"{forged[:-40]}{'A' * 40}")


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits")
@pytest.mark.parametrize(
    ("key", "signer"),
    [
        pytest.param(published("rsa", use="enc"), ("rsa",), id="to encrypt"),
        pytest.param(published("rsa", key_ops=["encrypt"]), ("rsa",), id="for something else"),
        pytest.param(published("rsa", alg="RS512"), ("rsa",), id="for another algorithm"),
        pytest.param(published("rsa", alg="RSA-OAEP"), ("rsa",), id="for no signature"),
        pytest.param(
            published("rsa", kid="k1"),
            (
                "rsa",
                "k2",
            ),
            id="of another name",
        ),
        pytest.param(published("short"), ("short",), id="too short"),
        pytest.param(
            published("k1"),
            (
                "k1",
                "",
                "ES256K",
            ),
            id="of a curve that is not taken",
        ),
    ],
)
async def test_a_key_that_does_not_fit_signs_nothing(provider: Provider, key: Any, signer: tuple[str, ...]) -> None:
    provider.says = {"keys": [key, published("ed")]}
    with pytest.raises(NotAuthenticated):
        await Tokens(provider.settings).bearer(token(*signer))


BROKEN_KEYS: list[Any] = [
    5, "key", None, [], {}, {"kty": "RSA"}, {"kty": 5}, {"kty": "oct", "k": "AAAA"}, {"kty": "PQC"},
    {"kty": "RSA", "n": "AQ", "e": "AQ"}, {"kty": "RSA", "n": "!", "e": "AQAB"}, {"kty": "RSA", "n": 7, "e": []},
    {"kty": "RSA", "n": "", "e": ""}, {"kty": "EC", "crv": "P-256"}, {"kty": "EC", "crv": [], "x": {}, "y": 1},
    {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}, {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
    {"kty": "OKP", "crv": "Ed25519", "x": ""}, {"kty": "RSA", "kid": 5}, {"kty": "RSA", "use": {}},
    published("rsa") | {"d": "AQAB"}, published("short"), published("k1"), {"kty": "EC", "crv": "\ud800"},
]  # fmt: skip


@pytest.mark.parametrize("place", [0, 1], ids=["before", "after"])
@pytest.mark.parametrize("broken", BROKEN_KEYS, ids=range(len(BROKEN_KEYS)))
async def test_a_foreign_or_broken_key_spoils_none_of_the_others(provider: Provider, broken: Any, place: int) -> None:
    keys = [published("p256", kid="k1")]
    keys.insert(place, broken)
    provider.says = {"keys": keys}
    assert (await Tokens(provider.settings).bearer(token("p256", "k1"))).client_id == "CLT-00001"


BROKEN_SETS: list[Any] = [
    [], [published("rsa")], "keys", 5, None, {}, {"keys": None}, {"keys": {}}, {"keys": "k"}, {"keys": []},
    {"keys": [{"kty": "oct", "k": "AAAA"}]}, {"key": []}, b"", b"<html>", b"\xff", b"[" * 5000, b'{"keys":' + b"[" * 5000,
    b'{"keys": [' + b" " * 1_100_000 + b"]}", {"keys": [published("short")]},
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN_SETS, ids=range(len(BROKEN_SETS)))
async def test_a_broken_key_set_is_no_verdict_on_the_token(provider: Provider, broken: Any) -> None:
    provider.says = broken
    with pytest.raises(Unavailable) as unavailable:
        await Tokens(provider.settings).bearer(token("rsa", "k1"))
    assert no_internals(unavailable.value)


async def test_a_broken_key_set_takes_no_key_away(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_keys, "PATIENCE_S", -1.0)
    monkeypatch.setattr(provider_keys, "FRESH_S", -1.0)
    tokens = Tokens(provider.settings)
    assert await tokens.bearer(token("rsa", "k1"))
    provider.says = []
    for number in range(3):
        assert await tokens.bearer(token("rsa", "k1", jti=str(number)))
    with pytest.raises(Unavailable):
        await tokens.bearer(token("p256", "k2"))


def forgeries() -> dict[str, str]:
    """By whoever has read the key set, and can sign nothing."""
    claims = {"iss": "beerforyou", "aud": "beerforyou", "exp": time.time() + 60, "sub": "CLT-00001"}
    algorithms = [
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "PS256",
        "RS512",
        "HS256",
        "none",
        "",
        "x",
        None,
        5,
        ["RS256"],
        {},
    ]
    lengths = {"RS": 256, "PS": 256, "ES256": 64, "ES384": 96, "ES512": 132, "EdDSA": 64}
    found = {}
    for algorithm, kid in itertools.product(algorithms, ("rsa", "p256", "none of them", None)):
        length = next((long for name, long in lengths.items() if str(algorithm).startswith(name)), 64)
        header = {"alg": algorithm} | ({"kid": kid} if kid else {})
        found[f"{algorithm} {kid}"] = made(header, claims, b"a" * length)
    odd: list[Any] = [
        {"kid": []},
        {"kid": 5},
        {"kid": "\ud800"},
        {"kid": "\0"},
        {"crit": []},
        {"jwk": published("stranger")},
    ]
    found |= {f"header {more}": made({"alg": "RS256", "kid": "rsa"} | more, claims, b"a" * 256) for more in odd}
    found |= {
        f"{len(signature)} bytes": made({"alg": "ES256", "kid": "p256"}, claims, signature)
        for signature in (b"", b"a", b"\0" * 64)
    }
    return found | {
        "brackets": made(b"[" * 3000, claims),
        "no object": made([], claims),
        "numbers": made(b'{"alg":1e999}', b""),
    }


FORGERIES = forgeries()


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=range(len(FORGERIES)))
async def test_a_forged_token_is_the_tokens_fault(provider: Provider, forged: str) -> None:
    provider.says = {"keys": [published("rsa", kid="rsa"), published("p256", kid="p256"), published("p384")]}
    with pytest.raises(NotAuthenticated) as refused:
        await Tokens(provider.settings).bearer(forged)
    assert no_internals(refused.value)


async def test_few_keys_are_tried_for_one_token(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.says = {"keys": [published("p256", kid=str(number)) for number in range(90)]}
    tried, decode = 0, Tokens._claims

    def counted(*args: Any) -> Any:
        nonlocal tried
        tried += 1
        return decode(*args)

    monkeypatch.setattr(Tokens, "_claims", counted)
    with pytest.raises(NotAuthenticated):
        await Tokens(provider.settings).bearer(made({"alg": "ES256"}, {}, b"a" * 64))
    assert 0 < tried <= provider_keys.TRIED


async def test_a_rotated_key_is_found(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_keys, "PATIENCE_S", 0.0)
    tokens = Tokens(provider.settings)
    assert await tokens.bearer(token("rsa", "k1"))
    for named in ({"kid": "k2"}, {}):
        provider.says = {"keys": [published("p256", **named)]}
        assert await tokens.bearer(token("p256", named.get("kid"), jti=str(named)))
    with pytest.raises(NotAuthenticated):
        await tokens.bearer(token("rsa", "k1", jti="after"))


async def test_unknown_names_cost_the_provider_one_question(provider: Provider) -> None:
    tokens = Tokens(provider.settings)
    forged = [made({"alg": "RS256", "kid": f"k{number}"}, {}, b"a" * 256) for number in range(2, 300)]
    refused = await asyncio.gather(*map(tokens.bearer, forged), return_exceptions=True)
    refused += [await attempt(tokens, one) for one in forged]
    assert {type(one) for one in refused} == {NotAuthenticated}
    assert provider.asked == 1


async def attempt(tokens: Tokens, one: str) -> Any:
    return (await asyncio.gather(tokens.bearer(one), return_exceptions=True))[0]


async def test_who_has_a_known_key_does_not_wait_for_a_slow_provider(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_keys, "PATIENCE_S", 0.0)
    tokens = Tokens(provider.settings)
    assert await tokens.bearer(token("rsa", "k1"))
    provider.slow.clear()
    forged = [
        asyncio.create_task(tokens.bearer(made({"alg": "RS256", "kid": f"k{n}"}, {}, b"a" * 256))) for n in range(2, 99)
    ]
    await wait_until(asked_twice(provider), "the provider is asked")
    for number in range(20):
        assert await tokens.bearer(token("rsa", "k1", jti=str(number)))
    assert not any(task.done() for task in forged)
    forged.pop().cancel()  # one who hangs up takes the answer from nobody
    provider.slow.set()
    assert {type(end) for end in await asyncio.gather(*forged, return_exceptions=True)} == {NotAuthenticated}
    assert provider.asked <= 3


def asked_twice(provider: Provider) -> Callable[[], Any]:
    async def asked() -> bool:
        return provider.asked == 2

    return asked


async def test_a_provider_that_never_answers_keeps_nobody_for_good(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_keys, "FETCH_S", 0.1)
    provider.slow.clear()
    tokens = Tokens(provider.settings)
    waiting = [tokens.bearer(token("rsa", "k1", jti=str(number))) for number in range(20)]
    assert {type(end) for end in await asyncio.gather(*waiting, return_exceptions=True)} == {Unavailable}
    assert isinstance(await attempt(tokens, token("rsa", "k1")), Unavailable)
    assert provider.asked == 1


async def test_the_log_tells_a_trouble_once(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(provider_keys, "PATIENCE_S", -1.0)
    tokens = Tokens(provider.settings)
    with caplog.at_level(logging.WARNING, "beerforyou.api.provider_keys"):
        for says in ([], [], {"keys": [published("rsa", kid="k1")]}, []):
            provider.says = says
            await attempt(tokens, token("p256", "k2"))
    assert len(caplog.records) == 2


async def test_strangers_with_tokens_of_their_own_making_disturb_nobody(furnished: Settings, tmp_path: Path) -> None:
    """A real `serve` on a real provider, which becomes slow."""
    async with providing() as provider:
        env = {"BEERFORYOU_AUTH_JWKS_URL": provider.settings.auth_jwks_url}
        good = {"authorization": f"Bearer {token('rsa', 'k1', sub='CLT-00002', exp=time.time() + 600)}"}
        async with installed(furnished, tmp_path, env) as process:
            statuses = set()
            async with undisturbed(process, furnished, headers=good) as waits:
                await waits.answered.wait()
                provider.slow.clear()
                for at_once in (1, 50):
                    statuses |= await sent(process.address, list(FORGERIES.values()) * 2, at_once)
            log = process.log.read_text()
    assert statuses <= {401, 503} and 401 in statuses
    assert "Traceback" not in log and len(log) < 2000


async def sent(address: str, tokens: list[str], at_once: int) -> set[int]:
    """As many at once, without end until each was refused."""
    limit = asyncio.Semaphore(at_once)

    async def one(bearer: str) -> int:
        headers = {"authorization": f"Bearer {bearer}"}
        async with limit, http.post("/v1/runs", json=ASK, headers=headers) as response:
            problem = await response.json()
            assert problem["status"] == response.status and " at 0x" not in problem["detail"], problem
            return response.status

    async with aiohttp.ClientSession(address) as http:
        return set(await asyncio.gather(*map(one, tokens)))
