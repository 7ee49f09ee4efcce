"""Real viewers over real UDP: what arrives, how feedback acts, and that leaving leaves nothing."""

import asyncio
import gc
import json
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from aiortc.rtp import RTCP_PSFB_APP, RTCP_PSFB_PLI, RtcpPsfbPacket, pack_remb_fci
from hypothesis import HealthCheck, given, settings

from client.viewer import HeadlessViewer, HeardSound, SeenFrame
from client.viewer.receiving import PromptReceiver
from realtime.core.errors import Conflict, InvalidField, Malformed, RequestError, TooLarge
from server.media.codecs import VIDEO_CODECS, VideoCodec
from server.rtc.peer import MESSAGE_MAX_BYTES, SERVER_STOPS, Peer, PeerOptions
from tests.server.rtc.rig import HEIGHT, TONE_HZ, WIDTH, Rig, frequency_hz, patches, psnr_db, session, until
from tests.server.rtc.test_sdp_guard import CHROMIUM, mutated


async def take(stream: AsyncIterator[SeenFrame], count: int) -> list[SeenFrame]:
    """The next pictures."""
    return [await anext(stream) for _ in range(count)]


def video_receiver(viewer: HeadlessViewer) -> PromptReceiver:
    """What the viewer's pictures come through."""
    receivers = viewer._connection.getReceivers()
    return next(
        r for r in receivers if isinstance(r, PromptReceiver) and r.track is not None and r.track.kind == "video"
    )


async def _feed_back(viewer: HeadlessViewer, rig: Rig, kind: int, fci: bytes = b"") -> None:
    receiver = video_receiver(viewer)
    sender = next(sender for sender in rig.peers[-1]._connection.getSenders() if sender.kind == "video")
    packet = RtcpPsfbPacket(fmt=kind, ssrc=1, media_ssrc=0 if kind == RTCP_PSFB_APP else sender._ssrc, fci=fci)
    await receiver._send_rtcp(packet)


