"""What a failing database says, in our words."""

from collections.abc import Awaitable
from typing import TypeVar

import asyncpg

from beerforyou.errors import Unavailable

T = TypeVar("T")
GONE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that is being lost, a moment before asyncpg knows it
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,  # of reads: a replica had to replay what the query still looked at
)


async def answered(question: Awaitable[T]) -> T:
    """Raises Unavailable when the database went away, or took longer than it may."""
    try:
        return await question
    except GONE as error:
        said = f": {error}" if str(error) else ""
        raise Unavailable(f"the database does not answer{said}", "try again in a moment") from error


def explained(error: Exception) -> Exception:
    """Of a write: whether it happened is not known."""
    if isinstance(error, GONE):
        return Unavailable(
            f"the database did not confirm a write: {error}", "try again; it is not known to have happened"
        )
    return error
