"""The portraits of a directory: found by their manifests, baked into it, opened when asked for."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.avatar.portrait.geometry import base_key
from models.avatar.portrait.pack import Progress, Wish, bake, find_portraits, open_portrait, read_manifest
from realtime.core.errors import NotFound, PackError
from realtime.core.primitives import Primitive, clip_controls
from realtime.ports import Avatar


class Portraits:
    """A directory with portrait packs, read anew at every question, so that what is baked is there at once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def manifests(self) -> dict[str, dict[str, Any]]:
        """What each portrait says of itself, by name; damaged packs are passed over."""
        return {name: read_manifest(path) for name, path in find_portraits(self._directory).items()}

    def open(self, name: str) -> Avatar:
        """The avatar of this name. Raises `NotFound`, or `PackError` if its pack is damaged."""
        return open_portrait(self.place(name))

    def inspect(self, name: str) -> dict[str, object]:
        """A manifest without its list of files, after every byte was checked. Raises `NotFound` or `PackError`."""
        path = self.place(name)
        open_portrait(path, verify=True)
        about = read_manifest(path)
        size = sum(entry["bytes"] for entry in about.pop("files").values())
        return {**about, "kind": "portrait", "directory": str(path), "bytes": size, "checked": True}

    def bake(
        self, photo: Path, name: str, consent: str, title: str, clips: Sequence[Primitive], progress: Progress,
        licence: str = "",
    ) -> Path:  # fmt: skip
        """Make a pack of a photo with the base frames of these clips; returns where it lies."""
        wish = Wish(name, consent, title, licence)
        path = self._directory / f"portrait-{wish.name}"
        keys = [base_key(controls) for clip in clips for controls in clip_controls(clip)]
        bake(photo, wish, path, keys, progress)
        return path

    def remove(self, name: str) -> None:
        """Delete a portrait; at once it is not found any more. Raises `NotFound` or `PackError`."""
        place = self.place(name)
        gone = place.with_name(f".{place.name}-gone-{os.getpid()}")
        try:
            place.rename(gone)
        except OSError as error:
            raise PackError(f"the portrait {place} cannot be removed: {error.strerror}") from error
        shutil.rmtree(gone, ignore_errors=True)

    def place(self, name: str) -> Path:
        """Where a portrait's pack lies. Raises `NotFound`."""
        found = find_portraits(self._directory)
        if name not in found:
            known = ", ".join(found) or "none"
            raise NotFound(f"no portrait {name!r}; there are: {known}", field="avatar")
        return found[name]
