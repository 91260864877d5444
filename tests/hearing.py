"""What followers are told while a run is at work: its sentences are kept nowhere, so tests that ask for them listen."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from beerforyou.house import House
from beerforyou.runs import frames
from beerforyou.runs.publishing import channel
from beerforyou.runs.run import Event


class Heard:
    """All that was published, by channel, in order."""

    def __init__(self) -> None:
        self.news: dict[str, list[bytes]] = {}

    def put(self, channel: str, data: bytes) -> None:
        self.news.setdefault(channel, []).append(data)

    def of(self, run_id: UUID) -> list[Event]:
        """Each event of a run, as somebody hears it who was there from its beginning."""
        news = [frames.unpacked(data) for data in self.news.get(channel(run_id), ())]
        return [event for each in news for event in frames.parsed(each.frames)]

    def sentences(self, run_id: UUID) -> list[str]:
        """Those that stood in the end: what was begun again is void."""
        said: list[str] = []
        for event in self.of(run_id):
            said = [] if event.type == "started" else [*said, *([event.data["text"]] if event.type == "text" else [])]
        return said


@contextmanager
def hearing(house: House) -> Iterator[Heard]:
    """What the house publishes while the block lasts; it is published all the same."""
    heard, publish = Heard(), house.publishing._publish

    def put(channel: str, data: bytes) -> None:
        heard.put(channel, data)
        publish(channel, data)

    house.publishing._publish = put  # type: ignore[method-assign]
    try:
        yield heard
    finally:
        del house.publishing._publish
