"""The transports under a viewer: feedback is read, lost messages come soon, what is malformed ends nothing."""

import asyncio
import re
import time

import pytest
from aiortc.rtcsctptransport import DataChunk, RTCSctpTransport

from client.viewer import HeadlessViewer
from client.viewer.signalling import Answer
from server.media.twcc import Feedback, pack_feedback
from server.rtc.peer import PeerOptions
from server.rtc.rtp_header import CAPTURE_TIME_URI, SEND_TIME_URI, TRANSPORT_SEQUENCE_URI
from server.rtc.sender import EgressSender
from server.rtc.transport import RTO_MIN_S, GuardedDtlsTransport, PromptSctpTransport
from tests.server.rtc.rig import Rig, session, until


class FeedbackRig(Rig):
    """Offers transport-wide feedback and capture times in the viewer's name, as a browser does."""

    answer = ""

    async def offer(self, sdp: str) -> Answer:
        sections = re.split(r"(?=m=)", sdp)
        for index, section in enumerate(sections):
            if section.startswith(("m=audio", "m=video")):
                kinds = re.findall(r"a=rtpmap:(\d+) (?:opus|VP8|H264)/", section)
                section += f"a=extmap:9 {TRANSPORT_SEQUENCE_URI}\r\na=extmap:10 {CAPTURE_TIME_URI}\r\n"
                section += "".join(f"a=rtcp-fb:{kind} transport-cc\r\n" for kind in kinds)
                sections[index] = section
        answered = await super().offer("".join(sections))
        self.answer = answered.sdp
        return answered


def _senders(rig: Rig) -> dict[str, EgressSender]:
    found = [sender for sender in rig.peers[0]._connection.getSenders() if isinstance(sender, EgressSender)]
    return {sender.kind: sender for sender in found}


async def test_feedback_is_negotiated_in_place_of_remb() -> None:
    async with session(kind=FeedbackRig) as rig, HeadlessViewer(signaller=rig) as viewer:
        await anext(viewer.frames())
        assert isinstance(rig, FeedbackRig)
        assert rig.answer.count("transport-cc") == 2
        assert "goog-remb" not in rig.answer and SEND_TIME_URI not in rig.answer
        assert rig.answer.count(CAPTURE_TIME_URI) == 1


async def test_feedback_sets_the_rate_of_the_picture() -> None:
    async with session(kind=FeedbackRig, moving=True) as rig, HeadlessViewer(signaller=rig) as viewer:
        await anext(viewer.frames())
        video = _senders(rig)["video"]
        client = viewer._connection.getReceivers()[0].transport
        outlet = video._outlet
        assert outlet is not None and outlet.estimator is not None
        first = 0
        for count in range(40):
            # what was sent so far has arrived, 30 ms from packet to packet: less than was sent, so a queue grows
            end = outlet._number
            if end > first:
                arrivals = tuple(10 + 0.03 * number for number in range(first, end))
                await client._send_rtp(pack_feedback(1, video._ssrc, Feedback(first, arrivals, count)))
                first = end
            await asyncio.sleep(0.05)
        await until(lambda: video.estimate_bps is not None and video.estimate_bps < 400_000)
        assert rig.peers[0].stats().estimate_bps == video.estimate_bps
        await until(lambda: rig.egress.stats.bitrate_bps < 350_000)


async def test_later_viewers_of_a_crowd_estimate_for_themselves() -> None:
    async with session(PeerOptions(feedback_viewers=0), kind=FeedbackRig) as rig, HeadlessViewer(signaller=rig):
        assert isinstance(rig, FeedbackRig)
        assert "transport-cc" not in rig.answer and "goog-remb" in rig.answer


async def test_broken_feedback_is_dropped() -> None:
    async with session(kind=FeedbackRig) as rig, HeadlessViewer(signaller=rig) as viewer:
        await anext(viewer.frames())
        client = viewer._connection.getReceivers()[0].transport
        guarded = _senders(rig)["video"].transport
        assert isinstance(guarded, GuardedDtlsTransport)
        await client._send_rtp(b"\x8f\xcd\x00\x03" + bytes(8) + b"\x00\x01\x00\xff")
        await until(lambda: guarded.malformed_packets == 1)
        await anext(viewer.frames())


async def test_a_lost_message_comes_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    async with session() as rig, HeadlessViewer(signaller=rig) as viewer:
        texts = viewer.messages()
        await viewer.send("hello")
        await until(lambda: rig.messages == ["hello"])
        sctp = rig.peers[0]._connection.sctp
        assert isinstance(sctp, PromptSctpTransport)
        for count in range(8):
            assert rig.peers[0].send(f"warm {count}")
            assert await anext(texts) == f"warm {count}"
        assert RTO_MIN_S <= sctp._rto < 0.5
        send = sctp._send_chunk
        dropped: list[DataChunk] = []

        async def lossy(chunk: object) -> None:
            if isinstance(chunk, DataChunk) and not dropped:
                dropped.append(chunk)
                return
            await send(chunk)  # type: ignore[arg-type]  # any chunk

        monkeypatch.setattr(sctp, "_send_chunk", lossy)
        before_s = time.monotonic()
        assert rig.peers[0].send("lost once")
        assert await anext(texts) == "lost once"
        assert len(dropped) == 1
        # aiortc itself waits for a second at the least
        assert time.monotonic() - before_s < 0.9


async def test_data_chunks_ask_for_an_acknowledgement_at_once() -> None:
    sent: list[DataChunk] = []

    class Recorder(PromptSctpTransport):
        def __init__(self) -> None:
            self._rto = 0.0

    async def note(self: RTCSctpTransport, chunk: DataChunk) -> None:
        sent.append(chunk)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RTCSctpTransport, "_send_chunk", note)
        await Recorder()._send_chunk(DataChunk(flags=3))
    assert sent[0].flags == 0x0B
