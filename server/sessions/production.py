"""A session's picture and sound while somebody takes them: generated, encoded once, and accounted for."""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from realtime.core import events
from realtime.core.budget import Step
from realtime.core.glass import Eyes, Glass
from realtime.core.plan import Plan
from realtime.core.replaying import BEGUN, RecordedSound, redrawn_record
from realtime.core.scenes import SCENES
from realtime.core.sound import SoundTimeline
from realtime.core.spoken import Spoken
from realtime.core.trace import Responses, StageWindow
from realtime.core.values import Frame, FrameTrace, Rung
from realtime.core.wire_frames import FramesShown
from realtime.ear import Played
from realtime.generator import Generator
from realtime.guarding import Guarding
from realtime.levels import Workshop
from realtime.mailbox import Mailbox
from realtime.ports import Clock, Denoiser
from realtime.stock import Stock
from server.event_log import EventLog
from server.media.egress import MediaEgress
from server.media.nvenc import opener
from server.outputs.tap import SoundTap
from server.sessions.figures import frame_report
from server.sessions.shared import Shared
from server.surfaces import SessionSpec

log = logging.getLogger(__name__)

REPORT_EVERY_FRAMES: Final = 10
"""A tenth of the frames is reported to the overlay: enough to read, while a message costs about as much as a packet."""

TRACED_EVERY_FRAMES: Final = 25
"""One frame a second becomes a trace where traces are exported."""

DECISIONS_KEPT: Final = 50
"""Decisions of the budget that the session's state tells, the newest last."""


def equipped(denoiser: Denoiser | None, *, mouths: bool) -> Rung:
    """The rung that a session's equipment reaches up to: one above it would be left without any work being saved."""
    if denoiser is None:
        return "refine1" if mouths else "warp"
    return "refine2" if denoiser.steps > 1 else "refine1"


