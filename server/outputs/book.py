"""All outputs of one session: opened and closed by request, and together at the session's end."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from realtime.core.errors import Conflict, InvalidField, NotFound
from server.config import Config
from server.media.egress import MediaEgress
from server.metrics import Metrics
from server.outputs.codecs import Kind as Kind
from server.outputs.feed import STREAM_KEYFRAME_S, Feed, SoundForm
from server.outputs.files import SEGMENT_S, FileSink
from server.outputs.output import Output
from server.outputs.rtmp import RtmpSink
from server.outputs.rtp import RtpSink
from server.outputs.shelf import MEGABYTE, Shelf
from server.outputs.sink import Sink
from server.outputs.srt import SrtSink
from server.outputs.tap import SoundTap
from server.outputs.targets import Rules, Target, read_target
from server.outputs.whip import WhipSink
from server.rtc.peer import PeerOptions

OUTPUTS_MAX: Final = 8
"""Outputs of one session at once."""
KEPT_MAX: Final = 32
"""Ended ones that can still be asked about."""


@dataclass(frozen=True, slots=True)
class OutputWish:
    """What a caller wants. Its repr shows no secret."""

    kind: Kind
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    name: str = ""
    sound: Literal["auto", "opus", "aac"] = "auto"


@dataclass(frozen=True, slots=True)
class Source:
    """What a session gives to its outputs."""

    session_id: str
    egress: MediaEgress
    tap: SoundTap
    size: tuple[int, int]
    fps: int
    hold: Callable[[object], None]
    """Keep picture and sound coming."""
    release: Callable[[object], None]


class Outputs:
    """The outputs of one session. All methods run on the event loop."""

    def __init__(self, source: Source, config: Config, metrics: Metrics, options: PeerOptions) -> None:
        self._source = source
        self._metrics = metrics
        self._options = options
        self._shelf = Shelf(config.recordings_path, config.recordings_quota_mb * MEGABYTE)
        self._rules = Rules(config.output_hosts, config.output_private, config.output_ca)
        self._outputs: dict[str, Output] = {}
        self._opening = 0
        self._closed = False

    @property
    def running(self) -> int:
        """Outputs that take or will take media."""
        return sum(output.running for output in self._outputs.values())

    async def open(self, wish: OutputWish) -> dict[str, Any]:
        """Begin one; its JSON. Raises `InvalidField`, `Forbidden` or `Conflict`."""
        if self._closed or self.running + self._opening >= OUTPUTS_MAX:
            raise Conflict("the session has as many outputs as it may", field="kind", limit=str(OUTPUTS_MAX))
        self._opening += 1
        try:
            shown, sink = await self._sink(wish)
        finally:
            self._opening -= 1
        # an output of a closed session would never end
        if self._closed:
            raise Conflict("the session has ended", field="session")
        form, every_s = _needs(wish)
        feed = Feed(self._source.egress, self._source.tap, form, every_s)
        output = Output(secrets.token_urlsafe(8), wish.kind, shown, sink, feed, self._over, self._metrics.output_failed)
        self._outputs[output.id] = output
        self._source.hold(output)
        self._metrics.output_opened(wish.kind)
        self._forget()
        return output.as_json()

    def all(self) -> list[dict[str, Any]]:
        """What is told of each, oldest first."""
        return [output.as_json() for output in self._outputs.values()]

    def one(self, output_id: str) -> dict[str, Any]:
        """What is told of one. Raises `NotFound`."""
        return self._find(output_id).as_json()

    async def close(self, output_id: str) -> dict[str, Any]:
        """End one, with everything it took sent or written; its JSON. Raises `NotFound`."""
        output = self._find(output_id)
        await output.aclose()
        return output.as_json()

    async def aclose(self) -> None:
        """End all."""
        self._closed = True
        await asyncio.gather(*(output.aclose() for output in self._outputs.values()))

    # --- inside

    async def _sink(self, wish: OutputWish) -> tuple[str, Sink]:
        """What is shown of the target, and the sink."""
        source = self._source
        if wish.kind == "mp4" or wish.kind == "hls":
            if wish.url or wish.secret:
                raise InvalidField("a recording has a name, not an address", field="url")
            name = wish.name or f"{source.session_id}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
            # a session's id may begin with what no name may
            path = await asyncio.to_thread(self._shelf.claim, name.lstrip("-_"), wish.kind)
            aac = _needs(wish)[0] == "pcm"
            shown = str(path.relative_to(self._shelf.directory))
            return shown, FileSink(self._shelf, path, wish.kind, source.size, source.fps, aac=aac)
        if wish.name:
            raise InvalidField("what is published has an address, not a name", field="name")
        if wish.sound == ("aac" if wish.kind in ("whip", "rtp") else "opus"):
            raise InvalidField("this kind does not carry this sound", field="sound", limit="auto")
        target = read_target(wish.kind, wish.url, wish.secret, self._rules)
        return target.shown, self._publisher(target)

    def _publisher(self, target: Target) -> Sink:
        source = self._source
        match target.kind:
            case "rtmp":
                return RtmpSink(target, source.size, source.fps)
            case "srt":
                return SrtSink(target, source.size, source.fps)
            case "whip":
                return WhipSink(target, source.egress, self._options)
            case "rtp":
                return RtpSink(target, source.egress)

    def _over(self, output: Output) -> None:
        self._source.release(output)
        self._metrics.output_closed(output.kind)

    def _find(self, output_id: str) -> Output:
        output = self._outputs.get(output_id)
        if output is None:
            raise NotFound("there is no such output", field="output")
        return output

    def _forget(self) -> None:
        ended = [output.id for output in self._outputs.values() if not output.running]
        for output_id in ended[: max(0, len(ended) - KEPT_MAX)]:
            del self._outputs[output_id]


def _needs(wish: OutputWish) -> tuple[SoundForm, float]:
    """The sound a sink takes and how often it wants a keyframe. Opus goes as it is where the container has it."""
    if wish.kind == "mp4":
        return ("pcm" if wish.sound == "aac" else "opus"), SEGMENT_S
    if wish.kind == "hls":
        return ("opus" if wish.sound == "opus" else "pcm"), SEGMENT_S
    return "pcm", STREAM_KEYFRAME_S
