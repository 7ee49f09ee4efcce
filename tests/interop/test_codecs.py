"""VP9 and AV1 to Pion, which offers nothing else: its own depacketisers, and a decoder behind them."""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest
from aiohttp import web
from av.video.codeccontext import VideoCodecContext

from server.media.codecs import VideoCodec
from tests.interop.conftest import built_go, needs_pion, output_of
from tests.server.rtc.rig import HEIGHT, WIDTH, Rig, patches, psnr_db, session

pytestmark = [pytest.mark.slow]
CODECS: dict[VideoCodec, str] = {"VP9": "libvpx-vp9", "AV1": "libdav1d"}


@asynccontextmanager
async def answering(rig: Rig) -> AsyncIterator[str]:
    """An address that answers offers as WHEP does."""

    async def offer(request: web.Request) -> web.Response:
        answer = await rig.offer(await request.text())
        return web.Response(status=201, text=answer.sdp, content_type="application/sdp")

    app = web.Application()
    app.router.add_post("/", offer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def decodable(codec: VideoCodec, parts: Sequence[bytes]) -> bytes:
    """A VP9 frame as it is; OBUs with a size each, of as many bytes as any may need."""
    if codec == "VP9":
        return parts[0]
    unit = bytearray(b"\x12\x00")
    for obu in parts:
        size = len(obu) - 1
        unit += bytes([obu[0] | 0x02, *(size >> 7 * at & 0x7F | 0x80 for at in range(3)), size >> 21]) + obu[1:]
    return bytes(unit)


@needs_pion
async def test_pion_takes_pictures_apart_and_they_can_be_decoded(tmp_path: Path) -> None:
    program = await built_go(tmp_path, "pion_codec.go")
    for codec, decoder_name in CODECS.items():
        async with session() as rig, answering(rig) as url:
            seen = await output_of(program, url, codec, folder=tmp_path)
        assert seen["codec"].startswith(f"video/{codec} ")
        pictures = seen["pictures"]
        assert pictures[0]["keyframe"] and sum(one["keyframe"] for one in pictures) <= 2
        decoder = av.CodecContext.create(decoder_name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_count = 1
        shown = []
        for one in pictures:
            data = decodable(codec, [base64.b64decode(part) for part in one["parts"]])
            shown += decoder.decode(av.Packet(data))
        assert len(shown) == len(pictures) and psnr_db(shown[-1].to_ndarray(), patches()) > 40
        if codec == "VP9":
            numbers = [set(one["numbers"]) for one in pictures]
            first = min(numbers[0])
            assert numbers == [{(first + at) % 32768} for at in range(len(numbers))]
            assert pictures[0]["structure"] == [0, WIDTH, HEIGHT, 1, 1]
