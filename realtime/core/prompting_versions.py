"""The iterations of a structured prompt: each with the digest of what came out of it."""

from dataclasses import asdict, dataclass
from typing import Any

from realtime.core.errors import InvalidField
from realtime.core.prompting import StructuredPrompt


@dataclass(frozen=True, slots=True)
class Version:
    """One iteration: the prompt, what was noted about it, and the digest of what came out."""

    number: int
    prompt: StructuredPrompt
    output_sha256: str
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """For whoever looks back."""
        return {
            "version": self.number,
            "prompt": self.prompt.as_json(),
            "text": self.prompt.text,
            "prompt_sha256": self.prompt.digest,
            "output_sha256": self.output_sha256,
            "note": self.note,
        }


class Versions:
    """The iterations of one prompt, oldest first."""

    def __init__(self) -> None:
        self._versions: list[Version] = []

    def __len__(self) -> int:
        return len(self._versions)

    def add(self, prompt: StructuredPrompt, output_sha256: str, note: str = "") -> Version:
        """Note what a prompt brought. The same prompt and output once more is the same version."""
        for version in self._versions:
            if version.output_sha256 == output_sha256 and version.prompt.digest == prompt.digest:
                return version
        made = Version(len(self._versions) + 1, prompt, output_sha256, note)
        self._versions.append(made)
        return made

    def changed(self, one: int, other: int) -> dict[str, tuple[str, str]]:
        """What differs between two versions, by field: (before, after). Raises `InvalidField`."""
        before, after = _flat(self._at(one).prompt), _flat(self._at(other).prompt)
        names = sorted(before.keys() | after.keys())
        return {n: (before.get(n, ""), after.get(n, "")) for n in names if before.get(n) != after.get(n)}

    def as_json(self) -> list[dict[str, Any]]:
        """The versions with their digests."""
        return [one.as_json() for one in self._versions]

    def _at(self, number: int) -> Version:
        if not 1 <= number <= len(self._versions):
            raise InvalidField(f"there is no version {number}", field="version", limit=f"1..{len(self._versions)}")
        return self._versions[number - 1]


def _flat(prompt: StructuredPrompt) -> dict[str, str]:
    values = dict(prompt.parts) | {"negative_prompt": ", ".join(prompt.negative)}
    return values | {f"parameters.{name}": str(value) for name, value in asdict(prompt.parameters).items()}
