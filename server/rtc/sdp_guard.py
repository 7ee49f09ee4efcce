"""Reads a peer's offer before aiortc does: limits, usable media, no `.local` candidates, and only our own errors."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, cast

from aiortc.codecs import CODECS
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.sdp import MediaDescription, SessionDescription, candidate_from_sdp

from realtime.core.errors import InvalidField, Malformed, TooLarge
from server.media.codecs import VIDEO_CODECS, VideoCodec
from server.rtc.rtp_header import TRANSPORT_SEQUENCE_URI
from server.rtc.video_formats import stand_in, video_formats

SDP_MAX_BYTES: Final = 64 * 1024
LINES_MAX: Final = 1500
SECTIONS_MAX: Final = 8
CODECS_MAX: Final = 64
CANDIDATES_MAX: Final = 64
_MID: Final = re.compile(r"[!-~]{1,16}")
_ICE_UFRAG: Final = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")
_ICE_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/=_-]{22,256}")
_DIGESTS: Final = frozenset({"sha-256", "sha-384", "sha-512"})

PLAY: Final = ("sendrecv", "recvonly")
"""Directions of a section whose offerer wants to receive."""
PUBLISH: Final = ("sendrecv", "sendonly")
"""Directions of a section whose offerer wants to send."""
_DECODED: Final[tuple[VideoCodec, ...]] = ("H264", "VP8")
"""Video codecs that can be received: aiortc's."""
Role = Literal["video", "audio", "data", "idle"]


@dataclass(frozen=True, slots=True)
class Section:
    """One m-section of an offer and what we will do with it: `idle` sections are answered as inactive."""

    mid: str
    kind: str
    role: Role
    codecs: tuple[VideoCodec, ...] = ()
    """Video codecs that both sides know, in the offer's order."""
    formats: tuple[RTCRtpCodecParameters, ...] = ()
    """The same codecs and their RTX, as an answer would have them."""
    extensions: tuple[tuple[int, str], ...] = ()
    """Header extensions offered, as (id, URI)."""
    transport_feedback: bool = False
    """Whether the viewer offers transport-wide feedback for this section."""
    sends: bool = False
    """Whether the offerer may send in this section too."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered. `sdp` is what aiortc is to see of it."""

    sdp: str
    sections: tuple[Section, ...]

    def section(self, role: Role) -> Section | None:
        """The section with this role, if there is one."""
        return next((section for section in self.sections if section.role == role), None)


def read_offer(sdp: str, kind: str, directions: tuple[str, ...] = PLAY) -> Offer:
    """Check an offer and say what each section is for; media goes in one of these `directions` of the offerer's.
    Raises `TooLarge`, `Malformed` or `InvalidField`."""
    if kind != "offer":
        raise InvalidField("only an offer can be answered", field="type", limit="offer")
    size_bytes = len(sdp.encode("utf-8", "replace"))
    if size_bytes > SDP_MAX_BYTES:
        raise TooLarge(f"the SDP has {size_bytes} bytes", field="sdp", limit=f"{SDP_MAX_BYTES} bytes")
    cleaned = _cleaned(sdp)
    try:
        description = SessionDescription.parse(cleaned)
        return _assigned(cleaned, description, directions)
    except (InvalidField, Malformed):
        raise
    except Exception as error:  # the parser raises AssertionError, IndexError, StopIteration, KeyError and others
        raise Malformed(f"the SDP cannot be parsed: {_named(error)}", field="sdp") from error


def read_candidate(text: str, mid: str | None, line: int | None, field: str) -> RTCIceCandidate | None:
    """A trickled candidate; None for one that ends the list or cannot be used (`.local`, TCP).
    Raises `Malformed`."""
    attribute = text.strip().removeprefix("a=").removeprefix("candidate:")
    if not attribute:
        return None
    if len(attribute) > 512:
        raise TooLarge("the candidate is too long", field=field, limit="512 characters")
    try:
        candidate = candidate_from_sdp(attribute)
        usable = candidate.protocol.lower() == "udp" and 0 < candidate.port <= 0xFFFF
    except Exception as error:  # the parser raises whatever its indexing meets
        raise Malformed(f"the candidate cannot be parsed: {_named(error)}", field=field) from error
    if not usable or _is_local_name(candidate.ip):
        return None
    candidate.sdpMid = mid
    candidate.sdpMLineIndex = line
    return candidate


