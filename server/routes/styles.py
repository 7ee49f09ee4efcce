"""`/v1/styles`: the style packs of the painter; and what a cue's `paint` orders."""

import asyncio
from typing import Final

from aiohttp import web
from pydantic import BaseModel, Field

from realtime.core.errors import InvalidField
from realtime.core.painting import STRENGTHS, PaintOrder
from realtime.core.prompting import read_prompt
from server.routes.bodies import PaintBody
from server.routes.table import Operation
from server.state import STATE

MAX_PROMPT_CHARS: Final = 600


class Style(BaseModel):
    """A style pack."""

    name: str = Field(description="What a cue takes as style.")
    title: str
    version: str
    author: str
    licence: str
    base_model: str
    keywords: list[str]
    strength_range: list[float]
    usable: bool
    reason: str = Field(description="Why it cannot be used here; empty if it can.")


class StyleList(BaseModel):
    """The style packs, and whether anything is painted here at all."""

    painter: bool
    styles: list[Style]


async def styles(request: web.Request) -> web.Response:
    """The style packs, those that cannot be used with the reason."""
    painter = request.app[STATE].services.paints.painter
    found = [] if painter is None else await asyncio.to_thread(painter.styles)
    listed = [
        Style(
            name=one.name, title=one.title, version=one.version, author=one.author, licence=one.licence,
            base_model=one.base_model, keywords=list(one.keywords), strength_range=list(one.strength_range),
            usable=one.usable, reason=one.reason,
        )
        for one in found
    ]  # fmt: skip
    return web.json_response(StyleList(painter=painter is not None, styles=listed).model_dump())


def order_of(body: PaintBody) -> PaintOrder:
    """The order that a cue holds. Raises `InvalidField`; a structured prompt brings its negative words and its seed."""
    negative, seed = body.negative_prompt, body.seed
    if isinstance(body.prompt, str):
        text = body.prompt.strip()
    else:
        prompt = read_prompt(body.prompt, "paint.prompt")
        text = prompt.text
        negative = negative or ", ".join(prompt.negative)
        seed = prompt.parameters.seed if seed is None else seed
    if not 0 < len(text) <= MAX_PROMPT_CHARS:
        limit = f"1..{MAX_PROMPT_CHARS} characters"
        raise InvalidField("the prompt is empty or too long", field="paint.prompt", limit=limit)
    strength = STRENGTHS[body.region] if body.strength is None else body.strength
    return PaintOrder(body.region, text, negative, strength, seed or 0)


OPERATIONS: Final = (
    Operation("GET", "/v1/styles", styles, "Style packs of the painter", "Avatars", None, {200: StyleList}, (429,)),
)
