"""A socket before PostgreSQL's that counts what a client sends: each time that it then waits is a round trip."""

import asyncio
import contextlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
WAITS = "QSH"  # Query, Sync, Flush: what makes a server answer


class Sent:
    """Messages of all connections, by the letter that they begin with."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.messages = folder, Counter[str]()

    def url(self, url: str) -> str:
        return f"{url.partition('?host=')[0]}?host={self.folder}"

    @property
    def round_trips(self) -> int:
        return sum(self.messages[kind] for kind in WAITS)

    @property
    def statements(self) -> int:
        return self.messages["Q"] + self.messages["E"]


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[Sent]:
    """Before the server whose sockets this URL names."""
    behind = Path(url.partition("?host=")[2]) / SOCKET
    with tempfile.TemporaryDirectory(prefix="beerforyou-counting-") as folder:
        sent = Sent(Path(folder))

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            from_server, to_server = await asyncio.open_unix_connection(str(behind))
            answers = asyncio.create_task(_passed_on(from_server, writer))
            with contextlib.suppress(OSError, EOFError):
                await _counted(reader, to_server, sent)
            to_server.close()
            await answers

        server = await asyncio.start_unix_server(serve, str(sent.folder / SOCKET))
        try:
            yield sent
        finally:
            server.close()


async def _counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: Sent) -> None:
    length = await reader.readexactly(4)  # the first message has no letter
    writer.write(length + await reader.readexactly(int.from_bytes(length) - 4))
    while True:
        head = await reader.readexactly(5)
        sent.messages[chr(head[0])] += 1
        writer.write(head + await reader.readexactly(int.from_bytes(head[1:]) - 4))


async def _passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()
