"""What of a section of an offer is taken into the answer: one codec, the header extensions we write, the feedback."""

import copy
from collections.abc import Sequence

from aiortc.codecs import is_rtx
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpHeaderExtensionParameters
from aiortc.rtcrtptransceiver import RTCRtpTransceiver

from server.media.codecs import VideoCodec
from server.rtc.rtp_header import CAPTURE_TIME_URI, PLAYOUT_DELAY_URI, SEND_TIME_URI, TRANSPORT_SEQUENCE_URI
from server.rtc.sdp_guard import Section


def settle(
    transceiver: RTCRtpTransceiver, section: Section, preferred: Sequence[VideoCodec], *, watched: bool
) -> VideoCodec | None:
    """Leave exactly one codec (and its RTX) in the answer, and take the extensions we can write; the video codec that
    was chosen, if the section shows our picture.

    `watched`: measure this viewer's path by transport-wide feedback if it offers that. Two ways of measuring one path
    would contradict each other, so REMB is then left out of the answer."""
    wanted = None
    formats = list(transceiver._codecs)
    if section.kind == "video":
        formats = copy.deepcopy(list(section.formats))
        wanted = next(codec for codec in (*preferred, *section.codecs) if codec in section.codecs)
    name = wanted or "opus"
    chosen = next(codec for codec in formats if codec.name.lower() == name.lower())
    repeats = [c for c in formats if is_rtx(c) and c.parameters.get("apt") == chosen.payloadType]
    transceiver._codecs = [chosen, *repeats]
    if section.role == "idle":
        return None
    taken = [PLAYOUT_DELAY_URI, CAPTURE_TIME_URI] if section.kind == "video" else []
    if watched and section.transport_feedback:
        taken.append(TRANSPORT_SEQUENCE_URI)
        chosen.rtcpFeedback = [known for known in chosen.rtcpFeedback if known.type != "goog-remb"]
        chosen.rtcpFeedback.append(RTCRtcpFeedback(type="transport-cc"))
        transceiver._headerExtensions = [e for e in transceiver._headerExtensions if e.uri != SEND_TIME_URI]
    transceiver._headerExtensions += [
        RTCRtpHeaderExtensionParameters(id=id_, uri=uri) for id_, uri in section.extensions if uri in taken
    ]
    return wanted
