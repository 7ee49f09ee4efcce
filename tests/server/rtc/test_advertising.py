"""What we publish offers transport-wide feedback, and is numbered where the other side wants that."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription

from server.rtc.advertising import advertised, take_up
from server.rtc.rtp_header import TRANSPORT_SEQUENCE_URI


@asynccontextmanager
async def offering() -> AsyncIterator[tuple[RTCPeerConnection, str]]:
    connection = RTCPeerConnection()
    connection.addTransceiver("audio", "sendonly")
    connection.addTransceiver("video", "sendonly")
    await connection.setLocalDescription(await connection.createOffer())
    try:
        yield connection, advertised(connection.localDescription.sdp)
    finally:
        await connection.close()


async def answered(sdp: str) -> str:
    other = RTCPeerConnection()
    await other.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
    await other.setLocalDescription(await other.createAnswer())
    answer = str(other.localDescription.sdp)
    await other.close()
    return answer


async def test_every_section_offers_it_under_one_free_id() -> None:
    async with offering() as (_, sdp):
        media = SessionDescription.parse(sdp).media
        extensions = [one for section in media for one in section.rtp.headerExtensions]
        ours = {one.id for one in extensions if one.uri == TRANSPORT_SEQUENCE_URI}
        assert len(media) == 2 and len(ours) == 1
        assert ours.isdisjoint(one.id for one in extensions if one.uri != TRANSPORT_SEQUENCE_URI)
        for section in media:
            assert any(known.type == "transport-cc" for codec in section.rtp.codecs for known in codec.rtcpFeedback)


def test_without_a_free_id_nothing_is_offered() -> None:
    full = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n" + "".join(f"a=extmap:{n} urn:{n}\r\n" for n in range(1, 15))
    assert advertised(full) == full


@pytest.mark.parametrize("wanted", [True, False])
async def test_packets_are_numbered_where_the_answer_wants_it(wanted: bool) -> None:
    async with offering() as (connection, sdp):
        answer = await answered(sdp)
        if wanted:
            answer = advertised(answer)
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        assert take_up(connection, answer) is wanted
        for transceiver in connection.getTransceivers():
            uris = [one.uri for one in transceiver._headerExtensions]
            assert uris.count(TRANSPORT_SEQUENCE_URI) == int(wanted)
