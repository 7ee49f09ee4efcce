"""The voices of the embedded synthesiser: who they are, which languages they speak, how they are set."""

from dataclasses import dataclass
from typing import Final

from realtime.core.errors import InvalidField, NotFound

LANGUAGES: Final = ("en", "en-GB", "zh")
"""Languages as `GET /v1/voices` lists them."""

_ALIASES: Final = {
    "en": "en", "en-us": "en", "en-gb": "en-GB", "en-uk": "en-GB",
    "zh": "zh", "zh-cn": "zh", "zh-hans": "zh", "zh-hans-cn": "zh", "zh-sg": "zh", "cmn": "zh", "cmn-hans": "zh",
}  # fmt: skip

_ESPEAK_LANGUAGE: Final = {"en": "en-us", "en-GB": "gmw/en", "zh": "cmn"}
_WORDS_PER_MINUTE: Final = {"en": 165, "en-GB": 165, "zh": 160}


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """One entry of the catalogue."""

    name: str
    languages: tuple[str, ...]
    gender: str
    description: str


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the synthesiser is set for one voice in one language: `pitch` and `range` in the engine's units 0..99,
    `gain_db` brings speech to about -20 dBFS RMS."""

    engine_voice: str
    words_per_minute: int
    pitch: int
    range: int
    gain_db: float


@dataclass(frozen=True, slots=True)
class _Persona:
    info: VoiceInfo
    variant: str
    pitch: tuple[int, int]
    """In English and in Mandarin: the same setting lies about 25 Hz lower in Mandarin."""
    gain_db: tuple[float, float]


def _persona(
    name: str, gender: str, description: str, variant: str, pitch: tuple[int, int], gain_db: tuple[float, float]
) -> _Persona:
    return _Persona(VoiceInfo(name, LANGUAGES, gender, description), variant, pitch, gain_db)


_PERSONAS: Final = {
    persona.info.name: persona
    for persona in (
        _persona("eileen", "female", "Clear presenter, about 205 Hz; the default.", "f5", (50, 58), (-0.3, -2.4)),
        _persona("nora", "female", "Calm and a little lower, about 195 Hz.", "f2", (50, 59), (-1.9, -4.4)),
        _persona("vera", "female", "Young and lively, about 225 Hz.", "f5", (58, 66), (-0.3, -2.4)),
        _persona("martin", "male", "Even baritone, about 100 Hz.", "m6", (50, 56), (-0.5, -2.9)),
        _persona("paul", "male", "Firm and close, about 105 Hz.", "m5", (52, 58), (0.0, -2.0)),
    )
}
DEFAULT_VOICE: Final = "eileen"


def voices() -> tuple[VoiceInfo, ...]:
    """The catalogue, default first."""
    return tuple(persona.info for persona in _PERSONAS.values())


def resolve_language(language: str) -> str:
    """One of LANGUAGES for a BCP 47 tag; raises InvalidField."""
    found = _ALIASES.get(language.strip().replace("_", "-").lower())
    if found is None:
        raise InvalidField(
            f"no voice speaks {language[:40]!r}", field="language", limit="one of " + ", ".join(LANGUAGES)
        )
    return found


def resolve_voice(name: str) -> str:
    """A name of the catalogue; `default` and the empty name mean the default. Raises NotFound."""
    wanted = name.strip().lower()
    if wanted in ("", "default"):
        return DEFAULT_VOICE
    if wanted not in _PERSONAS:
        raise NotFound(f"no voice is called {name[:40]!r}", field="voice", limit="one of " + ", ".join(_PERSONAS))
    return wanted


def tuning(name: str, language: str) -> Tuning:
    """The engine's settings for a resolved voice and language."""
    persona = _PERSONAS[name]
    index = 1 if language == "zh" else 0
    return Tuning(
        engine_voice=f"{_ESPEAK_LANGUAGE[language]}+{persona.variant}",
        words_per_minute=_WORDS_PER_MINUTE[language],
        pitch=persona.pitch[index],
        range=50,
        gain_db=persona.gain_db[index],
    )
