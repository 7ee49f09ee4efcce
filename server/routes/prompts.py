"""Structured prompts: checked, advised on, resolved to what they set here, and kept in versions."""

import asyncio
import hashlib
import json
from typing import Any, Final

from aiohttp import web
from pydantic import Field

from realtime.core.errors import InvalidField
from realtime.core.prompting import read_prompt
from realtime.core.prompting_advice import advise
from realtime.core.prompting_look import look_of
from server.routes.access import require_server
from server.routes.reading import Body, read_body
from server.routes.table import Operation
from server.state import STATE

LISTED: Final = 100


class PromptBody(Body):
    """A structured prompt; with a name it is kept as a version of that name."""

    prompt: dict[str, Any] = Field(description="Subject and other parts, negative_prompt, parameters.")
    name: str | None = Field(default=None, min_length=1, max_length=64, description="What it is kept under.")
    output_sha256: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of what you made from it; without one, that of the settings it resolves to.",
    )  # fmt: skip
    note: str = Field(default="", max_length=300, description="Your own remark on this version.")


async def check(request: web.Request) -> web.Response:
    """Read a prompt, say what it sets and what could be clearer; keep it if it has a name."""
    require_server(request)
    body = await read_body(request, PromptBody)
    if body.name is None and (body.output_sha256 is not None or body.note):
        raise InvalidField("only a prompt with a name is kept", field="name", limit="1..64 characters")
    prompt = read_prompt(body.prompt, "prompt")
    look = look_of(prompt).as_json()
    answer = {
        "prompt": prompt.as_json(),
        "text": prompt.text,
        "prompt_sha256": prompt.digest,
        "look": look,
        "suggestions": [
            {"field": one.field, "word": one.word, "suggestion": one.suggestion} for one in advise(prompt)
        ],
        "version": None,
    }
    if body.name is not None:
        output = body.output_sha256 or _digest(look)
        book = request.app[STATE].prompts
        version = await asyncio.to_thread(book.add, body.name, prompt, output, body.note)
        answer["version"] = version.as_json()
    return web.json_response(answer, status=200 if body.name is None else 201)


async def names(request: web.Request) -> web.Response:
    """What is kept."""
    require_server(request)
    found = await asyncio.to_thread(request.app[STATE].prompts.names)
    return web.json_response({"prompts": found[:LISTED], "count": len(found)})


async def history(request: web.Request) -> web.Response:
    """The versions of one prompt, and what changed from each to the next."""
    require_server(request)
    versions = await asyncio.to_thread(request.app[STATE].prompts.history, request.match_info["name"])
    shown = versions.as_json()
    for number in range(2, len(versions) + 1):
        changed = versions.changed(number - 1, number)
        shown[number - 1]["changed"] = {field: list(values) for field, values in changed.items()}
    return web.json_response({"name": request.match_info["name"], "versions": shown})


def _digest(look: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(look, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


GROUP: Final = "Prompts"
OPERATIONS: Final = (
    Operation(
        "POST", "/v1/prompts", check, "Check a structured prompt, and keep it", GROUP, PromptBody,
        {200: "What it sets and suggestions.", 201: "The same, and its version."}, (400, 401, 403, 413, 415, 422, 429),
        "key", "", "check_prompt",
    ),
    Operation(
        "GET", "/v1/prompts", names, "Kept prompts", GROUP, None, {200: "Names."}, (401, 403, 429), "key",
        "", "list_prompts",
    ),
    Operation(
        "GET", "/v1/prompts/{name}", history, "Versions of a prompt", GROUP, None,
        {200: "Versions with digests and changes."}, (401, 403, 404, 422, 429), "key", "", "prompt_history",
    ),
)  # fmt: skip
