"""Units and clocks of the media path; every rate and time base is named here once."""

from fractions import Fraction
from typing import Final

VIDEO_CLOCK_HZ: Final = 90_000
"""RTP clock of video, RFC 3551 section 5."""
VIDEO_TIME_BASE: Final = Fraction(1, VIDEO_CLOCK_HZ)

AUDIO_RATE_HZ: Final = 48_000
"""Sample rate and RTP clock of Opus, RFC 7587 section 4.1."""
AUDIO_TIME_BASE: Final = Fraction(1, AUDIO_RATE_HZ)
AUDIO_TICK_S: Final = 0.020
"""Length of one Opus packet."""
AUDIO_TICK_SAMPLES: Final = 960

FRAME_RATE_HZ: Final = 25
FRAME_S: Final = 1.0 / FRAME_RATE_HZ


def video_pts(media_s: float) -> int:
    """Media time in seconds as a 90 kHz time stamp."""
    return round(media_s * VIDEO_CLOCK_HZ)


def audio_pts(tick: int) -> int:
    """First sample index of the audio tick with this number."""
    return tick * AUDIO_TICK_SAMPLES


def even_floor(px: float) -> int:
    """Largest even integer that is not above `px`; I420 rectangles start on even pixels."""
    return int(px // 2) * 2


def even_ceil(px: float) -> int:
    """Smallest even integer that is not below `px`."""
    return -even_floor(-px)
