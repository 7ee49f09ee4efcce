"""The values that leave the encoders: one encoded picture or one sound packet, shared by all viewers."""

from dataclasses import dataclass, field

from realtime.core.values import FrameTrace
from server.media.codecs import VideoCodec


@dataclass(frozen=True, slots=True, eq=False)
class EncodedVideo:
    """One encoded picture, already cut into RTP payloads. `pts` counts 90 kHz ticks of media time."""

    codec: VideoCodec
    pts: int
    keyframe: bool
    payloads: tuple[bytes, ...]
    size_bytes: int
    trace: FrameTrace


@dataclass(frozen=True, slots=True, eq=False)
class EncodedSound:
    """One Opus packet. `pts` counts samples at 48 kHz of media time."""

    tick: int
    pts: int
    payload: bytes
    keyframe: bool = True
    """Nothing before it is needed."""
    payloads: tuple[bytes, ...] = field(init=False)
    """A sound packet fits one RTP payload as it is, RFC 7587 section 4.2."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "payloads", (self.payload,))


@dataclass(slots=True)
class EgressStats:
    """Counters of one egress since its start, for metrics."""

    frames_encoded: int = 0
    frames_dropped: int = 0
    """Frames that were replaced in the mailbox before they could be encoded."""
    late_frames: int = 0
    """Frames that nobody was shown because their media time was too long ago."""
    late_pictures: int = 0
    """The same for each encoding by itself: a frame may be left out on one and shown on another."""
    held_frames: int = 0
    """Of these, frames that were encoded by then: viewers got them with the next one, not to be seen."""
    keyframes: int = 0
    keyframe_requests: int = 0
    video_bytes: int = 0
    sound_packets: int = 0
    sound_bytes: int = 0
    late_ticks: int = 0
    """Sound ticks that left more than one tick late."""
    skipped_ticks: int = 0
    """Sound ticks that were given up because they were too late."""
    viewer_skips: int = 0
    """Times a slow viewer was moved on to the next keyframe."""
    encoder_failures: int = 0
    bad_frames: int = 0
    """Frames that could not be encoded and were left out."""
    rung_switches: int = 0
    """Times a viewer went on with another encoding of the picture."""
    bitrate_bps: int = 0
    """What the encoder of the best rung in use aims at now."""
    video_viewers: int = 0
    sound_viewers: int = 0
