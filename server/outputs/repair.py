"""What a killed process left of its recordings, put in order: playlists get their end, leftovers go. Blocks."""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from server.outputs.shelf import PLAYLIST, held, is_aside

_log = logging.getLogger(__name__)

END: Final = "#EXT-X-ENDLIST"
_INIT: Final = "init.mp4"
_OURS: Final = re.compile(r"(index\d+\.m4s|init\.mp4|index\.m3u8)(\.tmp)?|\.index\.m3u8\.partial")
_BOX_HEADER_BYTES: Final = 8
_LARGE_HEADER_BYTES: Final = 16


def repair(directory: Path) -> int:
    """Finish every recording in the directory that nobody writes any more; how many were changed. What a living process
    writes is left alone: it holds a lock that ends with it."""
    repaired = 0
    try:
        entries = sorted(directory.iterdir())
    except OSError:
        return 0
    for entry in entries:
        try:
            repaired += _repair_one(entry)
        except (OSError, UnicodeDecodeError) as error:
            _log.warning("the recording %s cannot be repaired: %s", entry.name, type(error).__name__)
    if repaired:
        _log.info("%d recordings that were cut off have been finished", repaired)
    return repaired


def _repair_one(entry: Path) -> bool:
    if entry.is_symlink():
        return False
    if entry.is_dir():
        with held(entry) as ours:
            return ours and _finish(entry)
    original = is_aside(entry)
    if original is None:
        return False
    # the copy with its index first was not done: the recording itself is whole and stays
    with held(original) as ours:
        if ours:
            entry.unlink(missing_ok=True)
        return ours


def _finish(folder: Path) -> bool:
    """One HLS recording. Folders that hold anything else than what we write there are not ours to change."""
    names = os.listdir(folder)
    if not names or not all(_OURS.fullmatch(name) for name in names):
        return False
    playlist = folder / PLAYLIST
    lines = playlist.read_text("utf-8").splitlines() if playlist.is_file() else []
    if END in lines:
        return False
    kept = list(_playable(folder, lines))
    segments = {line for line in kept if not line.startswith("#")}
    if segments:
        aside = folder / f".{PLAYLIST}.partial"
        aside.write_text("\n".join([*kept, END, ""]), "utf-8")
        os.replace(aside, playlist)
    # without a whole segment there is nothing to play
    wanted = {PLAYLIST, _INIT} | segments if segments else set()
    for name in set(names) - wanted:
        (folder / name).unlink(missing_ok=True)
    if not segments:
        folder.rmdir()
    return True


def _playable(folder: Path, lines: list[str]) -> Iterator[str]:
    """The playlist up to the first segment that is missing or cut off: after a loss of power the last ones may be,
    although the list names them."""
    if not is_whole(folder / _INIT):
        return
    about: list[str] = []
    for line in lines:
        if line.startswith("#"):
            about.append(line)
            continue
        if not line:
            continue
        if not is_whole(folder / line):
            return
        yield from about
        about.clear()
        yield line


def is_whole(path: Path) -> bool:
    """Whether a file is a sequence of complete boxes, ISO/IEC 14496-12 section 4.2."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            at = 0
            while at < size:
                file.seek(at)
                header = file.read(_LARGE_HEADER_BYTES)
                if len(header) < _BOX_HEADER_BYTES:
                    return False
                length = int.from_bytes(header[:4], "big")
                if length == 1:
                    length = int.from_bytes(header[8:16], "big")
                if length < _BOX_HEADER_BYTES:
                    return False
                at += length
            return 0 < size == at
    except OSError:
        return False
