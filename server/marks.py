"""How sessions' pictures are marked: the visible label, and a mark whose 64 bits point to a provenance record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Literal

from realtime.core.backdrop import TRANSPARENT
from realtime.core.mark import CELL_PX, MIN_CELLS
from server.config import Config
from server.media.marking import Marking, VisibleLabel
from server.provenance import Provenance, ProvenanceLog, new_identity, now_text
from server.surfaces import SessionSpec

Place = Literal["top-left", "top", "top-right", "bottom-left", "bottom", "bottom-right"]
MakeLabel = Callable[[str, Place, int, int], VisibleLabel]
"""Language, place, width and height of the picture -> the label."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an avatar's looks come from."""

    pack: str
    """Digest of its pack or of what it is drawn from."""
    words: str


NO_SOURCE: Final = Source("", "not stated")


class Marks:
    """Makes each session's `Marking` as the settings say, and records where its pictures come from."""

    def __init__(
        self,
        config: Config,
        log: ProvenanceLog,
        make_label: MakeLabel,
        source_of: Callable[[str], Source],
        models: Mapping[str, str],
    ) -> None:
        self._config = config
        self._log = log
        self._make_label = make_label
        self._source_of = source_of
        self._models = models

    def marking(self, session_id: str, spec: SessionSpec, width: int, height: int) -> Marking | None:
        """For one session's pictures, of `width` x `height` pixels as they are encoded; None if nothing is marked."""
        config = self._config
        if spec.background == TRANSPARENT:
            height //= 2
        label = None
        if config.ai_label != "off":
            language = config.ai_label_language or spec.language
            label = self._make_label(language, config.ai_label, width, height)
        identity = None
        if config.watermark and (width // CELL_PX) * (height // CELL_PX) >= MIN_CELLS:
            identity = new_identity()
            source = self._source_of(spec.avatar)
            made_by = version("anima")
            words, names = source.words, self._models
            name = f"{identity:016x}"
            self._log.add(
                Provenance(name, now_text(), session_id, made_by, spec.avatar, source.pack, words, names)
            )
        if label is None and identity is None:
            return None
        return Marking(width, height, label=label, identity=identity)
