"""RTP to a socket of ours: headers, reports, wishes for keyframes, encryption, and a port where nobody listens."""

import asyncio
import base64
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from realtime.core.errors import Forbidden, InvalidField
from realtime.core.values import FrameTrace
from server.media.egress import MediaEgress
from server.media.packets import EncodedSound, EncodedVideo
from server.outputs.rtp import RtpSink, wants_keyframe
from server.outputs.rtp_options import rtp_options
from server.outputs.sink import SinkFailed
from server.outputs.targets import Rules, Target, read_target
from tests.server.outputs.hands import Egress
from tests.server.outputs.ports import free_udp_ports
from tests.server.outputs.stage import Script, nothing, until

INSIDE = Rules(private=True)
KEY = bytes(range(30))
PLI = struct.pack("!BBHLL", 0x81, 206, 2, 1, 2)
REPORT = struct.pack("!BBHL", 0x80, 201, 1, 1)


class Ear(asyncio.DatagramProtocol):
    """Keeps what arrives, and from where."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.sender: tuple[str, int] | None = None
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.append(data)
        self.sender = addr


@asynccontextmanager
async def ears() -> AsyncIterator[tuple[int, list[Ear]]]:
    """Picture, its RTCP, sound, its RTCP."""
    first, loop = free_udp_ports(4), asyncio.get_running_loop()
    opened = [await loop.create_datagram_endpoint(Ear, local_addr=("127.0.0.1", first + n)) for n in range(4)]
    try:
        yield first, [ear for _, ear in opened]
    finally:
        for transport, _ in opened:
            transport.close()


def sink_to(port: int, egress: Egress, options: str = "", secret: str = "") -> RtpSink:
    target = read_target("rtp", f"rtp://127.0.0.1:{port}{options}", secret, INSIDE)
    return RtpSink(target, cast(MediaEgress, egress))


def unit(pts: int, *, keyframe: bool = False, payloads: tuple[bytes, ...] = (b"one", b"two")) -> EncodedVideo:
    return EncodedVideo("VP8", pts, keyframe, payloads, sum(map(len, payloads)), FrameTrace())


async def test_packets_reports_and_wishes() -> None:
    egress, feed, lives = Egress(), Script([], endless=True), list[bool]()
    async with ears() as (port, (picture, picture_control, sound, sound_control)):
        sink = sink_to(port, egress, "?codec=vp8&videopt=100&audiopt=101")
        running = asyncio.create_task(sink.run(feed, lambda: lives.append(True)))
        await until(lambda: egress.codec is not None and bool(picture_control.got), "it begins, with a report")
        assert egress.codec == "VP8" and egress.codec is not None and egress.sound is not None
        egress.show(unit(0, keyframe=True))
        egress.sound(EncodedSound(0, 960, b"opus"))
        await until(lambda: len(picture.got) == 2 and len(sound.got) == 1, "two packets of picture, one of sound")
        headers = [struct.unpack("!BBHLL", one[:12]) for one in picture.got]
        assert [header[1] for header in headers] == [100, 0x80 | 100], "the marker is on the last"
        assert (headers[1][2] - headers[0][2]) & 0xFFFF == 1 and headers[0][3:] == headers[1][3:]
        assert [one[12:] for one in picture.got] == [b"one", b"two"]
        assert sound.got[0][1] & 0x7F == 101 and sound.got[0][12:] == b"opus"
        report = struct.unpack("!BBHLQL", picture_control.got[0][:20])
        # media time 5 s now: the picture's time stamps and the reports tell of one clock
        assert report[1] == 200 and report[3] == headers[0][4]
        assert (report[5] - headers[0][3]) & 0xFFFFFFFF == 5 * 90_000
        assert egress.viewer.requests == 0
        egress.show(unit(200_000))
        assert egress.viewer.requests == 1, "a keyframe every two seconds"
        assert picture_control.transport is not None and picture_control.sender is not None
        picture_control.transport.sendto(REPORT + PLI, picture_control.sender)
        await until(lambda: egress.viewer.requests == 2, "a wish is heard")
        await until(lambda: bool(lives), "live: nobody refused it for a second")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert egress.viewer.closed and egress.listener.closed
        await until(lambda: picture_control.got[-1][1] == 203 == sound_control.got[-1][1], "goodbye")
    assert feed.figures.pictures == 2 and feed.figures.keyframes == 1 and sink.figures()["sent_bytes"] == 12 * 5 + 16


async def test_no_sound_where_none_is_wanted_and_the_end() -> None:
    egress, feed = Egress(), Script([], pause_s=0.1)
    async with ears() as (port, (_, _, sound, sound_control)):
        await sink_to(port, egress, "?audioport=0").run(feed, nothing)
        assert not egress.heard and not sound.got and not sound_control.got and egress.codec == "H264"


async def test_encrypted_with_the_key_that_was_given() -> None:
    egress = Egress()
    async with ears() as (port, (picture, picture_control, *_)):
        sink = sink_to(port, egress, secret=base64.b64encode(KEY).decode())
        running = asyncio.create_task(sink.run(Script([], endless=True), nothing))
        await until(lambda: egress.codec is not None and bool(picture_control.got), "it begins")
        egress.show(unit(0, keyframe=True))
        await until(lambda: len(picture.got) == 2, "packets")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    inside = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_INBOUND))
    assert b"one" not in picture.got[0] and inside.unprotect(picture.got[0])[12:] == b"one"
    assert inside.unprotect_rtcp(picture_control.got[0])[1] == 200


async def test_a_port_where_nobody_listens() -> None:
    egress, port = Egress(), free_udp_ports(4)
    running = asyncio.create_task(sink_to(port, egress).run(Script([], endless=True), nothing))
    await until(lambda: egress.codec is not None, "it begins")
    egress.show(unit(0, keyframe=True))
    with pytest.raises(SinkFailed, match=f"nobody listens at UDP port {port}$") as caught:
        await running
    assert not caught.value.final and egress.viewer.closed and egress.listener.closed


def test_addresses() -> None:
    assert rtp_options("rtp://a:5004").sound_port == 5006
    options = rtp_options("rtp://a:5004?audioport=6000&codec=VP8&videopt=97&audiopt=98")
    assert (options.picture_port, options.sound_port, options.codec) == (5004, 6000, "VP8")
    assert (options.picture_type, options.sound_type) == (97, 98)
    for wrong in (
        "a:53", "a:65535", "a:5004?audioport=53", "a:5004?audioport=5005", "a:5004?audioport=x", "a:5004?codec=h265",
        "a:5004?videopt=0", "a:5004?videopt=111", "a:5004?audiopt=128", "a:5004/path", "a:5004?ttl=3", "a:5004?codec=",
        "a", "a:5004?audioport=65535",
    ):  # fmt: skip
        with pytest.raises(InvalidField) as caught:
            read_target("rtp", f"rtp://{wrong}", "", Rules(hosts=("a",)))
        assert caught.value.field == "url"
    with pytest.raises(InvalidField) as caught:
        read_target("rtp", "rtp://a:5004", "bm8ga2V5", Rules(hosts=("a",)))
    assert caught.value.field == "secret"


def test_it_goes_to_listed_hosts_or_inside_only() -> None:
    for host, rules in (("8.8.8.8", Rules()), ("8.8.8.8", INSIDE), ("a.example", Rules()), ("10.0.0.1", Rules())):
        with pytest.raises(Forbidden):
            read_target("rtp", f"rtp://{host}:5004", "", rules)
    for host, rules in (("8.8.8.8", Rules(hosts=("8.8.8.8",))), ("10.0.0.1", INSIDE), ("a.example", INSIDE)):
        assert read_target("rtp", f"rtp://{host}:5004", "", rules).host == host


async def test_a_name_that_leads_outside() -> None:
    target = Target("rtp", "rtp", "8.8.8.8", 5004, "", INSIDE, "rtp://8.8.8.8:5004")
    with pytest.raises(SinkFailed, match="output_hosts") as caught:
        await target.address()
    assert caught.value.final


@given(st.binary(max_size=64))
def test_whatever_arrives_is_read_without_harm(data: bytes) -> None:
    assert wants_keyframe(data) in (True, False)
    assert wants_keyframe(REPORT + PLI + data) and not wants_keyframe(REPORT)
