"""Waiting for something to happen, instead of for some time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest


async def wait_until(holds: Callable[[], Awaitable[bool]], what: str, within_s: float = 15) -> None:
    end = time.monotonic() + within_s
    while not await holds():
        if time.monotonic() > end:
            pytest.fail(f"it never happens that {what}")
        await asyncio.sleep(0.02)
