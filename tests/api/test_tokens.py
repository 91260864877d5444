"""Who the caller is, by tokens of our own."""

import json
import time
import tracemalloc
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import jwt
import pytest
from jwt.utils import base64url_encode

from beerforyou.api.tokens import Tokens, mint
from beerforyou.errors import BeerForYouError, NotAuthenticated, SetupError
from beerforyou.settings import Settings, kept_secret

SECRET = "a key of thirty-two bytes or more, for tests"
NO_DATES = (
    10**400,
    -(10**400),
    10**13,
    1e400,
    -1e400,
    float("nan"),
    True,
    "soon",
    "99999999999",
    [],
    {},
    [1],
    10**4299,
)
LASTS_S = 2 * 86_400.0  # a token that is made as the tests are collected is to outlive them
TOMORROW = time.time() + 86_400
NO_CLIENTS = ("CLT\0", "\0", "CLT\ud800", "\udfff", "a\nb", "a\x85b", "a" * 65, "a" * 5000, 5, ["CLT-00001"], {}, True)


def ours(**changes: Any) -> Settings:
    return Settings(auth_secret=SECRET, **changes)


def signed(key: Any = SECRET, algorithm: str = "HS256", headers: dict[str, str] | None = None, **changes: Any) -> str:
    claims = {"iss": "beerforyou", "aud": "beerforyou", "exp": time.time() + LASTS_S, "sub": "CLT-00001"} | changes
    said = json.dumps({k: v for k, v in claims.items() if v is not None})
    return jwt.api_jws.encode(said.encode(), key, algorithm, headers)  # which lets any claims pass


def made(header: Any, payload: Any, signature: bytes = b"a" * 32) -> str:
    """A token as nobody would make it."""
    parts = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload))
    return ".".join(base64url_encode(part).decode() for part in (*parts, signature))


def no_internals(error: BeerForYouError) -> bool:
    said = f"{error.message} {error.hint}"
    return not any(sign in said for sign in (" at 0x", "<", "codec", "line 1", "Traceback")) and len(said) < 300


def at(moment: float) -> type[datetime]:
    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Then":
            return cls.fromtimestamp(moment, tz)

    return Then


async def test_a_token_of_ours_names_its_client() -> None:
    assert (await Tokens(ours()).bearer(mint(ours(), "CLT-00001", 60))).client_id == "CLT-00001"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(exp=time.time() - 60), id="expired"),
        pytest.param(signed(exp=None), id="never expires"),
        pytest.param(signed(iss="somebody else"), id="of another issuer"),
        pytest.param(signed(aud="another service"), id="for another service"),
        pytest.param(signed(key="another key of thirty-two bytes or more"), id="signed by somebody else"),
        pytest.param(signed(sub=None), id="without a client"),
        pytest.param(signed(sub=""), id="for nobody"),
        pytest.param(jwt.encode({"sub": "CLT-00001"}, "", "none"), id="unsigned"),
        pytest.param("not.a.token", id="garbage"),
        pytest.param("é", id="not ascii"),
        pytest.param("\ud800.a.b", id="not text"),
        pytest.param("a" * 1_000_000, id="a megabyte"),
        pytest.param(signed(padding="a" * 1_000_000), id="a good megabyte"),
        pytest.param(made(b"[" * 4000, {}), id="a header of brackets"),
        pytest.param(made({"alg": ["HS256"]}, {}), id="a list of algorithms"),
        pytest.param(made({"alg": "HS256", "crit": ["b64"], "b64": False}, b""), id="a payload elsewhere"),
        *(pytest.param(signed(exp=exp), id=f"exp {str(exp)[:9]}") for exp in NO_DATES),
        *(
            pytest.param(signed(iat=iat), id=f"iat {'tomorrow' if iat == TOMORROW else str(iat)[:9]}")
            for iat in (1e400, -1e400, 10**400, "x", [], TOMORROW)
        ),
        *(
            pytest.param(signed(nbf=nbf), id=f"nbf {'tomorrow' if nbf == TOMORROW else str(nbf)[:9]}")
            for nbf in (1e400, 10**400, "x", {}, TOMORROW)
        ),
        *(pytest.param(signed(sub=sub), id=f"sub {sub!r:.9}") for sub in NO_CLIENTS),
        pytest.param(signed(iss=["beerforyou"]), id="of several issuers"),
        pytest.param(signed(aud={"beerforyou": 1}), id="for an object"),
    ],
)
async def test_a_token_that_proves_nothing_is_refused(token: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        await Tokens(ours()).bearer(token)
    assert no_internals(refused.value)


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
async def test_clocks_may_differ_by_the_leeway_and_no_more(claim: str) -> None:
    ahead = -1 if claim == "exp" else 1
    near, far = (signed(**{claim: time.time() + ahead * seconds}) for seconds in (5, 15))
    assert (await Tokens(ours()).bearer(near)).client_id == "CLT-00001"
    with pytest.raises(NotAuthenticated):
        await Tokens(ours()).bearer(far)
    with pytest.raises(NotAuthenticated):
        await Tokens(ours(auth_leeway_s=0)).bearer(near)


async def test_a_verified_token_is_not_believed_beyond_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, token = Tokens(ours()), signed(exp=(now := time.time()) + 60)
    for later, believed in ((0, True), (69, True), (71, False)):
        monkeypatch.setattr("beerforyou.api.tokens.time.time", lambda later=later: now + later)
        monkeypatch.setattr("jwt.api_jwt.datetime", at(now + later))
        if believed:
            assert (await tokens.bearer(token)).client_id == "CLT-00001"
        else:
            with pytest.raises(NotAuthenticated, match="expired"):
                await tokens.bearer(token)


async def test_what_is_remembered_of_tokens_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beerforyou.api.tokens.REMEMBERED", 50)
    tokens = Tokens(ours())
    tracemalloc.start()
    for number in range(200):
        await tokens.bearer(signed(jti=str(number), padding="a" * 5000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000


def test_the_key_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    first = kept_secret(settings, "auth_secret")
    assert kept_secret(settings, "auth_secret") == first and len(first) >= 32
    assert (tmp_path / "auth_secret").stat().st_mode & 0o077 == 0


def test_a_short_key_is_refused() -> None:
    with pytest.raises(SetupError, match="32 bytes"):
        kept_secret(Settings(auth_secret="short"), "auth_secret")
