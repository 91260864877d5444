"""Bearer tokens: who the caller is. The client id comes from here and from nowhere else.

HS256 with a key of ours (the demo, a small installation), or the keys of an OpenID Connect provider.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import time
from typing import Any

import aiohttp
import jwt

from beerforyou.errors import NotAuthenticated, SetupError, Unavailable
from beerforyou.settings import Settings

log = logging.getLogger(__name__)

SHORTEST_SECRET = 32  # bytes; RFC 7518, 3.2: a key at least as long as the hash
REMEMBERED = 10_000  # verified tokens kept, since a signature costs 30 us and a look-up 1
KEYS_FRESH_S = 300.0  # how long a provider's key set is used before it is fetched again
KEYS_PATIENCE_S = 10.0  # and how soon it may be asked again for a key that it did not have
ASYMMETRIC = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
REQUIRED: Any = {"require": ["exp", "iss", "aud"]}


class Tokens:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = None if settings.auth_jwks_url else secret(settings)
        self._known: dict[str, tuple[str, float]] = {}
        self._keys: dict[str | None, Any] = {}
        self._fetched = -KEYS_FRESH_S
        self._fetching = asyncio.Lock()

    async def client_id(self, token: str) -> str:
        """Raises NotAuthenticated: malformed, expired, of another issuer, or signed by somebody else."""
        client_id, expires = self._known.get(token, ("", 0.0))
        if expires > time.time():
            return client_id
        claims = await self._verified(token)
        client_id = claims.get(self._settings.auth_client_claim, "")
        if not isinstance(client_id, str) or not client_id:
            raise NotAuthenticated(
                f"the token has no claim {self._settings.auth_client_claim}", "ask for a token of a client"
            )
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[token] = (client_id, float(claims["exp"]))
        return client_id

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


def mint(settings: Settings, client_id: str, seconds: int) -> str:
    """A token for `client_id`. Only where the key is ours."""
    if settings.auth_jwks_url:
        raise SetupError("tokens come from the provider at BEERFORYOU_AUTH_JWKS_URL", "sign in there")
    now = int(time.time())
    claims = {"iss": settings.auth_issuer, "aud": settings.auth_audience, "iat": now, "exp": now + seconds}
    return jwt.encode(claims | {settings.auth_client_claim: client_id}, secret(settings), "HS256")


def secret(settings: Settings) -> str:
    """The HS256 key: the setting, or one that is made once and kept in the data folder."""
    if settings.auth_secret:
        if len(settings.auth_secret.encode()) < SHORTEST_SECRET:
            raise SetupError(
                f"BEERFORYOU_AUTH_SECRET is shorter than {SHORTEST_SECRET} bytes", "make a longer one at random"
            )
        return settings.auth_secret
    path = settings.data / "auth_secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # the first of several processes wins
        draft.unlink()
    return path.read_text()
