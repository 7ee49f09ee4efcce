"""The ports: the frame path's needs, as small Protocols. Real sides live in `models`; fakes in tests."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from realtime.core.facs import Controls
from realtime.core.spoken import Hears, Stretch
from realtime.core.values import I420, BaseKey, Patch, Pcm, Region, SpeechChunk, VoiceSpec


class Clock(Protocol):
    """The one monotonic session clock, in seconds."""

    def __call__(self) -> float: ...


class Avatar(Protocol):
    """Draws one avatar. Called on the compute thread only; one instance serves all sessions of the process.

    The picture is a *base frame* (head and body at a quantised pose, face at rest: eyes open, gaze ahead, mouth closed)
    with *regions* drawn over it. All methods are pure functions of their arguments as far as pixels are concerned."""

    @property
    def name(self) -> str: ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def base_key(self, controls: Controls) -> BaseKey:
        """The base frame that lies under these controls: head turn, breath, lean, shoulders, quantised. Cheap."""
        ...

    def base(self, key: BaseKey) -> I420 | None:
        """A base frame that came with the avatar's pack, memory-mapped and read-only; None if it is not in the pack."""
        ...

    def render_base(self, key: BaseKey) -> I420:
        """Draw a base frame; tens of milliseconds."""
        ...

    def regions(self, key: BaseKey, controls: Controls) -> tuple[Region, ...]:
        """The regions that differ from the base frame, in drawing order. Cheap (< 0.1 ms). Empty for a face at rest."""
        ...

    def draw(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        """Draw one region over this base frame."""
        ...

    def displacement_px(self, region: str, before: Controls, after: Controls) -> float:
        """Predicted largest landmark movement inside a region between two control vectors."""
        ...


class Voice(Protocol):
    """Streaming text to speech with phoneme times from the same synthesis."""

    def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        """Speak one clause or sentence. The first chunk arrives before the whole is synthesised; closing the iterator
        (`aclose`) stops the synthesis. Raises `UpstreamError` when the voice fails."""
        ...

    async def aclose(self) -> None:
        """Release worker processes and connections."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation; `role` is `user` or `assistant`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """A speakable part of an answer (a clause or a sentence, tags allowed), and where it came from, if known."""

    text: str
    source: str | None = None


class Answerer(Protocol):
    """Turns what a viewer says into what the host says."""

    def answer(self, text: str, history: Sequence[Turn], language: str) -> AsyncIterator[AnswerPart]:
        """Stream the answer clause by clause. Closing the iterator cancels the work behind it."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class SpeechDetector(Protocol):
    """Tells speech from other sound, for one microphone: it remembers what it heard. Called on the hearing thread."""

    def __call__(self, window: Pcm) -> float:
        """Probability, 0..1, that somebody speaks in 512 samples at 16 kHz."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


class Transcriber(Protocol):
    """Turns a viewer's speech into words."""

    def understands(self, language: str) -> bool:
        """Whether it can be expected to recognise this language (BCP 47)."""
        ...

    async def warm_up(self) -> None:
        """Load what the first turn would have to wait for."""
        ...

    async def transcribe(self, pcm: Pcm, language: str) -> str:
        """The words in up to half a minute of sound, int16 at 16 kHz; empty for none. Raises `UpstreamError`. Cancelled
        when nobody needs the answer any more."""
        ...

    async def aclose(self) -> None:
        """Release threads and connections."""
        ...


class Gate(Protocol):
    """What stands between a decided line and the voice: the safety filter, and a person who may hold lines."""

    def clean(self, text: str) -> str:
        """What of a script may be said or shown; empty for nothing. Tags are kept."""
        ...

    async def release(self, text: str) -> str:
        """One sentence as it may be spoken now, empty to leave it out; waits while a person holds lines."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """What a denoiser did that only its clock and the identity of patches decided: all a replay has to be told."""

    steps: int
    """Asked for."""
    rounds: int
    """Evaluations of the net one after another."""
    places: str
    """A letter per patch: `f` worked on, `s` shown as it was improved before, `-` left as it came."""
    failed: bool = False
    """It did not end; what it remembered is forgotten."""


@dataclass(frozen=True, slots=True)
class Refined:
    """What became of a frame's patches."""

    patches: tuple[Patch, ...]
    steps: int
    """Denoising steps that were made for it: 2, 1, or 0 where nothing had to be or could be done."""
    done: Done | None = None
    """None where it did nothing that changes what comes after, or cannot be told to do it again."""


@runtime_checkable
class Repeatable(Protocol):
    """What a denoiser that can do again what it did has besides."""

    @property
    def identity(self) -> Mapping[str, str | int]:
        """What its pictures depend on besides its calls; equal ones give equal pictures on the same build."""
        ...

    def again(self, patches: Sequence[Patch], controls: Controls, done: Done) -> Refined:
        """Do what a call with these patches and controls did, whatever the time is. Raises `Malformed`."""
        ...


class Denoiser(Protocol):
    """The refine level's engine: improves drawn patches while the budget lasts. One session's: it remembers frames."""

    @property
    def name(self) -> str: ...

    @property
    def steps(self) -> int:
        """Denoising steps that it takes at most: 1 or 2."""
        ...

    def refine(self, patches: Sequence[Patch], controls: Controls, steps: int, left_s: float) -> Refined:
        """Improve patches by up to 0, 1 or 2 denoising steps, ending within `left_s` if one step does (compute
        thread). With 0 steps, what earlier steps added is carried along. Every returned patch is a valid picture; one
        that could not be improved is returned as it came. Raises nothing."""
        ...


class MouthMaker(Protocol):
    """Makes a speaking mouth from sound. One session's: what it remembers of sound is that session's alone."""

    @property
    def name(self) -> str:
        """Shown in traces, of at most 40 characters."""
        ...

    @property
    def kind(self) -> str:
        """What its cost is learned under: the kind of net and its device."""
        ...

    @property
    def area_px(self) -> int:
        """Pixels that it computes for a mouth, however large that is shown."""
        ...

    @property
    def guess_s(self) -> float:
        """What a mouth took when it was tried before anybody watched."""
        ...

    @property
    def hears(self) -> Hears:
        """The sound it needs."""
        ...

    def speak(self, picture: I420, key: BaseKey, sound: Stretch, media_s: float, share: float) -> Patch | None:
        """The mouth at a media time as a patch over `picture`, a whole frame over the base frame `key`, of which it
        takes the place by `share`, 0 to 1 (any thread, one call at a time). None where it could not. Raises nothing."""
        ...
