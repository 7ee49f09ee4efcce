"""What a viewer's browser tells of the frames it showed: a bounded batch of rows, read strictly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from realtime.core.errors import InvalidField, TooLarge
from realtime.core.wire_fields import known

MAX_ROWS: Final = 64
"""A batch a second holds sixty frames at most."""
MAX_UNCERTAINTY_S: Final = 0.5
"""A viewer that knows our clock no better than this has nothing to tell."""
_RTP_END: Final = (1 << 32) - 1
_CLOCK_END_MS: Final = 1e10
_DECODE_END_MS: Final = 60_000.0
_ROW: Final = (
    ("rtp", _RTP_END), ("received_ms", _CLOCK_END_MS), ("presented_ms", _CLOCK_END_MS),
    ("displayed_ms", _CLOCK_END_MS), ("decode_ms", _DECODE_END_MS),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """One call of `requestVideoFrameCallback`, its times in seconds of the session's clock as the viewer knows it."""

    rtp: int
    received_s: float | None
    """When the frame's last packet arrived (`receiveTime`); None where the browser does not tell."""
    presented_s: float
    """When it was handed to the compositor (`presentationTime`)."""
    displayed_s: float
    """When it is expected to be visible (`expectedDisplayTime`)."""
    decode_s: float
    """How long it was decoded (`processingDuration`)."""


@dataclass(frozen=True, slots=True)
class FramesShown:
    """A batch of frames that a viewer has seen; how they are joined to their traces is the answer."""

    id: str
    frames: tuple[ShownFrame, ...]
    uncertainty_s: float = 0.1
    """By how much the viewer's idea of our clock may be wrong."""


def frames_shown(id: str, d: Mapping[str, Any]) -> FramesShown:
    """Read `{"rows": [[rtp, received_ms, presented_ms, displayed_ms, decode_ms], ...], "uncertainty_ms"?}`;
    `received_ms` may be null. Raises `InvalidField` or `TooLarge` that name the row and the number."""
    known(d, "rows", "uncertainty_ms")
    rows = d.get("rows")
    if not isinstance(rows, list):
        raise InvalidField("rows is not a list", field="data.d.rows", limit=f"at most {MAX_ROWS} rows")
    if len(rows) > MAX_ROWS:
        raise TooLarge("there are too many frames", field="data.d.rows", limit=f"{MAX_ROWS} rows")
    frames = tuple(_frame(row, f"data.d.rows.{i}") for i, row in enumerate(rows))
    if "uncertainty_ms" not in d:
        return FramesShown(id, frames)
    most_ms = 1e3 * MAX_UNCERTAINTY_S
    return FramesShown(id, frames, _in_range(d["uncertainty_ms"], most_ms, "data.d.uncertainty_ms") / 1e3)


def _frame(row: Any, field: str) -> ShownFrame:
    if not isinstance(row, list) or len(row) != len(_ROW):
        raise InvalidField("this is no row", field=field, limit=", ".join(name for name, _ in _ROW))
    rtp, presented_ms, displayed_ms, decode_ms = (_number(row, i, field) for i in (0, 2, 3, 4))
    received_s = None if row[1] is None else _number(row, 1, field) / 1e3
    presented_s, displayed_s, decode_s = presented_ms / 1e3, displayed_ms / 1e3, decode_ms / 1e3
    return ShownFrame(int(rtp), received_s, presented_s, displayed_s, decode_s)


def _number(row: Sequence[Any], index: int, field: str) -> float:
    name, most = _ROW[index]
    return _in_range(row[index], most, f"{field}.{name}")


def _in_range(value: Any, most: float, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise InvalidField("this is not a number in range", field=field, limit=f"0..{most:g}")
    return float(value)
