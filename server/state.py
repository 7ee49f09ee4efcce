"""What the application holds: one value under one `web.AppKey`, and who is asking under one `web.RequestKey`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from server.admission import Admission
from server.auth import Grant, TokenBook
from server.config import Config
from server.ice_servers import ice_servers
from server.limits import KeyedLimiter
from server.numbers import SessionNumbers
from server.prompt_book import PromptBook
from server.public import PublicPlaces
from server.settings import IceServer
from server.surfaces import Services


@dataclass(slots=True)
class State:
    """One application's state. Lives on the event loop; nothing here is shared between threads."""

    config: Config
    services: Services
    clock: Callable[[], float]
    """Monotonic seconds; all limits, tokens and idle times are on it."""
    tokens: TokenBook
    admission: Admission
    requests: KeyedLimiter
    new_sessions: KeyedLimiter
    """By address, as `requests`."""
    key_requests: KeyedLimiter
    key_sessions: KeyedLimiter
    """The same by server key: whoever shows one is not held by address."""
    prompts: PromptBook
    """The structured prompts that clients iterate on."""
    public: PublicPlaces
    """Sessions that visitors opened without a key."""
    opening: int = 0
    """Sessions being created right now; they count towards capacity before they can be listed."""
    used_s: dict[str, float] = field(default_factory=dict)
    """When each session was last used through HTTP or watched."""
    watched: set[str] = field(default_factory=set)
    """Sessions that have had a viewer."""
    parted_s: dict[str, float] = field(default_factory=dict)
    """Sessions whose viewer said goodbye, and when; asking for anything again takes it back."""
    numbers: SessionNumbers = field(default_factory=SessionNumbers)
    """Sessions as the numbers that LiveTalking's front ends know them by."""
    draining: bool = False
    """Shutting down: no new session."""

    @property
    def is_open(self) -> bool:
        """Whether everyone may do everything: no key is set, and so (`Config` sees to it) only this machine asks."""
        return not self.config.api_keys

    def viewer_ice_servers(self, session_id: str) -> tuple[IceServer, ...]:
        """The ICE servers a viewer of this session is told, with credentials that are valid from now on."""
        return ice_servers(self.config, session_id, time.time())

    def expires_at(self, expires_s: float) -> str:
        """A time on the monotonic clock as RFC 3339 text."""
        wall_s = time.time() + expires_s - self.clock()
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall_s))


STATE: Final = web.AppKey("STATE", State)
GRANT: Final = web.RequestKey("GRANT", Grant)
