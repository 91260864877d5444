"""Leave to send, asked at the last moment: while a request waited for its connection, its reason may have gone.

session = aiohttp.ClientSession(trace_configs=[asking_leave()])
session.post(url, trace_request_ctx=permit)  # permit() raises what the caller then gets
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiohttp


def asking_leave() -> aiohttp.TraceConfig:
    config = aiohttp.TraceConfig()
    config.on_connection_create_end.append(_ask)
    config.on_connection_reuseconn.append(_ask)
    return config


async def _ask(session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
    if permit := context.trace_request_ctx:
        permit()
