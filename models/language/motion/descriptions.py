"""Reads the written descriptions of the motion primitives and unfolds their choices."""

import itertools
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

DATA: Final = Path(__file__).parent
DOMAINS: Final = ("commerce", "education", "game", "general")
"""One expert each."""
LANGUAGES: Final = ("en", "zh")
NO_MOTION: Final = "none"
"""The heading of descriptions that no primitive fits."""
_CHOICE: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Description:
    """One wording of one primitive; `primitive` is `none` where none of them is meant."""

    primitive: str
    language: str
    domain: str
    text: str


def described(name: str) -> list[Description]:
    """The lines of `train`, `validation` or `heldout`, choices still folded."""
    data = yaml.safe_load((DATA / f"{name}.yaml").read_text("utf-8"))
    return [
        _description(primitive, language, line)
        for primitive, languages in data.items()
        for language in LANGUAGES
        for line in languages[language]
    ]


def contexts() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """How each domain speaks of any motion: by domain and language, with `{x}` for the description."""
    found: Mapping[str, Mapping[str, Sequence[str]]] = yaml.safe_load((DATA / "contexts.yaml").read_text("utf-8"))
    return found


def choose(text: str, rng: random.Random) -> str:
    """The text with every choice taken at random."""
    return _tidy(_CHOICE.sub(lambda match: rng.choice(match.group(1).split("|")), text))


def unfold(text: str, limit: int) -> list[str]:
    """The first `limit` wordings of a text, in the order of its choices."""
    parts = _CHOICE.split(text)
    options = [part.split("|") if index % 2 else [part] for index, part in enumerate(parts)]
    return [_tidy("".join(chosen)) for chosen in itertools.islice(itertools.product(*options), limit)]


def _description(primitive: str, language: str, line: Any) -> Description:
    if isinstance(line, dict):
        ((domain, text),) = line.items()
        return Description(primitive, language, str(domain), str(text))
    return Description(primitive, language, "general", str(line))


def _tidy(text: str) -> str:
    return " ".join(text.split()).strip(" ,，")
