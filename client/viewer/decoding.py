"""VP9 and AV1 for a viewer on aiortc, which neither negotiates nor decodes them: it is told of VP8 in their place."""

import queue
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final, Literal

import av
from aiortc.jitterbuffer import JitterFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from client.viewer.depayloading import av1_unit, vp9_frame

ExtraCodec = Literal["VP9", "AV1"]
STAND_IN: Final = "VP8"
_TIME_BASE: Final = Fraction(1, 90_000)
_DECODERS: Final[dict[ExtraCodec, str]] = {"VP9": "libvpx-vp9", "AV1": "libdav1d"}
_FORMATS: Final[dict[ExtraCodec, str]] = {"VP9": "profile-id=0", "AV1": "level-idx=5;profile=0;tier=0"}
_LINE: Final = f" {STAND_IN}/90000\r\n"


def offered(sdp: str, codec: ExtraCodec) -> str:
    """An offer of aiortc's as it leaves: what stands in is called by its name."""
    before, _, after = sdp.partition(_LINE)
    payload_type = before.rpartition("a=rtpmap:")[2]
    return f"{before} {codec}/90000\r\na=fmtp:{payload_type} {_FORMATS[codec]}\r\n{after}"


def answered(sdp: str, codec: ExtraCodec) -> str:
    """The answer to it, as aiortc is to see it."""
    return sdp.replace(f" {codec}/90000", f" {STAND_IN}/90000")


def whole_picture(payloads: Sequence[bytes], codec: ExtraCodec) -> bytes:
    """What a decoder takes of one picture's packets; nothing where one of them is missing."""
    try:
        return vp9_frame(payloads) if codec == "VP9" else av1_unit(payloads)
    except ValueError:
        return b""


class DecodingQueue(queue.Queue[Any]):
    """What the decoder thread of a receiver waits at: pictures are decoded on that thread before it sees them.

    `deliver` gets every picture, `failed` is called for what cannot be decoded; both on the decoder thread."""

    def __init__(
        self, codec: ExtraCodec, deliver: Callable[[VideoFrame], None], failed: Callable[[], None]
    ) -> None:
        super().__init__()
        decoder = av.CodecContext.create(_DECODERS[codec], "r")
        assert isinstance(decoder, VideoCodecContext)
        # more threads would hold pictures back
        decoder.thread_count = 1
        self._decoder = decoder
        self._deliver = deliver
        self._failed = failed

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # base class's signature
        """The next task that is not a picture: the end."""
        while True:
            task = super().get(block, timeout)
            if task is None:
                return None
            self._decode(task[1])

    def _decode(self, frame: JitterFrame) -> None:
        if not frame.data:
            # to FFmpeg an empty packet is the end of the stream
            self._failed()
            return
        packet = av.Packet(frame.data)
        packet.pts, packet.time_base = frame.timestamp, _TIME_BASE
        try:
            pictures = self._decoder.decode(packet)
        except av.FFmpegError:
            self._failed()
            return
        for picture in pictures:
            self._deliver(picture)
