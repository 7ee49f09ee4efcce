"""Avatar packs: a directory with manifest, painted layers and base frames, baked once and memory-mapped when served."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import platformdirs

from models.avatar.checksums import check, fingerprint
from models.avatar.fingerprint import rig_fingerprint
from models.avatar.host import IllustratedHost
from models.avatar.layers import load_layers, paint_layers, save_layers
from models.avatar.projection import KEY_FIELDS, PICTURE_PX
from models.avatar.spec import AvatarSpec
from models.replacing import replaced
from realtime.core.errors import PackError
from realtime.core.values import I420, BaseKey

FORMAT: Final = 1
KIND: Final = "anima-avatar-pack"
MANIFEST, LAYERS, KEYS, FRAMES = "manifest.json", "layers.npz", "keys.npy", "frames.i420"
FRAME_SHAPE: Final = (PICTURE_PX * 3 // 2, PICTURE_PX)
FRAME_BYTES: Final = FRAME_SHAPE[0] * FRAME_SHAPE[1]
MAX_FRAMES: Final = 1000
"""Most base frames in a pack: 400 MB on disk, of which memory holds what is shown."""

_CHUNK: Final = 12

Progress = Callable[[int, int], None]


class PackFrames:
    """The base frames of a pack, memory-mapped."""

    def __init__(self, frames: "np.memmap[Any, np.dtype[np.uint8]]", keys: Sequence[BaseKey]) -> None:
        self._frames = frames
        self._index = {key: i for i, key in enumerate(keys)}

    @property
    def keys(self) -> frozenset[BaseKey]:
        """The poses in the pack."""
        return frozenset(self._index)

    def frame(self, key: BaseKey) -> I420 | None:
        """A frame, read-only, or None."""
        at = self._index.get(key)
        return None if at is None else np.asarray(self._frames[at])


def default_directory(spec: AvatarSpec) -> Path:
    """Where this avatar's pack lies unless told otherwise: the user's cache, one directory per spec and rig version."""
    return Path(platformdirs.user_cache_dir("anima")) / "avatars" / f"{spec.name}-{spec.digest()}"


def bake(
    spec: AvatarSpec, out_dir: Path, keys: Sequence[BaseKey], progress: Progress | None = None, processes: int = 2
) -> None:
    """Paint the layers and render the base frames of `keys` into a pack at `out_dir`, which is replaced if it exists.

    `progress(done, total)` is called as frames are finished. The pack appears at once when it is complete. Raises
    `PackError` when it cannot be written or there are too many frames."""
    wanted = sorted(set(keys))
    if len(wanted) > MAX_FRAMES:
        raise PackError(f"a pack holds at most {MAX_FRAMES} base frames, {len(wanted)} were asked for")
    tell = progress or (lambda done, total: None)
    with replaced(out_dir, "the avatar pack") as work:
        _fill(spec, work, wanted, tell, processes)


def open_pack(directory: Path, verify: bool = False) -> IllustratedHost:
    """The avatar of a pack. Raises `PackError` that names the reason if the pack is missing, corrupt or foreign.

    Small files are hashed always; of the frames the size and samples are checked, or with `verify` every byte."""
    manifest = _manifest(directory)
    for name, entry in manifest["files"].items():
        check(directory / name, entry, whole=verify or name != FRAMES, owner="the avatar pack")
    try:
        spec = _spec(manifest["spec"])
        layers = load_layers(directory / LAYERS)
        keys = [tuple(int(n) for n in row) for row in np.load(directory / KEYS)]
        return IllustratedHost(spec, layers, _map(directory / FRAMES, keys))
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise PackError(f"the avatar pack {directory} cannot be used: {error}") from error


def ensure_pack(
    spec: AvatarSpec, keys: Sequence[BaseKey], directory: Path | None = None, progress: Progress | None = None
) -> IllustratedHost:
    """Open the spec's pack, baking it first if there is none, it is damaged, or it lacks some of the poses."""
    place = directory or default_directory(spec)
    if not is_ready(spec, keys, place):
        bake(spec, place, keys, progress)
    return open_pack(place)


