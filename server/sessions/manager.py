"""The running sessions of one process."""

import asyncio
import logging
import secrets
from collections.abc import Sequence

from server.rtc.peer import SERVER_STOPS, PeerOptions
from server.sessions.session import Session
from server.sessions.shared import Shared
from server.surfaces import SessionSpec

log = logging.getLogger(__name__)


class SessionManager:
    """Opens, finds and ends sessions. Who may open one, and whether there is room, is decided before."""

    def __init__(self, shared: Shared, options: PeerOptions) -> None:
        self._shared = shared
        self._options = options
        self._sessions: dict[str, Session] = {}

    async def create(self, spec: SessionSpec) -> Session:
        """Open a session. The first one of an avatar that was never drawn waits for its pack."""
        await self._shared.open_avatar(spec.look)
        session = Session(secrets.token_urlsafe(12), spec, self._shared, self._options)
        self._sessions[session.id] = session
        return session

    def get(self, session_id: str) -> Session | None:
        """A running session, or None."""
        return self._sessions.get(session_id)

    def all(self) -> Sequence[Session]:
        """All running sessions."""
        return list(self._sessions.values())

    @property
    def pressed_s(self) -> float:
        """For how long this process has been under much pressure; 0 if it is not."""
        return self._shared.feeling.much_s

    async def close(self, session_id: str, reason: str) -> None:
        """End one session; ending one that is gone already does nothing."""
        session = self._sessions.pop(session_id, None)
        self._shared.begun_s.pop(session_id, None)
        if session is not None:
            log.info("session ended: %s", reason)
            await session.aclose(reason)

    async def aclose(self) -> None:
        """End all sessions."""
        await asyncio.gather(*(self.close(session_id, SERVER_STOPS) for session_id in list(self._sessions)))
        if self._shared.paints is not None and self._shared.paints.painter is not None:
            await asyncio.to_thread(self._shared.paints.painter.close)
