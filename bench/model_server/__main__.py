"""`python -m bench.model_server [--port N] [--latency S]`: plays recommendations until stopped; prints its address."""

import argparse
import asyncio
import contextlib

import uvloop

from bench.model_server.agent import recommendation
from bench.model_server.server import ModelServer


async def serve(port: int, latency_s: float) -> None:
    async with ModelServer(recommendation, latency_s, port, keep=False) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(options.port, options.latency))


if __name__ == "__main__":
    main()
