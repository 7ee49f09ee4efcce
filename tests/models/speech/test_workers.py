"""Worker processes: streaming before the end, cancelling, crashing, hanging, leaving with their parent."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from models.speech import frames
from models.speech.espeak import EspeakVoice
from models.speech.workers import ESPEAK_COMMAND, Worker, WorkerPool
from realtime.core.errors import UpstreamError
from realtime.core.values import VoiceSpec

LONG = "This sentence is spoken many times. " * 400
REQUEST = {"voice": "en-us+f5", "rate": 165, "pitch": 50, "range": 50, "text": "Hello.", "pause": True}
READY_FRAME = frames.encode(frames.READY, 0, b'{"sample_rate":22050}')
READY = f"import sys,time;o=sys.stdout.buffer;o.write({READY_FRAME!r});o.flush();"


def fake(body: str) -> tuple[str, ...]:
    """A worker that says it is ready and then runs `body`."""
    return (sys.executable, "-c", READY + body)


async def said(pool: WorkerPool, text: str = "Hello.") -> int:
    """Bytes of sound of one job."""
    return sum([len(payload) async for kind, payload in pool.run({**REQUEST, "text": text}) if kind == frames.AUDIO])


def test_sound_leaves_before_the_text_is_synthesised() -> None:
    with subprocess.Popen(ESPEAK_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None

        def read() -> tuple[bytes, int, bytes]:
            assert process.stdout is not None
            length, kind, job = frames.decode_header(process.stdout.read(frames.HEADER.size))
            return kind, job, process.stdout.read(length)

        assert read()[0] == frames.READY
        request = json.dumps({**REQUEST, "text": LONG}).encode()
        process.stdin.write(frames.encode(frames.SPEAK, 1, request))
        process.stdin.flush()
        while read()[0] != frames.AUDIO:
            pass
        # the pipe holds less than two seconds of sound and the text lasts minutes: it cannot have been spoken out
        process.stdin.write(frames.encode(frames.CANCEL, 1))
        process.stdin.flush()
        rest = 0
        while (frame := read())[0] != frames.DONE:
            rest += len(frame[2]) if frame[0] == frames.AUDIO else 0
        assert rest < 20 * 22_050 * 2
        process.stdin.close()
        assert process.wait(timeout=5) == 0


def test_the_worker_leaves_when_its_parent_does_even_while_it_speaks() -> None:
    with subprocess.Popen(ESPEAK_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(frames.encode(frames.SPEAK, 1, json.dumps({**REQUEST, "text": LONG}).encode()))
        process.stdin.close()
        assert process.wait(timeout=5) == 0


async def test_a_crash_fails_the_utterance_and_the_next_works() -> None:
    pool = WorkerPool(size=1)
    job = pool.run({**REQUEST, "text": LONG})
    await anext(job)
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(UpstreamError, match="crashed"):
        async for _ in job:
            pass
    assert await said(pool) > 0
    assert pool.restarts == 1
    await pool.aclose()


async def test_a_worker_that_died_idle_is_replaced_unseen() -> None:
    voice_pool = WorkerPool(size=1)
    voice = EspeakVoice(voice_pool)
    await voice.warm_up()
    (pid,) = voice_pool.pids
    os.kill(pid, signal.SIGKILL)
    while voice_pool.pids:  # noqa: ASYNC110 - no event tells that the loop has reaped a child
        await asyncio.sleep(0.001)
    chunks = [chunk async for chunk in voice.speak("Hello.", VoiceSpec())]
    assert chunks[-1].last and voice_pool.restarts == 1
    await voice.aclose()


async def test_a_hanging_worker_is_given_up() -> None:
    pool = WorkerPool(size=1, command=fake("time.sleep(60)"), limit_s=1.0)
    with pytest.raises(UpstreamError, match="silent"):
        await said(pool)
    await pool.aclose()
    assert pool.restarts == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("o.write(b'\\xff'*64);o.flush();time.sleep(60)", "over the limit"),
        (f"o.write({frames.encode(frames.FAILED, 1, b'no such voice')!r});o.flush();time.sleep(60)", "no such voice"),
        ("sys.exit(3)", "crashed"),
    ],
)
async def test_what_a_broken_worker_sends_becomes_an_upstream_error(body: str, message: str) -> None:
    pool = WorkerPool(size=1, command=fake(body), limit_s=2.0)
    with pytest.raises(UpstreamError, match=message):
        await said(pool)
    await pool.aclose()


async def test_a_worker_that_does_not_start_is_an_upstream_error() -> None:
    for command in ((sys.executable, "-c", "pass"), ("/nonexistent/worker",)):
        pool = WorkerPool(size=1, command=command, limit_s=2.0)
        with pytest.raises(UpstreamError):
            await said(pool)
        await pool.aclose()


async def test_a_job_given_up_leaves_the_worker_usable() -> None:
    pool = WorkerPool(size=1)
    for _ in range(3):
        async with contextlib.aclosing(pool.run({**REQUEST, "text": LONG})) as job:
            await anext(job)
    assert await said(pool) > 0
    assert pool.restarts == 0
    await pool.aclose()


async def test_more_jobs_than_workers_wait_their_turn() -> None:
    pool = WorkerPool(size=2)
    lengths = await asyncio.gather(*(said(pool, "One two three.") for _ in range(6)))
    assert min(lengths) > 22_050
    assert len(pool.pids) <= 2
    await pool.aclose()


async def test_a_cancelled_start_leaves_no_process() -> None:
    task = asyncio.create_task(Worker.start(fake("time.sleep(60)")[:2] + ("import time;time.sleep(60)",), 60.0))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
