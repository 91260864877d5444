"""Bearer tokens: who the caller is. The client id comes from here and from nowhere else.

HS256 with a key of ours (the demo, a small installation), or the keys of an OpenID Connect provider. Whatever is wrong
with a token is the token's fault (401), and never ours.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from typing import Any

import jwt
import msgspec

from beerforyou.api.provider_keys import ALGORITHMS, ProviderKeys
from beerforyou.errors import NotAuthenticated, SetupError
from beerforyou.labels import SCOPES
from beerforyou.settings import Settings, kept_secret

LONGEST_TOKEN = 8192  # characters; the longest that providers warn of are half of it
LONGEST_CLIENT = 64  # characters, as in the files of clients
NO_CLIENT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # what no client's id can hold, nor PostgreSQL some of it
REMEMBERED = 10_000  # verified tokens, by their hash, since a signature costs 30 us and a look-up 2
LAST_DAY = 253_402_300_799  # 9999-12-31: what is beyond is no date
REQUIRED: Any = {"require": ["exp", "iss", "aud"]}
WHY: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.InvalidAudienceError: "it is meant for another service",
    jwt.InvalidIssuerError: "it comes from another issuer",
    jwt.InvalidSignatureError: "it was signed with another key",
    jwt.InvalidAlgorithmError: "it was signed in a way that is not taken here",
    jwt.MissingRequiredClaimError: "it lacks one of exp, iss and aud",
}


class Bearer(msgspec.Struct, frozen=True):
    """Who a token speaks for, and for what. Scopes that are not ours are left out."""

    client_id: str
    scopes: frozenset[str] = SCOPES


class Tokens:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = "" if settings.auth_jwks_url else kept_secret(settings, "auth_secret")
        self._provider = ProviderKeys(settings.auth_jwks_url)
        self._known: dict[bytes, tuple[Bearer, float]] = {}

    async def bearer(self, token: str) -> Bearer:
        """Raises NotAuthenticated: malformed, expired, of another issuer, or signed by somebody else; and Unavailable."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise _no_good(f"it is not ASCII, or longer than {LONGEST_TOKEN} characters")
        digest = hashlib.sha256(token.encode()).digest()
        known, expires = self._known.get(digest, (None, 0.0))
        if known and expires > time.time():
            return known
        claims = await self._verified(token)
        bearer = Bearer(self._client_id(claims), self._scopes(claims))
        if len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[digest] = (bearer, _date(claims["exp"]) + self._settings.auth_leeway_s)
        return bearer

    def _client_id(self, claims: dict[str, Any]) -> str:
        name = self._settings.auth_client_claim
        match claims.get(name):
            case str(found) if 0 < len(found) <= LONGEST_CLIENT and not NO_CLIENT.search(found):
                return found
        raise NotAuthenticated(f"the token's claim {name} is not the id of a client", "ask for a token of a client")

    def _scopes(self, claims: dict[str, Any]) -> frozenset[str]:
        """All, unless the token has the claim (a text with spaces, RFC 8693, or a list): then those of ours in it."""
        match claims.get(self._settings.auth_scope_claim):
            case None:
                return SCOPES
            case str(said):
                return SCOPES.intersection(said.split())
            case list(said):
                return SCOPES.intersection(scope for scope in said if isinstance(scope, str))
        return frozenset()

    async def _verified(self, token: str) -> dict[str, Any]:
        if self._key:
            return self._claims(token, self._key, "HS256")
        algorithm, kid = _header(token)
        if algorithm not in ALGORITHMS:
            raise _no_good(WHY[jwt.InvalidAlgorithmError])
        for look_again in (True, False):
            for key in (keys := self._provider.fitting(algorithm, kid)):
                try:
                    return self._claims(token, key.public, algorithm)
                except _AnotherKey:
                    continue
            named = kid is not None and any(key.kid == kid for key in keys)
            if named or not look_again or not await self._provider.renewed():
                break
        raise _no_good("no key that the provider publishes has signed it")

    def _claims(self, token: str, key: Any, algorithm: str) -> dict[str, Any]:
        settings = self._settings
        try:
            return jwt.decode(
                token,
                key,
                [algorithm],
                issuer=settings.auth_issuer,
                audience=settings.auth_audience,
                leeway=settings.auth_leeway_s,
                options=REQUIRED,
            )
        except Exception as error:  # PyJWT raises more than its own errors, on what only the token can be blamed for
            kind = _AnotherKey if isinstance(error, jwt.InvalidSignatureError) else NotAuthenticated
            raise _no_good(WHY.get(type(error), "it is not a token that we can read"), kind) from None


class _AnotherKey(NotAuthenticated):
    """Signed, by whomever, with another key than the one that was tried."""

    kind = "not-authenticated"


def _no_good(why: str, kind: type[NotAuthenticated] = NotAuthenticated) -> NotAuthenticated:
    return kind(f"the token is not valid here: {why}", "sign in again, or make one with `beerforyou token`")


def _header(token: str) -> tuple[str, str | None]:
    """Its algorithm, and the name of the key that signed it where it says. Raises NotAuthenticated."""
    try:
        header = jwt.get_unverified_header(token)
    except Exception:  # as above
        header = {}
    if not isinstance(header.get("alg"), str):
        raise _no_good("it is not a token that we can read")
    return header["alg"], header.get("kid")


def _date(claim: object) -> float:
    """Seconds since 1970, as RFC 7519, 2 has them. Raises NotAuthenticated."""
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not abs(claim) <= LAST_DAY:
        raise _no_good("its exp is not a date")
    return float(claim)


def mint(settings: Settings, client_id: str, seconds: int, scopes: Sequence[str] = ()) -> str:
    """A token for `client_id`, for these scopes or all. Only where the key is ours."""
    if settings.auth_jwks_url:
        raise SetupError("tokens come from the provider at BEERFORYOU_AUTH_JWKS_URL", "sign in there")
    now = int(time.time())
    claims = {"iss": settings.auth_issuer, "aud": settings.auth_audience, "iat": now, "exp": now + seconds}
    claims |= {settings.auth_scope_claim: " ".join(scopes)} if scopes else {}
    return jwt.encode(claims | {settings.auth_client_claim: client_id}, kept_secret(settings, "auth_secret"), "HS256")
