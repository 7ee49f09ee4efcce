"""Recordings: MP4 that can be played whenever it is cut off, and HLS."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal

import av

from realtime.core.units import VIDEO_CLOCK_HZ
from server.outputs.feed import Feed
from server.outputs.muxer import Muxer
from server.outputs.samples import Picture, Sample
from server.outputs.shelf import Shelf, put_index_first
from server.outputs.sink import SinkFailed

_log = logging.getLogger(__name__)

SEGMENT_S: Final = 4
"""Length of an HLS segment, and how often a recording has a keyframe to seek to."""
_QUOTA_EVERY_PTS: Final = 5 * VIDEO_CLOCK_HZ
_MP4: Final = {"movflags": "empty_moov+default_base_moof+delay_moov", "frag_duration": "1000000", "flush_packets": "1"}
"""A fragment a second: so much at most is lost when the process is killed."""
_HLS: Final = {
    "hls_time": str(SEGMENT_S),
    "hls_segment_type": "fmp4",
    "hls_flags": "independent_segments+temp_file",
    "hls_list_size": "0",
    "hls_playlist_type": "event",
}
"""Segments and playlist appear whole, by renaming."""


class FileSink:
    """Writes one recording on a thread of its own."""

    def __init__(
        self, shelf: Shelf, path: Path, kind: Literal["mp4", "hls"], size: tuple[int, int], fps: int, *, aac: bool
    ) -> None:
        self._shelf = shelf
        self._path = path
        self._kind = kind
        self._size = size
        self._fps = fps
        self._aac = aac
        self._muxer: Muxer | None = None
        self._seconds = 0.0
        self._checked_pts = 0

    def figures(self) -> dict[str, object]:
        """How much of it there is."""
        return {"recorded_s": round(self._seconds, 2)}

    async def run(self, feed: Feed, live: Callable[[], None]) -> None:
        """See `Sink.run`. A failed recording is not taken up again: what there is stays."""
        thread = ThreadPoolExecutor(1, "recording")
        loop = asyncio.get_running_loop()
        feed.begin()
        try:
            try:
                while samples := await feed.take():
                    await loop.run_in_executor(thread, self._write, samples)
                    live()
            finally:
                await asyncio.shield(loop.run_in_executor(thread, self._finish))
        except (av.FFmpegError, OSError, ValueError) as error:
            _log.exception("a recording failed")
            raise SinkFailed(f"the recording cannot be written: {type(error).__name__}", final=True) from error
        finally:
            thread.shutdown(wait=False)

    def _write(self, samples: list[Sample]) -> None:
        if self._muxer is None:
            form, options = ("mp4", _MP4) if self._kind == "mp4" else ("hls", _HLS)
            self._muxer = Muxer(str(self._path), form, options, self._size, self._fps, aac=self._aac)
        self._muxer.write(samples)
        newest = max((one.pts for one in samples if isinstance(one, Picture)), default=self._checked_pts)
        self._seconds = max(self._seconds, newest / VIDEO_CLOCK_HZ + 1.0 / self._fps)
        if newest - self._checked_pts >= _QUOTA_EVERY_PTS:
            self._checked_pts = newest
            if self._shelf.full:
                raise SinkFailed("the recordings' quota is used up", final=True)

    def _finish(self) -> None:
        try:
            self._close()
        finally:
            self._shelf.release(self._path)

    def _close(self) -> None:
        muxer, self._muxer = self._muxer, None
        if muxer is None:
            # nothing came: leave no empty recording behind
            self._path.unlink(missing_ok=True)
            if self._kind == "hls":
                self._path.parent.rmdir()
            return
        muxer.close()
        if self._kind == "mp4":
            put_index_first(self._path)
