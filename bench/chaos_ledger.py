"""What `bench.chaos` holds against the server while the walk goes on: every answer, and what it should have been."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from bench.chaos_bad import GONE

FULL: Final = 503
KEPT: Final = 100
"""Faults that are told in words; the others are only counted."""


@dataclass(slots=True)
class Ledger:
    """Answers by status, and those that should not have been."""

    answers: Counter[int] = field(default_factory=Counter)
    bad_5xx: int = 0
    surprises: int = 0
    faults: list[str] = field(default_factory=list)

    def answered(
        self, what: str, status: int, expected: Collection[int], *, retry_after: bool = False, text: str = ""
    ) -> None:
        """An answer came. A 503 has to say when to ask again; what is not expected, and not of those that any request
        may get, is a surprise."""
        self.answers[status] += 1
        told = f"{what}: {status} {text[:300]}"
        if status >= 500 and status not in expected and not (status == FULL and retry_after):
            self.bad_5xx += 1
            self._fault(told)
        elif status not in expected and status not in GONE:
            self.surprises += 1
            self._fault(f"{told} (expected {', '.join(map(str, sorted(expected)))})")

    def silent(self, what: str, why: str) -> None:
        """No answer came, or none in time."""
        self.surprises += 1
        self._fault(f"{what}: {why}")

    def _fault(self, text: str) -> None:
        if len(self.faults) < KEPT:
            self.faults.append(text)
