"""The routes of LiveTalking's front ends: same paths and bodies, so that one works by changing its host.

Answers are `{code: 0, msg, data?}`; failures have failing statuses and, beside our own error, `code: -1` and `msg`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from realtime.core.errors import AnimaError, Conflict, InvalidField, NotFound, Unauthorised
from server.auth import Scope
from server.faults import answer_for
from server.outputs.book import OutputWish
from server.outputs.output import RUNNING
from server.recordings import LONGEST_S, decode
from server.routes import checks
from server.routes.access import close_session, open_session, session_of
from server.routes.bodies import CreateSession
from server.routes.public import refuse_public
from server.routes.reading import LooseBody, form_parts, read_body, require_type
from server.routes.sessions import BAD_BODY, spec_of
from server.routes.table import Operation
from server.state import GRANT, STATE
from server.surfaces import Cue, LiveSession

FILE_LIMIT_BYTES: Final = 16 * 1024 * 1024
PARTS_MAX: Final = 8
FIRST_CLIP: Final = 2
Handler = Callable[[web.Request], Awaitable[web.Response]]


class PlainOffer(LooseBody):
    """An SDP offer."""

    sdp: str = Field(min_length=1)
    type: Literal["offer"]


class Numbered(LooseBody):
    """A call to the session that an offer opened."""

    sessionid: int | str = Field(description="What POST /offer answered.")


class Human(Numbered):
    """A text for the session."""

    text: str
    type: Literal["echo", "chat"] = Field(default="echo", description="Speak exactly this, or answer it.")
    interrupt: bool = Field(default=False, description="Drop what is being said first.")


class Record(Numbered):
    """A recording's beginning or end."""

    type: Literal["start_record", "end_record"]


class AudioType(Numbered):
    """A clip to show."""

    audiotype: int = Field(ge=0, description="0 and 1 are speaking and silence, which show by themselves; then clips.")
    reinit: bool = Field(default=True, description="Taken and let be: a gesture always begins at its beginning.")


class PlainAnswer(BaseModel):
    """The answer to an offer."""

    sdp: str
    type: str
    sessionid: int


class Taken(BaseModel):
    """It was taken."""

    code: int = 0
    msg: str = "ok"
    data: Any = None


