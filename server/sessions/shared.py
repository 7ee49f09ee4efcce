"""What all sessions of a process share: the avatar's pixels, the compute thread, voice, answerer, figures."""

from dataclasses import dataclass, field

from realtime.compute import ComputeThread
from realtime.core.budget import CostModel
from realtime.ports import Answerer, Voice
from realtime.stock import Stock
from server.config import Config
from server.metrics import Metrics


@dataclass(slots=True)
class Shared:
    """Built once by `server.compose`."""

    config: Config
    stocks: dict[str, Stock]
    """One per avatar, by name."""
    compute: ComputeThread
    voice: Voice
    answerer: Answerer
    metrics: Metrics
    costs: CostModel = field(default_factory=CostModel)