@pytest.mark.parametrize("codec", VIDEO_CODECS)
async def test_picture_and_sound_arrive(codec: VideoCodec) -> None:
    async with session() as rig, HeadlessViewer(signaller=rig, video_codec=codec) as viewer:
        heard: list[HeardSound] = []
        viewer.on_sound = heard.append
        seen = await take(viewer.frames(), 5)
        assert rig.peers[0].video_codec == codec
        assert seen[-1].pixels.shape == (HEIGHT * 3 // 2, WIDTH)
        assert psnr_db(seen[-1].pixels, patches()) > 40
        await until(lambda: len(heard) >= 40)
        sound = np.concatenate([one.pcm for one in heard[-25:]])
        assert abs(frequency_hz(sound) - TONE_HZ) < 3
        assert 4500 < np.sqrt(np.mean(sound.astype(float) ** 2)) < 6500


async def test_h264_is_preferred_and_vp8_may_be() -> None:
    async with session() as rig, HeadlessViewer(signaller=rig):
        assert rig.peers[0].video_codec == "H264"
    async with session(PeerOptions(video_codecs=("VP8", "H264"))) as rig, HeadlessViewer(signaller=rig):
        assert rig.peers[0].video_codec == "VP8"


async def test_sound_and_picture_share_one_timeline() -> None:
    async with session() as rig, HeadlessViewer(signaller=rig) as viewer:
        frames: list[SeenFrame] = []
        sounds: list[HeardSound] = []
        viewer.on_frame, viewer.on_sound = frames.append, sounds.append
        await until(lambda: len(frames) > 10 and len(sounds) > 20)
        assert {b.rtp_time - a.rtp_time for a, b in zip(frames, frames[1:], strict=False)} <= {3600, 7200, 10800}
        assert {b.rtp_time - a.rtp_time for a, b in zip(sounds, sounds[1:], strict=False)} <= {960, 1920, 2880}
        frame, sound = frames[-1], sounds[-1]
        assert frame.captured_wall_s is not None and sound.captured_wall_s is not None
        # Both times are whole steps of one clock, so the distance is a multiple of 20 ms however late either came.
        apart_ticks = (frame.captured_wall_s - sound.captured_wall_s) / 0.020
        assert abs(apart_ticks - round(apart_ticks)) < 0.1


async def test_stages_are_stamped() -> None:
    async with session() as rig, HeadlessViewer(signaller=rig) as viewer:
        await take(viewer.frames(), 3)
        stamps = next(frame.trace.stamps_s for frame in rig.published if "sent" in frame.trace.stamps_s)
        assert stamps["encoded"] <= stamps["sent"]


async def test_picture_loss_brings_a_keyframe() -> None:
    async with session() as rig, HeadlessViewer(signaller=rig) as viewer:
        await take(viewer.frames(), 10)
        before = rig.egress.stats.keyframes
        for _ in range(5):
            await _feed_back(viewer, rig, RTCP_PSFB_PLI)
        await until(lambda: rig.egress.stats.keyframe_requests >= 5)
        await until(lambda: rig.egress.stats.keyframes > before)
        await take(viewer.frames(), 5)
        assert rig.egress.stats.keyframes <= before + 2


async def test_estimate_changes_the_bit_rate_without_a_keyframe() -> None:
    async with session(moving=True) as rig, HeadlessViewer(signaller=rig) as viewer:
        await take(viewer.frames(), 5)
        sender = next(sender for sender in rig.peers[0]._connection.getSenders() if sender.kind == "video")
        before = rig.egress.stats.keyframes
        await _feed_back(viewer, rig, RTCP_PSFB_APP, pack_remb_fci(1_250_000, [sender._ssrc]))
        # REMB rounds to an 18-bit mantissa.
        await until(lambda: abs(rig.egress.stats.bitrate_bps - 1_000_000) < 10)
        assert rig.egress.stats.keyframes == before
        assert rig.peers[0].stats().estimate_bps is not None


async def test_messages_go_both_ways_and_wait_for_the_channel() -> None:
    async with session() as rig:
        viewer = HeadlessViewer(signaller=rig)
        answered = asyncio.Event()
        viewer.on_message = lambda text: answered.set()
        connecting = asyncio.create_task(viewer.connect())
        await until(lambda: bool(rig.peers))
        assert rig.peers[0].send("early")
        await connecting
        await viewer.send("hello")
        await until(lambda: rig.messages == ["hello"])
        await answered.wait()
        assert rig.peers[0].send("later")
        texts = viewer.messages()
        assert [await anext(texts), await anext(texts)] == ["early", "later"]
        await viewer.close()


@pytest.mark.parametrize(("reason", "returns"), [(SERVER_STOPS, True), ("ended by request", False)])
async def test_a_viewer_is_told_why_it_has_to_leave(reason: str, returns: bool) -> None:
    async with session() as rig, HeadlessViewer(signaller=rig) as viewer:
        await viewer.send("hello")
        await until(lambda: rig.messages == ["hello"])
        await rig.peers[0].close(reason)
        told = json.loads(await anext(viewer.messages()))
        assert told["type"] == "server-message"
        assert told["data"] == {"t": "farewell", "d": {"reason": reason, "returns": returns}}


async def test_messages_that_are_refused() -> None:
    async with session() as rig, HeadlessViewer(signaller=rig) as viewer:
        await viewer.send("x" * (MESSAGE_MAX_BYTES + 1))
        await viewer.send("ok")
        viewer._channel.send(b"\x00\x01")
        await until(lambda: len(rig.refused) == 2)
        assert [type(error) for error in rig.refused] == [TooLarge, InvalidField]
        assert rig.refused[0].limit == "65536 bytes"
        assert rig.messages == ["ok"]


async def test_failing_message_handler_does_not_end_the_viewer(caplog: pytest.LogCaptureFixture) -> None:
    async with session() as rig:
        viewer = HeadlessViewer(signaller=rig)
        rig.on_message = lambda text: 1 / 0
        await viewer.connect()
        await viewer.send("boom")
        await until(lambda: "callback failed" in caplog.text)
        await take(viewer.frames(), 2)
        assert viewer.state == "connected"
        await viewer.close()


async def test_waiting_messages_are_bounded() -> None:
    async with session() as rig:
        peer = rig.peer()
        assert [peer.send("x") for _ in range(65)] == [True] * 64 + [False]
        await peer.close()
        assert not peer.send("x")


# --- several viewers -----------------------------------------------------------------------------------------------


async def test_viewers_share_one_encoder_and_one_leaving_disturbs_nobody() -> None:
    async with session() as rig:
        first, second = HeadlessViewer(signaller=rig), HeadlessViewer(signaller=rig)
        await first.connect()
        await second.connect()
        await take(second.frames(), 2)
        encoded = rig.egress.stats.frames_encoded
        published = len(rig.published)
        await second.close()
        await take(first.frames(), 10)
        assert rig.egress.stats.frames_encoded - encoded <= len(rig.published) - published + 1
        await until(lambda: rig.closed == ["the viewer left"])
        assert rig.egress.stats.video_viewers == 1
        await first.close()


async def test_sound_only_and_picture_only() -> None:
    async with session() as rig:
        async with HeadlessViewer(signaller=rig, video=False) as viewer:
            await anext(viewer.sounds())
        async with HeadlessViewer(signaller=rig, sound=False) as viewer:
            await take(viewer.frames(), 2)
            assert rig.egress.stats.video_viewers == 1


# --- leaving -------------------------------------------------------------------------------------------------------


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files through /proc")
async def test_leaving_leaves_no_task_thread_or_socket() -> None:
    async def visit(rig: Rig, by_server: bool) -> None:
        viewer = HeadlessViewer(signaller=rig)
        await viewer.connect()
        await take(viewer.frames(), 1)
        if by_server:
            await rig.peers[-1].close("told to")
        await viewer.close()
        await rig.peers[-1].close()

    async with session() as rig:
        await visit(rig, False)
        gc.collect()
        await asyncio.sleep(0.05)
        files, threads, tasks = _open_files(), set(threading.enumerate()), asyncio.all_tasks()
        for turn in range(4):
            await visit(rig, by_server=turn % 2 == 0)
        gc.collect()
        await until(lambda: asyncio.all_tasks() == tasks)
        assert set(threading.enumerate()) == threads
        assert _open_files() <= files
        assert (rig.egress.stats.video_viewers, rig.egress.stats.sound_viewers) == (0, 0)
        assert len(rig.closed) == 5


async def test_viewer_that_never_connects_is_given_up() -> None:
    async with session(PeerOptions(join_timeout_s=0.2)) as rig:
        await rig.peer().answer(CHROMIUM, "offer")
        await until(lambda: rig.closed == ["not connected within 0.2 s"])
        assert rig.peers[0].state == "closed"


async def test_silent_viewer_is_given_up() -> None:
    async with session(PeerOptions(silence_timeout_s=0.05)) as rig:
        viewer = HeadlessViewer(signaller=rig)
        await viewer.connect()
        # Receiver reports come every 0.5 to 1.5 s: with a limit of 50 ms this viewer counts as silent.
        await until(lambda: rig.closed == ["nothing heard for 0.05 s"])
        await viewer.close()


async def test_lively_viewer_is_kept() -> None:
    async with session(PeerOptions(silence_timeout_s=2.5)) as rig, HeadlessViewer(signaller=rig) as viewer:
        await asyncio.sleep(3.0)
        assert rig.closed == [] and viewer.state == "connected"
        assert rig.peers[0].stats().round_trip_s is not None


async def test_viewer_that_vanishes_mid_offer() -> None:
    async with session() as rig:
        peer = rig.peer()
        answering = asyncio.create_task(peer.answer(CHROMIUM, "offer"))
        await asyncio.sleep(0)
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering
        assert rig.closed == ["the offer was not answered"]
        assert peer.state == "closed"


async def test_close_while_joining_and_twice() -> None:
    async with session() as rig:
        peer = rig.peer()
        await peer.answer(CHROMIUM, "offer")
        await asyncio.gather(peer.close("one"), peer.close("two"))
        assert rig.closed == ["one"]


# --- offers --------------------------------------------------------------------------------------------------------


async def test_answer_holds_what_was_chosen_and_no_more() -> None:
    async with session() as rig:
        peer = rig.peer()
        answer = await peer.answer(CHROMIUM, "offer")
        sections = answer.split("m=")[1:]
        assert [section.split()[0] for section in sections] == ["audio", "video", "video", "application"]
        assert ["a=sendonly" in section for section in sections] == [True, True, False, False]
        assert "a=inactive" in sections[2]
        assert "opus/48000/2" in sections[0] and "PCMU" not in sections[0]
        assert "H264/90000" in sections[1] and "VP8" not in sections[1] and "rtx/90000" in sections[1]
        assert "playout-delay" in sections[1] and "playout-delay" not in sections[2]
        assert "a=candidate" in sections[0]


async def test_second_offer_on_one_peer_is_a_conflict() -> None:
    async with session() as rig:
        peer = rig.peer()
        await peer.answer(CHROMIUM, "offer")
        with pytest.raises(Conflict):
            await peer.answer(CHROMIUM, "offer")
        assert peer.state != "closed"


@pytest.mark.parametrize("sdp", ["", "v=0", CHROMIUM.replace("m=", "n=")])
async def test_refused_offer_closes_its_peer_only(sdp: str) -> None:
    async with session() as rig, HeadlessViewer(signaller=rig) as viewer:
        with pytest.raises(RequestError):
            await rig.peer().answer(sdp, "offer")
        assert rig.closed == ["the offer was not answered"]
        await take(viewer.frames(), 2)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_offers_are_answered_or_refused(sdp: str) -> None:
    async def main() -> None:
        async with session() as rig:
            peer: Peer = rig.peer()
            try:
                await peer.answer(sdp, "offer")
            except RequestError:
                assert peer.state == "closed"

    asyncio.run(main())


async def test_candidates() -> None:
    async with session() as rig:
        peer = rig.peer()
        await peer.answer(CHROMIUM, "offer")
        good = {"candidate": "candidate:1 1 udp 1 192.0.2.7 4000 typ host", "sdp_mid": "0", "sdp_mline_index": 0}
        await peer.add_candidate(good)
        await peer.add_candidate(good | {"candidate": ""})
        await peer.add_candidate(good | {"candidate": "candidate:1 1 udp 1 a-b.local 4000 typ host"})
        await peer.add_candidate(good)
        for broken, error, field in (
            (good | {"candidate": 5}, InvalidField, "candidates[0].candidate"),
            (good | {"candidate": "candidate:x"}, Malformed, "candidates[0].candidate"),
            (good | {"sdp_mid": 5}, InvalidField, "candidates[0].sdp_mid"),
            (good | {"sdp_mline_index": "0"}, InvalidField, "candidates[0].sdp_mline_index"),
            (good | {"sdp_mid": None, "sdp_mline_index": None}, InvalidField, "candidates[0].sdp_mid"),
        ):
            with pytest.raises(error) as caught:
                await peer.add_candidate(broken)
            assert isinstance(caught.value, RequestError) and caught.value.field == field
        with pytest.raises(TooLarge):
            for _ in range(70):
                await peer.add_candidate(good)
        assert peer.state != "closed"
