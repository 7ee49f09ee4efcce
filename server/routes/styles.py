"""`/v1/styles`: the style packs of the painter; and what a cue's `paint` orders."""

import asyncio
from typing import Final

from aiohttp import web
from pydantic import BaseModel, Field

from realtime.core.paint_orders import read_order
from realtime.core.painting import PaintOrder
from server.routes.bodies import PaintBody
from server.routes.table import Operation
from server.state import STATE


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

    painter: bool = Field(description="Whether the settings name a checkpoint.")
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
    """The order that a cue holds. Raises `InvalidField`."""
    return read_order(body.model_dump(exclude_none=True), "paint")


OPERATIONS: Final = (
    Operation("GET", "/v1/styles", styles, "Style packs of the painter", "Avatars", None, {200: StyleList}, (429,)),
)
