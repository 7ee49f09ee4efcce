"""A programme: what a session's scene and content give it, and the ports behind which content and safety stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from realtime.core.prompting_look import Look
from realtime.core.rundown import Rundown
from realtime.core.safety import Verdict
from realtime.core.scenes import Scene
from realtime.core.scenes_brand import Brand
from realtime.ports import Answerer


class Asking(Protocol):
    """An answerer that puts questions to viewers and judges what they answer."""

    @property
    def open(self) -> str | None:
        """The id of the question that waits for an answer."""
        ...

    def ask(self, question_id: str) -> None:
        """This question was just put to the viewers: what they say next may be its answer."""
        ...

    def reveal(self) -> str:
        """Give up waiting: the answer, as it is said."""
        ...


class Safety(Protocol):
    """The filter that is always on, one per session."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Interventions so far, by kind."""
        ...

    def incoming(self, text: str) -> Verdict:
        """What of a viewer's words may be taken in."""
        ...

    def outgoing(self, text: str) -> Verdict:
        """What of a sentence may be spoken."""
        ...

    def note(self, event: str, text: str = "", **about: str) -> None:
        """Audit a person's intervention."""
        ...


@dataclass(frozen=True, slots=True)
class Programme:
    """What one session performs. `answerer` is this session's own."""

    scene: Scene
    content: str
    language: str
    title: str
    answerer: Answerer
    rundown: Rundown | None = None
    brand: Brand | None = None
    look: Look | None = None
    """What its structured prompt sets."""
    greeting: tuple[str, ...] = ()
    """Said when the first viewer comes, one of them."""
    silence: tuple[str, ...] = ()
    """Said when it has been silent for long, in turn; the scene's own invitations if there are none."""
    asking: Asking | None = None
    warnings: tuple[str, ...] = ()
    """What about the content could be better, such as a lesson that asks too much at once."""

    async def aclose(self) -> None:
        """Release what the answerer holds."""
        await self.answerer.aclose()


@dataclass(frozen=True, slots=True)
class ContentInfo:
    """One piece of content of the catalogue."""

    name: str
    scene: str
    title: Mapping[str, str] = field(default_factory=dict)
    """By language; its keys are the languages it can be performed in."""

    def as_json(self) -> dict[str, Any]:
        """For the catalogue."""
        return {"name": self.name, "title": dict(self.title), "languages": sorted(self.title)}


class Programmes(Protocol):
    """The content that sessions can be opened with."""

    def scenes(self) -> Sequence[Scene]:
        """The scenes, the default first."""
        ...

    def contents(self, scene: str) -> Sequence[ContentInfo]:
        """The content of a scene, the default first; empty if it needs none."""
        ...

    def open(self, scene: str, content: str | None, language: str) -> Programme:
        """A fresh programme. Raises `InvalidField` for a scene, content or language that does not exist."""
        ...
