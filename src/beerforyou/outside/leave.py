"""The permit is asked again when the connection is there: while a request waited for one, its work may have been lost.

session = aiohttp.ClientSession(trace_configs=[asking_leave()])
"""

from __future__ import annotations

from typing import Any

import aiohttp

from beerforyou.outside import permit


def asking_leave() -> aiohttp.TraceConfig:
    config = aiohttp.TraceConfig()
    config.on_connection_create_end.append(_ask)
    config.on_connection_reuseconn.append(_ask)
    return config


async def _ask(*_: Any) -> None:
    permit.ask()
