"""What every kind of output is to the one that runs it."""

from collections.abc import Callable
from typing import Protocol

from server.outputs.feed import Feed


class SinkFailed(Exception):
    """An attempt is over before its feed was. The text is for people and holds no secret; `final` ones are not tried
    again."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


class Sink(Protocol):
    """One way out. `run` is one attempt; a failed one may be followed by another."""

    async def run(self, feed: Feed, live: Callable[[], None]) -> None:
        """Take from the feed until it ends, then finish and return. `live` is called once media is accepted by the
        other side. Raises `SinkFailed`."""
        ...

    def figures(self) -> dict[str, object]:
        """What there is to tell beyond the feed's counters: JSON values."""
        ...
