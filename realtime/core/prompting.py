"""Structured prompts: what a picture shall show in eight parts, parameters with their ranges, words too vague to draw.

A prompt has a digest, and its versions remember what came out of each.

    prompt = read_prompt({"subject": "a violinist", "parameters": {"duration": 5}})
    prompt.text     # "a violinist"
    advise(prompt)  # suggestions for vague words and missing parts
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from realtime.core.errors import InvalidField
from realtime.core.scenes_fields import Fields

PARTS: Final = ("subject", "style", "action", "environment", "camera", "colour", "audience")
STYLE_TEMPLATES: Final = ("cinematic", "cartoon", "realistic", "documentary")
LANGUAGES: Final = ("zh-CN", "en-US")
MIN_SIDE_PX: Final = 64
MAX_SIDE_PX: Final = 3840
MAX_SEED: Final = 2**32 - 1
_RESOLUTION: Final = re.compile(r"(\d{2,4})x(\d{2,4})")


@dataclass(frozen=True, slots=True)
class Parameters:
    """How it is made. `duration_s` 0.5..60, `frame_rate` 10..60, `temperature` 0..2, `top_p` above 0 up to 1; both
    sides of `resolution` are even, 64..3840."""

    duration_s: float = 5.0
    resolution: tuple[int, int] = (512, 512)
    frame_rate: int = 25
    style_template: str = "realistic"
    seed: int = 0
    temperature: float = 0.7
    top_p: float = 0.9
    enable_audio: bool = True
    language: str = "en-US"


@dataclass(frozen=True, slots=True)
class StructuredPrompt:
    """One prompt. Only the subject is required; `negative` names what must not appear."""

    parts: Mapping[str, str]
    negative: tuple[str, ...] = ()
    parameters: Parameters = field(default_factory=Parameters)

    @property
    def text(self) -> str:
        """The parts in order, as a model takes them."""
        return ", ".join(self.parts[name] for name in PARTS if name in self.parts)

    @property
    def digest(self) -> str:
        """SHA-256 of prompt and parameters; equal prompts have equal digests."""
        whole = {"parts": dict(self.parts), "negative": self.negative, "parameters": asdict(self.parameters)}
        return hashlib.sha256(json.dumps(whole, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Advice:
    """A word or a part that could be better."""

    field: str
    word: str
    suggestion: str


def read_prompt(data: object) -> StructuredPrompt:
    """A prompt from parsed JSON. Raises `InvalidField` that names the field and its range."""
    fields = Fields(data, "", (*PARTS, "negative_prompt", "parameters"))
    parts = {name: fields.text(name, limit=300) for name in PARTS if name == "subject" or fields.has(name)}
    parameters = _parameters(fields.raw("parameters")) if fields.has("parameters") else Parameters()
    return StructuredPrompt(parts, fields.texts("negative_prompt", most=32, limit=120), parameters)


def _parameters(data: object) -> Parameters:
    names = (
        "duration", "resolution", "frame_rate", "style_template", "seed", "temperature", "top_p", "enable_audio",
        "language",
    )  # fmt: skip
    fields = Fields(data, "parameters", names)
    default = Parameters()
    return Parameters(
        fields.number("duration", 0.5, 60.0, default.duration_s),
        _resolution(fields),
        _whole(fields, "frame_rate", 10, 60, default.frame_rate),
        fields.choice("style_template", STYLE_TEMPLATES, default.style_template),
        _whole(fields, "seed", 0, MAX_SEED, default.seed),
        fields.number("temperature", 0.0, 2.0, default.temperature),
        fields.number("top_p", 0.001, 1.0, default.top_p),
        _flag(fields, "enable_audio", default.enable_audio),
        fields.choice("language", LANGUAGES, default.language),
    )


def _whole(fields: Fields, name: str, low: int, high: int, default: int) -> int:
    number = fields.number(name, low, high, default)
    if number != int(number):
        raise InvalidField(f"{fields.at(name)} is not whole", field=fields.at(name), limit=f"whole, {low}..{high}")
    return int(number)


def _flag(fields: Fields, name: str, default: bool) -> bool:
    value = fields.raw(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidField(f"{fields.at(name)} is not true or false", field=fields.at(name), limit="true or false")
    return value


def _resolution(fields: Fields) -> tuple[int, int]:
    text = fields.text("resolution", "512x512", 16)
    match = _RESOLUTION.fullmatch(text)
    sides = (int(match[1]), int(match[2])) if match else (0, 0)
    if any(not MIN_SIDE_PX <= side <= MAX_SIDE_PX or side % 2 for side in sides):
        limit = f"WIDTHxHEIGHT, even, {MIN_SIDE_PX}..{MAX_SIDE_PX}"
        raise InvalidField(f"{text!r} is no resolution", field=fields.at("resolution"), limit=limit)
    return sides


# --- advice

VAGUE: Final[Mapping[str, str]] = {
    "beautiful": "say what makes it so: soft window light, clean lines, a calm face",
    "nice": "say what is good about it: its material, colour or light",
    "good": "say what is good about it: its material, colour or light",
    "cool": "name a style: low-key light, neon rim light, brushed metal",
    "amazing": "describe what one sees: scale, movement, light",
    "interesting": "describe what happens: who does what, where",
    "modern": "name it: white walls, glass, thin black frames",
    "professional": "name it: grey suit, even studio light, plain background",
    "something": "name the thing",
    "stuff": "name the things",
    "some": "say how many",
    "very": "leave it out, or give a measure",
    "high quality": "leave it out and set the resolution",
    "epic": "describe scale and camera: wide shot, low angle, storm clouds",
    "colorful": "name two or three colours",
    "colourful": "name two or three colours",
    "好看": "说明哪里好看：柔和的窗光、干净的线条",
    "漂亮": "说明哪里漂亮：光线、颜色、材质",
    "高级": "写具体：哑光金属、低调布光、留白",
    "高级感": "写具体：哑光金属、低调布光、留白",
    "炫酷": "写具体：霓虹轮廓光、俯拍、快速推镜",
    "大气": "写具体：广角、远景、云层",
    "一些": "写出数量",
    "非常": "去掉，或给出尺度",
    "有趣": "写出谁在哪里做什么",
    "专业": "写具体：灰色西装、均匀的棚光、纯色背景",
}
MISSING: Final[Mapping[str, str]] = {
    "action": "say what happens: it decides whether the picture lives",
    "camera": "give a shot and a movement: medium shot, slow push in",
    "environment": "say where it is and at what time of day",
}
_WORD: Final = re.compile(
    "|".join(
        rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)
        for word in sorted(VAGUE, key=len, reverse=True)
    ),
    re.IGNORECASE,
)


def advise(prompt: StructuredPrompt) -> list[Advice]:
    """What could be said more clearly: vague words with what to write instead, parts that are missing, and a negative
    prompt that contradicts the prompt."""
    found = [
        Advice(name, match.group(), VAGUE[match.group().lower()])
        for name, text in prompt.parts.items()
        for match in _WORD.finditer(text)
    ]
    found += [Advice(name, "", words) for name, words in MISSING.items() if name not in prompt.parts]
    text = prompt.text.casefold()
    for word in prompt.negative:
        if word.casefold() in text:
            found.append(Advice("negative_prompt", word, "the prompt asks for it: take it out of one of the two"))
    return found


# --- versions


@dataclass(frozen=True, slots=True)
class Version:
    """One iteration: the prompt, what was noted about it, and the digest of what came out."""

    number: int
    prompt: StructuredPrompt
    output_sha256: str
    note: str = ""


class Versions:
    """The iterations of one prompt, oldest first."""

    def __init__(self) -> None:
        self._versions: list[Version] = []

    def add(self, prompt: StructuredPrompt, output: bytes, note: str = "") -> Version:
        """Note what a prompt brought. The same prompt and output once more is the same version."""
        digest = hashlib.sha256(output).hexdigest()
        for version in self._versions:
            if version.output_sha256 == digest and version.prompt.digest == prompt.digest:
                return version
        made = Version(len(self._versions) + 1, prompt, digest, note)
        self._versions.append(made)
        return made

    def changed(self, one: int, other: int) -> dict[str, tuple[str, str]]:
        """What differs between two versions, by field: (before, after). Raises `InvalidField`."""
        before, after = _flat(self._at(one).prompt), _flat(self._at(other).prompt)
        names = sorted(before.keys() | after.keys())
        return {n: (before.get(n, ""), after.get(n, "")) for n in names if before.get(n) != after.get(n)}

    def as_json(self) -> list[dict[str, Any]]:
        """The versions with their digests."""
        return [
            {
                "version": one.number,
                "text": one.prompt.text,
                "negative_prompt": list(one.prompt.negative),
                "parameters": asdict(one.prompt.parameters),
                "prompt_sha256": one.prompt.digest,
                "output_sha256": one.output_sha256,
                "note": one.note,
            }
            for one in self._versions
        ]

    def _at(self, number: int) -> Version:
        if not 1 <= number <= len(self._versions):
            raise InvalidField(f"there is no version {number}", field="version", limit=f"1..{len(self._versions)}")
        return self._versions[number - 1]


def _flat(prompt: StructuredPrompt) -> dict[str, str]:
    values = dict(prompt.parts) | {"negative_prompt": ", ".join(prompt.negative)}
    return values | {f"parameters.{name}": str(value) for name, value in asdict(prompt.parameters).items()}
