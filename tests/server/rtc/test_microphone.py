"""A viewer's microphone: packets reach who takes them, in order and within limits; others cost nothing."""

import asyncio
import threading
from fractions import Fraction

import av
import numpy as np
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtp import RtpPacket

from client.viewer import HeadlessViewer
from server.media.audio_encoder import OpusEncoder
from server.rtc.microphone import PAYLOAD_MAX_BYTES, MicrophoneReceiver, OpusDecoder
from server.rtc.peer import Peer
from tests.server.rtc.rig import frequency_hz, session, tone, until


class Taker:
    """Keeps the packets."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def packet(self, payload: bytes) -> None:
        self.payloads.append(payload)


class Tone(AudioStreamTrack):
    """What the viewer sends: 440 Hz."""

    tick = 0

    async def recv(self) -> av.AudioFrame:
        frame = await super().recv()
        made = av.AudioFrame.from_ndarray(tone(self.tick)[None], "s16", "mono")
        made.sample_rate, made.pts, made.time_base = 48_000, self.tick * 960, Fraction(1, 48_000)
        self.tick += 1
        assert isinstance(frame, av.AudioFrame)
        return made


async def test_what_a_viewer_says_arrives_and_is_its_tone() -> None:
    async with session() as rig:
        taker = Taker()
        peer = Peer(rig.egress, rig.messages.append, rig.closed.append, open_microphone=lambda: taker)
        rig.peers.append(peer)
        viewer = RTCPeerConnection()
        viewer.addTrack(Tone())
        viewer.addTransceiver("video", direction="recvonly")
        await viewer.setLocalDescription(await viewer.createOffer())
        answer = await peer.answer(viewer.localDescription.sdp, "offer")
        assert "a=sendrecv" in answer
        await viewer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await until(lambda: len(taker.payloads) > 40)
        decode = OpusDecoder()
        heard = np.concatenate([decode(payload) for payload in taker.payloads[10:40]])
        assert abs(frequency_hz(heard) - 440) < 4
        await viewer.close()


async def test_a_viewer_who_only_listens_opens_nothing_and_starts_no_thread() -> None:
    async with session() as rig:
        opened: list[int] = []

        async def offer(sdp: str) -> object:
            peer = Peer(rig.egress, rig.messages.append, rig.closed.append, open_microphone=lambda: opened.append(1))
            rig.peers.append(peer)
            return await peer.answer(sdp, "offer")

        viewer = RTCPeerConnection()
        viewer.addTransceiver("audio", direction="sendrecv")
        viewer.addTransceiver("video", direction="recvonly")
        await viewer.setLocalDescription(await viewer.createOffer())
        answer = str(await offer(viewer.localDescription.sdp))
        assert "a=sendrecv" in answer
        await viewer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await until(lambda: rig.peers[0].state == "connected")
        # one of the viewer's own; aiortc would start another on our side
        assert [thread.name for thread in threading.enumerate()].count("audio-decoder") == 1 and not opened
        await viewer.close()


async def test_without_a_microphone_the_answer_only_sends() -> None:
    async with session() as rig:
        viewer = HeadlessViewer(signaller=rig)
        await viewer.connect()
        assert "a=sendrecv" not in rig.peers[0]._connection.localDescription.sdp
        await viewer.close()


def receiver(taker: Taker | None) -> tuple[MicrophoneReceiver, list[float]]:
    class Transport:
        state = "connected"

        def _register_rtp_receiver(self, *_: object) -> None: ...

        def _unregister_rtp_receiver(self, *_: object) -> None: ...

    now_s = [0.0]
    made = MicrophoneReceiver(Transport(), lambda: taker, lambda: None, lambda: now_s[0])  # type: ignore[arg-type]  # no network
    opus = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48_000, channels=2, payloadType=111)
    asyncio.run(made.receive(RTCRtpReceiveParameters(codecs=[opus])))
    return made, now_s


def arrive(made: MicrophoneReceiver, sequence: int, payload: bytes = b"x", kind: int = 111) -> None:
    packet = RtpPacket(payload_type=kind, sequence_number=sequence % 65536, timestamp=0, ssrc=1, payload=payload)
    asyncio.run(made._handle_rtp_packet(packet, 0))


def test_lost_packets_are_marked_and_late_ones_dropped() -> None:
    taker = Taker()
    made, _ = receiver(taker)
    for sequence in (65534, 65535, 65538, 65537, 65539, 65640):
        arrive(made, sequence, bytes([sequence % 256]))
    empty = [index for index, payload in enumerate(taker.payloads) if not payload]
    assert empty == [2, 3] and len(taker.payloads) == 7
    assert made.lost == 2 + 100 and made.refused == 1 and made.packets == 5


def test_floods_giants_and_other_codecs_are_refused() -> None:
    taker = Taker()
    made, now_s = receiver(taker)
    arrive(made, 1, kind=0)
    arrive(made, 2, b"")
    arrive(made, 3, b"x" * (PAYLOAD_MAX_BYTES + 1))
    assert made.refused == 3 and not taker.payloads
    for sequence in range(4, 204):
        arrive(made, sequence)
    assert 45 <= made.packets <= 55
    now_s[0] = 1.0
    arrive(made, 205)
    assert taker.payloads[-1] == b"x"


def test_nobody_to_take_it_is_asked_once() -> None:
    made, _ = receiver(None)
    arrive(made, 1)
    arrive(made, 2)
    assert made.refused == 2 and made.packets == 0


def test_what_cannot_be_decoded_harms_nothing() -> None:
    decode = OpusDecoder()
    packet = b"".join(OpusEncoder().encode(0, tone(0)).payloads)
    assert len(decode(packet)) == 960
    assert not decode(b"").any()
    for bad in (b"\xff" * 40, b"\x00", b"\x03" * 9):
        assert len(decode(bad)) <= 5760
