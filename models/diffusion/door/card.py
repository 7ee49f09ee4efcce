"""The card of a mouth net: what it is called, under which licence it came, how large a face it takes, and its files'
digests. Reading and checking it needs no torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.diffusion.door.files import digest_of, inside, read_json
from realtime.core.errors import PackError

CARD: Final = "mouth_net.json"
FORMAT: Final = 1
PARTS: Final = ("unet", "vae", "whisper")
FACES_PX: Final = range(64, 1025)
NAME_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Card:
    """What `mouth_net.json` says."""

    name: str
    licence: str
    face_px: int
    """Side of the square picture of the face that the net takes and gives."""
    files: Mapping[str, str]
    """SHA-256 by path inside the folder, of every file that is loaded."""


def read_card(place: Path) -> Card:
    """The card of a folder, its files checked against their digests. Raises `PackError` that names file and fault."""
    if not place.is_dir():
        raise PackError(f"there is no directory {place}")
    if (place / "musetalk.json").is_file() or (place / "unet.pth").is_file():
        raise PackError(f"{place} is as MuseTalk ships it, with pickles; convert it first (docs/mouth_net.md)")
    data = read_json(place / CARD)
    card = _card(data, place / CARD)
    for part in PARTS:
        for path in _loaded(place / part):
            if f"{part}/{path.name}" not in card.files:
                raise PackError(f"{place / CARD} names no digest of {part}/{path.name}")
    for name, digest in card.files.items():
        path = inside(place, name)
        if not path.is_file():
            raise PackError(f"{path} is missing")
        if digest_of(path) != digest:
            raise PackError(f"{path} is not the file that {CARD} names: its SHA-256 is another one")
    return card


def _card(data: Mapping[str, object], path: Path) -> Card:
    if data.get("format") != FORMAT:
        raise PackError(f"{path}: format is {data.get('format')!r}, read is {FORMAT}")
    name, licence, face_px, files = (data.get(key) for key in ("name", "licence", "face_px", "files"))
    if not isinstance(name, str) or not 0 < len(name) <= NAME_CHARS or not name.isprintable():
        raise PackError(f"{path}: name is a text of 1 to {NAME_CHARS} characters")
    if not isinstance(licence, str) or not licence:
        raise PackError(f"{path}: licence is a text that says under which terms the weights may be used")
    if not isinstance(face_px, int) or face_px not in FACES_PX:
        raise PackError(f"{path}: face_px is a whole number, {FACES_PX.start} to {FACES_PX.stop - 1}")
    if not isinstance(files, dict) or not all(isinstance(value, str) for value in files.values()):
        raise PackError(f"{path}: files gives each file's SHA-256")
    return Card(name, licence, face_px, files)


def write_card(place: Path, name: str, licence: str, face_px: int) -> Path:
    """Write the card of a folder whose parts are there; returns its path."""
    files = {f"{part}/{path.name}": digest_of(path) for part in PARTS for path in _loaded(place / part)}
    card = {"format": FORMAT, "name": name, "licence": licence, "face_px": face_px, "files": files}
    path = place / CARD
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _loaded(part: Path) -> list[Path]:
    """The files of a part that are opened when it is loaded."""
    return sorted(path for path in part.glob("*") if path.suffix in (".json", ".safetensors"))
