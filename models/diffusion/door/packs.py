"""Style packs: a directory with `plugin.yaml` and LoRA weights, checked before anything of it is used.

    name: ink-wash            version: 1.0.0        author: ...       license: apache-2.0      type: style-lora
    models: [{path: ink.safetensors, sha256: ..., trigger_keywords: [ink wash], strength_range: [0.4, 1.0]}]
    dependencies: {base_model: stable-diffusion-v1-5, required_modules: [peft]}
"""

import importlib.util
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator

from models.diffusion.door.files import digest_of, inside, shapes
from realtime.core.errors import Conflict, NotFound, PackError
from realtime.core.painting import StyleInfo

FILE: Final = "plugin.yaml"
MAX_FILE_BYTES: Final = 65_536
MAX_WEIGHTS_BYTES: Final = 1024 * 2**20
MODULES: Final = ("torch", "diffusers", "peft", "safetensors", "transformers", "accelerate")
"""What a pack may name as required; no other module is ever looked for."""
_LORA_KEY: Final = re.compile(r"lora[_.](A|B|up|down)\b|lora_linear_layer|\.alpha$|lora_(up|down)\.")
_FAMILY: Final = {
    "stable-diffusion-1": ("stable-diffusion-v1-5", "stable-diffusion-v1-4", "sd15", "sd1", "sd-v1-5"),
    "stable-diffusion-2": ("stable-diffusion-2-1", "stable-diffusion-2", "sd21", "sd2", "sd-turbo"),
}  # fmt: skip