def feedback_trimmed(line: str) -> str:
    """A line without the blank that Pion ends `a=rtcp-fb:102 nack ` with: aiortc reads an empty parameter behind it,
    and takes that for another kind of feedback, one that nobody can give."""
    return line.rstrip() if line.startswith("a=rtcp-fb:") else line


def _cleaned(sdp: str) -> str:
    """The text with what harms or stalls aiortc taken out.

    `.local` names block for up to 1 s each and cannot be resolved from here; the peer is found by its own checks. The
    end-of-candidates mark goes too: with it, checking fails before those checks arrive, and we have our own timeout."""
    lines = [line.rstrip("\r") for line in sdp.split("\n")]
    lines = [line for line in lines if line]
    if len(lines) > LINES_MAX:
        raise TooLarge(f"the SDP has {len(lines)} lines", field="sdp", limit=f"{LINES_MAX} lines")
    if not lines or not lines[0].startswith("v="):
        raise Malformed("the SDP does not begin with v=", field="sdp")
    kept = [
        feedback_trimmed(line)
        for line in lines
        if line != "a=end-of-candidates" and not _names_local_host(line)
    ]
    candidates = sum(line.startswith("a=candidate:") for line in kept)
    if candidates > CANDIDATES_MAX:
        raise TooLarge(f"the SDP has {candidates} candidates", field="sdp", limit=f"{CANDIDATES_MAX} candidates")
    return "\r\n".join(_with_directions(kept)) + "\r\n"


def _with_directions(lines: list[str]) -> Iterator[str]:
    """A section without a direction is sendrecv (RFC 8866 section 6.7), which aiortc does not know."""
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    if len(starts) > SECTIONS_MAX:
        raise TooLarge(f"the SDP has {len(starts)} m-lines", field="sdp", limit=f"{SECTIONS_MAX} m-lines")
    directions = {"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"}
    session = lines[: starts[0]] if starts else lines
    session_direction = next((line for line in session if line in directions), "a=sendrecv")
    yield from session
    for start, end in zip(starts, [*starts, len(lines)][1:], strict=True):
        section = lines[start:end]
        codecs = sum(line.startswith(("a=rtpmap:", "a=fmtp:")) for line in section)
        if codecs > 2 * CODECS_MAX:
            raise TooLarge("an m-line lists too many codecs", field="sdp", limit=f"{CODECS_MAX} codecs")
        yield from section
        if section[0].startswith(("m=audio", "m=video")) and not directions.intersection(section):
            yield session_direction


def _assigned(sdp: str, description: SessionDescription, directions: tuple[str, ...]) -> Offer:
    sections: list[Section] = []
    taken: set[Role] = set()
    mids: set[str] = set()
    for index, media in enumerate(description.media):
        _require_transport(index, media)
        mid = str(media.rtp.muxId)
        if not _MID.fullmatch(mid) or mid in mids:
            raise InvalidField(
                f"m-line {index} has no usable mid of its own", field="sdp", limit="1 to 16 visible characters, unique"
            )
        mids.add(mid)
        section = _section(index, media, mid, taken, directions)
        if section.formats and not find_common_codecs(CODECS["video"], media.rtp.codecs):
            sdp = stand_in(sdp, index, section.formats[0].payloadType or 0)
        taken.add(section.role)
        sections.append(section)
    if not taken & {"video", "audio"}:
        raise InvalidField("the offer has no audio or video m-line in the right direction", field="sdp")
    _require_bundle(description, mids)
    return Offer(sdp, tuple(sections))


