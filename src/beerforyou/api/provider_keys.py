"""The keys with which an OpenID Connect provider signs tokens.

Whoever has a token that a known key has signed never waits for the provider; all others wait for one and the same look at
its key set, and not for one each.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import aiohttp
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from beerforyou.errors import Unavailable
from beerforyou.outside.fetch import Outside, whole
from beerforyou.outside.public import named_by_operator

log = logging.getLogger(__name__)

FRESH_S = 300.0  # how long a key set is used before it is fetched again
PATIENCE_S = 10.0  # and how soon the provider may be asked again, for a key that it did not have, or since it failed
FETCH_S = 5.0  # what a fetch may take
LARGEST_SET = 1_000_000  # bytes
MOST_KEYS = 100  # of a set; those of large providers have five
TRIED = 8  # keys that are tried for one token: without names, those of two rotations
SHORTEST_RSA = 2048  # bits; RFC 7518, 3.3
RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}  # RFC 7518, 3.4
ALGORITHMS = RSA | {*CURVES.values(), "EdDSA"}
READ_AS = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}  # which of PyJWT's readers takes keys of that type


class Key(msgspec.Struct, frozen=True):
    kid: str | None
    algorithms: frozenset[str]  # that it may have signed with
    public: Any


class _KeySet(msgspec.Struct):
    keys: list[Any]


class _Jwk(msgspec.Struct):
    """RFC 7517, 4. What else it has is for PyJWT."""

    kty: str
    kid: str | None = None
    use: str | None = None
    alg: str | None = None
    key_ops: list[str] | None = None


class ProviderKeys:
    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: list[Key] = []
        self._asked = -FRESH_S
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None
        self._told = ""

    def fitting(self, algorithm: str, kid: str | None) -> list[Key]:
        """Known keys that may have signed a token of this header, those of its name first."""
        if self._keys and self._age > (PATIENCE_S if self._failed else FRESH_S):
            self._fetch()
        able = [key for key in self._keys if algorithm in key.algorithms]
        named = [key for key in able if kid is not None and key.kid == kid]
        return [*named, *(key for key in able if kid is None or key.kid is None)][:TRIED]

    async def renewed(self) -> bool:
        """Looks for newer keys, unless that was done just now. Raises Unavailable when nobody can know whether there are any."""
        due = self._fetching is not None or self._age > PATIENCE_S
        if due:
            await asyncio.wait([self._fetch()])
        if self._failed:
            raise Unavailable("the identity provider's keys cannot be read", "try again in a moment")
        return due

    @property
    def _age(self) -> float:
        return time.monotonic() - self._asked

    def _fetch(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._asked = time.monotonic()
            self._fetching = asyncio.create_task(self._fetched())
        return self._fetching

    async def _fetched(self) -> None:
        """Keeps the keys that it has when those of the provider cannot be read."""
        try:
            self._keys, unusable = _usable(await _key_set(self._url))
            self._failed = False
            self._tell("; ".join(unusable))
        except (aiohttp.ClientError, OSError, ValueError, RecursionError, msgspec.MsgspecError) as error:
            self._failed = True
            self._tell(f"{type(error).__name__}: {error}")
        finally:
            self._fetching = None

    def _tell(self, trouble: str) -> None:
        """Once, and not each time that somebody makes us look."""
        if trouble and trouble != self._told:
            log.warning("the key set at %s: %s", self._url, trouble[:500])
        self._told = trouble


async def _key_set(url: str) -> bytes:
    """A redirect is not followed: the address is the one that the operator named."""
    async with Outside(FETCH_S, named_by_operator) as outside, outside.request("GET", url) as response:
        if response.status != 200:
            raise ValueError(f"it answered {response.status}")
        return await whole(response, LARGEST_SET)


def _usable(key_set: bytes) -> tuple[list[Key], list[str]]:
    """The keys that may sign, and why others may not. What is not for signing, or of a kind that we don't know, is left out."""
    keys, unusable = [], []
    for jwk in msgspec.convert(json.loads(key_set), _KeySet).keys[:MOST_KEYS]:
        try:
            keys += _key(jwk)
        except Exception as error:  # a foreign key may break PyJWT in any way; the others are still good
            unusable.append(f"a key cannot be used: {error}")
    if not keys:
        raise ValueError("; ".join(["it holds no key that may sign", *unusable]))
    return keys, unusable


def _key(jwk: Any) -> list[Key]:
    entry = msgspec.convert(jwk, _Jwk)
    signs = entry.use in (None, "sig") and (entry.key_ops is None or "verify" in entry.key_ops)
    if not signs or entry.kty not in READ_AS:
        return []
    public = jwt.PyJWK(jwk, READ_AS[entry.kty]).key
    algorithms = _algorithms(public) & (ALGORITHMS if entry.alg is None else {entry.alg})
    return [Key(entry.kid, algorithms, public)] if algorithms else []


def _algorithms(public: Any) -> frozenset[str]:
    match public:
        case RSAPublicKey() if public.key_size < SHORTEST_RSA:
            raise ValueError(f"RSA of {public.key_size} bits is too short")
        case RSAPublicKey():
            return RSA
        case EllipticCurvePublicKey():
            return ALGORITHMS & {CURVES.get(public.curve.name, "")}
        case Ed25519PublicKey() | Ed448PublicKey():
            return ALGORITHMS & {"EdDSA"}
        case _:
            raise ValueError("it is not a public key")
