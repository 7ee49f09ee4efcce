"""An egress that is driven by hand: it keeps who watches and listens, and counts what they ask for."""

from collections.abc import Callable
from typing import Final

from realtime.core.values import FrameTrace
from server.media.codecs import VideoCodec
from server.media.packets import EncodedSound, EncodedVideo
from tests.server.outputs.media import FPS

STEP: Final = 90_000 // FPS


class Viewer:
    """A subscription."""

    def __init__(self) -> None:
        self.requests = 0
        self.closed = False
        self.budget = self
        self.target_bps = 0.0

    def measured(self, target_bps: float) -> None:
        self.target_bps = target_bps

    def request_keyframe(self) -> None:
        self.requests += 1

    def close(self) -> None:
        self.closed = True


class Egress:
    """Hands units to whoever watches; `viewer` and `listener` are the newest subscriptions."""

    def __init__(self) -> None:
        self.viewer, self.listener = Viewer(), Viewer()
        self.codec: VideoCodec | None = None
        """What is watched; None before anybody does."""
        self.heard = False
        self.show: Callable[[EncodedVideo], bool] = lambda unit: True
        self.sound: Callable[[EncodedSound], bool] = lambda unit: True

    def clock(self) -> float:
        return 5.0

    def watch(self, codec: VideoCodec, sink: Callable[[EncodedVideo], bool]) -> Viewer:
        self.codec, self.show, self.viewer = codec, sink, Viewer()
        return self.viewer

    def listen(self, sink: Callable[[EncodedSound], bool]) -> Viewer:
        self.heard, self.sound, self.listener = True, sink, Viewer()
        return self.listener

    def picture(self, index: int, *, keyframe: bool = False) -> None:
        """Show the index-th H.264 picture."""
        payload = bytes([0x65 if keyframe else 0x41]) + bytes(50)
        unit = EncodedVideo("H264", index * STEP, keyframe, (payload,), 51, FrameTrace())
        assert self.show(unit), "a sink never refuses: that would ask for keyframes without end"
