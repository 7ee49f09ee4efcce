"""How long an answer takes to find among many passages: `python -m bench.retrieval`.

Passages and questions are drawn with a fixed seed from a made-up vocabulary whose word frequencies follow Zipf's law,
as those of real text do; half of the passages and questions are Chinese. Timed with this process's own CPU clock."""

import random
import time
from typing import Final

from bench.harness import Goal, Option, Result, command, percentiles
from models.language.ranking import Ranking, best

SEED: Final = 7
VOCABULARY: Final = 8_000
PASSAGE_WORDS: Final = (8, 24)
QUESTION_WORDS: Final = (4, 10)
SYLLABLES: Final = [onset + vowel for onset in "bklmnrst" for vowel in "aeio"]
FIRST_HAN: Final = 0x4E00
HAN_COUNT: Final = 2_500
GOALS: Final = (Goal("find_ms_p95", most=10.0),)


def measure(n: int, *, passages: int = 10_000) -> Result:
    """Index the passages, ask `n` questions."""
    rng = random.Random(SEED)
    words = ["".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 4))) for _ in range(VOCABULARY)]
    han = [chr(FIRST_HAN + rng.randrange(20_000)) for _ in range(HAN_COUNT)]
    texts = [_text(rng, words, han, index, PASSAGE_WORDS) for index in range(passages)]
    began_s = time.process_time()
    ranking = Ranking(texts)
    index_s = time.process_time() - began_s
    times_ms: list[float] = []
    found = 0
    for index in range(n):
        question = _text(rng, words, han, index, QUESTION_WORDS)
        began_s = time.process_time()
        place, _ = best(ranking.scores(question))
        times_ms.append((time.process_time() - began_s) * 1000.0)
        found += place >= 0
    return percentiles(times_ms, "find_ms") | {"passages": passages, "index_s": round(index_s, 2), "found": found}


def _text(rng: random.Random, words: list[str], han: list[str], index: int, length: tuple[int, int]) -> str:
    count = rng.randint(*length)
    if index % 2:
        return "".join(_zipf(rng, han) for _ in range(2 * count))
    return " ".join(_zipf(rng, words) for _ in range(count))


def _zipf(rng: random.Random, items: list[str]) -> str:
    """The item of rank r with a probability of about 1/r."""
    return items[min(len(items) - 1, int(len(items) ** rng.random()) - 1)]


def main() -> int:
    """The command line."""
    option = Option("passages", 10_000, "how many passages are searched")
    return command("retrieval", measure, GOALS, n=400, options=(option,))


if __name__ == "__main__":
    raise SystemExit(main())
