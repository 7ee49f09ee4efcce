"""How long to wait before an output is tried again. Pure."""

import random
from dataclasses import dataclass, field
from typing import Final

FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0
STEADY_S: Final = 20.0
"""An attempt that lived so long was a success: what comes after it begins anew."""


@dataclass(slots=True)
class Backoff:
    """Doubling waits with full jitter between half and the whole, so that many outputs do not come back at once."""

    rng: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def after(self, lived_s: float) -> float:
        """Seconds to wait after an attempt that was up for `lived_s`."""
        if lived_s >= STEADY_S:
            self.failures = 0
        wait_s = min(FIRST_S * 2.0 ** min(self.failures, 16), LONGEST_S)
        self.failures += 1
        return wait_s * self.rng.uniform(0.5, 1.0)
