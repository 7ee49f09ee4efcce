"""The motion library: the clips an illustrated host knows, and how to find one by name."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, Literal

from realtime.core import clips_gestures, clips_hands
from realtime.core.errors import Conflict, NotFound
from realtime.core.primitives import Primitive

_IDLE = Primitive(
    "idle", "loop", 12.0,
    {
        "yaw": ((0, 0), (1.6, 0), (2.5, 2.4), (5.0, 2.4), (5.9, -1.6), (9.4, -1.6), (10.4, 0), (12.0, 0)),
        "roll": ((0, 0.6), (2.0, 0.6), (3.2, -0.9), (6.6, -0.9), (7.8, 1.2), (10.6, 1.2), (11.6, 0.6), (12.0, 0.6)),
        "pitch": ((0, 0), (4.2, 0), (5.2, 1.2), (8.0, 1.2), (9.0, 0), (12.0, 0)),
        "gaze_x": ((0, 0), (5.2, 0), (5.3, -0.35), (6.5, -0.35), (6.6, 0), (12.0, 0)),
        "gaze_y": ((0, 0), (5.2, 0), (5.3, 0.15), (6.5, 0.15), (6.6, 0), (12.0, 0)),
    },
    "Stands at ease, breathes, shifts the head now and then.",
)  # fmt: skip
_LISTEN = Primitive(
    "listen", "loop", 12.0,
    {
        "yaw": ((0, 1.5), (5.0, 1.5), (6.0, 0.6), (11.0, 0.6), (12.0, 1.5)),
        "roll": ((0, 3.0), (4.0, 3.0), (5.2, 2.1), (9.6, 2.1), (10.8, 3.0), (12.0, 3.0)),
        "pitch": ((0, 1.2), (2.6, 1.2), (2.95, 3.0), (3.4, 1.2), (8.0, 1.2), (8.35, 2.7), (8.8, 1.2), (12.0, 1.2)),
        "lean": ((0, 0.4), (12.0, 0.4)),
        "AU1": ((0, 0.22), (6.0, 0.3), (12.0, 0.22)),
        "AU2": ((0, 0.15), (6.0, 0.22), (12.0, 0.15)),
    },
    "Leans in with the head tilted and nods slightly: I am with you.",
)  # fmt: skip
_THINK = Primitive(
    "think", "loop", 8.0,
    {
        "yaw": ((0, -4.5), (3.4, -4.5), (4.6, -6.0), (7.0, -6.0), (8.0, -4.5)),
        "roll": ((0, -1.8), (8.0, -1.8)),
        "pitch": ((0, -2.4), (3.4, -2.4), (4.6, -1.5), (7.0, -1.5), (8.0, -2.4)),
        "gaze_x": ((0, -0.55), (3.4, -0.55), (3.5, -0.25), (4.6, -0.25), (4.7, -0.55), (8.0, -0.55)),
        "gaze_y": ((0, -0.5), (3.4, -0.5), (3.5, -0.35), (4.6, -0.35), (4.7, -0.5), (8.0, -0.5)),
        "AU4": ((0, 0.2), (8.0, 0.2)),
        "AU14": ((0, 0.25), (8.0, 0.25)),
    },
    "Looks up and aside while an answer is being found.",
)  # fmt: skip
_TALK = Primitive(
    "talk", "loop", 12.0,
    {
        "yaw": ((0, 0), (0.9, 2.1), (2.0, 1.5), (2.8, -1.8), (4.4, -1.2), (5.1, 0.9), (6.6, 3.0), (7.9, 0.6),
                (9.0, -2.4), (10.4, -1.2), (12.0, 0)),
        "pitch": ((0, 0), (0.4, 2.4), (0.9, 0), (2.0, -0.6), (2.35, 2.1), (2.8, 0.3), (4.4, -0.9), (4.75, 1.8),
                  (5.1, 0), (6.6, -0.6), (7.0, 2.1), (7.9, 0), (9.0, 0.9), (9.35, 2.7), (9.9, 0), (12.0, 0)),
        "roll": ((0, 0.6), (1.6, -1.2), (3.6, 1.5), (5.6, 0), (7.4, -1.8), (9.4, 1.2), (12.0, 0.6)),
    },
    "Speaks with the head: small nods and turns.",
)  # fmt: skip
_NOD = Primitive(
    "nod", "gesture", 1.2,
    {
        "pitch": ((0, 0), (0.16, -1.2), (0.36, 6.6), (0.58, -0.6), (0.8, 3.9), (1.2, 0)),
        "AU1": ((0, 0), (0.3, 0.15), (1.2, 0)),
    },
    "Nods: yes, agreed.",
)  # fmt: skip
_SHAKE = Primitive(
    "shake", "gesture", 1.8,
    {
        "yaw": ((0, 0), (0.28, 6.3), (0.66, -6.0), (1.02, 5.1), (1.36, -2.7), (1.8, 0)),
        "AU4": ((0, 0), (0.3, 0.2), (1.8, 0)),
    },
    "Shakes the head: no.",
)  # fmt: skip
_WAVE = Primitive(
    "wave", "gesture", 2.6,
    {
        "arm_raise": ((0, 0), (0.5, 1.0), (2.1, 1.0), (2.6, 0)),
        "arm_swing": ((0, 0), (0.4, -0.4), (0.68, 0.9), (0.98, -0.8), (1.28, 0.9), (1.58, -0.8), (1.88, 0.7),
                      (2.2, 0), (2.6, 0)),
        "roll": ((0, 0), (0.5, 2.1), (2.0, 2.1), (2.6, 0)),
        "AU6": ((0, 0), (0.4, 0.4), (2.0, 0.4), (2.6, 0)),
        "AU12": ((0, 0), (0.4, 0.5), (2.0, 0.5), (2.6, 0)),
    },
    "Raises the right hand and waves: hello, goodbye.",
)  # fmt: skip

_ARMS = (
    Primitive(
        "greet", "gesture", 2.2,
        {
            "arm_raise": ((0, 0), (0.45, 1.0), (1.7, 1.0), (2.2, 0)),
            "arm_swing": ((0, 0), (0.4, -0.3), (0.7, 0.7), (1.0, -0.6), (1.3, 0.6), (1.7, 0), (2.2, 0)),
            "pitch": ((0, 0), (0.5, 0), (0.8, 3.6), (1.2, 0), (2.2, 0)),
            "AU12": ((0, 0), (0.4, 0.7), (1.7, 0.7), (2.2, 0)),
            "AU6": ((0, 0), (0.4, 0.5), (1.7, 0.5), (2.2, 0)),
            "AU1": ((0, 0), (0.3, 0.4), (0.9, 0.1), (2.2, 0)),
        },
        "Raises the hand with a nod and a smile: welcome!",
    ),
    Primitive(
        "farewell", "gesture", 3.2,
        {
            "arm_raise": ((0, 0), (0.6, 1.0), (2.6, 1.0), (3.2, 0)),
            "arm_swing": ((0, 0), (0.6, -0.5), (1.05, 0.7), (1.5, -0.6), (1.95, 0.7), (2.4, -0.2), (3.2, 0)),
            "roll": ((0, 0), (0.7, 3.9), (2.4, 3.9), (3.2, 0)),
            "AU12": ((0, 0), (0.5, 0.6), (2.6, 0.6), (3.2, 0)),
        },
        "Waves slowly with the head aside: goodbye.",
    ),
)  # fmt: skip

BAKED: Final = (_IDLE, _LISTEN, _THINK, _TALK, _NOD, _SHAKE, _WAVE)
"""Those whose base frames come with an avatar's pack; the others' are drawn when they are first wanted, and kept."""
BUILT_IN: Final[Mapping[str, Primitive]] = {
    p.name: p for p in (*BAKED, *_ARMS, *clips_gestures.ALL, *clips_hands.HANDS)
}
LOOPS: Final = frozenset(name for name, p in BUILT_IN.items() if p.kind == "loop")
"""What the body does of itself; a recorded loop may take the place of one of them."""
_LIBRARY: Final = dict(BUILT_IN)
PRIMITIVES: Final[Mapping[str, Primitive]] = _LIBRARY
"""All that are known by now: those that come with Anima, and those that were learned."""


class _Gestures(Collection[str]):
    """Names of the known gestures, in the order in which they became known."""

    def __contains__(self, name: object) -> bool:
        return name in _LIBRARY and _LIBRARY[str(name)].kind == "gesture"

    def __iter__(self) -> Iterator[str]:
        return (name for name, p in tuple(_LIBRARY.items()) if p.kind == "gesture")

    def __len__(self) -> int:
        return sum(1 for _ in self)


GESTURES: Final[Collection[str]] = _Gestures()


def check_name(name: str, kind: Literal["loop", "gesture"]) -> None:
    """Raises `Conflict` for a name that a primitive of one's own cannot have."""
    if name in BUILT_IN and not (kind == "loop" and name in LOOPS):
        raise Conflict(f"{name!r} is a motion primitive that comes with Anima; choose another name", field="name")


def learn(one: Primitive) -> None:
    """Make a primitive known before sessions begin; a later one of the same name takes its place. Raises `Conflict`."""
    check_name(one.name, one.kind)
    _LIBRARY[one.name] = one


def primitive(name: str) -> Primitive:
    """A primitive by name; raises `NotFound` that lists what exists."""
    try:
        return PRIMITIVES[name]
    except KeyError:
        raise NotFound(f"no motion primitive {name!r}; there are {', '.join(PRIMITIVES)}", field="gesture") from None