def _section(
    index: int, media: MediaDescription, mid: str, taken: set[Role], directions: tuple[str, ...]
) -> Section:
    if media.kind == "application":
        if "data" in taken:
            raise InvalidField("the offer has more than one data m-line", field="sdp", limit="1")
        if media.profile not in ("UDP/DTLS/SCTP", "DTLS/SCTP"):
            raise InvalidField(f"m-line {index} is not WebRTC data over UDP", field="sdp")
        if media.profile == "UDP/DTLS/SCTP" and media.sctp_port is None:
            raise InvalidField(f"m-line {index} has no sctp-port", field="sdp")
        if media.sctpCapabilities is None and media.profile == "DTLS/SCTP":
            raise InvalidField(f"m-line {index} has no max-message-size", field="sdp")
        return Section(mid, media.kind, "data")
    if media.kind not in ("audio", "video"):
        raise InvalidField(f"m-line {index} is neither audio, video nor application", field="sdp")
    if not media.rtcp_mux:
        raise InvalidField(f"m-line {index} does not offer rtcp-mux", field="sdp")
    if not media.profile.endswith("RTP/SAVPF"):
        raise InvalidField(f"m-line {index} is not RTP/SAVPF", field="sdp")
    known: tuple[str, ...] = ("OPUS",)
    common = find_common_codecs(CODECS["audio"], media.rtp.codecs)
    if media.kind == "video":
        known = VIDEO_CODECS if directions == PLAY else _DECODED
        common = video_formats(media.rtp.codecs)
    usable = list(dict.fromkeys(codec.name.upper() for codec in common if codec.name.upper() in known))
    if not usable:
        raise InvalidField(
            f"m-line {index} offers no codec we know", field="sdp", limit=" or ".join(known).replace("OPUS", "Opus")
        )
    role: Role = cast(Role, media.kind) if media.direction in directions and media.kind not in taken else "idle"
    codecs = tuple(cast(VideoCodec, name) for name in usable) if media.kind == "video" else ()
    formats = tuple(common) if media.kind == "video" else ()
    extensions = tuple((extension.id, extension.uri) for extension in media.rtp.headerExtensions)
    feedback = any(
        known.type == "transport-cc" and codec.name.upper() in usable
        for codec in media.rtp.codecs
        for known in codec.rtcpFeedback
    ) and any(uri == TRANSPORT_SEQUENCE_URI for _, uri in extensions)
    return Section(mid, media.kind, role, codecs, formats, extensions, feedback, media.direction in PUBLISH)


def _require_transport(index: int, media: MediaDescription) -> None:
    ice, dtls = media.ice, media.dtls
    if ice is None or not _ICE_UFRAG.fullmatch(ice.usernameFragment or ""):
        raise InvalidField(f"m-line {index} has no usable ice-ufrag", field="sdp")
    if not _ICE_PASSWORD.fullmatch(ice.password or ""):
        raise InvalidField(f"m-line {index} has no usable ice-pwd", field="sdp")
    if dtls is None or not any(print_.algorithm.lower() in _DIGESTS for print_ in dtls.fingerprints):
        raise InvalidField(f"m-line {index} has no usable fingerprint or setup", field="sdp")


def _require_bundle(description: SessionDescription, mids: set[str]) -> None:
    """Every section on one transport, RFC 9143: aiortc follows a group that names a missing section to a crash."""
    groups = [group for group in description.group if group.semantic == "BUNDLE"]
    if len(mids) > 1 and (len(groups) != 1 or set(groups[0].items) != mids):
        raise InvalidField("the offer does not bundle all of its m-lines", field="sdp", limit="one BUNDLE group")


def _names_local_host(line: str) -> bool:
    parts = line.split()
    return line.startswith("a=candidate:") and len(parts) > 4 and _is_local_name(parts[4])


def _is_local_name(host: str) -> bool:
    return host.lower().rstrip(".").endswith(".local")


def _named(error: Exception) -> str:
    text = str(error)[:120]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
