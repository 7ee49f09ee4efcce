"""SmallWebRTC semantics: ids, restarts, trickled candidates, fields that are refused."""

import asyncio
from typing import Any

import pytest

from client.viewer import HeadlessViewer
from client.viewer.signalling import Answer
from realtime.core.errors import CapacityError, Conflict, InvalidField, Malformed, NotFound, RequestError, TooLarge
from server.rtc.peer import PeerOptions
from server.rtc.signalling import OfferBook
from tests.server.rtc.rig import Rig, session, until
from tests.server.rtc.test_sdp_guard import CHROMIUM

OFFER: dict[str, Any] = {"sdp": CHROMIUM, "type": "offer", "pc_id": None, "restart_pc": False}
CANDIDATE = {"candidate": "candidate:1 1 udp 1 192.0.2.7 4000 typ host", "sdp_mid": "0", "sdp_mline_index": 0}


async def test_new_connections_get_ids_of_their_own() -> None:
    async with session() as rig:
        book = OfferBook(rig.peer)
        first = await book.offer(OFFER)
        second = await book.offer({"sdp": CHROMIUM, "type": "offer", "requestData": {"token": "x"}})
        assert first["type"] == "answer" and first["sdp"].startswith("v=0")
        assert first["pc_id"] != second["pc_id"]
        assert book.has(first["pc_id"]) and book.has(second["pc_id"]) and not book.has("other")


async def test_two_offers_at_once_are_answered_in_turn() -> None:
    async with session() as rig:
        book = OfferBook(rig.peer)
        answers = await asyncio.gather(*(book.offer(OFFER) for _ in range(4)))
        assert len({answer["pc_id"] for answer in answers}) == 4


async def test_known_id_conflicts_unless_restarted() -> None:
    async with session() as rig:
        book = OfferBook(rig.peer)
        pc_id = (await book.offer(OFFER))["pc_id"]
        with pytest.raises(Conflict) as caught:
            await book.offer(OFFER | {"pc_id": pc_id})
        assert caught.value.field == "pc_id"
        assert rig.closed == []
        again = await book.offer(OFFER | {"pc_id": pc_id, "restart_pc": True})
        assert again["pc_id"] == pc_id and book.has(pc_id)
        assert rig.closed == ["replaced by its viewer"]


async def test_broken_restart_costs_nothing() -> None:
    async with session() as rig:
        book = OfferBook(rig.peer)
        pc_id = (await book.offer(OFFER))["pc_id"]
        with pytest.raises(Malformed):
            await book.offer({"sdp": "v=nonsense", "type": "offer", "pc_id": pc_id, "restart_pc": True})
        assert book.has(pc_id) and rig.peers[0].state != "closed"


async def test_unknown_id() -> None:
    async with session() as rig:
        book = OfferBook(rig.peer)
        with pytest.raises(NotFound):
            await book.offer(OFFER | {"pc_id": "gone"})
        with pytest.raises(NotFound):
            await book.trickle({"pc_id": "gone", "candidates": []})
        # A client whose connection was given up here comes back with its old id.
        assert (await book.offer(OFFER | {"pc_id": "gone", "restart_pc": True}))["pc_id"] != "gone"


async def test_closed_connection_is_forgotten() -> None:
    async with session(PeerOptions(join_timeout_s=0.05)) as rig:
        book = OfferBook(rig.peer, max_viewers=1)
        pc_id = (await book.offer(OFFER))["pc_id"]
        await until(lambda: not book.has(pc_id))
        with pytest.raises(NotFound):
            await book.trickle({"pc_id": pc_id, "candidates": []})
        await book.offer(OFFER)


