"""Bearer tokens: who the caller is. The client id comes from here and from nowhere else.

HS256 with a key of ours (the demo, a small installation), or the keys of an OpenID Connect provider.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
import jwt
import msgspec

from beerforyou.errors import NotAuthenticated, SetupError, Unavailable
from beerforyou.settings import Settings, kept_secret
from beerforyou.tools.tool import SCOPES

log = logging.getLogger(__name__)

REMEMBERED = 10_000  # verified tokens kept, since a signature costs 30 us and a look-up 1
KEYS_FRESH_S = 300.0  # how long a provider's key set is used before it is fetched again
KEYS_PATIENCE_S = 10.0  # and how soon it may be asked again for a key that it did not have
ASYMMETRIC = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
REQUIRED: Any = {"require": ["exp", "iss", "aud"]}


class Bearer(msgspec.Struct, frozen=True):
    """Who a token speaks for, and for what. Scopes that are not ours are left out."""

    client_id: str
    scopes: frozenset[str] = SCOPES


class Tokens:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = None if settings.auth_jwks_url else kept_secret(settings, "auth_secret")
        self._known: dict[str, tuple[Bearer, float]] = {}
        self._keys: dict[str | None, Any] = {}
        self._fetched = -KEYS_FRESH_S
        self._fetching = asyncio.Lock()

    async def bearer(self, token: str) -> Bearer:
        """Raises NotAuthenticated: malformed, expired, of another issuer, or signed by somebody else."""
        known, expires = self._known.get(token, (None, 0.0))
        if known and expires > time.time():
            return known
        claims = await self._verified(token)
        client_id = claims.get(self._settings.auth_client_claim, "")
        if not isinstance(client_id, str) or not client_id:
            raise NotAuthenticated(
                f"the token has no claim {self._settings.auth_client_claim}", "ask for a token of a client"
            )
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        bearer = Bearer(client_id, self._scopes(claims))
        self._known[token] = (bearer, float(claims["exp"]))
        return bearer

    def _scopes(self, claims: dict[str, Any]) -> frozenset[str]:
        """All, unless the token has the claim (a text with spaces, RFC 8693, or a list): then those of ours in it."""
        said = claims.get(self._settings.auth_scope_claim)
        if said is None:
            return SCOPES
        return SCOPES & frozenset(
            said.split() if isinstance(said, str) else map(str, said) if isinstance(said, list) else ()
        )

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            key, algorithms = (self._key, ["HS256"]) if self._key else (await self._provider_key(token), ASYMMETRIC)
            return jwt.decode(
                token,
                key,
                algorithms,
                issuer=self._settings.auth_issuer,
                audience=self._settings.auth_audience,
                options=REQUIRED,
            )
        except jwt.ExpiredSignatureError:
            raise NotAuthenticated(
                "the token has expired", "sign in again, or make one with `beerforyou token`"
            ) from None
        except jwt.PyJWTError as error:
            raise NotAuthenticated(f"the token is not valid here: {error}", "sign in again") from None

    async def _provider_key(self, token: str) -> Any:
        """The provider's key that the token names. Keys rotate: an unknown name is worth a look, but not each time."""
        kid = jwt.get_unverified_header(token).get("kid")
        async with self._fetching:
            age = time.monotonic() - self._fetched
            if age > KEYS_FRESH_S or (kid not in self._keys and age > KEYS_PATIENCE_S):
                await self._fetch()
        if kid not in self._keys:
            raise jwt.InvalidKeyError("it is signed with a key that the provider does not publish")
        return self._keys[kid]

    async def _fetch(self) -> None:
        """Keeps the keys that it has when the provider does not answer."""
        url, self._fetched = self._settings.auth_jwks_url, time.monotonic()
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http, http.get(url) as response:
                response.raise_for_status()
                found = jwt.PyJWKSet.from_dict(await response.json(content_type=None))
            self._keys = {key.key_id: key.key for key in found.keys}
        except (aiohttp.ClientError, TimeoutError, ValueError, jwt.PyJWKSetError) as error:
            log.warning("the key set at %s cannot be read: %s", url, error)
            if not self._keys:
                self._fetched = -KEYS_FRESH_S
                raise Unavailable("the identity provider does not answer", "try again in a moment") from None


def mint(settings: Settings, client_id: str, seconds: int, scopes: Sequence[str] = ()) -> str:
    """A token for `client_id`, for these scopes or all. Only where the key is ours."""
    if settings.auth_jwks_url:
        raise SetupError("tokens come from the provider at BEERFORYOU_AUTH_JWKS_URL", "sign in there")
    now = int(time.time())
    claims = {"iss": settings.auth_issuer, "aud": settings.auth_audience, "iat": now, "exp": now + seconds}
    claims |= {settings.auth_scope_claim: " ".join(scopes)} if scopes else {}
    return jwt.encode(claims | {settings.auth_client_claim: client_id}, kept_secret(settings, "auth_secret"), "HS256")
