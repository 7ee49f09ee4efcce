"""A DashScope-shaped call that opens a session: `POST /api/v1/services/aigc/video-generation`."""

import logging
import uuid
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from realtime.core.errors import AnimaError, InvalidField
from server.routes import checks
from server.routes.access import open_session, require_server
from server.routes.bodies import Created, CreateSession, Name
from server.routes.reading import Body, read_body
from server.routes.sessions import BAD_BODY, created_json, spec_of
from server.routes.table import Operation
from server.state import STATE

logger = logging.getLogger(__name__)


class Input(Body):
    """What the session begins with."""

    prompt: str = Field(description="Answered by the host as soon as the session is open.")
    interaction_mode: Literal["real-time", "real_time", "realtime"] = Field(
        default="real_time", description="Every session is interactive."
    )
    max_response_time_ms: Annotated[int, Field(ge=40, le=60_000)] | None = Field(
        default=None, description="Budget from text to sound."
    )


class Parameters(Body):
    """How it is generated."""

    streaming: bool = Field(default=True, description="True: a session is always streamed.")
    partial_update: bool = Field(default=True, description="Build frames from changed regions only.")
    cache_hint: list[Name] = Field(default=[], max_length=32, description="Motion primitives to keep warm.")


class Generation(Body):
    """A DashScope request for real-time video."""

    model: str = Field(min_length=1, max_length=128, description="An avatar of GET /v1/avatars; else the default one.")
    input: Input
    parameters: Parameters = Parameters()


class Output(BaseModel):
    """The session as a task."""

    task_id: str
    task_status: str
    ignored_cache_hints: list[str] = Field(description="Hints that name no motion primitive here.")


class Generated(Created):
    """A new session in DashScope's envelope."""

    request_id: str
    output: Output


async def video_generation(request: web.Request) -> web.Response:
    """Open a session and let its host answer the prompt."""
    require_server(request)
    body = await read_body(request, Generation)
    state = request.app[STATE]
    prompt = checks.text(body.input.prompt, "input.prompt", state.config.text_limit_chars)
    if not body.parameters.streaming:
        raise InvalidField("sessions are streamed", field="parameters.streaming", limit="true")
    known = state.services.primitives()
    hints = body.parameters.cache_hint
    avatars = [info.name for info in state.services.avatars()]
    wish = CreateSession(
        avatar=body.model if body.model in avatars else None,
        max_response_time_ms=body.input.max_response_time_ms,
        partial_update=body.parameters.partial_update,
        cache_hint=[hint for hint in hints if hint in known],
        label=body.model,
    )
    session = await open_session(request, spec_of(wish, state))
    try:
        await session.chat(prompt)
    except AnimaError as error:
        # the session is there and can be asked again: a prompt that cannot be answered does not undo it
        logger.info("the prompt of session %s was not answered: %s", session.id, error)
    ignored = [hint for hint in hints if hint not in known]
    output = {"task_id": session.id, "task_status": "RUNNING", "ignored_cache_hints": ignored}
    answer: dict[str, Any] = {"request_id": str(uuid.uuid4()), "output": output, **created_json(state, session)}
    return web.json_response(answer, headers={"Location": f"/v1/sessions/{session.id}"})


OPERATIONS: Final = (
    Operation(
        "POST", "/api/v1/services/aigc/video-generation", video_generation, "Open a session by a DashScope request",
        "DashScope", Generation, {200: Generated}, (*BAD_BODY, 401, 403, 429, 503), "key",
    ),
)  # fmt: skip
