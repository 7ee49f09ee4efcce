"""The forms of an event log's records: which fields each has and within what limits, so that a log that was cut, edited
or made up gives an error that names the field."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from realtime.core.errors import Malformed
from realtime.core.facs import Emotion
from realtime.core.replaying import BEGUN, DENOISER, PAINTED, REFINED, RESTAGED, VERSION, Record

LONGEST_S: Final = 1e7
"""Media times of a log lie within so many seconds (116 days)."""
MOST_NAMES: Final = 64
"""Regions a frame can name."""
_TEXT_CHARS: Final = 256
_LARGEST: Final = 1 << 53
_SAID_FIELDS: Final = 4
Check = Callable[[Any], bool]


def _whole(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _number(low: float, high: float) -> Check:
    return lambda value: type(value) in (int, float) and math.isfinite(value) and low <= value <= high


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _TEXT_CHARS


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _names(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_NAMES and all(map(_text, value))


def _said(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, list) and len(one) == _SAID_FIELDS and _text(one[0])
        and _TIME(one[1]) and _TIME(one[2]) and _whole(0, 9)(one[3]) for one in value
    )  # fmt: skip


def _anything(value: Any) -> bool:
    return True


_TIME: Final = _number(-LONGEST_S, LONGEST_S)
_SHARE: Final = _number(0.0, 1.0)
_NUMBERED: Final = _whole(0, _LARGEST)
_EMOTION: Final = _whole(0, len(Emotion) - 1)
_STEPS: Final = _whole(0, 2)
_MADE: Final[dict[str, Check]] = {
    "kept?": _names, "faults?": _names, "better?": _names, "base_kept?": _truth, "rung?": _text, "call?": _NUMBERED,
    "mouth?": _text, "restless?": _truth,
}  # fmt: skip
HEADER: Final[Mapping[str, Check]] = {
    "anima_log": _whole(VERSION, VERSION), "seed": _whole(0, (1 << 32) - 1), "avatar?": _text, "background?": _text,
    "pack?": _text, "fps?": _whole(1, 240), "partial_update?": _truth, "*": _anything,
}  # fmt: skip
"""Fields of a log's first line."""
FORMS: Final[Mapping[str, Mapping[str, Check]]] = {
    "speak": {"phonemes": _said, "start_s": _TIME, "end_s": _TIME},
    "think": {"now_s": _TIME},
    "settle": {},
    "attend": {"now_s": _TIME},
    "feel": {"emotion": _EMOTION, "intensity": _SHARE, "at_s": _TIME},
    "rest_at": {"mood": _EMOTION, "intensity": _SHARE, "at_s": _TIME},
    "gesture": {"name": _text, "at_s": _TIME},
    "look": {"x": _number(-1e3, 1e3), "y": _number(-1e3, 1e3), "at_s": _TIME, "hold_s": _TIME},
    "interrupt": {"now_s": _TIME},
    "felt": {"now_s": _TIME},
    "sample": {"media_s": _TIME},
    "frame": {"index": _NUMBERED, "digest": _text, "epoch?": _NUMBERED, **_MADE},
    "redrawn": _MADE,
    BEGUN: {},
    RESTAGED: {},
    PAINTED: {"where": lambda value: value in ("background", "product", "outfit"), "version": _NUMBERED,
              "pixels?": lambda value: value is None or isinstance(value, dict), "*": _anything},
    DENOISER: {"*": _anything},
    REFINED: {"call": _NUMBERED, "steps?": _STEPS, "rounds?": _STEPS, "places?": _text, "failed?": _truth},
    "sound": {"*": _anything},
    "event": {"*": _anything},
}
"""Fields of each record by what it does; those with a question mark may be missing, with a star there may be others."""


def checked(record: Record) -> Record:
    """The record, if it is one of a log. Raises `Malformed` that names record and field."""
    what = record.get("do")
    form = FORMS.get(what) if isinstance(what, str) else None
    if form is None:
        raise Malformed(f"a log has no records of {str(what)[:32]!r}", field="do", limit=", ".join(FORMS))
    _check(f"a record of {what!r}", {name: value for name, value in record.items() if name != "do"}, form)
    return record


def checked_header(record: Record) -> Record:
    """The record, if a log can begin with it. Raises `Malformed` that names the field."""
    _check("the first line of an event log", record, HEADER)
    return record


def _check(what: str, record: Record, form: Mapping[str, Check]) -> None:
    left = dict(record)
    for field, check in form.items():
        name = field.removesuffix("?")
        if field == "*":
            left.clear()
        elif name not in left:
            if name == field:
                raise Malformed(f"{what} lacks {name!r}", field=name)
        elif not check(value := left.pop(name)):
            raise Malformed(f"{what} has a {name!r} that makes no sense: {str(value)[:32]!r}", field=name)
    if left:
        raise Malformed(f"{what} has no field {min(left)[:32]!r}", field=min(left)[:32])
