"""RTMP against nginx with its RTMP module, and against servers that misbehave."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from server.outputs import rtmp
from server.outputs.output import Output
from server.outputs.rtmp import RtmpSink
from server.outputs.samples import Picture
from server.outputs.sink import SinkFailed
from server.outputs.targets import Rules, read_target
from tests.peers import skip_unless
from tests.server.outputs.media import FPS, read, samples
from tests.server.outputs.ports import free_port
from tests.server.outputs.stage import SIZE, Script, nothing, until

MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
needs_nginx = skip_unless(
    shutil.which("nginx") is not None and MODULE.exists(),
    "needs Debian's nginx and libnginx-mod-rtmp: make interop-deps",
)
KEY = "the-stream-key"


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[Path]:
    """A server that records what it gets; the folder of its recordings."""
    recordings = folder / "recordings"
    recordings.mkdir(exist_ok=True)
    (folder / "nginx.conf").write_text(
        f"load_module {MODULE};\ndaemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log info;\n"
        "events {}\n"
        f"rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; record all; record_unique on;"
        f" record_path {recordings}; }} }} }}\n"
    )
    process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", str(folder / "e")])
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (folder / "error.log").read_text()
        yield recordings
    finally:
        process.kill()
        process.wait()


def sink_to(port: int, secret: str = KEY, scheme: str = "rtmp", host: str = "127.0.0.1") -> RtmpSink:
    target = read_target("rtmp", f"{scheme}://{host}:{port}/live", secret, Rules(private=True))
    return RtmpSink(target, SIZE, FPS)


@needs_nginx
async def test_nginx_gets_every_picture_in_time(tmp_path: Path) -> None:
    port = free_port()
    with nginx(tmp_path, port) as recordings:
        lives: list[bool] = []
        await sink_to(port).run(Script(samples(6), pause_s=0.002), lambda: lives.append(True))
        await until(lambda: "deleteStream" in (tmp_path / "error.log").read_text(), "nginx closes the stream")
        (path,) = recordings.iterdir()
    found = read(path)
    assert lives == [True] and found.frames == 6 * FPS and found.monotone
    assert abs(found.video_s - 6.0) < 0.01 and abs(found.sound_s - 6.0) < 0.06
    assert max(map(abs, found.offsets_ms)) <= 10.0 and len(found.beeps_s) == 5


@needs_nginx
async def test_a_server_that_comes_back_is_published_to_again(tmp_path: Path) -> None:
    port = free_port()
    feed = Script(samples(8), at_once=5, pause_s=0.02, endless=True)
    failures: list[str] = []
    output = Output("o", "rtmp", "shown", sink_to(port), feed, lambda _: None, failures.append)
    await until(lambda: output.state == "waiting", "there is no server yet")
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with nginx(tmp_path / "first", port):
        await until(lambda: output.state == "live" and feed.begun == 1, "it is found")
    await until(lambda: output.state == "waiting", "its end is noticed")
    with nginx(tmp_path / "second", port) as recordings:
        await until(lambda: output.state == "live" and feed.begun == 2, "it is found again")
        await until(lambda: any(one.stat().st_size > 3000 for one in recordings.iterdir()), "media arrives")
        await output.aclose()
    assert output.state == "ended" and len(failures) >= 2 and KEY not in str(output.as_json())


@asynccontextmanager
async def serving(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    tasks: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(writer)
        await handle(reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in tasks:
            writer.transport.abort()
        await server.wait_closed()


async def test_servers_that_misbehave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtmp, "_STEP_TIMEOUT_S", 0.3)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 4000)
        await reader.read()

    async def babbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x03" + bytes(3072) + b"\xff" * 4000)
        await reader.read()

    for handle in (silent, rude, other, babbling):
        async with serving(handle) as port:
            with pytest.raises(SinkFailed) as caught:
                await sink_to(port).run(Script(samples(1)), nothing)
            assert not caught.value.final
    with pytest.raises(SinkFailed, match="reached"):
        await sink_to(free_port()).run(Script(samples(1)), nothing)


@needs_nginx
async def test_a_server_that_takes_nothing_more_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe in front of nginx stops reading in mid-stream."""
    monkeypatch.setattr(rtmp, "_STALL_TIMEOUT_S", 0.5)
    monkeypatch.setattr(rtmp, "_FINISH_TIMEOUT_S", 0.2)
    behind, over, gone = free_port(), asyncio.Event(), asyncio.Event()

    async def stalling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, out = await asyncio.open_connection("127.0.0.1", behind)

        async def back() -> None:
            while data := await inside.read(1 << 16):
                writer.write(data)

        returning = asyncio.create_task(back())
        passed = 0
        while passed < 12_000:
            data = await reader.read(4096)
            passed += len(data)
            out.write(data)
        await over.wait()
        out.close()
        await out.wait_closed()
        await returning
        gone.set()

    # more than all the buffers on the way hold
    big = samples(1) + [Picture(90_000 + index, False, (bytes(200_000),)) for index in range(200)]
    with nginx(tmp_path, behind):
        async with serving(stalling) as port:
            with pytest.raises(SinkFailed, match="TimeoutError"):
                await sink_to(port).run(Script(big, at_once=5000), nothing)
            over.set()
            await gone.wait()
