"""Whether answers fall behind in a flood of comments: `python -m bench.comments`.

Drives a director and its queue on given time: some 50 comments a second from many viewers, a few questions asked by
many and remarks that nobody shares, while answers take as long as they are said. `wait_s` is how long ago the question
that is answered was asked last; it must not grow from first to last third. `hear_us` is one comment's CPU time.
`--seconds 5` is a shorter flood."""

import random
import time
from typing import Final

from bench.harness import Goal, Option, Result, command, percentiles
from realtime.core.director import Answer, Director
from realtime.core.director_queue import Comment
from realtime.core.scenes import COMMERCE

SEED: Final = 11
ANSWER_S: Final = (1.5, 4.0)
VIEWERS: Final = 2_000
QUESTIONS: Final = (
    "how much is it", "is it waterproof", "what colours are there", "how long is shipping", "any discount today",
    "does it work with android", "how heavy is it", "what is in the box", "is there a warranty",
    "how long is the battery",
    "多少钱", "防水吗", "有什么颜色", "什么时候发货", "有优惠吗", "苹果能用吗", "多重", "保修多久",
)  # fmt: skip
REMARKS: Final = ("🔥🔥🔥", "so cute", "hi from town ", "lol ", "来了来了", "支持 ")
ENDS: Final = ("", "?", "??", "!", " please", " pls", "？", " 🙏")
GOALS: Final = (Goal("growth_s", most=0.5), Goal("hear_us_p95", most=2_000.0), Goal("waiting_max", most=64))


def measure(n: int, *, rate: int = 50, seconds: int = 60) -> Result:
    """Run the flood `n` times with different seeds."""
    hear_us: list[float] = []
    waits_s: list[float] = []
    growth_s: list[float] = []
    counts: dict[str, int] = {}
    waiting = 0
    for run in range(n):
        director, waited = Director(COMMERCE.policy), list[float]()
        rng = random.Random(SEED + run)
        busy_until_s = 0.0
        for tick in range(rate * seconds):
            now_s = tick / rate
            comment = _comment(rng)
            began_s = time.process_time()
            director.hear(comment, now_s)
            hear_us.append((time.process_time() - began_s) * 1e6)
            waiting = max(waiting, len(director.queue))
            decision = director.decide(now_s, speaking=now_s < busy_until_s)
            if isinstance(decision, Answer):
                waited.append(now_s - decision.last_s)
                busy_until_s = now_s + rng.uniform(*ANSWER_S)
        third = max(1, len(waited) // 3)
        growth_s.append(sum(waited[-third:]) / third - sum(waited[:third]) / third)
        waits_s += waited
        for name, count in director.queue.counts.items():
            counts[name] = counts.get(name, 0) + count
    result = percentiles(hear_us, "hear_us") | percentiles(waits_s, "wait_s")
    return result | {"growth_s": round(max(growth_s), 3), "waiting_max": waiting, "outcomes": counts, "rate": rate}


def _comment(rng: random.Random) -> Comment:
    if rng.random() < 0.7:
        text = rng.choice(QUESTIONS) + rng.choice(ENDS)
    else:
        text = rng.choice(REMARKS) + str(rng.randrange(10_000))
    return Comment("comment", text, f"viewer{rng.randrange(VIEWERS)}")


def main() -> int:
    """The command line."""
    options = (Option("rate", 50, "comments per second"), Option("seconds", 60, "length of the flood"))
    return command("comments", measure, GOALS, n=3, options=options)


if __name__ == "__main__":
    raise SystemExit(main())
