"""The program as a process of its own, on the servers of the tests."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from beerforyou.settings import Settings, env_name

BEERFORYOU = str(Path(sys.executable).with_name("beerforyou"))
URLS = ("database_url", "database_read_url", "database_sql_url", "database_admin_url", "valkey_url")


class Result(NamedTuple):
    code: int
    out: str
    err: str


def environment(settings: Settings | None) -> dict[str, str]:
    known = {key: value for key, value in os.environ.items() if not key.startswith("BEERFORYOU_")}
    urls = {env_name(field): getattr(settings, field) for field in URLS} if settings else {}
    return known | urls | ({"BEERFORYOU_DATA": str(settings.data)} if settings else {})


async def call(
    *args: str, settings: Settings | None = None, stdin: str = "", env: Mapping[str, str] | None = None
) -> Result:
    """`env` is what is different of the environment."""
    process = await asyncio.create_subprocess_exec(
        BEERFORYOU,
        *args,
        env=environment(settings) | (env or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    return Result(process.returncode or 0, out.decode(), err.decode())
