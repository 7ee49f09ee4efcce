"""SRT against Haivision's own receiver, and against nobody."""

import asyncio
import shutil
from pathlib import Path

import pytest

from server.outputs import srt
from server.outputs.libsrt import available
from server.outputs.sink import SinkFailed
from server.outputs.srt import SrtSink
from server.outputs.targets import Rules, read_target
from tests.peers import skip_unless
from tests.server.outputs.media import FPS, read, samples
from tests.server.outputs.ports import free_port
from tests.server.outputs.stage import SIZE, Script, nothing

needs_library = skip_unless(available(), "needs Debian's libsrt1.5-gnutls: make interop-deps")
needs_receiver = skip_unless(
    shutil.which("srt-live-transmit") is not None and available(), "needs Debian's srt-tools: make interop-deps"
)
WORD = "a-passphrase"


def sink_to(port: int) -> SrtSink:
    return SrtSink(read_target("srt", f"srt://127.0.0.1:{port}?latency=120", WORD, Rules(private=True)), SIZE, FPS)


@needs_receiver
async def test_every_picture_arrives_in_time(tmp_path: Path) -> None:
    port, path = free_port(), tmp_path / "got.ts"
    with path.open("wb") as out:  # noqa: ASYNC230  # a file for a child process
        process = await asyncio.create_subprocess_exec(
            "srt-live-transmit", "-q", "-a:no", f"srt://127.0.0.1:{port}?mode=listener&passphrase={WORD}", "file://con",
            stdout=out,
        )  # fmt: skip
        for _ in range(20):
            try:
                await sink_to(port).run(Script(samples(4), pause_s=0.005), nothing)
                break
            except SinkFailed:
                # the receiver is not there yet
                await asyncio.sleep(0.2)
        async with asyncio.timeout(20):
            await process.wait()
    found = read(path)
    assert found.frames == 4 * FPS and found.monotone and len(found.beeps_s) == 3
    assert max(map(abs, found.offsets_ms)) <= 10.0


@needs_library
async def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(srt, "_TIMEOUT_S", 0.3)
    with pytest.raises(SinkFailed, match="connection failed") as caught:
        await sink_to(free_port()).run(Script(samples(1)), nothing)
    assert WORD not in str(caught.value) and not caught.value.final
