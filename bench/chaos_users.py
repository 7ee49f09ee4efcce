"""The users of `bench.chaos`: each does the steps of its plan, one after another, whatever becomes of them."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp

from bench.chaos_door import Door
from bench.chaos_plan import LINES, QUESTIONS, Step
from bench.chaos_viewers import CODECS, Codec, Signaller, Watcher
from client.sdk import Credentials, RemoteSession
from client.viewer.signalling import Answer, OfferRefused

CROWD: Final = 12
STEP_S: Final = 60.0
"""A step that takes longer is given up, and counts as no answer."""
WORDS_S: Final = 0.3
PROMPT: Final = {"subject": "a host by the fire", "style": "cheerful", "action": "waves", "colour": "deep blue"}
_FRAGMENT: Final = b"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"


class User:
    """One user, with at most one session and one viewer at a time."""

    def __init__(self, index: int, door: Door, everybody: list["User"]) -> None:
        self.index, self._door, self._everybody = index, door, everybody
        self.session: RemoteSession | None = None
        nobody = Credentials("no-session-of-anybody", "no-token-of-anybody", offer_url="/api/offer")
        self._last = RemoteSession(door.sdk, nobody)
        self.watcher: Watcher | None = None
        self._left: list[Watcher] = []
        self.done = 0

    async def do(self, step: Step) -> None:
        """One step."""
        act: Callable[[str], Awaitable[None]] = getattr(self, f"_{step.what.replace(' ', '_')}")
        try:
            async with asyncio.timeout(STEP_S):
                await act(step.how)
        except TimeoutError:
            self._door.ledger.silent(str(step), f"not done within {STEP_S:g} s")
        self.done += 1

    async def aclose(self) -> None:
        """Leave; the session stays."""
        watchers = [*self._left, *([self.watcher] if self.watcher else [])]
        self._left, self.watcher = [], None
        await asyncio.gather(*(one.leave() for one in watchers))

    @property
    def _own(self) -> RemoteSession:
        """The session, or the last one: what is asked of one that has ended is refused."""
        return self.session or self._last

    def _on(self, path: str) -> str:
        return f"/v1/sessions/{self._own.id}{path}"

    def _watch(self, what: str, codec: Codec = "H264", pc_id: str = "") -> Watcher:
        credentials = self._own.credentials
        url = self._door.sdk.absolute(credentials.offer_url)
        return Watcher(Signaller(url, credentials.token, self._door.ledger, what, pc_id), codec)

    # --- sessions

    async def _create(self, how: str) -> None:
        await self._delete("")
        self.session = await self._new(how)

    async def _new(self, how: str) -> RemoteSession | None:
        scene, host, language = how.split("/")
        wish = self._door.sdk.create_session(scene=scene, avatar=host, language=language, label=f"user {self.index}")
        return await self._door.ask(f"create {how}", wish)

    async def _crowd(self, how: str) -> None:
        opened = [await self._door.ask("crowd", self._door.sdk.create_session()) for _ in range(CROWD)]
        await asyncio.gather(*(self._door.ask("crowd", one.delete()) for one in opened if one is not None))

    async def _delete(self, how: str) -> None:
        if how == "speaking":
            await self._say("0")
            await asyncio.sleep(WORDS_S)
        if self.session is not None:
            self._last, self.session = self.session, None
            await self._door.ask("delete", self._last.delete())
        if self.watcher is not None:
            self._left.append(self.watcher)
            self.watcher = None

    async def _switch(self, how: str) -> None:
        await self._say("3")
        await asyncio.sleep(WORDS_S)
        fresh = await self._new(how)
        await self._delete("")
        self.session = fresh

    # --- viewers

    async def _join(self, how: str) -> None:
        if self.watcher is not None:
            await self.watcher.leave()
        watcher = self.watcher = self._watch("join", CODECS[how])
        if not await watcher.join():
            self.watcher = None

    async def _leave(self, how: str) -> None:
        if self.watcher is not None:
            await self.watcher.leave()
            self.watcher = None

    async def _vanish(self, how: str) -> None:
        if self.watcher is not None:
            self.watcher.vanish()
            self._left.append(self.watcher)
            self.watcher = None

    async def _reload(self, how: str) -> None:
        token = self._own.credentials.token
        if how == "goodbye":
            await self._door.call("goodbye", "POST", self._on("/bye"), 204, bearer=token)
            await self._leave("")
        else:
            await self._vanish("")
        await self._join("H264")

    async def _resume(self, how: str) -> None:
        before = self.watcher
        if before is None or not before.viewer.pc_id:
            await self._join("H264")
            return
        self.watcher = self._watch("resume", pc_id=before.viewer.pc_id)
        before.vanish()
        self._left.append(before)
        if not await self.watcher.join():
            self.watcher = None

    async def _touch_and_go(self, how: str) -> None:
        watcher = self._watch("touch and go")
        joining = asyncio.create_task(watcher.join())
        if how == "before the answer":
            await asyncio.sleep(0.01)
            joining.cancel()
        elif how == "at once":
            answered = asyncio.create_task(watcher.signaller.answered.wait())
            await asyncio.wait((joining, answered), return_when=asyncio.FIRST_COMPLETED)
            answered.cancel()
            joining.cancel()
        await asyncio.gather(joining, return_exceptions=True)
        await watcher.leave()

    async def _whep(self, how: str) -> None:
        token = self._own.credentials.token
        player = _Player(f"{self._door.url}/whep/{self._own.id}", token, self._door.ledger, "WHEP")
        watcher = Watcher(player)
        joined = await watcher.join()
        if how == "restart" and player.location:
            await self._door.call(
                "WHEP restart", "PATCH", player.location, 200, 409, body=_FRAGMENT, bearer=token,
                headers={"If-Match": "*", "Content-Type": "application/trickle-ice-sdpfrag"},
            )  # fmt: skip
        if how != "left open" and player.location:
            await self._door.call("WHEP end", "DELETE", player.location, 200, bearer=token)
        if joined:
            watcher.vanish()
            self._left.append(watcher)

    # --- what is asked of the host

    async def _say(self, how: str) -> None:
        await self._door.ask("say", self._own.say(LINES[int(how)]))

    async def _say_instead(self, how: str) -> None:
        words = self._own.say(LINES[int(how)], emotion="happy", intensity=0.5, interrupt=True)
        await self._door.ask("say instead", words)

    async def _ask(self, how: str) -> None:
        await self._door.ask("ask", self._own.chat(QUESTIONS[int(how)]))

    async def _interrupt(self, how: str) -> None:
        await self._door.ask("interrupt", self._own.interrupt())

    async def _cue(self, how: str) -> None:
        kind, _, value = how.partition(" ")
        if kind == "prompt":
            token = self._own.credentials.token
            await self._door.call("cue", "POST", self._on("/cue"), 202, json={"prompt": PROMPT}, bearer=token)
            return
        wish: Mapping[str, Any] = {"gaze": (0.5, -0.5)} if kind == "gaze" else {kind: value}
        # a description that is near to no motion is refused
        await self._door.ask(f"cue {how}", self._own.cue(**wish), 422)

    async def _comment(self, how: str) -> None:
        items = [{"text": f"{QUESTIONS[i % len(QUESTIONS)]} {i}", "viewer": f"viewer {i}"} for i in range(int(how))]
        token = self._own.credentials.token
        await self._door.call("comment", "POST", self._on("/comments"), 202, json={"items": items}, bearer=token)

    async def _message(self, how: str) -> None:
        if self.watcher is not None:
            self.watcher.send(json.dumps(_MESSAGES[how]))

    async def _bad_message(self, how: str) -> None:
        if self.watcher is not None:
            for text in _BAD_MESSAGES[how]:
                self.watcher.send(text)

    # --- what operators do

    async def _record(self, how: str) -> None:
        key, body = self._door.key, {"kind": how, "name": f"user-{self.index}-{self.done}"}
        status, _, text = await self._door.call("record", "POST", self._on("/outputs"), 201, 409, json=body, bearer=key)
        if status == 201 and self.done % 2:
            path = self._on(f"/outputs/{json.loads(text)['id']}")
            await self._door.call("end a recording", "DELETE", path, 200, bearer=key)

    async def _direct(self, how: str) -> None:
        body = {"action": how, "text": "A card" if how == "card" else ""}
        await self._door.call(
            f"direct {how}", "POST", self._on("/director"), 202, 409, 422, json=body, bearer=self._door.key
        )

    async def _events(self, how: str) -> None:
        headers = {"Authorization": f"Bearer {self._door.key}"}
        url = f"{self._door.url}{self._on('/director/events')}"
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self._door.http.get(url, headers=headers) as stream:
                self._door.ledger.answered("events", stream.status, (200,))
                if how == "read":
                    async with asyncio.timeout(WORDS_S):
                        await stream.content.readline()

    async def _look(self, how: str) -> None:
        token, key = self._own.credentials.token, self._door.key
        path, bearer = {
            "state": (self._on(""), token), "metrics": ("/metrics", None), "sessions": ("/v1/sessions", key),
            "avatars": ("/v1/avatars", None), "readyz": ("/readyz", None), "outputs": (self._on("/outputs"), key),
            "page": ("/", None),
        }[how]  # fmt: skip
        await self._door.call(f"look at {how}", "GET", path, 200, bearer=bearer)

    # --- what nobody should do

    async def _bad_request(self, how: str) -> None:
        other = self._everybody[(self.index + 1) % len(self._everybody)]
        own, pc_id = self._own, "" if self.watcher is None else self.watcher.viewer.pc_id
        tokens = {"own": str(own.credentials.token), "other": str(other._own.credentials.token), "key": self._door.key}
        await self._door.bad_request(how, {"id": own.id, "pc_id": pc_id or "none"}, tokens)

    async def _bad_socket(self, how: str) -> None:
        await self._door.bad_socket(how)


class _Player(Signaller):
    """Offers as a WHEP player does."""

    location = ""

    async def offer(self, sdp: str) -> Answer:
        """See `HttpSignaller.offer`."""
        headers = {**self._headers, "Content-Type": "application/sdp"}
        async with (
            aiohttp.ClientSession(timeout=self._timeout) as http,
            http.post(self._url, data=sdp.encode(), headers=headers) as reply,
        ):
            text = await reply.text()
            told = "Retry-After" in reply.headers
            self._ledger.answered(self._what, reply.status, (201,), retry_after=told, text=text)
            if reply.status != 201:
                raise OfferRefused(reply.status, text)
            self.location = reply.headers["Location"]
            self.answered.set()
            return Answer(text, self.location.rsplit("/", 1)[-1])


def _message(kind: str, **data: Any) -> dict[str, Any]:
    return {"label": "rtvi-ai", "id": "w1", "type": kind, "data": data}


_MESSAGES: Final = {
    "say": _message("client-message", t="say", d={"text": LINES[0]}),
    "interrupt": _message("client-message", t="interrupt", d={}),
    "cue": _message("client-message", t="cue", d={"emotion": "sad", "gesture": "nod", "gaze": {"x": 0.1, "y": 0.2}}),
    "send-text": _message("send-text", content=QUESTIONS[0]),
    "comment": _message("client-message", t="comment", d={"text": "Hello!", "viewer": "somebody"}),
    "stats": _message("client-message", t="stats", d={"displayed_ms": 50.0, "nonsense": -1e300}),
    "frames": _message("client-message", t="frames", d={"rows": [[1, 2.0, 3.0, 4.0, 5.0]], "uncertainty_ms": 5}),
    "client-ready": _message("client-ready", version="1.0.0", about={"library": "chaos"}),
}
_BAD_MESSAGES: Final = {
    "text": ["hello", "", "ping", '{"label"'],
    "deep": ['{"label": "rtvi-ai", "id": "a", "type": "send-text", "data": ' + "[" * 30_000 + "]" * 30_000 + "}"],
    "huge": [json.dumps(_message("send-text", content="x" * 70_000))],
    "unknown": [json.dumps(_message("dance")), json.dumps(_message("client-message", t="fly", d={}))],
    "flood": [json.dumps(_message("client-message", t="interrupt", d={}))] * 200,
    "list": ["[]", "[[]]", "null", "3", '"rtvi-ai"'],
    "numbers": ['{"label": 1, "id": 2, "type": 3, "data": 4}', json.dumps(_message("client-message", t=5, d=6))],
    "bytes": ["\x00\x01\ud7ff\uffff", "\u202e" * 1000],
}
