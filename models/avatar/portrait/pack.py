"""Portrait packs: a directory with manifest, layers, movements and base frames, memory-mapped when served.

The manifest carries the consent statement and the photo's hash; without consent no pack is made."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from models.avatar.checksums import check, fingerprint, whole_hash
from models.avatar.pack import FRAME_BYTES, FRAME_SHAPE, FRAMES, KEYS, MANIFEST, MAX_FRAMES, PackFrames
from models.avatar.portrait import assets as files
from models.avatar.portrait.avatar import PortraitAvatar
from models.avatar.portrait.build import STAGES, portrait_of
from models.avatar.portrait.detect import Picture, UnusablePhoto, check_consent
from models.avatar.portrait.framing import PICTURE_PX
from models.avatar.portrait.geometry import KEY_FIELDS, REST_KEY
from models.replacing import replaced
from realtime.core.errors import InvalidField, PackError
from realtime.core.values import BaseKey

KIND: Final = "anima-portrait-pack"
FORMAT: Final = 1
RIG_VERSION: Final = 2
"""Rises when the rig reads its files differently; older packs are refused and baked anew from the photo."""
THUMBNAIL: Final = "thumbnail.jpg"
MAX_PHOTO_BYTES: Final = 32 * 2**20
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

LICENCE: Final = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f]{1,200}")
UNSTATED: Final = "as stated by the person who made this pack"

_FRAMES_PER_STEP: Final = 12
_CHECKED_WHOLE: Final = 1 << 20
"""Files up to this size are hashed in full at every opening."""

Progress = Callable[[str, int, int], None]
"""Called as `(what, done, total)`."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a portrait shall be called, and what its owner stated."""

    name: str
    consent: str
    title: str = ""
    licence: str = ""
    """Under which terms the pack may be used; `UNSTATED` if the person who makes it says nothing."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise InvalidField(
                "a portrait's name has 1 to 64 small letters, digits and hyphens", field="name", limit=NAME.pattern
            )
        check_consent(self.consent)
        if self.licence and not LICENCE.fullmatch(self.licence):
            raise InvalidField(
                "a licence is one line of up to 200 characters: a name, an SPDX expression or an address",
                field="licence", limit=LICENCE.pattern,
            )  # fmt: skip


def read_photo(path: Path) -> Picture:
    """The picture of a file, BGR. Raises `InvalidField` if it is missing, too large or no picture."""
    try:
        size = path.stat().st_size
        if size > MAX_PHOTO_BYTES:
            raise InvalidField(f"the photo has {size} bytes", field="photo", limit=f"{MAX_PHOTO_BYTES} bytes")
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InvalidField(f"the photo {path} cannot be read: {error.strerror}", field="photo") from error
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise UnusablePhoto("unreadable", f"{path.name} is not a picture that can be read", "JPEG, PNG, WebP")
    return np.asarray(picture, np.uint8)


def bake(photo: Path, wish: Wish, out_dir: Path, keys: Sequence[BaseKey], progress: Progress | None = None) -> None:
    """Make a pack of one photo at `out_dir`, which is replaced if it exists; it appears at once when complete.

    Raises `InvalidField` if the photo or the statement cannot be used, `PackError` if the pack cannot be written."""
    wanted = sorted({REST_KEY, *keys})
    if len(wanted) > MAX_FRAMES:
        raise PackError(f"a pack holds at most {MAX_FRAMES} base frames, {len(wanted)} were asked for")
    steps = _Steps(progress or (lambda what, done, total: None), len(STAGES) + len(wanted))
    picture = read_photo(photo)
    assets, face = portrait_of(picture, steps.next_stage)
    with replaced(out_dir, "the portrait") as work:
        names = files.save(assets, work)
        avatar = PortraitAvatar(wish.name, assets)
        _render(avatar, work, wanted, steps)
        _thumbnail(avatar, work / THUMBNAIL)
        names += [KEYS, FRAMES, THUMBNAIL]
        manifest = {
            "kind": KIND, "format": FORMAT, "rig": RIG_VERSION, "name": wish.name,
            "title": wish.title or wish.name, "licence": wish.licence.strip() or UNSTATED,
            "consent": wish.consent.strip(),
            "provenance": {
                "photo_sha256": whole_hash(photo),
                "photo_px": [picture.shape[1], picture.shape[0]],
                "face": {name: round(value, 2) for name, value in asdict(face).items()},
            },
            "width": PICTURE_PX, "height": PICTURE_PX, "frames": len(wanted), "key_fields": list(KEY_FIELDS),
            "files": {name: fingerprint(work / name) for name in names},
        }  # fmt: skip
        (work / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")


def open_portrait(directory: Path, verify: bool = False) -> PortraitAvatar:
    """The avatar of a pack, its files memory-mapped. Raises `PackError` that names the reason.

    Small files are hashed always; of large ones the size and samples are checked, or with `verify` every byte."""
    manifest = read_manifest(directory)
    for name, entry in manifest["files"].items():
        size = entry.get("bytes", 0) if isinstance(entry, dict) else 0
        check(directory / name, entry, whole=verify or size <= _CHECKED_WHOLE, owner="the portrait")
    try:
        keys = [tuple(int(n) for n in row) for row in np.load(directory / KEYS)]
        frames = np.memmap(directory / FRAMES, np.uint8, "r", shape=(len(keys), *FRAME_SHAPE))
        return PortraitAvatar(str(manifest["name"]), files.load(directory), PackFrames(frames, keys))
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise PackError(f"the portrait {directory} cannot be used: {error}") from error


def read_manifest(directory: Path) -> dict[str, Any]:
    """A pack's manifest, checked. Raises `PackError` that names what is missing or foreign."""
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PackError(f"there is no portrait at {directory}: {MANIFEST} is missing") from error
    except (OSError, ValueError) as error:
        raise PackError(f"the portrait's manifest {path} cannot be read: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise PackError(f"{path} does not describe a portrait")
    here = {"format": FORMAT, "rig": RIG_VERSION, "width": PICTURE_PX, "height": PICTURE_PX}
    for field, needed in here.items():
        if manifest.get(field) != needed:
            raise PackError(
                f"the portrait {directory} has {field} {manifest.get(field)!r}, this version needs {needed!r}"
            )
    if not isinstance(manifest.get("name"), str) or not NAME.fullmatch(manifest["name"]):
        raise PackError(f"{path} names no avatar")
    if not isinstance(manifest.get("consent"), str) or not manifest["consent"].strip():
        raise PackError(f"{path} holds no consent statement: such a portrait is not shown")
    if not isinstance(manifest.get("licence"), str) or not LICENCE.fullmatch(manifest["licence"]):
        raise PackError(f"{path} states no licence of one line and up to 200 characters")
    named = manifest.get("files")
    if not isinstance(named, dict) or set(named) != {*files.file_names(), KEYS, FRAMES, THUMBNAIL}:
        raise PackError(f"{path} does not list a portrait's files")
    return manifest


def find_portraits(packs_dir: Path) -> dict[str, Path]:
    """The portraits in a directory by name; whatever is no portrait, or a damaged one, is passed over."""
    found = {}
    for path in sorted(packs_dir.glob(f"*/{MANIFEST}")):
        if path.parent.name.startswith("."):
            continue
        try:
            found[str(read_manifest(path.parent)["name"])] = path.parent
        except PackError:
            continue
    return found


class _Steps:
    """Counts a bake's stages and frames for its progress."""

    def __init__(self, tell: Progress, total: int) -> None:
        self._tell, self._total = tell, total
        self._done = 0
        self._what = STAGES[0]

    def next_stage(self, what: str) -> None:
        self._what = what
        self._tell(what, self._done, self._total)
        self._done += 1

    def advance(self, what: str, count: int) -> None:
        self._done += count
        self._tell(what, self._done, self._total)


def _render(avatar: PortraitAvatar, work: Path, keys: Sequence[BaseKey], steps: _Steps) -> None:
    np.save(work / KEYS, np.array(keys, np.int16).reshape(len(keys), len(KEY_FIELDS)))
    with open(work / FRAMES, "wb") as file:
        for start in range(0, len(keys), _FRAMES_PER_STEP):
            part = keys[start : start + _FRAMES_PER_STEP]
            for key in part:
                file.write(avatar.render_base(key).tobytes())
            steps.advance("drawing base frames", len(part))
    assert (work / FRAMES).stat().st_size == len(keys) * FRAME_BYTES


def _thumbnail(avatar: PortraitAvatar, path: Path) -> None:
    picture = cv2.cvtColor(avatar.render_base(REST_KEY), cv2.COLOR_YUV2BGR_I420)
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    if not cv2.imwrite(str(path), small, [cv2.IMWRITE_JPEG_QUALITY, 90]):
        raise OSError(f"{path} could not be written")
