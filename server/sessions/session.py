"""A running session: one conversation on one media timeline, generated while somebody watches."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from realtime.conductor import Conductor
from realtime.core import events, wire
from realtime.core.errors import RequestError
from realtime.core.facs import Emotion
from realtime.core.glass import Eyes
from realtime.core.plan import Plan
from realtime.core.recording import recording_of
from realtime.core.replaying import RecordedPlan
from realtime.core.values import Pcm, VoiceSpec
from realtime.ports import Clock
from realtime.preheat import preheat
from server.auth import ALL_SCOPES, Scope
from server.director.direction import Direction
from server.outputs.book import Outputs, Source
from server.rtc.peer import Peer, PeerOptions, close_all
from server.rtc.resources import Resources
from server.rtc.signalling import OfferBook
from server.sessions.easel import Easel
from server.sessions.figures import ViewerFigures
from server.sessions.hearing import Hearing, PublishedSound
from server.sessions.inbox import Inbox, direct
from server.sessions.ingest import Ingest
from server.sessions.orders import PaintOrders
from server.sessions.production import Production
from server.sessions.shared import Shared
from server.sessions.transcript import Transcript
from server.surfaces import Cue, SessionSpec


class Session:
    """One conversation. Its clock starts at zero when it is made; everything in it is timed on that clock.

    Frames are generated while there is a viewer, and only then. All methods run on the event loop."""

    def __init__(self, session_id: str, spec: SessionSpec, shared: Shared, options: PeerOptions) -> None:
        begun_s = shared.begin(session_id, time.monotonic())
        self.id = session_id
        self.spec = spec
        self._shared = shared
        self._options = options
        self._clock: Clock = lambda: time.monotonic() - begun_s
        seed = int.from_bytes(session_id.encode(), "big") & 0xFFFFFFFF
        self._log = shared.event_log(session_id, spec, seed)
        self._plan = Plan(seed) if self._log is None else RecordedPlan(seed, self._log.note)
        self._production = Production(session_id, spec, shared, self._plan, self._clock, self._emit, self._log)
        self._egress = self._production.egress
        programme = shared.programmes.open(spec.scene, spec.content, spec.language)
        safety = shared.safety(session_id, spec.scene, spec.language)
        self.directed = Direction(programme, safety, self._clock, self._emit, spec.max_response_time_ms)
        self.conductor = Conductor(
            plan=self._plan,
            sound=self._production.sound,
            voice=shared.voice,
            answerer=programme.answerer,
            clock=self._clock,
            emit=self._emit,
            spec=VoiceSpec(spec.voice, spec.language, spec.rate, spec.pitch),
            gate=self.directed.desk,
            described=shared.described,
            responses=self._production.responses,
        )
        self.directed.attach(self.conductor)
        self.hearing = Hearing(
            shared.hearing, language=spec.language, conductor=self.conductor, directed=self.directed, plan=self._plan,
            played=self._production.played, metrics=shared.metrics, clock=self._clock,
        )  # fmt: skip
        self.easel = Easel(shared.paints, spec, safety, self._production, shared.look, shared.compute, self._emit)
        self.orders = PaintOrders(self.cue)
        self._offers = OfferBook(self._new_peer, max_viewers=shared.config.max_viewers)
        self.ingest = Ingest(options, PublishedSound(self.hearing, self._emit) if self.hearing.available else None)
        self._resources = {"play": Resources(self._offers), "publish": self.ingest.resources}
        self.outputs = self._new_outputs()
        self._peers: dict[Peer, wire.Encoder] = {}
        self._transcript = Transcript()
        self._viewer_figures = ViewerFigures()
        self._response_ms: list[float] = []
        self._preheating: asyncio.Task[int] | None = None
        if spec.cache_hint:
            heating = preheat(shared.stocks[spec.look], shared.compute, spec.cache_hint)
            self._preheating = asyncio.create_task(heating, name="preheat")
        self._closing = False

    @property
    def viewers(self) -> int:
        """Peers connected or connecting."""
        return len(self._peers)

    # --- what the HTTP application asks of it

    async def say(
        self,
        text: str,
        *,
        ssml: bool = False,
        emotion: Emotion | None = None,
        intensity: float = 1.0,
        interrupt: bool = False,
    ) -> None:
        """Speak a script; SSML is recognised by its root element, so `ssml` only says what the caller meant."""
        self.received()
        self.conductor.say(text, emotion=emotion, intensity=intensity, interrupt=interrupt)

    async def chat(self, text: str) -> None:
        """Answer the viewer."""
        self.received()
        self.directed.chat(text)

    async def play(self, pcm: Pcm) -> None:
        """Speak a recording."""
        self.conductor.perform((recording_of(pcm),))

    @property
    def busy(self) -> bool:
        """Whether something is being spoken or waits to be."""
        return self.conductor.busy

    async def interrupt(self) -> int:
        """Silence at once; the new epoch."""
        self._shared.metrics.interrupted()
        epoch = self.conductor.interrupt()
        self.directed.silenced()
        return epoch

    async def cue(self, cue: Cue) -> None:
        """Direct the avatar."""
        gesture = cue.gesture or (self.conductor.described.require(cue.motion, "motion") if cue.motion else None)
        style = None if cue.style is None else (cue.style, cue.style_strength)
        if cue.paint is not None:
            await self.easel.order(cue.paint, style)
        elif style is not None:
            await self.easel.wear(*style)
        direct(self.conductor, cue.emotion, cue.intensity, gesture, cue.gaze, field="gesture")
        if cue.look is not None:
            self.directed.wardrobe.wear(cue.look, self.conductor)

    def has_peer(self, pc_id: str) -> bool:
        """Whether a connection belongs to this session."""
        return self._offers.has(pc_id)

    async def offer(self, body: Mapping[str, Any], scopes: frozenset[Scope] = ALL_SCOPES) -> dict[str, Any]:
        """Join a viewer."""
        return await self._offers.offer(body, scopes)

    def permit(self, pc_id: str, scopes: frozenset[Scope]) -> None:
        """Let a viewer do more, or less, from now on, and tell it."""
        chosen = self._offers.peer(pc_id)
        chosen.scopes = scopes
        for peer in self._peers:
            if peer is chosen:
                peer.send(wire.permitted(scopes))

    async def trickle(self, body: Mapping[str, Any]) -> None:
        """Add a viewer's candidates."""
        await self._offers.trickle(body)

    def connections(self, direction: Literal["play", "publish"]) -> Resources:
        """The connections of one direction, for WHEP and WHIP."""
        return self._resources[direction]

    def state(self) -> dict[str, Any]:
        """What an operator sees of the session."""
        pose = self._plan
        return {
            "avatar": self.spec.avatar,
            "background": self.spec.background,
            "language": self.spec.language,
            "voice": self.spec.voice,
            "scene": self.spec.scene,
            "content": self.directed.programme.content,
            "label": self.spec.label,
            "priority": self.spec.priority,
            "age_s": round(self._clock(), 1),
            "epoch": pose.epoch,
            "activity": pose.activity(self._clock()),
            "busy": self.conductor.busy,
            "waiting": self.conductor.waiting,
            "viewers": self.viewers,
            "ingest": self.ingest.state(),
            "outputs": self.outputs.running,
        } | self.figures()

    async def aclose(self, reason: str) -> None:
        """End the session: viewers, frames, sound. Nothing of it is left when this returns."""
        if self._closing:
            return
        self._closing = True
        if self._preheating is not None:
            self._preheating.cancel()
        await self.orders.aclose()
        await self.easel.aclose()
        await self.hearing.aclose()
        await self.conductor.aclose()
        await self.directed.aclose()
        await close_all(list(self._peers), reason)
        await self.ingest.aclose(reason)
        await self.outputs.aclose()
        await self._production.aclose()
        if self._log is not None:
            self._log.close()

    # --- what its viewers ask of it

    def leave(self) -> None:
        """The host falls silent; the viewer that asked closes its own connection."""
        self.conductor.interrupt()
        self.directed.silenced()

    def received(self) -> None:
        """A request to speak or answer has come in."""
        self._production.responses.received(self._clock())

    def viewer_figures(self, values: dict[str, float]) -> None:
        """Note what a viewer measured."""
        total_ms = values.get("displayed_ms")
        if total_ms is not None and total_ms != self._viewer_figures.latest.get("displayed_ms"):
            way_s = self._production.responses.displayed(total_ms / 1e3)
            if way_s is not None:
                self._shared.metrics.response_stages({"displayed": way_s})
        self._viewer_figures.add(values)

    def figures(self) -> dict[str, Any]:
        """Counters, stage times and the ladder."""
        said = self.conductor.counters
        return self._production.figures() | {
            "turns": said.turns,
            "interruptions": said.interruptions,
            "text_to_sound_ms": self._response_ms[-20:],
            "viewer": self._viewer_figures.latest,
            "hearing": self.hearing.figures(),
        } | self.directed.figures() | self.easel.figures()

    # --- inside

    def _new_outputs(self) -> Outputs:
        config, production = self._shared.config, self._production
        source = Source(
            self.id, self._egress, production.tap, production.size, config.fps,
            production.hold, production.release,
        )  # fmt: skip
        return Outputs(source, config, self._shared.metrics, self._options)

    def _new_peer(self) -> Peer:
        """A peer with its inbox, for the offer book."""
        config = self._shared.config
        encoder, eyes = wire.Encoder(), Eyes()

        def send(text: str) -> None:
            # the peer exists by the time a message can come
            peer.send(text)

        def about() -> dict[str, Any]:
            found: dict[str, Any] = {"name": "anima", "avatar": self.spec.avatar, "session": self.id}
            found["background"] = self.spec.background
            found |= self.directed.about() | {"hearing": self.hearing.available, "painting": self.easel.about()}
            found["transcript"] = self._transcript.as_json()
            origin = peer.video_rtp_origin
            return found if origin is None else found | {"video_rtp_origin": origin}

        inbox = Inbox(
            self,
            send,
            clock=self._clock,
            metrics=self._shared.metrics,
            messages_per_s=config.messages_per_s,
            text_limit_chars=config.text_limit_chars,
            about=about,
            scopes=lambda: peer.scopes,
            seen=lambda told: self._production.seen(eyes, peer.video_rtp_origin, told),
        )

        def refused(error: RequestError) -> None:
            send(wire.error_response("", error))

        offered_s = self._clock()

        def connected() -> None:
            self._shared.metrics.viewer_joined(self._clock() - offered_s)
            self.directed.viewer_joined()

        peer = Peer(
            self._egress, inbox.receive, lambda reason: self._left(peer, reason), on_refused=refused,
            open_microphone=self.hearing.opener(
                encoder, lambda event: self._send(peer, encoder, event), lambda: "talk" in peer.scopes
            ), on_connected=connected, options=self._options,
        )  # fmt: skip
        self._peers[peer] = encoder
        self._production.hold(peer)
        return peer

    def _left(self, peer: Peer, reason: str) -> None:
        self.hearing.close(self._peers.pop(peer, None))
        if not self._peers:
            self.directed.nobody_watches()
        if "not connected" in reason or "failed" in reason:
            self._shared.metrics.viewer_failed("not connected")
        self._production.release(peer)

    def _emit(self, event: events.Event) -> None:
        """Tell every viewer."""
        if self.directed.observe(event):
            return
        self._transcript.note(event)
        if self._log is not None and not isinstance(event, events.Report):
            self._log.event(event, self._clock())
        if isinstance(event, events.Report) and "text_to_sound_ms" in event.data:
            delay_ms = float(event.data["text_to_sound_ms"])
            self._response_ms.append(delay_ms)
            del self._response_ms[:-200]
            self._shared.metrics.responded(delay_ms / 1000.0)
        for peer, encoder in self._peers.items():
            self._send(peer, encoder, event)

    @staticmethod
    def _send(peer: Peer, encoder: wire.Encoder, event: events.Event) -> None:
        for text in encoder.encode(event, datetime.now(UTC).isoformat(timespec="milliseconds")):
            peer.send(text)
