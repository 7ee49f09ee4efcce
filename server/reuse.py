"""Shows in the metrics what is reused: motions found by description, answers, speech."""

from typing import Protocol

from realtime.core.cache import CacheCounters
from realtime.core.described import Described
from server.metrics import Metrics


class AnswerCounters(Protocol):
    """What a store of answers counts."""

    hits: int
    misses: int
    refused: int
    unkept: int


class AnswerCache(Protocol):
    """A store of answers."""

    @property
    def counters(self) -> AnswerCounters: ...

    @property
    def size_bytes(self) -> int: ...


class SpeechCache(Protocol):
    """A voice that remembers."""

    @property
    def counters(self) -> CacheCounters: ...

    @property
    def size_bytes(self) -> int: ...


def count_reuse(metrics: Metrics, described: Described, answers: AnswerCache | None, speech: SpeechCache) -> None:
    """Add gauges that read these counters whenever metrics are asked for."""
    metrics.gauge("described_motions_found", "Motions found by description", lambda: described.found)
    metrics.gauge("described_motions_refused", "Descriptions that no motion was near to", lambda: described.refused)
    metrics.gauge("speech_cache_hits", "Sentences that sounded again", lambda: speech.counters.hits)
    metrics.gauge("speech_cache_misses", "Sentences that were synthesised", lambda: speech.counters.misses)
    metrics.gauge("speech_cache_bytes", "Speech held", lambda: speech.size_bytes)
    if answers is None:
        return
    metrics.gauge("answer_cache_hits", "Answers given again", lambda: answers.counters.hits)
    metrics.gauge("answer_cache_misses", "Questions that no kept one was near to", lambda: answers.counters.misses)
    metrics.gauge("answer_cache_refused", "Near questions that a word told apart", lambda: answers.counters.refused)
    metrics.gauge("answer_cache_unkept", "Answers that were not to be kept", lambda: answers.counters.unkept)
    metrics.gauge("answer_cache_bytes", "Answers held", lambda: answers.size_bytes)
