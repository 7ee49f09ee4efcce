"""`/v1/sessions/{id}/outputs`: record a session, and publish it to other servers."""

from typing import Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from server.outputs.book import OutputWish
from server.routes.access import own_session, require_server
from server.routes.reading import Body, read_body
from server.routes.table import Operation


class OpenOutput(Body):
    """An output to begin."""

    kind: Literal["mp4", "hls", "rtmp", "srt", "whip", "rtp"] = Field(
        description="A recording (mp4, hls), or a server to publish to."
    )
    url: str = Field(
        default="", max_length=1000,
        description="Where to publish: rtmp(s)://host/application/key, srt://host:port?streamid=…, http(s)://… (WHIP), "
        "rtp://host:port?audioport=…&codec=h264&videopt=96&audiopt=111.",
    )  # fmt: skip
    secret: str = Field(
        default="", max_length=1000,
        description="Stream key (rtmp), passphrase (srt), bearer token (whip) or SRTP key (rtp); never shown again.",
    )  # fmt: skip
    name: str = Field(default="", max_length=100, description="A recording's name; empty makes one.")
    sound: Literal["auto", "opus", "aac"] = Field(
        default="auto", description="Of a recording: Opus as the viewers get it (mp4's own), or AAC (hls' own)."
    )


class OutputState(BaseModel):
    """One output."""

    id: str
    kind: str
    target: str = Field(description="Name of the file, or address without keys.")
    state: Literal["starting", "live", "waiting", "ended", "failed"]
    error: str | None = Field(description="Why the last attempt ended.")
    attempts: int
    pictures: int
    dropped_pictures: int = Field(description="Left out because the other side was too slow.")
    keyframes: int
    payload_bytes: int


class OutputList(BaseModel):
    """A session's outputs."""

    outputs: list[OutputState]


async def open_output(request: web.Request) -> web.Response:
    """Begin an output."""
    require_server(request)
    session = own_session(request, "direct")
    body = await read_body(request, OpenOutput)
    made = await session.outputs.open(OutputWish(body.kind, body.url, body.secret, body.name, body.sound))
    headers = {"Location": f"/v1/sessions/{session.id}/outputs/{made['id']}"}
    return web.json_response(made, status=201, headers=headers)


async def list_outputs(request: web.Request) -> web.Response:
    """All outputs, those that have ended lately too."""
    return web.json_response({"outputs": own_session(request, "direct").outputs.all()})


async def show_output(request: web.Request) -> web.Response:
    """One output."""
    return web.json_response(own_session(request, "direct").outputs.one(request.match_info["output"]))


async def close_output(request: web.Request) -> web.Response:
    """End an output; answered when everything it took is sent or written."""
    found: dict[str, Any] = await own_session(request, "direct").outputs.close(request.match_info["output"])
    return web.json_response(found)


GROUP: Final = "Outputs"
_ROOT: Final = "/v1/sessions/{id}/outputs"
_ONE: Final = _ROOT + "/{output}"
_FAILURES: Final = (401, 403, 404, 429)

OPERATIONS: Final = (
    Operation(
        "POST", _ROOT, open_output, "Record, or publish to a server", GROUP, OpenOutput, {201: OutputState},
        (400, 409, 413, 415, 422, *_FAILURES), "key",
    ),
    Operation("GET", _ROOT, list_outputs, "All outputs", GROUP, None, {200: OutputList}, _FAILURES, "session"),
    Operation("GET", _ONE, show_output, "One output", GROUP, None, {200: OutputState}, _FAILURES, "session"),
    Operation(
        "DELETE", _ONE, close_output, "End an output, with nothing lost", GROUP, None, {200: OutputState}, _FAILURES,
        "session",
    ),
)  # fmt: skip
