"""The measured side of `bench.fanout` and `bench.links`: a synthetic stream, our egress and peers, offers over HTTP."""

import argparse
import asyncio
import os
import time
from pathlib import Path
from typing import Final

import numpy as np
from aiohttp import web

from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES, FRAME_RATE_HZ, video_pts
from realtime.core.values import I420, Frame, FrameTrace, Pcm
from realtime.mailbox import Mailbox
from server.collector import settle_collector
from server.media.egress import MediaEgress
from server.rtc.ice import IceOptions
from server.rtc.ice_tcp import TcpDoor
from server.rtc.peer import Peer, PeerOptions

_SIDE_PX: Final = 512
_LOOP_FRAMES: Final = 50
_TONE_HZ: Final = 220
_MOVING_PX: Final = 160
_PAGE: Final = Path(__file__).with_name("links.html")
_WATCH_S: Final = 0.01


def pictures() -> list[I420]:
    """Two seconds of a still textured picture with a moving region of a mouth's and eyes' size, as a host has. New
    detail in it every frame keeps the encoder at its bit rate."""
    rng = np.random.default_rng(11)
    coarse = rng.integers(40, 200, (_SIDE_PX // 16, _SIDE_PX // 16), dtype=np.uint8)
    still = np.repeat(np.repeat(coarse, 16, axis=0), 16, axis=1)
    made = []
    for _ in range(_LOOP_FRAMES):
        picture = np.full((_SIDE_PX * 3 // 2, _SIDE_PX), 128, np.uint8)
        picture[:_SIDE_PX] = still
        moving = rng.integers(90, 150, (_MOVING_PX // 4, _MOVING_PX // 4), dtype=np.uint8)
        picture[280 : 280 + _MOVING_PX, 176 : 176 + _MOVING_PX] = np.repeat(np.repeat(moving, 4, axis=0), 4, axis=1)
        made.append(picture)
    return made


def tone(tick: int) -> Pcm:
    """20 ms of a tone, continuous over ticks."""
    at = np.arange(tick * AUDIO_TICK_SAMPLES, (tick + 1) * AUDIO_TICK_SAMPLES)
    return np.asarray(8000 * np.sin(2 * np.pi * _TONE_HZ * at / AUDIO_RATE_HZ), np.int16)


class Stage:
    """One stream and whoever watches it."""

    def __init__(self, start_bps: int, most_bps: int, *, tcp: bool = False) -> None:
        self._options = PeerOptions(ice=IceOptions(tcp=TcpDoor(0) if tcp else None))
        began_s = time.monotonic()
        self._began_wall_s = time.time()
        self._frames: Mailbox[Frame] = Mailbox()
        self._egress = MediaEgress(
            self._frames,
            tone,
            lambda: time.monotonic() - began_s,
            width=_SIDE_PX,
            height=_SIDE_PX,
            start_bitrate_bps=start_bps,
            max_bitrate_bps=most_bps,
        )
        self._peers: set[Peer] = set()
        self._stood_still_s = 0.0

    async def run(self) -> None:
        """Publish the pictures in a loop, each at its media time."""
        self._egress.start()
        loop_of = pictures()
        index = 0
        while True:
            index += 1
            early_s = index / FRAME_RATE_HZ - self._egress.clock()
            if early_s > 0:
                await asyncio.sleep(early_s)
            at_s = index / FRAME_RATE_HZ
            pixels = loop_of[index % _LOOP_FRAMES]
            self._frames.put(Frame(index, video_pts(at_s), at_s, 0, pixels, FrameTrace()))

    async def watch_machine(self) -> None:
        """Add up the time in which a timer was due and this process got no processor: what a neighbour took."""
        while True:
            wall_s, own_s = time.monotonic(), time.process_time()
            await asyncio.sleep(_WATCH_S)
            over_s = time.monotonic() - wall_s - _WATCH_S - (time.process_time() - own_s)
            self._stood_still_s += over_s if over_s > _WATCH_S else 0.0

    async def offer(self, request: web.Request) -> web.Response:
        """Join a viewer."""

        def left(reason: str) -> None:
            self._peers.discard(peer)

        peer = Peer(self._egress, lambda text: None, left, options=self._options)
        self._peers.add(peer)
        return web.Response(text=await peer.answer(await request.text(), "offer"))

    async def figures(self, request: web.Request) -> web.Response:
        """Counters of the egress and processor time, so that both are of one moment."""
        stats = self._egress.snapshot()
        peers = [peer.stats() for peer in self._peers]
        return web.json_response(
            {
                "viewers": len(self._peers),
                "began_wall_s": self._began_wall_s,
                "rtp_origins": [peer.video_rtp_origin for peer in self._peers],
                "estimates_bps": [peer.estimate_bps for peer in peers],
                "round_trips_s": [peer.round_trip_s for peer in peers],
                "bitrate_bps": stats.bitrate_bps,
                "census": self._egress.census(),
                "video_bytes": stats.video_bytes,
                "frames_encoded": stats.frames_encoded,
                "keyframes": stats.keyframes,
                "viewer_skips": stats.viewer_skips,
                "rung_switches": stats.rung_switches,
                "late_ticks": stats.late_ticks,
                "skipped_ticks": stats.skipped_ticks,
                "stood_still_s": self._stood_still_s,
                "cpu_s": time.process_time(),
                "at_s": time.monotonic(),
            }
        )


def stay_ahead() -> None:
    """Run before whatever else the machine does, where that is allowed: lateness is to be ours, not the neighbours'."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (AttributeError, PermissionError):
        pass  # the machine is then to be left alone while this runs


async def page(request: web.Request) -> web.FileResponse:
    """The page of `bench.links`."""
    return web.FileResponse(_PAGE)


async def serve(host: str, start_bps: int, most_bps: int, *, tcp: bool = False) -> None:
    """Serve until the process is ended; the first line of output is the port."""
    stage = Stage(start_bps, most_bps, tcp=tcp)
    app = web.Application()
    app.add_routes([web.get("/", page), web.post("/offer", stage.offer), web.get("/figures", stage.figures)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    settle_collector()
    print(runner.addresses[0][1], flush=True)
    await asyncio.gather(stage.run(), stage.watch_machine())


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.fanout_server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--start-bps", type=int, required=True)
    parser.add_argument("--most-bps", type=int, required=True)
    parser.add_argument("--core", type=int, help="processor to stay on")
    parser.add_argument("--ice-tcp", action="store_true", help="let viewers in over TCP too")
    arguments = parser.parse_args()
    if arguments.core is not None:
        os.sched_setaffinity(0, {arguments.core})
    stay_ahead()
    asyncio.run(serve(arguments.host, arguments.start_bps, arguments.most_bps, tcp=arguments.ice_tcp))


if __name__ == "__main__":
    main()
