"""Event logs on disk: one file of JSON lines for each session, from which `anima replay` makes its frames again."""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from realtime.core.errors import AnimaError, Malformed, NotFound
from realtime.core.events import Event
from realtime.core.replay_forms import checked_header
from realtime.core.replaying import DENOISER, RESTAGED, SAMPLE, VERSION, Record, digest, frame_record
from realtime.core.values import I420, Frame
from realtime.painted import PaintedAvatar
from realtime.ports import Avatar, Done, Repeatable
from realtime.replay import refined_record
from server.config import Config
from server.replaying.packs import pack_mark
from server.replaying.painting import PaintNotes
from server.replaying.pixels import PixelFile, pixels_beside
from server.surfaces import SessionSpec

logger = logging.getLogger(__name__)

LINE_LIMIT_CHARS: Final = 1 << 20
_WORDS: Final = frozenset({"text", "source", "message"})
"""Fields of events that hold what somebody said."""


class EventLog:
    """One session's, written on its event loop into a buffered file. A disk that fails ends the log only."""

    def __init__(self, path: Path, header: Record, *, with_text: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("x", encoding="utf-8", buffering=1 << 16)
        path.chmod(0o600)
        self._with_text = with_text
        self._pixels: I420 | None = None
        self._digest = ""
        self._calls: deque[tuple[int, Done]] = deque()
        self._kept = PixelFile(pixels_beside(path))
        self._painted: PaintNotes | None = None
        self.note(header)

    def note(self, record: Record) -> None:
        """Write one record."""
        while self._calls:
            self._write(refined_record(*self._calls.popleft()))
        if self._painted is not None and record.get("do") == SAMPLE:
            self._painted.tell()
        self._write(record)

    def restaged(self, avatar: Avatar) -> None:
        """Frames are made of this avatar's pixels from here on; what is painted of it is told before each frame."""
        self.note({"do": RESTAGED})
        self._painted = PaintNotes(avatar, self._write, self._kept.keep) if isinstance(avatar, PaintedAvatar) else None

    def denoiser(self, denoiser: object) -> None:
        """Frames are improved by this one, if by any."""
        if isinstance(denoiser, Repeatable):
            self.note({"do": DENOISER, **denoiser.identity})

    def refined(self, call: int, done: Done) -> None:
        """A call of the denoiser ended, on whatever thread; written before what is noted next."""
        self._calls.append((call, done))

    def _write(self, record: Record) -> None:
        if self._file.closed:
            return
        try:
            self._file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
        except OSError as error:
            logger.warning("the event log ends here: %s", error.strerror or error)
            self.close()

    def frame(self, frame: Frame) -> None:
        """A frame was published."""
        if frame.pixels is not self._pixels:
            self._pixels, self._digest = frame.pixels, digest(frame.pixels)
        restless = self._painted is not None and self._painted.changed
        self.note(frame_record(frame, self._digest) | ({"restless": True} if restless else {}))

    def event(self, event: Event, now_s: float) -> None:
        """Something was reported to the viewers; words only where the settings say so."""
        assert is_dataclass(event)
        about = {
            name: value if self._with_text or name not in _WORDS else len(str(value or ""))
            for name, value in asdict(event).items()
            if name != "data"
        }
        self.note({"do": "event", "at_s": round(now_s, 4), "kind": type(event).__name__, **about})

    def close(self) -> None:
        """Write what is left."""
        self._kept.close()
        try:
            self._file.close()
        except OSError as error:
            logger.warning("the event log lacks its end: %s", error.strerror or error)


OpenLog = Callable[[str, SessionSpec, int], EventLog | None]


PackOf = Callable[[str], Path]


def _no_pack(name: str) -> Path:
    raise NotFound(f"no pack of {name} is known", field="avatar")


def no_log(session_id: str, spec: SessionSpec, seed: int) -> EventLog | None:
    """Where nothing is recorded."""


def event_logs(config: Config, pack_of: PackOf = _no_pack) -> OpenLog:
    """What opens a session's log from its id, its spec and its plan's seed. `pack_of` says where an avatar's pack
    lies; it may raise `AnimaError`."""
    folder = config.event_log_dir
    if folder is None:
        return no_log

    def opened(session_id: str, spec: SessionSpec, seed: int) -> EventLog | None:
        try:
            pack = pack_mark(pack_of(spec.avatar))
        except AnimaError:
            pack = ""
        header = {
            "anima_log": VERSION, "build": version("anima"), "seed": seed, "avatar": spec.avatar,
            "background": spec.background, "scene": spec.scene, "content": spec.content, "language": spec.language,
            "voice": spec.voice, "rate": spec.rate, "pitch": spec.pitch, "fps": config.fps,
            "partial_update": spec.partial_update, "pack": pack,
        }  # fmt: skip
        try:
            return EventLog(folder / f"{session_id}.jsonl", header, with_text=config.event_log_text)
        except OSError as error:
            logger.warning("no event log of this session: %s", error.strerror or error)
            return None

    return opened


def read_log(path: Path) -> tuple[Record, Iterator[Record]]:
    """A log's first line and the records after it. Raises `Malformed` that names the line."""
    lines = _lines(path)
    try:
        header = checked_header(next(lines, {}))
    except Malformed as error:
        message = f"{path} is no event log of this version ({VERSION}): {error.message}"
        raise Malformed(message, field=error.field) from error
    return header, lines


def _lines(path: Path) -> Iterator[Record]:
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            for line in iter(lambda: file.readline(LINE_LIMIT_CHARS), ""):
                number += 1
                record: Any = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError("it holds no object")
                yield record
    except OSError as error:
        raise Malformed(f"{path}: {error.strerror or error}", field="log") from error
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{path}: line {number} cannot be read: {error}", field="log") from error
