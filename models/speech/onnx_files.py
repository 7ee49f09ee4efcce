"""Voices in ONNX files that the user brings: Piper (VITS) and Kokoro models, found in a folder and checked.

Piper: `NAME.onnx` with its `NAME.onnx.json`. Kokoro: `NAME.onnx` with its `config.json` as `NAME.onnx.json`, and a file
of styles per voice, `NAME/VOICE.bin` (float32). What is not there or not right is a `ConfigError` that says where.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from models.speech.alignment import Floats
from realtime.core.errors import ConfigError

KOKORO_RATE_HZ: Final = 24_000
STYLE_SIZE: Final = 256
_LANGUAGES: Final[Mapping[str, str]] = {"en": "en", "en_us": "en", "en_gb": "en-GB", "zh": "zh", "zh_cn": "zh"}
_KOKORO_LANGUAGES: Final[Mapping[str, str]] = {"a": "en", "b": "en-GB", "z": "zh"}
"""A Kokoro voice's first letter."""


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """One voice of one model."""

    kind: Literal["piper", "kokoro"]
    name: str
    model: Path
    language: str
    rate_hz: int
    ids: Mapping[str, tuple[int, ...]]
    """Symbol to numbers."""
    noise: tuple[float, float] = (0.667, 0.8)
    """Piper's `noise_scale` and `noise_w`."""
    length_scale: float = 1.0
    speakers: int = 1
    styles: Floats = field(default_factory=lambda: np.zeros((0, STYLE_SIZE), np.float32))
    """Kokoro's, by number of symbols, shape (n, STYLE_SIZE)."""


def find_voices(folder: Path) -> list[VoiceFile]:
    """All voices of a folder, by name. Raises `ConfigError`."""
    if not folder.is_dir():
        raise ConfigError(f"voices_dir = {str(folder)!r} is no folder")
    return [voice for model in sorted(folder.glob("*.onnx")) for voice in read_voices(model)]


def read_voices(model: Path) -> list[VoiceFile]:
    """The voices of one model. Raises `ConfigError`."""
    about = model.with_name(model.name + ".json")
    try:
        data = json.loads(about.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{about}: a voice needs this description beside it: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{about}: cannot be parsed: {error}") from None
    if isinstance(data, dict) and "phoneme_id_map" in data:
        return [_piper(model, about, data)]
    if isinstance(data, dict) and "vocab" in data:
        return _kokoro(model, about, data)
    raise ConfigError(f"{about}: neither Piper's (phoneme_id_map) nor Kokoro's (vocab)")


def _piper(model: Path, about: Path, data: dict[str, Any]) -> VoiceFile:
    if data.get("phoneme_type", "espeak") != "espeak":
        raise ConfigError(f"{about}: phoneme_type is {data['phoneme_type']!r} (allowed: espeak)")
    tag = _at(data, about, "espeak", "voice") if "espeak" in data else _at(data, about, "language", "code")
    language = _language(str(tag), about)
    rate_hz = _at(data, about, "audio", "sample_rate")
    if not isinstance(rate_hz, int) or not 8_000 <= rate_hz <= 48_000:
        raise ConfigError(f"{about}: audio.sample_rate is {rate_hz!r} (allowed: 8000..48000)")
    inference = data.get("inference") if isinstance(data.get("inference"), dict) else {}
    noise = (_number(inference, "noise_scale", 0.667, about), _number(inference, "noise_w", 0.8, about))
    ids = _ids(data["phoneme_id_map"], about, "phoneme_id_map")
    for mark in "_^$":
        if mark not in ids:
            raise ConfigError(f"{about}: phoneme_id_map has no {mark!r}")
    return VoiceFile(
        "piper", model.stem, model, language, rate_hz, ids, noise, _number(inference, "length_scale", 1.0, about),
        int(data.get("num_speakers") or 1),
    )  # fmt: skip


def _kokoro(model: Path, about: Path, data: dict[str, Any]) -> list[VoiceFile]:
    ids = _ids(data["vocab"], about, "vocab")
    files = sorted((model.parent / model.stem).glob("*.bin"))
    if not files:
        raise ConfigError(f"{model.parent / model.stem}: a Kokoro model needs its voices there, as NAME.bin")
    voices = []
    for file in files:
        values = np.fromfile(file, "<f4")
        if not len(values) or len(values) % STYLE_SIZE or not np.isfinite(values).all():
            raise ConfigError(f"{file}: not float32 styles of {STYLE_SIZE} numbers each")
        language = _KOKORO_LANGUAGES.get(file.stem[:1])
        if language is None:
            raise ConfigError(f"{file}: the name tells its language by its first letter (allowed: a, b, z)")
        styles = values.reshape(-1, STYLE_SIZE).astype(np.float32)
        voices.append(VoiceFile("kokoro", file.stem, model, language, KOKORO_RATE_HZ, ids, styles=styles))
    return voices


def _language(tag: str, about: Path) -> str:
    key = tag.lower().replace("-", "_")
    language = "zh" if key.startswith("cmn") else _LANGUAGES.get(key)
    if language is None:
        raise ConfigError(f"{about}: it speaks {tag!r} (allowed: English and Mandarin)")
    return language


def _ids(raw: Any, about: Path, name: str) -> dict[str, tuple[int, ...]]:
    if not isinstance(raw, dict):
        raise ConfigError(f"{about}: {name} is not an object")
    ids = {}
    for symbol, numbers in raw.items():
        listed = numbers if isinstance(numbers, list) else [numbers]
        if not listed or not all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in listed):
            raise ConfigError(f"{about}: {name}[{symbol!r}] is not made of whole numbers")
        ids[symbol] = tuple(listed)
    return ids


def _at(data: dict[str, Any], about: Path, *names: str) -> Any:
    found: Any = data
    for name in names:
        if not isinstance(found, dict) or name not in found:
            raise ConfigError(f"{about}: {'.'.join(names)} is missing")
        found = found[name]
    return found


def _number(data: Any, name: str, default: float, about: Path) -> float:
    value = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 10.0:
        raise ConfigError(f"{about}: inference.{name} is {value!r} (allowed: 0..10)")
    return float(value)
