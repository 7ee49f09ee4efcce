"""Transport-wide feedback for connections that we offer: aiortc knows neither the extension nor the feedback."""

from typing import Final

from aiortc import RTCPeerConnection
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters
from aiortc.sdp import MediaDescription, SessionDescription

from server.rtc.rtp_header import TRANSPORT_SEQUENCE_URI

_IDS: Final = range(1, 15)
"""Of one-byte header extensions, RFC 8285 section 4.2."""
_FEEDBACK: Final = "transport-cc"


def advertised(sdp: str) -> str:
    """Our offer, with transport-wide sequence numbers and their feedback offered for sound and picture. All sections
    share one transport and so one id."""
    lines = sdp.splitlines()
    used = {int(line[9:].split()[0].split("/")[0]) for line in lines if line.startswith("a=extmap:")}
    id_ = next((one for one in _IDS if one not in used), None)
    if id_ is None:
        return sdp
    found, media = [], False
    for line in lines:
        found.append(line)
        if line.startswith("m="):
            media = line.startswith(("m=audio", "m=video"))
        elif media and line.startswith("a=mid:"):
            found += [f"a=extmap:{id_} {TRANSPORT_SEQUENCE_URI}", f"a=rtcp-fb:* {_FEEDBACK}"]
    return "\r\n".join(found) + "\r\n"


def take_up(connection: RTCPeerConnection, answer: str) -> bool:
    """Number packets where the answer to an advertised offer wants that; whether it does. Call this right after the
    answer was applied, before media flows."""
    sections = [media for media in SessionDescription.parse(answer).media if media.kind in ("audio", "video")]
    if not any(media.kind == "video" and _fed_back(media) for media in sections):
        # the picture's sender is who reads the feedback
        return False
    ids = {media.rtp.muxId: _id_of(media) for media in sections}
    for transceiver in connection.getTransceivers():
        id_ = ids.get(transceiver.mid or "")
        if id_ is not None:
            extension = RTCRtpHeaderExtensionParameters(id=id_, uri=TRANSPORT_SEQUENCE_URI)
            transceiver._headerExtensions = [*transceiver._headerExtensions, extension]
    return True


def _id_of(media: MediaDescription) -> int | None:
    return next((one.id for one in media.rtp.headerExtensions if one.uri == TRANSPORT_SEQUENCE_URI), None)


def _fed_back(media: MediaDescription) -> bool:
    told = any(known.type == _FEEDBACK for codec in media.rtp.codecs for known in codec.rtcpFeedback)
    return told and _id_of(media) is not None
