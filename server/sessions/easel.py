"""Paints what is behind, on and before a session's host: takes orders, shows tiles as they are finished, tells viewers.

The session's pictures stay as they are until the first tile is there; then its host is shown cut out before a canvas
that begins as the background it had. Files are checked, parts opened and pictures painted on other threads."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.compute import ComputeThread
from realtime.core import events
from realtime.core.backdrop import TRANSPARENT, Backdrop, parse
from realtime.core.errors import AnimaError, Conflict, Forbidden, InvalidField, NotOffered
from realtime.core.facs import REST
from realtime.core.matte import OPAQUE_LUMA
from realtime.core.painting import (
    TILE_PX,
    Canvas,
    Painted,
    Painter,
    Painting,
    PaintOrder,
    Place,
    Progress,
    Rgb,
    Tiles,
    visible_tiles,
)
from realtime.core.values import Roi
from realtime.painted import PaintedAvatar
from realtime.ports import Avatar
from realtime.programme import Safety
from realtime.stock import Stock
from server.surfaces import LOOK_SPLIT, SessionSpec

log = logging.getLogger(__name__)

MOVES_TILES: Final = 3
"""How far a host moves from its pose at rest, in tiles: what it always hides is not painted."""
PRODUCT_SHARE: Final = 3 / 8
"""Side of a painted product, of the picture's width; it is shown a tile from the lower right corner."""
_PAPER: Final = 238
"""Grey that a product's picture begins as."""
_PATIENT_S: Final = 5.0
"""What is drawn to begin with yields to every frame."""
_STAGED_BYTES: Final = 24 * 2**20


class Paintable(Protocol):
    """What may be painted of the avatars. Methods block."""

    def behind(self, name: str, wish: Backdrop) -> Rgb:
        """The picture behind an avatar."""
        ...

    def places(self, name: str) -> Sequence[Place]:
        """The regions that can be painted; at once."""
        ...

    def outfit(self, name: str) -> tuple[Rgb, Tiles]:
        """Its clothes as a sheet, and which tiles of it are cloth. Raises `InvalidField`."""
        ...

    def dressed(self, name: str, sheet: Rgb) -> Avatar:
        """The avatar, cut out, in other clothes."""
        ...


@dataclass(frozen=True, slots=True)
class Paints:
    """What all sessions share of painting."""

    painter: Painter | None
    """None where the settings name no checkpoint."""
    avatars: Paintable


class Stage(Protocol):
    """What shows a session's pictures; `Production` is one."""

    @property
    def pressed(self) -> bool:
        """Whether frames need the machine."""
        ...

    def restage(self, stock: Stock) -> None:
        """Make the frames that follow of other pixels."""
        ...


class Opens(Protocol):
    """Where a cut-out host comes from."""

    async def __call__(self, name: str) -> Stock: ...


@dataclass(slots=True)
class _Surface:
    """One region: its picture, which tiles may be painted, what each was painted for, and the order at work."""

    canvas: Canvas
    allowed: Tiles
    painted_for: NDArray[np.object_]
    order: PaintOrder | None = None
    job: Painting | None = None


