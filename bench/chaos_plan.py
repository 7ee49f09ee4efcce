"""The plan of `bench.chaos`: what which user does when, drawn from a seed. Pure; the same seed gives the same plan."""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.chaos_bad import REQUESTS, SOCKETS

USERS: Final = 6
SERVER: Final = -1
"""The number of the one who ends workers; no user."""
LONGEST_PAUSE_S: Final = 3.0
MEAN_PAUSE_S: Final = 0.7
AT_ONCE: Final = 0.2
"""Share of the steps that follow the one before without a pause."""

SCENES: Final = ("host", "commerce", "tutor", "npc", "meeting", "ar")
HOSTS: Final = ("mei", "yuna")
LANGUAGES: Final = ("en", "zh")
MOODS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
GESTURES: Final = ("nod", "shake", "wave", "shrug", "point", "laugh", "bow", "thumbs up", "greets the audience warmly")
LINES: Final = (
    "Good evening and welcome back, it is lovely to see you here. [happy] Tonight I have three things to show you.",
    "[wave] Hello! [pause:0.5] Which one would you take with you?",
    "大家好，欢迎来到我的直播间，今天给你们看一个非常漂亮的包。",
    "[sad:0.7] The last of these was sold yesterday. [neutral] But more of them will come on Monday, I promise.",
    "1234567890, 3.14 and 50 % of it; a\u200bzero-width, an emoji 🙂, a tab\tand a bracket [see page 3].",
    "Yes.",
)
QUESTIONS: Final = ("Who are you?", "How much is it?", "What is photosynthesis?", "你是谁？", "???")

WAYS: Final[Mapping[str, Sequence[str]]] = {
    "create": [f"{scene}/{host}/{language}" for scene in SCENES for host in HOSTS for language in LANGUAGES],
    "crowd": ("",),
    "join": ("H264", "VP8", "H264", "VP8", "VP9", "AV1"),
    "leave": ("",),
    "vanish": ("",),
    "reload": ("goodbye", "silently"),
    "resume": ("",),
    "touch and go": ("before the answer", "at once", "connected"),
    "say": [str(index) for index in range(len(LINES))],
    "say instead": [str(index) for index in range(len(LINES))],
    "ask": [str(index) for index in range(len(QUESTIONS))],
    "interrupt": ("",),
    "cue": (*(f"emotion {one}" for one in MOODS), *(f"motion {one}" for one in GESTURES), "gaze", "prompt"),
    "comment": ("1", "20", "200"),
    "message": ("say", "interrupt", "cue", "send-text", "comment", "stats", "frames", "client-ready"),
    "bad message": ("text", "deep", "huge", "unknown", "flood", "list", "numbers", "bytes"),
    "delete": ("silent", "speaking"),
    "switch": [f"{scene}/{host}/{language}" for scene in SCENES for host in HOSTS for language in LANGUAGES],
    "record": ("mp4", "hls"),
    "direct": ("hold", "release", "skip", "drop", "card"),
    "events": ("read", "left at once"),
    "whep": ("play", "restart", "left open"),
    "bad request": list(REQUESTS),
    "bad socket": list(SOCKETS),
    "look": ("state", "metrics", "sessions", "avatars", "readyz", "outputs", "page"),
}
"""What can be done, and in which ways."""

_ANYONE: Final = {"bad request": 12, "bad socket": 5, "look": 4}
_ALONE: Final = {"create": 30, "crowd": 2, **_ANYONE}
_THERE: Final = {
    "join": 25, "touch and go": 6, "whep": 5, "say": 8, "say instead": 3, "ask": 4, "cue": 3, "comment": 3,
    "record": 2, "direct": 3, "events": 3, "delete": 3, "switch": 3, **_ANYONE,
}  # fmt: skip
_WATCHING: Final = {
    "say": 16, "say instead": 6, "ask": 8, "interrupt": 10, "cue": 10, "comment": 4, "message": 12, "bad message": 6,
    "leave": 5, "vanish": 4, "reload": 5, "resume": 4, "whep": 3, "touch and go": 3, "delete": 4, "switch": 5,
    "record": 2, "direct": 3, "events": 3, **_ANYONE,
}  # fmt: skip
"""How often which is done by a user without a session, with one, and by one who watches it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that one user does, not before `at_s` of the walk."""

    at_s: float
    user: int
    what: str
    how: str

    def __str__(self) -> str:
        return f"{self.at_s:7.2f} s  {self.user:2d}  {self.what}{self.how and f': {self.how}'}"


def plan(
    seed: int, length_s: float, *, users: int = USERS, kills: int = 0, hosts: Sequence[str] = HOSTS
) -> tuple[Step, ...]:
    """The steps of all users in the order of their times."""
    steps = [one for user in range(users) for one in _of_user(user, seed, length_s, hosts)]
    chance = random.Random(f"{seed} server")
    for index in range(kills):
        at_s = (index + chance.uniform(0.3, 0.7)) * length_s / kills
        steps.append(Step(round(at_s, 2), SERVER, "kill", str(chance.randrange(1 << 16))))
    return tuple(sorted(steps, key=lambda step: (step.at_s, step.user)))


def digest(steps: Sequence[Step]) -> str:
    """A short name of a plan."""
    return hashlib.blake2b("\n".join(map(str, steps)).encode(), digest_size=6).hexdigest()


def _of_user(user: int, seed: int, length_s: float, hosts: Sequence[str]) -> Iterator[Step]:
    chance = random.Random(f"{seed} {user}")
    at_s, alone, watching = chance.uniform(0.0, 1.0), True, False
    while at_s < length_s:
        weights = _ALONE if alone else _WATCHING if watching else _THERE
        what = chance.choices(list(weights), list(weights.values()))[0]
        yield Step(round(at_s, 2), user, what, _way(what, chance, hosts))
        if what in ("create", "delete"):
            alone, watching = what == "delete", False
        elif what in ("join", "reload", "resume", "leave", "vanish", "switch"):
            watching = what in ("join", "reload", "resume")
        if chance.random() >= AT_ONCE:
            at_s += min(LONGEST_PAUSE_S, chance.expovariate(1.0 / MEAN_PAUSE_S))


def _way(what: str, chance: random.Random, hosts: Sequence[str]) -> str:
    ways = [way for way in WAYS[what] if what not in ("create", "switch") or way.split("/")[1] in hosts]
    return chance.choice(ways)
