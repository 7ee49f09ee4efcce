"""Bytes off the network, whatever they are: read or dropped, never an exception that reaches the event loop."""

import asyncio
import json
import struct

from aioice.candidate import Candidate
from aiortc import RTCCertificate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.core import wire
from realtime.core.errors import AnimaError
from server.rtc.ice import IceConnection, IceGatherer, IceOptions, RestartableTransport
from server.rtc.ice_tcp import PassiveProtocol, TcpDoor, passive_candidate
from server.rtc.sdpfrag import Credentials
from server.rtc.stun_guard import GuardedStunProtocol
from server.rtc.tcp_stream import FRAME_MAX_BYTES
from server.rtc.transport import GuardedDtlsTransport

FUZZ = settings(
    max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
BYTES = st.binary(max_size=120)
ATTRIBUTES = (0x0006, 0x0008, 0x0009, 0x0012, 0x0016, 0x0020, 0x0024, 0x0025, 0x8022, 0x8028, 0x8029, 0x802A)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@st.composite
def stun_like(draw: st.DrawFn) -> bytes:
    """A STUN message (RFC 8489) whose header is right and whose attributes need not be."""
    kinds, lengths = st.sampled_from((0x0001, 0x0101, 0x0111, 0x0011)), st.integers(0, 40)
    body = b""
    for _ in range(draw(st.integers(0, 4))):
        value = draw(st.binary(max_size=24))
        told = draw(st.just(len(value)) | lengths)
        body += struct.pack("!HH", draw(st.sampled_from(ATTRIBUTES)), told) + value + bytes(-len(value) % 4)
    return struct.pack("!HHI", draw(kinds), len(body), 0x2112A442) + draw(st.binary(min_size=12, max_size=12)) + body


@st.composite
def rtp_like(draw: st.DrawFn) -> bytes:
    """An RTP packet whose header extension (RFC 8285) need not be what its length says."""
    extension = draw(st.binary(max_size=40))
    profile = draw(st.sampled_from((0xBEDE, 0x1000, 0x1001, 0x0000)))
    words = draw(st.just(len(extension) // 4) | st.integers(0, 12))
    first = 0x80 | draw(st.integers(0, 1)) << 5 | 0x10 | draw(st.integers(0, 15))
    head = struct.pack("!BBHII", first, draw(st.integers(0, 127)), 1, 2, 3)
    return head + struct.pack("!HH", profile, words) + extension + draw(BYTES)


@st.composite
def rtcp_like(draw: st.DrawFn) -> bytes:
    """A compound RTCP packet whose parts (RFC 3550, 4585) need not be what their lengths say."""
    whole = b""
    for _ in range(draw(st.integers(1, 3))):
        body = draw(st.binary(max_size=48))
        words = draw(st.just(len(body) // 4) | st.integers(0, 14))
        first = 0x80 | draw(st.integers(0, 1)) << 5 | draw(st.integers(0, 31))
        whole += struct.pack("!BBH", first, draw(st.integers(200, 207)), words) + body
    return whole


def transport() -> GuardedDtlsTransport:
    """One that is not connected: what it is handed is taken for decrypted."""
    gatherer = IceGatherer([], IceOptions(), Credentials("a" * 8, "b" * 22))
    return GuardedDtlsTransport(RestartableTransport(gatherer), [RTCCertificate.generateCertificate()])


def run(step: object) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        step.send(None)  # type: ignore[attr-defined]  # a coroutine
    except StopIteration:
        return
    raise AssertionError("it waits")


class Nowhere(asyncio.DatagramTransport):
    """Takes what is sent."""

    def sendto(self, data: object, addr: object = None) -> None:
        """Nobody gets it."""


async def test_stun_messages() -> None:
    protocol = GuardedStunProtocol(IceConnection(IceOptions(), ice_controlling=False))
    protocol.local_candidate = Candidate("1", 1, "udp", 1, "127.0.0.1", 5, "host")

    protocol.connection_made(Nowhere())

    @FUZZ
    @given(data=BYTES | stun_like())
    def read_or_dropped(data: bytes) -> None:
        protocol.datagram_received(data, ("192.0.2.1", 5000))

    read_or_dropped()
    assert protocol.malformed_packets > 0, "there was something to drop"


async def test_header_extensions_of_media_packets() -> None:
    dtls = transport()

    @FUZZ
    @given(data=BYTES | rtp_like())
    def read_or_dropped(data: bytes) -> None:
        run(dtls._handle_rtp_data(data, 0))

    read_or_dropped()


async def test_reports_and_feedback() -> None:
    dtls = transport()
    dtls.on_feedback = lambda feedback: None

    @FUZZ
    @given(data=BYTES | rtcp_like())
    def read_or_dropped(data: bytes) -> None:
        run(dtls._handle_rtcp_data(data))

    read_or_dropped()


KINDS = ("client-ready", "send-text", "client-message", "disconnect-bot", "user-llm-text")
TOLD = ("say", "interrupt", "cue", "comment", "camera", "stats", "frames")


@FUZZ
@given(
    whole=JSON,
    kind=st.sampled_from(KINDS) | st.text(max_size=8),
    told=st.sampled_from(TOLD) | JSON,
    inside=st.dictionaries(
        st.sampled_from(("text", "emotion", "intensity", "gesture", "gaze", "viewer", "rows", "t")), JSON
    ),
)
def test_envelopes_of_the_data_channel(whole: object, kind: str, told: object, inside: dict[str, object]) -> None:
    rightly = {"label": "rtvi-ai", "id": "x", "type": kind, "data": {"t": told, "d": inside, **inside}}
    for value in (whole, rightly):
        text = json.dumps(value)
        try:
            wire.parse(text)
        except AnimaError as error:
            assert 400 <= error.status < 500
            assert json.loads(wire.error_response(wire.id_of(text), error))["label"] == "rtvi-ai"


async def test_what_comes_in_by_the_tcp_door() -> None:
    door = TcpDoor(0, "127.0.0.1")
    receiver = IceConnection(IceOptions(), ice_controlling=False)
    protocol = PassiveProtocol(receiver, door, passive_candidate(1, "127.0.0.1", door.port))

    @FUZZ
    @given(data=BYTES | stun_like() | st.binary(min_size=FRAME_MAX_BYTES, max_size=FRAME_MAX_BYTES + 1))
    def a_stranger_stays_one(data: bytes) -> None:
        assert door.owner(data) is None

    a_stranger_stays_one()
    await protocol.close()
    door.close()
