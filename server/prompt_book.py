"""The prompts that clients iterate on: by name, every version with the digest of what came out, kept in files."""

import json
import re
from pathlib import Path
from typing import Any, Final

from realtime.core.errors import InvalidField, NotFound, RequestError, TooMany
from realtime.core.prompting import StructuredPrompt, read_prompt
from realtime.core.prompting_versions import Version, Versions

MAX_NAMES: Final = 500
MAX_VERSIONS: Final = 200
_NAME: Final = re.compile(r"[\w][\w.-]{0,63}")


class PromptBook:
    """One JSON-lines file per name in a folder, which is made when the first prompt is kept. Versions are only ever
    appended, so several processes may keep the same book; each call reads what is there then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """What is kept, by name."""
        return sorted(path.stem for path in self._folder.glob("*.jsonl"))

    def add(self, name: str, prompt: StructuredPrompt, output_sha256: str, note: str) -> Version:
        """Note what a prompt brought; the same once more is the version it was. Raises `RequestError`."""
        path = self._path(name)
        versions = self._read(path)
        if not path.exists() and len(self.names()) >= MAX_NAMES:
            raise TooMany("too many prompts are kept", retry_after_s=60.0, limit=f"{MAX_NAMES} names")
        before = len(versions)
        if before >= MAX_VERSIONS:
            raise TooMany("this prompt has all the versions it may have", retry_after_s=60.0, limit=str(MAX_VERSIONS))
        made = versions.add(prompt, output_sha256, note)
        if len(versions) > before:
            self._folder.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(made.as_json(), ensure_ascii=False) + "\n")
        return made

    def history(self, name: str) -> Versions:
        """All versions of a prompt. Raises `NotFound`."""
        path = self._path(name)
        if not path.exists():
            raise NotFound(f"no prompt is kept as {name!r}", field="name")
        return self._read(path)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InvalidField("this cannot be a prompt's name", field="name", limit="1..64 of A-Z a-z 0-9 _ - .")
        return self._folder / f"{name}.jsonl"

    @staticmethod
    def _read(path: Path) -> Versions:
        """The versions of a file; a line that cannot be read, such as one half written, is passed over."""
        versions = Versions()
        lines = path.read_text("utf-8", "replace").splitlines() if path.exists() else []
        for line in lines:
            try:
                kept: dict[str, Any] = json.loads(line)
                versions.add(read_prompt(kept["prompt"]), str(kept["output_sha256"]), str(kept.get("note", "")))
            except (ValueError, KeyError, TypeError, AttributeError, RequestError):
                continue
        return versions