class Production:
    """Frames are generated while somebody holds it, and only then; all methods run on the event loop."""

    def __init__(
        self,
        session_id: str,
        spec: SessionSpec,
        shared: Shared,
        plan: Plan,
        clock: Clock,
        emit: Callable[[events.Event], None],
        log: EventLog | None = None,
    ) -> None:
        self._shared = shared
        self._emit = emit
        self._clock = clock
        self._stock = stock = shared.stocks[spec.look]
        self._log = log
        self.sound = SoundTimeline() if log is None else RecordedSound(log.note)
        spoken = Spoken(self.sound)
        self.played = Played(spoken.read)
        self.tap = SoundTap(self.played.read)
        self._frames: Mailbox[Frame] = Mailbox()
        denoiser = shared.denoise(stock.avatar, session_id)
        if log is not None:
            log.denoiser(denoiser)
        self._ladder = SCENES[spec.scene].ladder.ladder(
            equipped(denoiser, mouths=shared.mouths.able), random.Random(session_id).random()
        )
        self._guard = Guarding(lambda *moved: self._stock.avatar.displacement_px(*moved))
        self._shop = shop = Workshop(
            plan, clock, stock, shared.compute, shared.costs, self._ladder, denoiser, shared.refining,
            partial_update=spec.partial_update, guard=self._guard, on_refined=None if log is None else log.refined,
            feeling=shared.feeling, on_step=self._stepped, priority=spec.priority, common=time.monotonic,
        )  # fmt: skip
        self._speaking = shared.mouths.speaking(shop, spoken, shared.config.fps)
        self._generator = Generator(
            shop, self._frames, rate_hz=shared.config.fps, on_frame=self._framed, on_step=self._stepped,
            on_redrawn=self._redrawn, paths_every=lambda: self.egress.every(),
            speaking=self._speaking,
        )  # fmt: skip
        width, height = stock.avatar.width, stock.avatar.height
        self.egress = MediaEgress(
            self._frames, self.tap.read, clock,
            width=width, height=height, fps=shared.config.fps, on_step=self._stepped,
            on_encoded=shared.metrics.encoded_by, on_left_out=shared.metrics.left_out,
            marking=shared.marking(session_id, spec, width, height),
            open_encoder=opener(shared.config.nvenc),
        )  # fmt: skip
        self._stages = StageWindow()
        self._glass = Glass()
        self.responses = Responses()
        self._session_id = session_id
        self._decided: deque[Step] = deque(maxlen=DECISIONS_KEPT)
        self._done: Frame | None = None
        self._holders: set[object] = set()
        self._generating: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def pressed(self) -> bool:
        """Whether frames need all the time there is."""
        return self._ladder.rung == "cached"

    def restage(self, stock: Stock) -> None:
        """Make the frames that follow of other pixels; they have the same size."""
        self._stock = self._shop.restaged = stock
        if self._log is not None:
            self._log.restaged(stock.avatar)

    @property
    def size(self) -> tuple[int, int]:
        """The picture's width and height."""
        return self._stock.avatar.width, self._stock.avatar.height

    def hold(self, holder: object) -> None:
        """Somebody takes what is made; the first one begins it."""
        self._holders.add(holder)
        self.egress.start()
        if self._generating is None and not self._closed:
            if self._log is not None:
                self._log.note({"do": BEGUN})
            self._generating = asyncio.create_task(self._generate(), name="generator")

    def release(self, holder: object) -> None:
        """This one takes nothing any more; the last one ends the frames, while sound runs on."""
        self._holders.discard(holder)
        if not self._holders and self._generating is not None:
            self._generating.cancel()
            self._generating = None

    async def stop(self) -> None:
        """Make no further frame."""
        self._closed = True
        task, self._generating = self._generating, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def aclose(self) -> None:
        """End frames and encoders; nothing of them is left when this returns."""
        await self.stop()
        self._frames.close()
        await self.egress.aclose()

    def figures(self) -> dict[str, Any]:
        """Counters, stage times and the ladder."""
        counters, media, cache = self._generator.counters, self.egress.snapshot(), self._stock.counters
        return {
            "rung": self._ladder.rung,
            "best": self._ladder.best,
            "frames": counters.frames,
            "late": counters.late,
            "skipped": counters.skipped,
            "redrawn": counters.redrawn,
            "left_out": media.late_frames,
            "left_out_pictures": media.late_pictures,
            "held": media.held_frames,
            "lead_ms": round(1e3 * self._generator.lead_s, 2),
            "every": self._generator.every,
            "clock_s": round(self._clock(), 4),
            "decisions": [asdict(step) for step in self._decided],
            "unchanged": counters.unchanged,
            "rungs": dict(self._generator.rungs),
            "mouths": {"made": 0, "missed": 0} if self._speaking is None else self._speaking.figures(),
            "faults": {f"{region} {kind}": count for (region, kind), count in self._guard.faults.items()},
            "steps_down": counters.steps_down,
            "steps_up": counters.steps_up,
            "base_hits": cache.bases.hits,
            "base_misses": cache.bases.misses,
            "patch_hits": cache.patches.hits,
            "patch_misses": cache.patches.misses,
            "stages_ms": self._stages.summary_ms(),
            "glass": self._glass.summary(),
            "bitrate_bps": media.bitrate_bps,
            "encodings": self.egress.census(),
            "keyframes": media.keyframes,
            "sound_late_ticks": media.late_ticks,
        }

    def seen(self, eyes: Eyes, origin: int | None, told: FramesShown) -> dict[str, Any]:
        """A viewer tells of frames it showed: counted, exported, and answered with what the overlay draws. One that
        tells of none asks for our clock: when this came and when the answer leaves, as NTP does (RFC 5905, 8)."""
        now_s = self._clock()
        answer = self._joined(eyes, origin, told, now_s) if told.frames else {}
        return answer | {"came_s": round(now_s, 6), "clock_s": round(self._clock(), 6)}

    def _joined(self, eyes: Eyes, origin: int | None, told: FramesShown, now_s: float) -> dict[str, Any]:
        glass, telemetry = self._glass, self._shared.telemetry
        refused, inconsistent = glass.refused, glass.inconsistent
        found = [] if origin is None else glass.seen(eyes, origin, told.frames, now_s, told.uncertainty_s)
        took_s = [one.durations_s() for one in found]
        self._shared.metrics.seen(took_s, glass.refused - refused, glass.inconsistent - inconsistent)
        for one in found:
            if telemetry is not None and one.index % TRACED_EVERY_FRAMES == 0:
                telemetry.export("glass", "begun", one.stamps_s, now_s, self._session_id)
        slowest = eyes.slowest(now_s)
        summary = {name: value for name, value in glass.summary().items() if name in ("stages_ms", "uncertainty_ms")}
        summary |= {"joined": len(found), "inconsistent": glass.inconsistent - inconsistent}
        return summary if slowest is None else summary | {"slowest": slowest.as_json()}

    async def _generate(self) -> None:
        """Generate; a failure is logged and frames go on, for a frozen host is the worst answer to a bad frame."""
        while True:
            try:
                await self._generator.run()
            except Exception:
                log.exception("the generator failed and starts anew")
                await asyncio.sleep(1.0 / self._shared.config.fps)

    def _framed(self, frame: Frame) -> None:
        """Account the frame before this one: by now it was encoded and sent, so its trace is whole."""
        if self._log is not None:
            self._log.frame(frame)
        self._glass.sent(frame)
        done, self._done = self._done, frame
        if done is None:
            return
        stamps = done.trace.stamps_s
        self._shared.metrics.frame(done.trace, late=stamps["published"] - done.media_s > 1.0 / self._shared.config.fps)
        if "encoded" in stamps:
            self._shared.metrics.encoded(stamps["encoded"] - stamps["published"])
        if "sent" in stamps:
            self._shared.metrics.shown(stamps["sent"] - done.media_s)
        self._stages.add(done.trace)
        self._trace(done)
        if done.index % REPORT_EVERY_FRAMES == 0:
            avatar = self._stock.avatar
            self._emit(events.Report("trace", frame_report(done, avatar.width, avatar.height)))

    def _trace(self, done: Frame) -> None:
        """Tell of the request that this frame is the first to show, and export what is to be exported."""
        response, telemetry = self.responses.shown(done), self._shared.telemetry
        if response is not None:
            took_s = response.durations_s()
            self._shared.metrics.response_stages(took_s)
            self._emit(events.Report("response", {name: round(1e3 * value, 1) for name, value in took_s.items()}))
        if telemetry is not None:
            if response is not None:
                telemetry.export("response", "received", response.stamps_s, self._clock(), self._session_id)
            if done.index % TRACED_EVERY_FRAMES == 0:
                telemetry.export("frame", "begun", done.trace.stamps_s, self._clock(), self._session_id)

    def _redrawn(self, trace: FrameTrace) -> None:
        if self._log is not None:
            self._log.note(redrawn_record(trace))

    def _stepped(self, step: Step) -> None:
        self._shared.metrics.decided(step.kind, step.rung, down=step.down)
        self._decided.append(step)
        self._emit(events.Report(step.kind, {"rung": step.rung, "down": step.down, "reason": step.reason}))
