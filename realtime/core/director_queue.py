"""The comment queue: merges questions that mean the same, drops what is old, empty or repeated, ranks the rest.

Two comments count as one when their words weigh enough in common: a weighted Jaccard index with the inverse document
frequencies of BM25 (Robertson & Zaragoza, 2009) over what was asked lately; "how", "the" and "please" say little.
"""

import math
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from realtime.core.director_policy import Kind, Policy
from realtime.core.script_clean import HAN

Outcome = Literal["new", "merged", "empty", "repeated", "full"]

_TOKEN: Final = re.compile(rf"{HAN.pattern}+|(?:(?!{HAN.pattern})[^\W_])+")
_STOP: Final = frozenset(
    "a an the is are am was do does did can could would should will i you he she it we they me my your our its this "
    "that these those to of in on at for from with and or so please pls tell say know have has just some there here be "
    "s t re hey hi hello host 的 了 吗 呢 吧 啊 呀 请 问 请问 我 你 您 这 这个 那 那个 是 有 主播".split()
)
_STOP_WEIGHT: Final = 0.15
_QUESTION: Final = re.compile(
    r"[?？]|^(?:how|what|when|where|which|who|why|is|are|do|does|can|could|will)\b|吗|呢$|多少|什么|怎么|哪|几|能不能|有没有",
    re.IGNORECASE,
)
_MEMORY: Final = 256
"""Comments that the word statistics look back on."""


@dataclass(frozen=True, slots=True)
class Comment:
    """Something a viewer wrote or did. `priority` 0..10 is the sender's; `amount` is a gift's or an order's count."""

    kind: Kind
    text: str = ""
    viewer: str = ""
    priority: float = 0.0
    amount: float = 1.0


@dataclass(slots=True)
class Cluster:
    """Comments that are one question."""

    id: int
    kind: Kind
    text: str
    terms: frozenset[str]
    first_s: float
    last_s: float
    priority: float
    viewers: list[str] = field(default_factory=list)
    count: int = 1
    amount: float = 0.0
    is_question: bool = False


