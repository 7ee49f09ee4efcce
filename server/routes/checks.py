"""Checks of names and texts against what exists and what is allowed; each failure names field and limit."""

from collections.abc import Iterable

from realtime.core.backdrop import DEFAULT, SYNTAX, parse
from realtime.core.errors import InvalidField, TooLarge
from realtime.core.facs import Emotion
from server.config import Config
from server.surfaces import Services, VoiceInfo

EMOTIONS = {emotion.name.lower(): emotion for emotion in Emotion}


def one_of(value: str, allowed: Iterable[str], field: str) -> str:
    """The value, if it exists. Raises `InvalidField` listing what does."""
    names = list(allowed)
    if value not in names:
        raise InvalidField(f"no such {field.partition('[')[0]}: {value[:64]!r}", field=field, limit=", ".join(names))
    return value


def emotion(name: str | None) -> Emotion | None:
    """An emotion by its name."""
    return None if name is None else EMOTIONS[one_of(name, EMOTIONS, "emotion")]


def gestures(services: Services) -> list[str]:
    """The motion primitives that may be asked for."""
    return [name for name, found in services.primitives().items() if found.kind == "gesture"]


def text(value: str, field: str, limit_chars: int) -> str:
    """A text that is not empty and not too long."""
    if len(value) > limit_chars:
        message = f"the text has {len(value)} characters"
        raise TooLarge(message, field=field, limit=f"{limit_chars} characters")
    if not value.strip():
        raise InvalidField("the text is empty", field=field)
    return value


def avatar(wanted: str | None, services: Services, config: Config) -> str:
    """The avatar asked for, or the default one."""
    names = [info.name for info in services.avatars()]
    return one_of(wanted, names, "avatar") if wanted else config.avatar or names[0]


def background(wanted: str | None, services: Services) -> str:
    """What stands behind the host, or its own room."""
    if wanted is None:
        return DEFAULT
    names = services.backgrounds.names()
    limit = ", ".join((SYNTAX, *names))
    try:
        wish = parse(wanted)
    except ValueError as error:
        raise InvalidField(str(error), field="background", limit=limit) from error
    if wish.kind == "image" and wish.value not in names:
        raise InvalidField(f"no such background: {wanted[:64]!r}", field="background", limit=limit)
    return str(wish)


def language(wanted: str | None, services: Services, config: Config) -> str:
    """The language asked for, or the default one; some voice speaks it."""
    chosen = wanted or config.language
    if not any(speaks(info, chosen) for info in services.voices()):
        known = sorted({tag for info in services.voices() for tag in info.languages})
        raise InvalidField(f"no voice speaks {chosen!r}", field="language", limit=", ".join(known))
    return chosen


def voice(wanted: str | None, spoken: str, services: Services, config: Config) -> str:
    """The voice asked for, or the default one if it speaks the language, or the first that does."""
    able = [info.name for info in services.voices() if speaks(info, spoken)]
    if wanted:
        one_of(wanted, [info.name for info in services.voices()], "voice")
        if wanted not in able:
            message = f"the voice {wanted!r} does not speak {spoken!r}"
            raise InvalidField(message, field="voice", limit=", ".join(able))
        return wanted
    return config.voice if config.voice in able else able[0]


def speaks(info: VoiceInfo, wanted: str) -> bool:
    """Whether a voice speaks a language, regions aside: `en` serves `en-GB` (RFC 4647 section 3.3, by first subtag)."""
    return any(_primary(tag) == _primary(wanted) for tag in info.languages)


def _primary(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()
