"""Text to motion and what is reused: how right, how fast, and what it saves: `python -m bench.motion`.

Recall and precision are those of the held-out descriptions. Searching is timed per description, encoding included, with
both engines where FAISS is installed. Answers and speech are timed with and without their caches, the language model
being one that answers at once, so that what is saved is at least what is shown."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final

from bench.harness import Goal, Result, command, percentiles
from models.language.motion.descriptions import described
from models.language.motion.index import VectorIndex
from models.language.motion.model import motion_model
from models.language.motion.report import report
from models.language.motion.search import MotionFinder
from models.language.reuse.answers import AnswerStore, ReusingAnswerer
from models.speech.espeak import EspeakVoice
from models.speech.remembered import RememberedVoice
from realtime.core.clips import BUILT_IN
from realtime.core.errors import ConfigError
from realtime.core.values import VoiceSpec
from realtime.ports import AnswerPart, Turn

GOALS: Final = (
    Goal("recall_at_1_en", least=0.75),
    Goal("recall_at_1_zh", least=0.75),
    Goal("precision_at_threshold", least=0.88),
    Goal("find_ms_p95", most=5.0),
    Goal("answer_hit_ms_p95", most=5.0),
    Goal("speech_hit_ms_p95", most=5.0),
)
_THINGS: Final = ("kettle", "lamp", "scarf", "jacket", "teapot", "mug", "chair", "rug", "clock", "vase")
_SENTENCES: Final = ("Welcome to the show.", "It costs thirty-nine yuan and comes in blue.", "欢迎来到直播间。")
_MODEL: Final = "bench"


class _AtOnce:
    """A language model that need not think."""

    async def answer(self, text: str, history: Sequence[Turn], language: str) -> AsyncIterator[AnswerPart]:
        """Always the same."""
        yield AnswerPart("It costs thirty-nine yuan and comes in blue and green.", _MODEL)

    async def aclose(self) -> None:
        """There is nothing to release."""


def measure(n: int) -> Result:
    """`n` searches, `n` questions, and at most 50 sentences."""
    figures = report(motion_model(), described("heldout"))
    model, lexical, sure = figures["model"], figures["bm25"], figures["at_threshold"]
    found: Result = {
        f"{name}_at_{k}_{language}": source[f"{language}_at_{k}"]
        for name, source in (("recall", model), ("bm25", lexical))
        for language in ("en", "zh")
        for k in (1, 3)
    }
    found |= {f"{key}_at_threshold": sure[key] for key in ("coverage", "precision", "false_plays")}
    texts = [one.text for one in described("heldout")]
    found |= _searching(texts, n, "numpy", "find_ms")
    try:
        VectorIndex(1, "faiss")
        found |= _searching(texts, n, "faiss", "find_faiss_ms")
    except ConfigError:
        found["faiss"] = "not installed"
    return found | asyncio.run(_answers(n)) | asyncio.run(_speech(min(n, 50)))


def _searching(texts: Sequence[str], n: int, engine: str, key: str) -> dict[str, float]:
    finder = MotionFinder(BUILT_IN, engine=engine)
    times_ms: list[float] = []
    for index in range(n):
        began_s = time.thread_time()
        finder.nearest(texts[index % len(texts)])
        times_ms.append((time.thread_time() - began_s) * 1000.0)
    return percentiles(times_ms, key)


async def _answers(n: int) -> dict[str, float]:
    """Looking up among ten kept answers: paraphrases that hit, near-misses that must not."""
    store = AnswerStore(1 << 20, 1e9, time.monotonic, lambda text, language: True)
    answerer = ReusingAnswerer(_AtOnce(), store, "", _MODEL)

    async def ask(text: str) -> float:
        began_s = time.thread_time()
        async for _ in answerer.answer(text, (), "en"):
            pass
        return (time.thread_time() - began_s) * 1000.0

    for thing in _THINGS:
        await ask(f"How much is the {thing}?")
    hits = [await ask(f"Hello, what does the {_THINGS[i % len(_THINGS)]} cost, please?") for i in range(n)]
    right = store.counters.hits
    misses = [await ask(f"How much is the {_THINGS[i % len(_THINGS)]} number {i}?") for i in range(n)]
    wrong = store.counters.hits - right
    return (
        percentiles(hits, "answer_hit_ms")
        | percentiles(misses, "answer_miss_ms")
        | {"answer_paraphrases_hit": right / n, "answer_wrong_hits": wrong}
    )


async def _speech(n: int) -> dict[str, float]:
    """Sentence asked for until its first sound is there, on the wall clock: the voice is another process."""
    plain, spec = EspeakVoice(), VoiceSpec()
    try:
        await plain.warm_up()
        remembering = RememberedVoice(plain, 1 << 24)
        for sentence in _SENTENCES:
            async for _ in remembering.speak(sentence, spec):
                pass
        made = [await _first_sound_ms(plain, _SENTENCES[i % len(_SENTENCES)], spec) for i in range(n)]
        kept = [await _first_sound_ms(remembering, _SENTENCES[i % len(_SENTENCES)], spec) for i in range(n)]
    finally:
        await plain.aclose()
    return percentiles(made, "speech_made_ms") | percentiles(kept, "speech_hit_ms")


async def _first_sound_ms(voice: EspeakVoice | RememberedVoice, text: str, spec: VoiceSpec) -> float:
    began_s = time.perf_counter()
    first_s = 0.0
    async for chunk in voice.speak(text, spec):
        if not first_s and len(chunk.pcm):
            first_s = time.perf_counter() - began_s
    return first_s * 1000.0


def main() -> int:
    """The command line."""
    return command("motion", measure, GOALS, n=300)


if __name__ == "__main__":
    raise SystemExit(main())
