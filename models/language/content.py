"""Scene content as files: found, read, checked, and turned into programmes.

Files lie in `<scene>/<name>.<language>.json` (or `.yaml`) below the bundled folder and below the operator's own, which
wins; brand styles in `brands/<name>.yaml`. All is read and checked when the server starts, not when a viewer waits.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from models.language.emotion_model import emotion_model
from models.language.improvising import PersonaAnswerer
from models.language.knowledge_file import Knowledge
from models.language.persona import Persona, read_persona
from models.language.retrieval import KnowledgeAnswerer
from models.language.scene_knowledge import facts_for_prompt, lesson_knowledge, persona_knowledge, product_knowledge
from models.language.tutoring import TutorAnswerer
from realtime.core.errors import ConfigError, InvalidField, RequestError
from realtime.core.lesson import Lesson, read_lesson
from realtime.core.lesson_plan import load_warnings, plan_lesson
from realtime.core.prompting import StructuredPrompt
from realtime.core.prompting_look import look_of
from realtime.core.rundown_commerce import plan_product
from realtime.core.rundown_product import Product, read_product
from realtime.core.scenes import SCENES, Scene
from realtime.core.scenes_brand import Brand, read_brand
from realtime.ports import Answerer
from realtime.programme import ContentInfo, Programme

BUNDLED: Final = Path(__file__).parent / "scenes"
MAX_CONTENT_BYTES: Final = 1024 * 1024
FIRST: Final = ("earbuds", "newton", "innkeeper")
"""The content that stands for its scene if none is asked for; otherwise the first by name."""

_NAME: Final = re.compile(r"(?P<name>[\w-]{1,64})\.(?P<language>[a-z]{2})\.(?:json|ya?ml)")
_READERS: Final[Mapping[str, Callable[[object], Product | Lesson | Persona]]] = {
    "product": read_product,
    "lesson": read_lesson,
    "persona": read_persona,
}

PromptedAnswerer = Callable[[str, StructuredPrompt | None, Answerer | None], Answerer]
"""Makes an answerer that a language model stands behind, from a system prompt, the content's own prompt, and what
answers where the model does not."""


@dataclass(frozen=True, slots=True)
class Content:
    """One checked file, with what is made of it once for all sessions."""

    scene: str
    name: str
    language: str
    subject: Product | Lesson | Persona
    brand: Brand | None
    knowledge: Knowledge
    facts: KnowledgeAnswerer

    @property
    def title(self) -> str:
        """What it is about."""
        if isinstance(self.subject, Product):
            return self.subject.title
        return self.subject.topic if isinstance(self.subject, Lesson) else self.subject.name


class Library:
    """The port `Programmes`. Raises `ConfigError` at once for any file that cannot be used."""

    def __init__(
        self, host: Answerer, directory: Path | None = None, prompted: PromptedAnswerer | None = None
    ) -> None:
        self._host = host
        self._prompted = prompted
        # read once now: the first answer should not wait for the weights
        emotion_model()
        self._brands = _read_brands((BUNDLED, directory))
        self._contents: dict[tuple[str, str, str], Content] = {}
        for folder in (BUNDLED, directory):
            if folder is not None:
                self._read(folder)

    def scenes(self) -> Sequence[Scene]:
        """The scenes that there is content for, and the host's, which needs none."""
        with_content = {content.scene for content in self._contents.values()}
        return [scene for scene in SCENES.values() if scene.content == "knowledge" or scene.name in with_content]

    def contents(self, scene: str) -> Sequence[ContentInfo]:
        """What a scene can be about, the default first."""
        titles: dict[str, dict[str, str]] = {}
        for content in self._contents.values():
            if content.scene == scene:
                titles.setdefault(content.name, {})[content.language] = content.title
        ordered = sorted(titles, key=lambda name: (name not in FIRST, name))
        return [ContentInfo(name, scene, titles[name]) for name in ordered]

    def open(self, scene: str, content: str | None, language: str) -> Programme:
        """A fresh programme; its answerer remembers this session only."""
        if scene not in {one.name for one in self.scenes()}:
            names = ", ".join(one.name for one in self.scenes())
            raise InvalidField(f"no such scene: {scene[:64]!r}", field="scene", limit=names)
        spec = SCENES[scene]
        if spec.content == "knowledge":
            if content is not None:
                raise InvalidField(f"the scene {scene!r} takes no content", field="content", limit="none")
            return Programme(spec, "", language, spec.title["en"], _Borrowed(self._host))
        return self._programme(spec, self._find(scene, content, language))

    def _find(self, scene: str, content: str | None, language: str) -> Content:
        infos = self.contents(scene)
        name = content or infos[0].name
        info = next((info for info in infos if info.name == name), None)
        if info is None:
            names = ", ".join(info.name for info in infos)
            raise InvalidField(f"no such content: {name[:64]!r}", field="content", limit=names)
        primary = language.partition("-")[0].lower()
        found = self._contents.get((scene, name, "zh" if primary == "cmn" else primary))
        if found is None:
            message = f"the content {name!r} is not there in {language!r}"
            raise InvalidField(message, field="language", limit=", ".join(sorted(info.title)))
        return found

    def _programme(self, scene: Scene, content: Content) -> Programme:
        subject, language = content.subject, content.language
        answerer: Answerer = content.facts
        if self._prompted is not None and not isinstance(subject, Persona):
            answerer = self._prompted(system_prompt(content), subject.prompt, content.facts)
        look = None if subject.prompt is None else look_of(subject.prompt)
        if isinstance(subject, Product):
            camera = look.camera if look else content.brand.camera_movement if content.brand else "static"
            plan = plan_product(subject, camera)
            return Programme(scene, content.name, language, subject.title, answerer, plan, content.brand, look)
        if isinstance(subject, Lesson):
            tutor, plan = TutorAnswerer(subject, answerer), plan_lesson(subject)
            return Programme(
                scene, content.name, language, subject.topic, tutor, plan, content.brand, look,
                asking=tutor, warnings=tuple(load_warnings(plan)),
            )  # fmt: skip
        actor: Answerer = PersonaAnswerer(subject, content.facts)
        if self._prompted is not None:
            actor = self._prompted(system_prompt(content), subject.prompt, actor)
        return Programme(
            scene, content.name, language, subject.name, actor, None, content.brand, look, subject.greeting,
            subject.silence,
        )  # fmt: skip

    def _read(self, folder: Path) -> None:
        for scene in SCENES.values():
            for path in sorted((folder / scene.name).glob("*.*")):
                match = _NAME.fullmatch(path.name)
                if match is None:
                    raise ConfigError(f"{path}: content is called name.language.json or .yaml, such as lamp.en.json")
                content = read_content(path, scene, self._brands)
                self._contents[(scene.name, match["name"], match["language"])] = content