Word = Annotated[str, Field(min_length=1, max_length=64)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StyleModel(_Strict):
    """One weight file."""

    path: Annotated[str, Field(min_length=1, max_length=200)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    trigger_keywords: Annotated[tuple[Word, ...], Field(max_length=16)] = ()
    strength_range: tuple[float, float] = (0.0, 1.0)

    @field_validator("strength_range")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0.0 <= value[0] <= value[1] <= 2.0:
            raise ValueError("two numbers, 0..2, the smaller first")
        return value


class Dependencies(_Strict):
    """What the pack was made for."""

    base_model: Annotated[str, Field(min_length=1, max_length=120)]
    required_modules: Annotated[tuple[Word, ...], Field(max_length=16)] = ()


class Plugin(_Strict):
    """`plugin.yaml`."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?([-+][0-9A-Za-z.-]+)?$", max_length=40)]
    author: Annotated[str, Field(min_length=1, max_length=120)]
    licence: Annotated[
        str, Field(min_length=1, max_length=60, validation_alias=AliasChoices("license", "licence"))
    ]
    type: Literal["style-lora"]
    title: Annotated[str, Field(max_length=120)] = ""
    models: Annotated[tuple[StyleModel, ...], Field(min_length=1, max_length=4)]
    dependencies: Dependencies


@dataclass(frozen=True, slots=True)
class StylePack:
    """A checked pack; `place` is its directory."""

    place: Path
    plugin: Plugin

    def weights(self) -> list[Path]:
        """Its weight files in order."""
        return [inside(self.place, one.path) for one in self.plugin.models]

    def clamp(self, strength: float) -> float:
        """The strength inside the first model's range."""
        low, high = self.plugin.models[0].strength_range
        return min(max(strength, low), high)

    @property
    def keywords(self) -> tuple[str, ...]:
        """The words that call the style, each once."""
        return tuple(dict.fromkeys(word for one in self.plugin.models for word in one.trigger_keywords))


def read_pack(place: Path) -> StylePack:
    """Check a pack's schema, paths, hashes and weight headers. Raises `PackError` that names file and field."""
    path = place / FILE
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PackError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        plugin = Plugin.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except FileNotFoundError:
        raise PackError(f"{path} is missing") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise PackError(f"{path}: {where}: {first['msg']}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PackError(f"{path} cannot be read as YAML: {str(error).splitlines()[0]}") from error
    for one in plugin.models:
        _check_weights(place, one)
    return StylePack(place, plugin)


def _check_weights(place: Path, model: StyleModel) -> None:
    path = inside(place, model.path)
    if not path.is_file():
        raise PackError(f"{place.name}: {model.path} is missing")
    if path.stat().st_size > MAX_WEIGHTS_BYTES:
        raise PackError(f"{place.name}: {model.path} is larger than {MAX_WEIGHTS_BYTES} bytes")
    names = shapes(path)
    if digest_of(path) != model.sha256:
        raise PackError(f"{place.name}: {model.path} is not the file that {FILE} describes: its SHA-256 differs")
    foreign = next((name for name in names if not _LORA_KEY.search(name)), None)
    if foreign is not None or not names:
        raise PackError(f"{place.name}: {model.path} is no LoRA: it holds {foreign!r}")


def unfit(pack: StylePack, bases: Iterable[str], licences: Sequence[str]) -> str:
    """Why a pack cannot be used with these base models under these licences, in words; empty if it can."""
    plugin = pack.plugin
    if _plain(plugin.licence) not in {_plain(one) for one in licences}:
        return f"its licence {plugin.licence} is not among those allowed here: {', '.join(licences)}"
    for module in plugin.dependencies.required_modules:
        if module not in MODULES:
            return f"it requires {module!r}, which style packs cannot have"
        if importlib.util.find_spec(module) is None:
            return f"it requires the Python package {module}, which is not installed"
    wanted = plugin.dependencies.base_model
    here = {_plain(name) for name in bases}
    if not _names(wanted) & here | {_plain(wanted)} & here:
        return f"it was made for {wanted}, not for {' or '.join(bases) or 'anything here: no painter is configured'}"
    return ""


def _names(model: str) -> set[str]:
    """All names of a base model's family, without owner and punctuation."""
    own = {_plain(model), _plain(model.rpartition("/")[2])}
    for family, members in _FAMILY.items():
        known = {_plain(one) for one in (family, *members)}
        if own & known:
            return own | known
    return own


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def info_of(pack: StylePack, reason: str) -> StyleInfo:
    """The pack for the catalogue."""
    plugin = pack.plugin
    return StyleInfo(
        plugin.name, plugin.title or plugin.name, plugin.version, plugin.author, plugin.licence,
        plugin.dependencies.base_model, pack.keywords, plugin.models[0].strength_range, not reason, reason,
    )  # fmt: skip


class Shelf:
    """The packs of one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def places(self) -> Iterator[Path]:
        """Every directory that has a `plugin.yaml`, by name."""
        if self._directory.is_dir():
            yield from sorted(path.parent for path in self._directory.glob(f"*/{FILE}"))

    def get(self, name: str) -> StylePack:
        """A checked pack. Raises `NotFound` or `PackError`."""
        place = self._directory / name
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name) or not (place / FILE).is_file():
            raise NotFound(f"there is no style {name!r}", field="style")
        pack = read_pack(place)
        if pack.plugin.name != name:
            raise PackError(f"{place / FILE}: its name {pack.plugin.name!r} is not that of its directory")
        return pack

    def listing(self, bases: Sequence[str], licences: Sequence[str]) -> list[StyleInfo]:
        """All packs, those that are broken or do not fit with the reason."""
        return [self._info(place, bases, licences) for place in self.places()]

    def _info(self, place: Path, bases: Sequence[str], licences: Sequence[str]) -> StyleInfo:
        try:
            pack = self.get(place.name)
        except (PackError, NotFound) as error:
            return StyleInfo(place.name, place.name, "", "", "", "", (), (0.0, 0.0), False, str(error))
        return info_of(pack, unfit(pack, bases, licences))

    def add(self, source: Path) -> StylePack:
        """Check a pack and copy what its `plugin.yaml` names. Raises `PackError`, `Conflict` if the name is taken."""
        pack = read_pack(source)
        target = self._directory / pack.plugin.name
        if target.exists():
            raise Conflict(f"there is a style {pack.plugin.name!r} already in {self._directory}", field="name")
        part = self._directory / f".{pack.plugin.name}.part"
        shutil.rmtree(part, ignore_errors=True)
        try:
            for name in (FILE, *(one.path for one in pack.plugin.models)):
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, part / name)
            read_pack(part)
            part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return self.get(pack.plugin.name)
