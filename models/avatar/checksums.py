"""Fingerprints of a pack's files: found truncated, foreign or damaged before anything is drawn from them."""

from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from realtime.core.errors import PackError

_SAMPLES: Final = 16
_SAMPLE_BYTES: Final = 4096


def fingerprint(path: Path) -> dict[str, Any]:
    """Size, hash of everything and hash of evenly spread samples."""
    return {"bytes": path.stat().st_size, "sha256": whole_hash(path), "sampled_sha256": _sampled_hash(path)}


def check(path: Path, entry: Any, whole: bool, owner: str) -> None:
    """Compare a file with its fingerprint: every byte if `whole`, else size and samples. Raises `PackError` naming the
    file, whose it is (`owner`, as in "the avatar pack") and what is wrong."""
    try:
        size = path.stat().st_size
        if size != entry["bytes"]:
            raise PackError(f"{owner}'s file {path} has {size} bytes, its manifest says {entry['bytes']}")
        good = whole_hash(path) == entry["sha256"] if whole else _sampled_hash(path) == entry["sampled_sha256"]
    except FileNotFoundError as error:
        raise PackError(f"{owner}'s file {path} is missing") from error
    except (OSError, KeyError, TypeError) as error:
        raise PackError(f"{owner}'s file {path} cannot be checked: {error}") from error
    if not good:
        raise PackError(f"{owner}'s file {path} is corrupt: its checksum differs from the manifest's")


def whole_hash(path: Path) -> str:
    """SHA-256 of a file."""
    digest = sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _sampled_hash(path: Path) -> str:
    """A hash of evenly spread samples: finds a truncated, foreign or half-written file without reading it all."""
    digest = sha256()
    size = path.stat().st_size
    with open(path, "rb") as file:
        for i in range(_SAMPLES):
            file.seek(max(0, (size - _SAMPLE_BYTES) * i // (_SAMPLES - 1)))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
