"""Lost packets of every codec: they are repeated, and nothing is shown that was built on a part that is missing."""

import pytest
from aiortc.rtp import RtpPacket

from client.viewer import HeadlessViewer
from server.media.codecs import VIDEO_CODECS, VideoCodec
from server.rtc.sender import EgressSender
from tests.server.rtc.rig import psnr_db, session, until
from tests.server.rtc.test_peer import take, video_receiver


@pytest.mark.parametrize("codec", VIDEO_CODECS)
async def test_lost_packets_are_repeated_and_no_wrong_picture_is_shown(codec: VideoCodec) -> None:
    async with session(moving=True) as rig, HeadlessViewer(signaller=rig, video_codec=codec) as viewer:
        await take(viewer.frames(), 3)
        receiver, peer = video_receiver(viewer), rig.peers[0]
        handle, lost = receiver._handle_rtp_packet, 0

        async def lossy(packet: RtpPacket, arrival_time_ms: int) -> None:
            nonlocal lost
            if packet.payload_type % 2 and packet.sequence_number % 9 == 0:
                lost += 1
                return
            await handle(packet, arrival_time_ms)

        receiver._handle_rtp_packet = lossy  # type: ignore[method-assign]  # the network
        await until(lambda: lost >= 8, timeout_s=30.0)
        seen = await take(viewer.frames(), 20)
        sent = {frame.pts: frame.pixels for frame in rig.published}
        origin = peer.video_rtp_origin
        assert origin is not None
        for one in seen:
            whole = sent[(one.rtp_time - origin) % (1 << 32)]
            # so much loss may lead to the rung of half the size; a picture built on a part that is missing would be far
            # from what was sent
            assert one.pixels.shape != whole.shape or psnr_db(one.pixels, whole) > 18
        sender = next(s for s in peer._connection.getSenders() if isinstance(s, EgressSender) and s.kind == "video")
        assert sender._stream is not None and sender._stream.retransmitted > 0