class CommentQueue:
    """What viewers wait to have answered. All times are given; nothing here waits."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._clusters: dict[int, Cluster] = {}
        self._serial = 0
        self._recent: deque[frozenset[str]] = deque()
        self._frequency: Counter[str] = Counter()
        self._answered: deque[tuple[frozenset[str], float]] = deque()
        self.counts: Counter[str] = Counter()
        """What became of the comments: new, merged, empty, repeated, full, expired, answered, skipped."""

    def __len__(self) -> int:
        return len(self._clusters)

    def add(self, comment: Comment, now_s: float) -> Outcome:
        """Take a comment in."""
        self.expire(now_s)
        outcome = self._add(comment, now_s)
        self.counts[outcome] += 1
        return outcome

    def take(self, now_s: float, kinds: Iterable[Kind] = ("chat", "comment")) -> Cluster | None:
        """Remove and return what matters most of these kinds; it counts as answered from now on."""
        self.expire(now_s)
        wanted = frozenset(kinds)
        waiting = [cluster for cluster in self._clusters.values() if cluster.kind in wanted]
        if not waiting:
            return None
        best = max(waiting, key=lambda cluster: (self.score(cluster, now_s), -cluster.id))
        del self._clusters[best.id]
        self._answered.append((best.terms, now_s))
        self.counts["answered"] += best.count
        return best

    def drop(self, cluster_id: int) -> bool:
        """Forget a question; whether there was one."""
        found = self._clusters.pop(cluster_id, None)
        if found is not None:
            self.counts["skipped"] += found.count
        return found is not None

    def ranked(self, now_s: float) -> list[Cluster]:
        """All that waits, the most important first."""
        return sorted(self._clusters.values(), key=lambda cluster: -self.score(cluster, now_s))

    def score(self, cluster: Cluster, now_s: float) -> float:
        """How much a question matters now."""
        policy = self._policy
        score = policy.base_priority.get(cluster.kind, 0.0) + cluster.priority
        score += policy.count_weight * math.log2(cluster.count)
        score += policy.question_bonus if cluster.is_question else 0.0
        return score - policy.age_penalty_per_s * (now_s - cluster.last_s)

    def expire(self, now_s: float) -> None:
        """Drop what nobody waits for any more."""
        policy = self._policy
        for cluster in [c for c in self._clusters.values() if now_s - c.last_s > self._life_s(c)]:
            del self._clusters[cluster.id]
            self.counts["expired"] += cluster.count
        while self._answered and now_s - self._answered[0][1] > policy.repeat_after_s:
            self._answered.popleft()

    def _life_s(self, cluster: Cluster) -> float:
        lasting = cluster.is_question or cluster.priority > 0.0 or cluster.kind not in ("chat", "comment")
        return self._policy.max_age_s if lasting else self._policy.remark_max_age_s

    def _add(self, comment: Comment, now_s: float) -> Outcome:
        terms = terms_of(comment.text)
        talk = comment.kind in ("chat", "comment")
        if talk and not terms:
            return "empty"
        self._remember(terms)
        if talk and any(self._alike(terms, answered) for answered, _ in self._answered):
            return "repeated"
        for cluster in self._clusters.values():
            same = cluster.terms == terms or (talk and self._alike(terms, cluster.terms))
            if same and cluster.kind == comment.kind:
                _merge(cluster, comment, now_s)
                return "merged"
        self._limit_viewer(comment.viewer)
        self._serial += 1
        made = Cluster(self._serial, comment.kind, comment.text, terms, now_s, now_s, comment.priority)
        made.amount = comment.amount
        made.is_question = bool(_QUESTION.search(comment.text))
        made.viewers = [comment.viewer] if comment.viewer else []
        self._clusters[made.id] = made
        if len(self._clusters) <= self._policy.queue_limit:
            return "new"
        least = min(self._clusters.values(), key=lambda cluster: (self.score(cluster, now_s), -cluster.id))
        del self._clusters[least.id]
        self.counts["full"] += 0 if least is made else least.count
        return "full" if least is made else "new"

    def _limit_viewer(self, viewer: str) -> None:
        if not viewer:
            return
        own = [c for c in self._clusters.values() if c.viewers == [viewer] and c.kind in ("chat", "comment")]
        if len(own) >= self._policy.per_viewer:
            del self._clusters[own[0].id]
            self.counts["full"] += own[0].count

    def _remember(self, terms: frozenset[str]) -> None:
        self._recent.append(terms)
        self._frequency.update(terms)
        if len(self._recent) > _MEMORY:
            self._frequency.subtract(self._recent.popleft())

    def _alike(self, one: frozenset[str], other: frozenset[str]) -> bool:
        common = one & other
        if not common or len(common) * 8 < len(one) + len(other):
            return False
        shared = sum(map(self._weight, common))
        return shared >= self._policy.merge_similarity * (shared + sum(map(self._weight, one ^ other)))

    def _weight(self, term: str) -> float:
        if term in _STOP:
            return _STOP_WEIGHT
        # a question that many ask must not lose its words' weight, so the frequency counts by its root
        size, found = len(self._recent), math.sqrt(max(0, self._frequency[term]))
        return math.log(1.0 + (size + 1.0) / (found + 0.5))


def terms_of(text: str) -> frozenset[str]:
    """The words of a comment, without case, plural and stretched letters; for Chinese the pairs of characters."""
    out: set[str] = set()
    for token in _TOKEN.findall(unicodedata.normalize("NFKC", text[:400]).casefold()):
        if HAN.match(token):
            out.update(token[i : i + 2] for i in range(len(token) - 1))
            out.update(token if len(token) == 1 else ())
        else:
            token = re.sub(r"(.)\1{2,}", r"\1", token)
            out.add(token[:-1] if len(token) > 3 and token.endswith("s") and not token.endswith("ss") else token)
    return frozenset(out)


def _merge(cluster: Cluster, comment: Comment, now_s: float) -> None:
    cluster.count += 1
    cluster.last_s = now_s
    cluster.amount += comment.amount
    cluster.priority = max(cluster.priority, comment.priority)
    if comment.viewer and comment.viewer not in cluster.viewers and len(cluster.viewers) < 8:
        cluster.viewers.append(comment.viewer)
