"""What all sessions of a process share: the avatar's pixels, the compute thread, voice, content, safety, figures."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from realtime.aside import Aside
from realtime.compute import ComputeThread
from realtime.core.budget import CostModel, Step
from realtime.core.described import UNDESCRIBED, Described
from realtime.core.pacing import spread
from realtime.core.pressure import alone
from realtime.feeling import Feeling
from realtime.ports import Avatar, Denoiser, Voice
from realtime.programme import Programmes, Safety
from realtime.stock import Stock
from server.config import Config
from server.event_log import OpenLog, no_log
from server.media.marking import Marking
from server.metrics import Metrics
from server.mouths.compose import Mouths
from server.pressure_board import PressureBoard
from server.sessions.easel import Paints
from server.sessions.hearing import HearingParts
from server.surfaces import SessionSpec
from server.telemetry import Telemetry


async def _nothing_to_open(name: str) -> None:
    """For avatars whose stocks are all there."""


def _unmarked(session_id: str, spec: SessionSpec, width: int, height: int) -> Marking | None:
    """For sessions whose pictures are as they are."""
    return None


def _as_drawn(avatar: Avatar, session_id: str) -> Denoiser | None:
    """For avatars that nothing improves."""


@dataclass(slots=True)
class Shared:
    """Built once by `server.compose`."""

    config: Config
    stocks: dict[str, Stock]
    """One per avatar, by name."""
    compute: ComputeThread
    voice: Voice
    programmes: Programmes
    """What sessions can be about; each brings its own answerer."""
    safety: Callable[[str, str, str], Safety]
    """Makes a session's filter from its id, scene and language."""
    metrics: Metrics
    hearing: HearingParts | None = None
    """What microphones need; None where nobody is heard."""
    open_avatar: Callable[[str], Awaitable[None]] = field(default=_nothing_to_open)
    """Makes an avatar's stock ready before a session asks for it."""
    marking: Callable[[str, SessionSpec, int, int], Marking | None] = field(default=_unmarked)
    """Makes what marks a session's pictures, from its id, its spec and the size of what is encoded."""
    described: Described = UNDESCRIBED
    """Finds gestures by free descriptions."""
    denoise: Callable[[Avatar, str], Denoiser | None] = field(default=_as_drawn)
    """Makes a session's denoiser, from its avatar and its id; None where there is none for it."""
    event_log: OpenLog = field(default=no_log)
    """Opens the event log of a session, if there is to be one."""
    telemetry: Telemetry | None = None
    """Where traces are exported to; None exports none."""
    refining: Aside | None = None
    """Where denoisers work that gather the work of several sessions; None for the compute thread."""
    mouths: Mouths = field(default_factory=Mouths)
    """What makes portraits' mouths from sound, if anything does."""
    paints: Paints | None = None
    """What paints regions; None where nothing does."""
    costs: CostModel = field(default_factory=CostModel)
    begun_s: dict[str, float] = field(default_factory=dict)
    """When each running session's clock began; a new one's frames fall between those of the others."""

    feeling: Feeling = field(init=False)
    """Feels the pressure on this server's processes, for all sessions of this one."""

    def __post_init__(self) -> None:
        metrics = self.metrics

        def decided(step: Step) -> None:
            metrics.decided(step.kind, step.rung, down=step.down)

        note = self.config.pressure_note
        self.feeling = Feeling(self.compute, decided, alone if note is None else PressureBoard(note).exchange)

    async def look(self, name: str) -> Stock:
        """An avatar before a background, opened if need be."""
        await self.open_avatar(name)
        return self.stocks[name]

    def begin(self, session_id: str, now_s: float) -> float:
        """When a new session's clock is to have begun, on the clock of `now_s`."""
        at_s = self.begun_s[session_id] = spread(self.begun_s.values(), now_s)
        return at_s
