"""A viewer that only watches is promoted to speak, and demoted again, while it watches."""

import json
from typing import Any

import pytest

from client.viewer import HeadlessViewer
from client.viewer.signalling import Answer
from realtime.core.errors import NotFound
from server.auth import Scope
from server.sessions.session import Session
from tests.server.sessions.test_session import SPEC, House, Watcher, house, until

SAY = {"label": "rtvi-ai", "type": "client-message", "data": {"t": "say", "d": {"text": "Good evening everybody."}}}


class Audience(Watcher):
    """A viewer whose token lets it watch."""

    async def offer(self, sdp: str) -> Answer:
        answer = await self.session.offer({"sdp": sdp, "type": "offer"}, frozenset[Scope]({"view"}))
        return Answer(answer["sdp"], answer["pc_id"])

    async def ask(self, id: str) -> dict[str, Any]:
        """Ask the host to say something; the answer."""
        await self.viewer.send(json.dumps(SAY | {"id": id}))
        await until(lambda: any(one["id"] == id for one in self.messages), f"the answer to {id}")
        return next(one for one in self.messages if one["id"] == id)

    def told(self) -> list[list[str]]:
        """What it was told that it may do, in order."""
        told = (one["data"] for one in self.messages if one["type"] == "server-message")
        return [one["d"]["scopes"] for one in told if one["t"] == "scopes"]


__all__ = ["house"]


async def test_an_audience_is_refused_then_heard_then_refused(house: House) -> None:
    session: Session = await house.sessions.create(SPEC)
    guest, other = Audience(session), Audience(session)
    for one in (guest, other):
        await one.viewer.connect()
    assert isinstance(guest.viewer, HeadlessViewer) and guest.viewer.pc_id
    assert (await guest.ask("a"))["data"]["limit"] == "scope direct"
    session.permit(guest.viewer.pc_id, frozenset({"view", "talk", "direct"}))
    assert (await guest.ask("b"))["type"] == "server-response"
    assert (await other.ask("c"))["type"] == "error-response", "it was promoted alone"
    session.permit(guest.viewer.pc_id, frozenset({"view"}))
    assert (await guest.ask("d"))["data"]["status"] == 403
    assert guest.told() == [["direct", "talk", "view"], ["view"]] and other.told() == []
    with pytest.raises(NotFound):
        session.permit("nobody", frozenset({"view"}))
    for one in (guest, other):
        await one.viewer.close()