def is_ready(spec: AvatarSpec, keys: Sequence[BaseKey], place: Path) -> bool:
    """Whether the pack at `place` is sound, of this very host and rig, and has these poses."""
    try:
        if _manifest(place)["digest"] != spec.digest() or not set(keys) <= set(_keys(place)):
            return False
        open_pack(place)
    except PackError:
        return False  # baking anew is the remedy for every fault of a cached pack
    return True


def _keys(directory: Path) -> Iterator[BaseKey]:
    try:
        yield from (tuple(int(n) for n in row) for row in np.load(directory / KEYS))
    except (OSError, ValueError) as error:
        raise PackError(f"the avatar pack {directory} has no list of poses: {error}") from error


def _map(path: Path, keys: Sequence[BaseKey]) -> PackFrames | None:
    if not keys:
        return None
    return PackFrames(np.memmap(path, np.uint8, "r", shape=(len(keys), *FRAME_SHAPE)), keys)


def _fill(spec: AvatarSpec, work: Path, keys: Sequence[BaseKey], tell: Progress, processes: int) -> None:
    tell(0, len(keys))
    save_layers(paint_layers(spec), work / LAYERS)
    np.save(work / KEYS, np.array(keys, np.int16).reshape(len(keys), len(KEY_FIELDS)))
    with open(work / FRAMES, "wb") as file:
        file.truncate(len(keys) * FRAME_BYTES)
    done = 0
    for count in _render_all(spec, work, keys, processes):
        done += count
        tell(done, len(keys))
    files = {name: fingerprint(work / name) for name in (LAYERS, KEYS, FRAMES)}
    manifest = {
        "kind": KIND, "format": FORMAT, "rig": rig_fingerprint(), "name": spec.name, "title": spec.title,
        "licence": spec.licence, "digest": spec.digest(), "width": PICTURE_PX, "height": PICTURE_PX,
        "frames": len(keys), "key_fields": list(KEY_FIELDS), "spec": asdict(spec), "files": files,
    }  # fmt: skip
    (work / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")


def _render_all(spec: AvatarSpec, work: Path, keys: Sequence[BaseKey], processes: int) -> Iterator[int]:
    chunks = [(start, list(keys[start : start + _CHUNK])) for start in range(0, len(keys), _CHUNK)]
    if processes <= 1 or len(chunks) <= 2:
        _start_worker(spec, work)
        yield from (_render_chunk(chunk) for chunk in chunks)
        return
    # a fresh interpreter: forking a process that may already run threads is not safe
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, _start_worker, (spec, work)) as pool:
        yield from pool.map(_render_chunk, chunks)


class _Worker:
    """What a baking process keeps between chunks."""

    host: IllustratedHost
    frames: Path


def _start_worker(spec: AvatarSpec, work: Path) -> None:
    cv2.setNumThreads(1)
    _Worker.host = IllustratedHost(spec, load_layers(work / LAYERS))
    _Worker.frames = work / FRAMES


def _render_chunk(chunk: tuple[int, list[BaseKey]]) -> int:
    start, keys = chunk
    with open(_Worker.frames, "r+b") as file:
        file.seek(start * FRAME_BYTES)
        for key in keys:
            file.write(_Worker.host.render_base(key).tobytes())
    return len(keys)


def _manifest(directory: Path) -> dict[str, Any]:
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PackError(f"there is no avatar pack at {directory}: {MANIFEST} is missing") from error
    except (OSError, ValueError) as error:
        raise PackError(f"the avatar pack's manifest {path} cannot be read: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise PackError(f"{path} does not describe an avatar pack")
    for field, here in (("format", FORMAT), ("rig", rig_fingerprint()), ("width", PICTURE_PX), ("height", PICTURE_PX)):
        if manifest.get(field) != here:
            raise PackError(
                f"the avatar pack {directory} has {field} {manifest.get(field)!r}, this version needs {here!r}"
            )
    files = manifest.get("files")
    if not isinstance(files, dict) or set(files) != {LAYERS, KEYS, FRAMES}:
        raise PackError(f"{path} does not list the files {LAYERS}, {KEYS} and {FRAMES}")
    return manifest


def _spec(fields: dict[str, Any]) -> AvatarSpec:
    """The spec of a manifest: nested colour tables become their dataclasses again."""
    plain = AvatarSpec()
    values = {name: type(getattr(plain, name))(**v) if isinstance(v, dict) else v for name, v in fields.items()}
    return AvatarSpec(**values)
