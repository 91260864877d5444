"""Server-sent events out of bytes that may be cut anywhere, also in the middle of a letter."""

from __future__ import annotations

from collections.abc import AsyncIterator


async def events(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of each event. A last event that lacks its blank line counts; other fields and comments don't."""
    data: list[bytes] = []
    async for line in _lines(chunks):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data)
            data = []
    if data:
        yield b"\n".join(data)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines end in LF or CRLF. A lone CR, which the standard allows, is not used by any model provider."""
    begun: list[bytes] = []  # of a line; joined once it is whole, since a line may come byte by byte
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        begun.append(first)
        if others:
            yield b"".join(begun).removesuffix(b"\r")
            *whole, last = others
            begun = [last]
            for line in whole:
                yield line.removesuffix(b"\r")
    if rest := b"".join(begun):
        yield rest.removesuffix(b"\r")
