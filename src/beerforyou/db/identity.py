"""The caller's identity as the database believes it: a short token, signed here and verified there.

`v1|key id|expiry|client as hex|HMAC-SHA256 as hex`. It is made from the authenticated session for each transaction and
travels as a bind parameter; `authz.enter` in migration 0002 is its other half.
"""

import hashlib
import hmac
import time

import asyncpg

from beerforyou.db.queries import QUERIES
from beerforyou.errors import SetupError

LIFETIME_S = 30
BLOCK = 64  # bytes of SHA-256's block, RFC 2104


class Identity:
    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(secret.encode()).digest()
        self.kid = hashlib.sha256(b"kid" + self._key).hexdigest()[:8]

    def token(self, client_id: str) -> str:
        said = f"v1|{self.kid}|{int(time.time()) + LIFETIME_S}|{client_id.encode().hex()}"
        return f"{said}|{hmac.digest(self._key, said.encode(), 'sha256').hex()}"

    async def publish(self, connection: asyncpg.Connection) -> None:
        """Lets the database verify tokens of this key, and of the one before it. Needs the administrator's rights."""
        padded = self._key.ljust(BLOCK, b"\0")
        inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
        await connection.execute("SET ROLE bfy_authz")
        await connection.execute(QUERIES["identity.add_key"].sql, self.kid, inner, outer)
        await connection.execute(QUERIES["identity.forget_old_keys"].sql)
        await connection.execute("RESET ROLE")

    async def check(self, connection: asyncpg.Connection) -> None:
        """Raises SetupError when the database does not know the key."""
        try:
            await connection.fetchval(QUERIES["identity.try"].sql, self.token(""))
        except asyncpg.InvalidAuthorizationSpecificationError:
            raise SetupError(
                "the database does not know the key of this process, or the clocks differ by more than half a minute",
                "run `beerforyou db migrate` with the same BEERFORYOU_IDENTITY_SECRET",
            ) from None