def read_content(path: Path, scene: Scene, brands: Mapping[str, Brand]) -> Content:
    """One file, read and checked. Raises `ConfigError` that names the file, the field and what is allowed."""
    match = _NAME.fullmatch(path.name)
    name, language = (match["name"], match["language"]) if match else (path.stem, "")
    data = _load(path)
    try:
        kind = data.get("kind") if isinstance(data, dict) else None
        if kind != scene.content:
            raise InvalidField(f"kind is {kind!r}", field="kind", limit=scene.content)
        subject = _READERS[scene.content](data)
        if language and subject.language != language:
            message = f"language is {subject.language!r}, the file's name says {language!r}"
            raise InvalidField(message, field="language", limit=language)
        brand = _brand(subject, brands)
        knowledge = _knowledge(subject)
    except RequestError as error:
        limit = f" (allowed: {error.limit})" if error.limit else ""
        raise ConfigError(f"{path}: {error.field}: {error.message}{limit}") from None
    return Content(scene.name, name, subject.language, subject, brand, knowledge, KnowledgeAnswerer(knowledge))


def system_prompt(content: Content) -> str:
    """Who a language model is in this scene, and the facts it may use."""
    subject = content.subject
    if isinstance(subject, Product):
        who = f"You are the lively host of a live shop. Today you present {subject.title} ({subject.product_type})."
        rule = "Say prices, figures and claims only as they stand in the facts. Never promise effects."
    elif isinstance(subject, Lesson):
        who = f"You are a patient tutor. Your lesson is about {subject.topic}, for {subject.audience or 'beginners'}."
        rule = "Explain one thing at a time, an analogy first. Do not give away answers to open questions; give a hint."
    else:
        who = f"You are {subject.name}, {subject.role}, at {subject.place}. You are {', '.join(subject.traits)}."
        rule = "Stay in character. Your wishes: " + " ".join(goal.prompts[0] for goal in subject.goals)
    return "\n".join((who, rule, "Facts:", *facts_for_prompt(content.knowledge)))


def _knowledge(subject: Product | Lesson | Persona) -> Knowledge:
    if isinstance(subject, Product):
        return product_knowledge(subject)
    return lesson_knowledge(subject) if isinstance(subject, Lesson) else persona_knowledge(subject)


def _brand(subject: Product | Lesson | Persona, brands: Mapping[str, Brand]) -> Brand | None:
    wanted = subject.brand_style
    if not wanted:
        return None
    if not isinstance(wanted, str):
        return read_brand(wanted)
    if wanted not in brands:
        raise InvalidField(f"there is no brand {wanted!r}", field="brand_style", limit=", ".join(sorted(brands)))
    return brands[wanted]


def _read_brands(folders: Sequence[Path | None]) -> dict[str, Brand]:
    brands: dict[str, Brand] = {}
    for folder in folders:
        for path in sorted((folder / "brands").glob("*.y*ml")) if folder is not None else ():
            try:
                brands[path.stem] = read_brand(_load(path))
            except RequestError as error:
                raise ConfigError(f"{path}: {error.field}: {error.message} (allowed: {error.limit})") from None
    return brands


def _load(path: Path) -> Any:
    """The parsed file, JSON or YAML by its ending."""
    try:
        if path.stat().st_size > MAX_CONTENT_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_CONTENT_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be parsed: {' '.join(str(error).split())[:200]}") from error


class _Borrowed:
    """The host's answerer, lent to a session that must not close it."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self.answer = answerer.answer

    async def aclose(self) -> None:
        """It is not ours to close."""