def coded(handler: Handler) -> Handler:
    """Failing answers of this handler carry `code` and `msg`, too."""

    @wraps(handler)
    async def wrapped(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except AnimaError as error:
            failure = answer_for(error, f"{request.method} {request.path}")
            content = json.loads(failure.text or "{}")
            failure.text = json.dumps({"code": -1, "msg": content["error"]["message"], **content})
            return failure

    return wrapped


@coded
async def plain_offer(request: web.Request) -> web.Response:
    """Join a session: the one of the token, or where no key is set a new one."""
    body = await read_body(request, PlainOffer)
    state, grant = request.app[STATE], request[GRANT]
    plain = {"sdp": body.sdp, "type": body.type, "pc_id": None, "restart_pc": None}
    if grant.session_id is not None:
        session = session_of(state, grant, grant.session_id, "view")
        answer = await session.offer(plain, grant.scopes)
    elif not state.is_open:
        raise Unauthorised("an offer takes a session's token", field="Authorization")
    else:
        session = await open_session(request, spec_of(CreateSession(), state))
        try:
            answer = await session.offer(plain)
        except BaseException:
            await close_session(state, session.id, "its first offer failed")
            raise
    number = state.numbers.of(session.id)
    return web.json_response({"sdp": answer["sdp"], "type": answer["type"], "sessionid": number})


@coded
async def human(request: web.Request) -> web.Response:
    """Speak a text, or answer it."""
    body = await read_body(request, Human)
    session = _session(request, body.sessionid, "direct" if body.type == "echo" else "talk")
    words = checks.text(body.text, "text", request.app[STATE].config.text_limit_chars)
    if body.type == "echo":
        await session.say(words, interrupt=body.interrupt)
    else:
        if body.interrupt:
            await session.interrupt()
        await session.chat(words)
    return _done()


@coded
async def human_audio(request: web.Request) -> web.Response:
    """Speak a sound file: the form has `sessionid` and `file`. The lips follow its loudness."""
    require_type(request, "multipart/form-data")
    number, content = await _form(request)
    session = _session(request, number, "direct")
    pcm = await asyncio.to_thread(decode, content)
    await session.play(pcm)
    return _done()


@coded
async def interrupt_talk(request: web.Request) -> web.Response:
    """Be silent at once."""
    body = await read_body(request, Numbered)
    await _session(request, body.sessionid, "talk").interrupt()
    return _done()


@coded
async def is_speaking(request: web.Request) -> web.Response:
    """Whether something is being said or waits to be."""
    body = await read_body(request, Numbered)
    return _done(_session(request, body.sessionid, "view").busy)


@coded
async def record(request: web.Request) -> web.Response:
    """Begin or end an MP4 recording in the server's recordings directory; its end answers with the file's name."""
    body = await read_body(request, Record)
    session = _session(request, body.sessionid, "direct")
    outputs = session.outputs
    running = [one for one in outputs.all() if one["kind"] == "mp4" and one["state"] in RUNNING]
    if body.type == "start_record":
        if running:
            raise Conflict("the session is being recorded already", field="type")
        refuse_public(request.app[STATE], session.id)
        return _done({"file": (await outputs.open(OutputWish("mp4")))["target"]})
    if not running:
        raise Conflict("the session is not being recorded", field="type")
    return _done({"file": (await outputs.close(running[-1]["id"]))["target"]})


@coded
async def set_audiotype(request: web.Request) -> web.Response:
    """Act: LiveTalking's clips of one's own begin at 2, and ours are the gestures in the catalogue's order."""
    body = await read_body(request, AudioType)
    session = _session(request, body.sessionid, "direct")
    gestures = checks.gestures(request.app[STATE].services)
    if body.audiotype >= FIRST_CLIP + len(gestures):
        named = ", ".join(f"{number} {name}" for number, name in enumerate(gestures, FIRST_CLIP))
        raise InvalidField("there is no clip of this number", field="audiotype", limit=f"0, 1, {named}")
    if body.audiotype >= FIRST_CLIP:
        await session.cue(Cue(gesture=gestures[body.audiotype - FIRST_CLIP]))
    return _done()


def _done(data: object = None) -> web.Response:
    return web.json_response({"code": 0, "msg": "ok"} | ({} if data is None else {"data": data}))


def _session(request: web.Request, number: int | str, scope: Scope) -> LiveSession:
    """A session by its number, or by its id."""
    state = request.app[STATE]
    session_id = state.numbers.find(number)
    if session_id is None and state.services.sessions.get(str(number)) is None:
        if not request[GRANT].server and request[GRANT].session_id is None:
            raise Unauthorised("this takes the session's token or the server key", field="Authorization")
        raise NotFound("there is no such session, or no longer", field="sessionid")
    return session_of(state, request[GRANT], session_id or str(number), scope)


async def _form(request: web.Request) -> tuple[str, bytes]:
    """Session and file of a multipart form, in any order; other fields are let be."""
    number, content = None, None
    async for name, part in form_parts(request, _limit_bytes, PARTS_MAX):
        if name == "sessionid":
            number = part.decode("utf-8", "replace").strip()
        elif name == "file":
            content = part
    if number is None:
        raise InvalidField("the form names its session", field="sessionid")
    if content is None:
        raise InvalidField("the form holds a sound file", field="file")
    return number, content


def _limit_bytes(name: str | None) -> int:
    return 256 if name == "sessionid" else FILE_LIMIT_BYTES


GROUP: Final = "LiveTalking"
FAILURES: Final = (*BAD_BODY, 401, 403, 404, 429)


def _row(path: str, handler: Handler, summary: str, body: type[BaseModel], *more: int) -> Operation:
    return Operation("POST", path, handler, summary, GROUP, body, {200: Taken}, (*FAILURES, *more), "session")


OPERATIONS: Final = (
    Operation(
        "POST", "/offer", plain_offer, "Join a session", GROUP, PlainOffer, {200: PlainAnswer}, (*FAILURES, 503),
        "session",
    ),
    _row("/human", human, "Speak or answer a text", Human),
    Operation(
        "POST", "/humanaudio", human_audio, f"Speak a sound file of up to {LONGEST_S:g} s (form: sessionid, file)",
        GROUP, None, {200: Taken}, FAILURES, "session", "multipart/form-data",
    ),
    _row("/interrupt_talk", interrupt_talk, "Be silent at once", Numbered),
    _row("/is_speaking", is_speaking, "Whether it speaks", Numbered),
    _row("/record", record, "Begin or end a recording", Record, 409),
    _row("/set_audiotype", set_audiotype, "Show a gesture", AudioType),
)  # fmt: skip
