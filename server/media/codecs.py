"""Names of the codecs that pictures are encoded with."""

from typing import Final, Literal, get_args

VideoCodec = Literal["H264", "VP8", "VP9", "AV1"]
VIDEO_CODECS: Final[tuple[VideoCodec, ...]] = get_args(VideoCodec)
"""The cheapest to encode first, which is the order they are preferred in (docs/transport.md)."""


def video_codec(name: str) -> VideoCodec:
    """A codec by its name in SDP, in any case. Raises `ValueError` for one that we do not encode."""
    for codec in VIDEO_CODECS:
        if codec == name.upper():
            return codec
    raise ValueError(f"no picture is encoded as {name!r}, only as {', '.join(VIDEO_CODECS)}")
