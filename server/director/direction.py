"""Carries the director's decisions out: viewers' events in; run-down, answers, greetings and cards out."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final

from realtime.conductor import Conductor
from realtime.core import events
from realtime.core.clips import GESTURES
from realtime.core.director import Answer, Decision, Director, Greet, Invite, Perform, Remind, Thank
from realtime.core.director_queue import Comment
from realtime.core.errors import AnimaError, Conflict, InvalidField, TooMany
from realtime.core.rundown import CARD_MARK, END_MARK, SHOT_MARK, Card, Line, Shot, beats_of, card_at
from realtime.core.rundown_phrases import listed, phrase
from realtime.core.scenes import standing
from realtime.core.script import Say, parse_script
from realtime.ports import Clock
from realtime.programme import Programme, Safety
from server.director.desk import Desk
from server.director.wardrobe import Wardrobe

log = logging.getLogger(__name__)

OPENING_S: Final = 0.8
"""From the first viewer's connection to the opening."""
MANY: Final = 3
"""From so many askers the host says that many ask."""
MAX_NAME_CHARS: Final = 24
KEPT_TIMES: Final = 200
ACTIONS: Final = ("hold", "release", "approve", "skip", "replace", "skip_shot", "replace_shot", "drop", "card")


class Direction:
    """One session's director with everything it acts on. All methods run on the event loop."""

    def __init__(
        self,
        programme: Programme,
        safety: Safety,
        clock: Clock,
        emit: Callable[[events.Event], None],
        budget_ms: int | None = None,
    ) -> None:
        self.programme = programme
        self.safety = safety
        self.desk = Desk(safety)
        self.wardrobe = Wardrobe(programme.brand, programme.look, emit, self.desk.clean)
        self.director = Director(programme.scene.policy, programme.rundown)
        self._clock = clock
        self._emit = emit
        self._conductor: Conductor | None = None
        self._budget_ms = budget_ms or programme.scene.budget_ms
        self._language = "zh" if programme.language.startswith(("zh", "cmn")) else "en"
        self._timer: asyncio.TimerHandle | None = None
        self._live = False
        self._said: Counter[str] = Counter()
        self._waits_ms: list[float] = []
        self._response_ms: list[float] = []
        self._last_viewer = ""
        self._in_shot = False
        self._sentences = 0
        self._since_cut: set[str] = set()
        """What was said since a shot was cut off: the shot does not say it once more."""

    def attach(self, conductor: Conductor) -> None:
        """The conductor that decisions are carried out on."""
        self._conductor = conductor
        self.wardrobe.begin(conductor)

    @property
    def conductor(self) -> Conductor:
        """The session's conductor."""
        assert self._conductor is not None, "attached when the session is made"
        return self._conductor

    # --- viewers

    def viewer_joined(self) -> None:
        """Somebody watches: the programme begins, or goes on."""
        self._live = True
        if self.director.begun:
            self._poke()
        elif self._timer is None:
            # the viewer's data channel opens a moment after its media: cards and captions should not be lost
            self._timer = asyncio.get_running_loop().call_later(OPENING_S, self._begin)

    def _begin(self) -> None:
        self.director.begun = True
        if self.programme.greeting and not self.conductor.busy:
            self._say(self.programme.greeting[0])
        self._decide()

    def nobody_watches(self) -> None:
        """The last viewer has left: nothing is said to nobody."""
        self._live = False
        self._cancel()

    def chat(self, text: str, *, at_once: bool = True, aloud: bool = True) -> None:
        """Answer a viewer who speaks to the host directly. Raises `TooMany`, and then nothing changes."""
        verdict = self.safety.incoming(text)
        cuts_in = at_once and self.director.policy.chat_cuts_in
        if verdict.action == "block":
            if cuts_in and self.conductor.busy:
                self.conductor.interrupt()
            self._say(verdict.says or phrase(self._language, "invite"))
        else:
            self.conductor.chat(verdict.text, at_once=cuts_in, aloud=aloud)
        if cuts_in:
            self.director.chatted(self._clock())
        self._poke()

    def comments(self, items: Sequence[Comment]) -> dict[str, int]:
        """Take comments, gifts and orders in; how many were new, merged, empty, repeated, full, blocked."""
        outcomes: Counter[str] = Counter()
        now_s = self._clock()
        for item in items:
            verdict = self.safety.incoming(item.text) if item.text else None
            if verdict is not None and verdict.action == "block":
                outcomes["blocked"] += 1
                continue
            clean = replace(item, text=verdict.text if verdict else "", viewer=self._name(item.viewer))
            outcomes[self.director.hear(clean, now_s)] += 1
        self.desk.changed()
        if self._live:
            self._decide()
        return dict(outcomes)

    def silenced(self) -> None:
        """A viewer told the host to be quiet."""
        self.director.silenced(self._clock())
        self._poke()

    # --- what the conductor reports

    def observe(self, event: events.Event) -> bool:
        """Look at an event before viewers are told; whether it was only meant for here."""
        if isinstance(event, events.SpeakingStopped | events.Failed):
            self._poke()
        if isinstance(event, events.Interrupted):
            self._in_shot = False
            self._since_cut.clear()
        if isinstance(event, events.SentenceStarted) and not self._in_shot:
            self._since_cut.add(event.text)
        if isinstance(event, events.SentenceStarted) and self._in_shot:
            self._sentences += 1
        if not isinstance(event, events.Report):
            return False
        if event.kind == "metrics" and "text_to_sound_ms" in event.data:
            self._response_ms.append(float(event.data["text_to_sound_ms"]))
            del self._response_ms[:-KEPT_TIMES]
        return event.kind == "mark" and self._reached(str(event.data.get("name", "")))

    def _reached(self, mark: str) -> bool:
        """A place in the run-down."""
        if mark.startswith(CARD_MARK):
            self.wardrobe.show(card_at(self.director.upcoming(), mark))
        elif mark.startswith(SHOT_MARK):
            shot = next((s for s in self.director.upcoming() if s.id == mark.removeprefix(SHOT_MARK)), None)
            if shot is not None:
                self._in_shot = True
                self.wardrobe.frame(shot)
                self.desk.changed()
        elif mark.startswith(END_MARK):
            self._in_shot, self._sentences = False, 0
            self.director.shot_said(mark.removeprefix(END_MARK), self._clock())
            if self.director.asking is not None and self.programme.asking is not None:
                self.programme.asking.ask(self.director.asking)
            self.desk.changed()
            self._poke()
        else:
            return False
        return True

    # --- deciding

    def _poke(self) -> None:
        """Ask the director as soon as what happens now is over."""
        if self._live and self.director.begun:
            self._cancel()
            self._timer = asyncio.get_running_loop().call_later(0.0, self._decide)

    def _decide(self) -> None:
        if not self._live or not self.director.begun:
            return
        self._cancel()
        now_s = self._clock()
        asking = self.programme.asking
        if self.director.asking is not None and (asking is None or asking.open is None):
            self.director.settled()
        try:
            decision = self.director.decide(now_s, speaking=self.conductor.busy)
            if decision is not None:
                self._carry_out(decision)
                self.desk.changed()
        except TooMany:
            self.director.failed()
        except AnimaError:
            log.exception("a decision could not be carried out")
            self.director.failed()
        wait_s = self.director.next_check_s(now_s) - now_s
        self._timer = asyncio.get_running_loop().call_later(max(0.05, wait_s), self._decide)

    def _carry_out(self, decision: Decision) -> None:
        language = self._language
        match decision:
            case Answer():
                self._waits_ms.append(round((self._clock() - decision.last_s) * 1000.0, 1))
                del self._waits_ms[:-KEPT_TIMES]
                self.conductor.chat(decision.text, at_once=False, preface=self._preface(decision))
            case Perform(shot, again):
                # the sentence that was cut off is said again, those before it are not
                said = self._sentences = max(0, self._sentences - 1) if again else 0
                beats = beats_of(shot, GESTURES, language, said)
                if again:
                    beats = tuple(b for b in beats if not (isinstance(b, Say) and b.text in self._since_cut))
                    if any(isinstance(beat, Say) for beat in beats):
                        self._say(self._phrase("again"))
                self.conductor.perform(beats)
            case Greet(names, _):
                key, values = ("greet_named", {"names": listed(names, language)}) if names else ("greet", {})
                self._say("[happy:0.6] [wave] " + self._phrase(key, **values))
            case Thank(kind, _, viewers, count):
                many = count > len(viewers) and count >= MANY
                values = {"names": listed(viewers, language), "count": str(count)}
                self._say("[happy:0.9] [nod] " + self._phrase(f"thank_{kind}{'_many' if many else ''}", **values))
            case Remind():
                if self.programme.asking is not None:
                    self._say(self.programme.asking.reveal())
            case Invite(times):
                own = self.programme.silence
                self._say(own[times % len(own)] if own else "[happy:0.4] " + self._phrase("invite"))

    def _preface(self, decision: Answer) -> str:
        """Who asks, if it is many, or somebody else than before."""
        if decision.count >= MANY:
            return self._phrase("many_ask")
        name = decision.viewers[0] if decision.viewers else ""
        if not name or name == self._last_viewer or self.director.asking is not None:
            return ""
        self._last_viewer = name
        return self._phrase("name_asks", name=name) if self._said["preface"] % 2 == 0 else ""

    def _phrase(self, key: str, **values: str) -> str:
        self._said[key] += 1
        return phrase(self._language, key, self._said[key], **values)

    def _say(self, text: str) -> None:
        """Say a script of the programme's own."""
        if text:
            script = parse_script(text, gestures=GESTURES, language=self.programme.language, strict=False)
            self.conductor.perform(script.beats)

    def _name(self, name: str) -> str:
        """A viewer's name as it may be said."""
        name = " ".join(c for c in name.split())[:MAX_NAME_CHARS].replace("[", "").replace("]", "")
        return "" if not name or self.safety.incoming(name).action != "allow" else name

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- the person at the desk

    def act(self, action: str, target: str = "", text: str = "") -> None:
        """One of `ACTIONS` on a held line, a shot, or a waiting question. Raises `RequestError`."""
        if action in ("hold", "release"):
            self.desk.hold(action == "hold")
        elif action == "approve":
            self.desk.approve(target)
        elif action == "skip":
            self.desk.skip(target)
        elif action == "replace":
            self.desk.replace(target, text)
        elif action == "card":
            self.wardrobe.show(Card(target or "note", "note", text))
        else:
            self._direct(action, target, text)
        self.desk.changed()

    def _direct(self, action: str, target: str, text: str) -> None:
        director = self.director
        if action == "skip_shot":
            done = director.skip(target)
        elif action == "replace_shot":
            shot = next((s for s in director.upcoming() if s.id == target), None)
            done = shot is not None and director.replace(_with_text(shot, text))
        elif action == "drop":
            done = target.isdigit() and director.queue.drop(int(target))
        else:
            raise InvalidField(f"there is no action {action[:64]!r}", field="action", limit=", ".join(ACTIONS))
        if not done:
            raise Conflict("it was begun already, or is not there", field="id")
        self.safety.note(action, text, target=target)

    # --- what is shown

    def figures(self) -> dict[str, Any]:
        """Response times against the scene's budget, and what became of comments."""
        return {
            "response": standing(self._response_ms, self._budget_ms).as_json(),
            "comment_wait": standing(self._waits_ms, self._budget_ms).as_json(),
            "comments": {"waiting": len(self.director.queue)} | dict(self.director.queue.counts),
            "safety": dict(self.safety.counts),
        }

    def about(self) -> dict[str, Any]:
        """What a viewer's page needs to know when it joins."""
        programme = self.programme
        return {
            "scene": programme.scene.name,
            "content": programme.content,
            "title": programme.title,
        } | self.wardrobe.as_json()

    def as_json(self) -> dict[str, Any]:
        """Everything, for the director's page."""
        rundown = self.programme.rundown
        return {
            "about": self.about(),
            "warnings": list(self.programme.warnings),
            "rundown": rundown.as_json() if rundown else None,
            "director": self.director.as_json(self._clock()),
            "desk": self.desk.as_json(),
            "figures": self.figures(),
        }

    def watched(self) -> AbstractContextManager[asyncio.Event]:
        """Whether what is shown has changed."""
        return self.desk.watched()

    async def aclose(self) -> None:
        """Nothing is decided any more."""
        self._live = False
        self._cancel()
        await self.programme.aclose()


def _with_text(shot: Shot, text: str) -> Shot:
    """The shot with other words; its first card, emotion and gesture stay."""
    first = shot.lines[0]
    return replace(shot, lines=(Line(text, first.emotion, first.intensity, first.gesture, first.card),))
