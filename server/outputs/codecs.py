"""Which codec of the picture each kind of output gets: the one place that decides it.

What an output takes is encoded for it if no viewer happens to have it: a session whose viewers watch VP9 is recorded as
H.264 all the same, which costs one more encoding while the output runs."""

from collections.abc import Mapping
from typing import Final, Literal

from realtime.core.errors import InvalidField
from server.media.codecs import VIDEO_CODECS, VideoCodec

Kind = Literal["mp4", "hls", "rtmp", "srt", "whip", "rtp"]
FED: Final[VideoCodec] = "H264"
"""What files and streams are made of: players and servers of all four take it, RTMP nothing else."""
TAKEN: Final[Mapping[Kind, tuple[VideoCodec, ...]]] = {
    "mp4": (FED,),
    "hls": (FED,),
    "rtmp": (FED,),
    "srt": (FED,),
    "whip": ("H264", "VP8"),
    "rtp": VIDEO_CODECS,
}
"""Best first. To an SFU the first that it answers with is sent, an RTP address names one itself."""


def codec_of(kind: Kind, asked: str, field: str) -> VideoCodec:
    """The codec that is asked for by name, in any case. Raises `InvalidField` where the output does not take it."""
    taken = TAKEN[kind]
    for codec in taken:
        if codec == asked.upper():
            return codec
    *others, last = (codec.lower() for codec in taken)
    limit = f"codec={', '.join(others)} or {last}" if others else f"codec={last}"
    raise InvalidField("the picture has another codec", field=field, limit=limit)
