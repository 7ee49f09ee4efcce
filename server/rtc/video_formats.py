"""What of an m-line's video codecs we can send: those aiortc negotiates, and VP9 and AV1, which it does not know."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aiortc.codecs import CODECS, is_rtx
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpCodecParameters

from realtime.core.units import VIDEO_CLOCK_HZ

_PROFILES: Final = {"VP9": "profile-id", "AV1": "profile"}
"""The parameter that names the profile; absent it is 0, RFC 9628 section 6.1 and AOM's payload format section 7.2."""
_MAIN_PROFILE: Final = "0"
_ANSWERED: Final = {
    "VP9": {"profile-id": _MAIN_PROFILE},
    "AV1": {"level-idx": "5", "profile": _MAIN_PROFILE, "tier": "0"},
}
"""Level 5 is 3.1: pictures up to 1280 x 720."""


def _ours(name: str, parameters: dict[str, int | str | None]) -> RTCRtpCodecParameters:
    feedback = [RTCRtcpFeedback("nack"), RTCRtcpFeedback("nack", "pli"), RTCRtcpFeedback("goog-remb")]
    return RTCRtpCodecParameters(
        mimeType=f"video/{name}", clockRate=VIDEO_CLOCK_HZ, rtcpFeedback=feedback, parameters=parameters
    )


_OURS: Final = [_ours(name, dict(parameters)) for name, parameters in _ANSWERED.items()]


def video_formats(offered: Sequence[RTCRtpCodecParameters]) -> list[RTCRtpCodecParameters]:
    """The codecs we can send and their RTX, in the offer's order, as an answer has them."""
    known = [*CODECS["video"], *_OURS]
    found: dict[int | None, RTCRtpCodecParameters] = {}
    for codec in offered:
        if is_rtx(codec):
            base = found.get(_number(codec.parameters.get("apt")))
            if base is not None and base.clockRate == codec.clockRate:
                found[codec.payloadType] = replace(codec)
        elif _main_profile(codec):
            for common in find_common_codecs(known, [codec]):
                # aiortc keeps its own number in place of one below 96, which RFC 5761 section 4 allows
                found[codec.payloadType] = replace(common, payloadType=codec.payloadType)
    return list(found.values())


def stand_in(sdp: str, index: int, payload_type: int) -> str:
    """An offer to be given to aiortc, with one codec of m-line `index` called VP8 there.

    aiortc refuses an m-line with none of its own codecs. Which one it believes in makes no difference: the answer and
    what is sent follow `settling.settle`, which knows what the payload type really stands for."""
    session, *sections = re.split(r"(?m)^(?=m=)", sdp)
    pattern = rf"(?m)^(a=rtpmap:{payload_type}) [^/\r\n]+/"
    sections[index] = re.sub(pattern, r"\1 VP8/", sections[index], count=1)
    return session + "".join(sections)


def _number(value: int | str | None) -> int | None:
    return value if isinstance(value, int) else None


def _main_profile(codec: RTCRtpCodecParameters) -> bool:
    name = _PROFILES.get(codec.name.upper())
    return name is None or str(codec.parameters.get(name, _MAIN_PROFILE)) == _MAIN_PROFILE