class Easel:
    """One session's. All methods run on the event loop."""

    def __init__(
        self, paints: Paints | None, spec: SessionSpec, safety: Safety, stage: Stage, cutout: Opens,
        compute: ComputeThread, emit: Callable[[events.Event], None],
    ) -> None:
        self._paints, self._spec, self._safety, self._stage = paints, spec, safety, stage
        self._cutout, self._compute, self._emit = cutout, compute, emit
        self._style: tuple[str, float] = ("", 1.0)
        self._worn = self._style
        self._surfaces: dict[Place, _Surface] = {}
        self._avatar: PaintedAvatar | None = None
        self._hidden: Stock | None = None
        self._staged = False
        self._opening = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wanted: dict[Place, PaintOrder] = {}

    async def order(self, order: PaintOrder, style: tuple[str, float] | None = None) -> None:
        """Take an order, with it another style (name and strength) if one is given; what it makes appears while the
        host goes on. Raises a `RequestError` that changes nothing."""
        name, strength = self._style if style is None else style
        if not order.style:
            order = replace(order, style=name, style_strength=strength)
        await self._check(order)
        if style is not None:
            self._put_on(name, strength, but=order.region)
        self._wanted[order.region] = order
        self._start(order)

    async def wear(self, style: str, strength: float) -> None:
        """Paint with another style from now on, and what is painted anew; an empty name takes it off."""
        base = next(iter(self._wanted.values()), PaintOrder("background", "a"))
        await self._check(replace(base, style=style, style_strength=strength), words=False)
        self._put_on(style, strength)

    def about(self) -> dict[str, Any]:
        """What a viewer is told when it joins: the regions that can be painted and what is painted, else `why` nothing
        can be: `off`, `broken` or `transparent`."""
        painter = None if self._paints is None else self._paints.painter
        if self._paints is None or painter is None or self._spec.public:
            return {"regions": [], "why": "off"}
        if painter.broken or self._spec.background == TRANSPARENT:
            return {"regions": [], "why": "broken" if painter.broken else "transparent"}
        return {"regions": list(self._paints.avatars.places(self._spec.avatar)), "why": ""} | self.figures()

    def figures(self) -> dict[str, Any]:
        """What is painted, for the session's state."""
        found = {region: one.order.prompt for region, one in self._surfaces.items() if one.order is not None}
        return {"painted": found, "style": self._style[0]}

    async def aclose(self) -> None:
        """Paint no further."""
        for surface in self._surfaces.values():
            if surface.job is not None:
                surface.job.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- an order's way

    def _put_on(self, style: str, strength: float, but: Place | None = None) -> None:
        self._style = (style, strength)
        for region, old in list(self._wanted.items()):
            if region != but:
                self._wanted[region] = replace(old, style=style, style_strength=strength)
                self._start(self._wanted[region])

    async def _check(self, order: PaintOrder, *, words: bool = True) -> None:
        painter = None if self._paints is None else self._paints.painter
        asked = "paint" if words else "style"
        if painter is None:
            raise NotOffered("this server has no painter: its setting painter names no checkpoint", field=asked)
        if self._spec.public:
            raise Forbidden("a session opened without the server key paints nothing", field=asked)
        if self._spec.background == TRANSPARENT:
            field = "paint.region" if words else asked
            raise Conflict("a transparent session has no picture to paint", field=field)
        if words and self._safety.incoming(order.prompt).action != "allow":
            raise InvalidField("the safety rules do not allow this prompt", field="paint.prompt")
        await asyncio.to_thread(painter.check, order)

    def _start(self, order: PaintOrder) -> None:
        task = asyncio.create_task(self._carry_out(order), name="painting")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, order: PaintOrder) -> None:
        try:
            async with self._opening:
                surface = await self._surface(order.region)
            if self._wanted.get(order.region) == order:
                self._begin(order, surface)
        except AnimaError as error:
            self._tell(Progress(order, "failed", 0, 0, message=str(error)))
        except Exception:
            log.exception("painting could not begin")
            self._tell(Progress(order, "failed", 0, 0, message="the picture could not be made ready"))

    def _begin(self, order: PaintOrder, surface: _Surface) -> None:
        assert self._paints is not None and self._paints.painter is not None
        if surface.job is not None:
            surface.job.cancel()
        chosen = surface.allowed & (surface.painted_for != order.digest)
        loop = asyncio.get_running_loop()

        def told(progress: Progress) -> None:
            # the painter's thread may outlive the loop
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._made, surface, progress)

        surface.order = order
        surface.job = self._paints.painter.begin(order, surface.canvas.rgb, chosen, told, self._may_work)
        self._tell(Progress(order, "waiting", 0, int(chosen.sum())))

    def _may_work(self) -> bool:
        """Asked on the painter's thread."""
        return not self._stage.pressed

    def _made(self, surface: _Surface, progress: Progress) -> None:
        if surface.order != progress.order:
            if progress.state == "cancelled":
                self._tell(progress)
            return
        if progress.painted is not None:
            self._lay(surface, progress.order, progress.painted)
        if progress.state == "failed":
            self._style = self._worn
        if progress.state == "done":
            self._worn = (progress.order.style, progress.order.style_strength)
            surface.painted_for[surface.allowed] = progress.order.digest
            if progress.order.region == "outfit":
                self._dress(surface)
            elif progress.order.region == "product":
                surface.canvas.settle()
                self._show(surface)
        if progress.state in ("done", "cancelled", "failed"):
            surface.job = None
        self._tell(progress)

    def _lay(self, surface: _Surface, order: PaintOrder, painted: Painted) -> None:
        surface.canvas.put(painted)
        rows, columns = painted.chosen.shape
        top, left = painted.y // TILE_PX, painted.x // TILE_PX
        surface.painted_for[top : top + rows, left : left + columns][painted.chosen] = order.digest
        if order.region != "outfit":
            self._show(surface if order.region == "product" else None)

    def _show(self, product: _Surface | None) -> None:
        """From the first finished tile on the session's frames are those before the canvas."""
        assert self._avatar is not None, "made before its first tile"
        if product is not None:
            width, height = self._avatar.width, self._avatar.height
            side = product.canvas.size[0]
            roi = Roi(width - side - TILE_PX, height - side - TILE_PX, side, side)
            self._avatar.present(roi, product.canvas)
        if not self._staged:
            self._staged = True
            self._stage.restage(Stock(self._avatar, _STAGED_BYTES, _STAGED_BYTES))

    def _dress(self, surface: _Surface) -> None:
        task = asyncio.create_task(self._change_clothes(surface.canvas.rgb.copy()), name="dressing")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _change_clothes(self, sheet: Rgb) -> None:
        assert self._paints is not None and self._avatar is not None
        try:
            found = await asyncio.to_thread(self._paints.avatars.dressed, self._spec.avatar, sheet)
        except AnimaError:
            log.exception("the painted outfit cannot be put on")
            return
        self._avatar.dress(Stock(found, _STAGED_BYTES, _STAGED_BYTES), sheet)
        self._show(None)

    # --- what is painted on

    async def _surface(self, region: Place) -> _Surface:
        assert self._paints is not None
        name, avatars = self._spec.avatar, self._paints.avatars
        if self._avatar is None or self._hidden is None:
            picture = await asyncio.to_thread(avatars.behind, name, parse(self._spec.background))
            self._hidden = await self._cutout(f"{name}{LOOK_SPLIT}{TRANSPARENT}")
            canvas = Canvas(picture)
            self._avatar = PaintedAvatar(self._hidden, canvas)
            visible = await self._compute.run(_PATIENT_S, _visible, self._hidden, canvas)
            self._surfaces["background"] = _surface(canvas, visible)
        if region not in self._surfaces and region == "outfit":
            sheet, cloth = await asyncio.to_thread(avatars.outfit, name)
            self._surfaces[region] = _surface(Canvas(sheet), cloth)
        elif region not in self._surfaces:
            side = max(TILE_PX, int(PRODUCT_SHARE * self._avatar.width) // TILE_PX * TILE_PX)
            paper = Canvas(np.full((side, side, 3), _PAPER, np.uint8))
            self._surfaces[region] = _surface(paper, np.ones_like(paper.tiles, np.bool_))
        return self._surfaces[region]

    def _tell(self, progress: Progress) -> None:
        if progress.painted is None or progress.done < progress.total:
            self._emit(events.Report("paint", progress.as_json()))


def _visible(hidden: Stock, canvas: Canvas) -> Tiles:
    """Tiles that the host does not always hide (compute thread)."""
    key, height = hidden.avatar.base_key(REST), canvas.size[1]
    found = hidden.base(key)
    packed = hidden.make_base(key) if found is None else found
    matte = np.where(packed[height : 2 * height] >= OPAQUE_LUMA, 255, 0).astype(np.uint8)
    return visible_tiles(matte, MOVES_TILES)


def _surface(canvas: Canvas, allowed: Tiles) -> _Surface:
    return _Surface(canvas, allowed, np.full(canvas.tiles.shape, "", object))