async def test_viewers_are_bounded() -> None:
    async with session() as rig:
        book = OfferBook(rig.peer, max_viewers=2)
        for _ in range(2):
            await book.offer(OFFER)
        with pytest.raises(CapacityError) as caught:
            await book.offer(OFFER)
        assert caught.value.retry_after_s > 0
        assert len(rig.peers) == 2


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        ({}, Malformed, "sdp"),
        ({"sdp": 5, "type": "offer"}, Malformed, "sdp"),
        ({"sdp": "", "type": "offer"}, Malformed, "sdp"),
        ({"sdp": "v=0"}, InvalidField, "type"),
        ({"sdp": CHROMIUM, "type": "answer"}, InvalidField, "type"),
        (OFFER | {"pc_id": 7}, InvalidField, "pc_id"),
        (OFFER | {"restart_pc": "yes"}, InvalidField, "restart_pc"),
        (OFFER | {"colour": "red"}, InvalidField, "colour"),
        (OFFER | {"sdp": "v=0" + "x" * 70_000}, TooLarge, "sdp"),
    ],
)
async def test_refused_offers(body: dict[str, Any], error: type[RequestError], field: str) -> None:
    async with session() as rig:
        with pytest.raises(error) as caught:
            await OfferBook(rig.peer).offer(body)
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("patch", "error", "field"),
    [
        ({"pc_id": None}, InvalidField, "pc_id"),
        ({"candidates": "x"}, InvalidField, "candidates"),
        ({"candidates": [CANDIDATE] * 65}, TooLarge, "candidates"),
        ({"candidates": [CANDIDATE, 5]}, InvalidField, "candidates[1]"),
        ({"candidates": [{"candidate": "garbage", "sdp_mid": "0"}]}, Malformed, "candidates[0].candidate"),
        ({"candidates": [CANDIDATE | {"x": 1}]}, InvalidField, "candidates[0].x"),
        ({"more": 1}, InvalidField, "more"),
    ],
)
async def test_refused_candidates(patch: dict[str, Any], error: type[RequestError], field: str) -> None:
    async with session() as rig:
        book = OfferBook(rig.peer)
        pc_id = (await book.offer(OFFER))["pc_id"]
        with pytest.raises(error) as caught:
            await book.trickle({"pc_id": pc_id, "candidates": [CANDIDATE]} | patch)
        assert caught.value.field == field
        assert rig.closed == []


class Trickling:
    """A signaller that holds a viewer's candidates back and sends them one by one after the answer."""

    def __init__(self, rig: Rig) -> None:
        self.book = OfferBook(rig.peer)
        self.sent = 0

    async def offer(self, sdp: str) -> Answer:
        lines = sdp.splitlines(keepends=True)
        held = [line[2:].strip() for line in lines if line.startswith("a=candidate:")]
        kept = "".join(line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates")))
        answer = await self.book.offer({"sdp": kept, "type": "offer"})
        for text in [*held, ""]:
            candidate = {"candidate": text, "sdp_mid": "0", "sdp_mline_index": 0}
            await self.book.trickle({"pc_id": answer["pc_id"], "candidates": [candidate]})
            self.sent += 1
        return Answer(answer["sdp"], answer["pc_id"])

    async def aclose(self) -> None:
        """Nothing to release."""


async def test_trickled_viewer_connects() -> None:
    async with session() as rig:
        signaller = Trickling(rig)
        async with HeadlessViewer(signaller=signaller) as viewer:
            await anext(viewer.frames())
        assert signaller.sent >= 2


async def test_an_offer_with_fresh_credentials_restarts_ice_under_the_same_connection() -> None:
    async with session() as rig:
        book = OfferBook(rig.peer)

        class Signaller:
            async def offer(self, sdp: str) -> Answer:
                answer = await book.offer({"sdp": sdp, "type": "offer"})
                return Answer(answer["sdp"], answer["pc_id"])

            async def aclose(self) -> None:
                pass

        async with HeadlessViewer(signaller=Signaller()) as viewer:
            peer = rig.peers[0]
            before = peer.remote_ufrag
            await until(lambda: peer.state == "connected")
            sdp = viewer._connection.localDescription.sdp.replace(f"a=ice-ufrag:{before}", "a=ice-ufrag:another")
            answer = await book.offer({"sdp": sdp, "type": "offer", "pc_id": viewer.pc_id})
            assert answer["pc_id"] == viewer.pc_id and "typ host" in answer["sdp"]
            with pytest.raises(Conflict):
                await book.offer({"sdp": sdp, "type": "offer", "pc_id": viewer.pc_id})
            assert len(rig.peers) == 1 and peer.state == "connected" and rig.closed == []
