"""Draws the mouth: hollow, teeth, tongue, lips, each a textured band between lines of the mouth's shape."""

from typing import Final

import numpy as np
import skia
from numpy.typing import NDArray

from models.avatar import mouth_paint
from models.avatar.face_shape import Surface
from models.avatar.geometry import Points, ramp, ribbon, smoothstep, within
from models.avatar.mesh import Strip
from models.avatar.mouth_paint import MARGIN
from models.avatar.mouth_shape import COLUMNS, MouthShape, U, mouth_shape
from models.avatar.paint import LINEAR, color, fill, image_of, linear, polygon, shade
from models.avatar.projection import View
from models.avatar.spec import AvatarSpec
from realtime.core.facs import Controls

_ACROSS: Final = (U + 1) / 2
_LINE_WIDTH: Final = np.interp(U, np.linspace(-1, 1, 9), (0.35, 0.8, 0.75, 1.0, 0.8, 1.0, 0.75, 0.8, 0.35))
_SPARSE: Final = slice(None, None, 2)
"""Every second column: enough for the soft hollow below the lip."""
_TOOTH_X: Final = np.linspace(-1, 1, 11)
_TONGUE_X: Final = np.linspace(-1, 1, 7)
CLOSED_ROWS: Final = 0.75
"""From here on of `teeth` the rows have met, and the tongue is behind them."""


class Mouth:
    """The mouth of one avatar."""

    def __init__(self, spec: AvatarSpec, surface: Surface) -> None:
        self._lips = spec.lips
        self._fullness = spec.shape.lip_fullness
        self._surface = surface
        upper, lower = mouth_paint.lip_bands(spec.lips, spec.seed)
        self._upper = Strip(upper, (120, 24), 4, _ACROSS, np.array([0.0, MARGIN, 0.6, 1.0]), smooth=True)
        self._lower = Strip(lower, (120, 28), 4, _ACROSS, np.array([0.0, 0.4, 1.0 - MARGIN, 1.0]), smooth=True)
        self._shadow = Strip(mouth_paint.inner_shadow(spec.lips), (72, 36), 2, _ACROSS, smooth=True)
        self._dimple = image_of(mouth_paint.dimple(spec.skin))
        self._hollow = Strip(mouth_paint.lip_shadow(spec.skin), (64, 24), 3, _ACROSS[_SPARSE], smooth=True)
        self._teeth = Strip(mouth_paint.teeth_band(True), (110, 26), 2, (_TOOTH_X + 1) / 2)
        self._lower_teeth = Strip(mouth_paint.teeth_band(False), (90, 16), 2, (_TOOTH_X + 1) / 2)
        lying, raised = mouth_paint.tongue_bands(spec.lips)
        self._tongue = Strip(lying, (64, 32), 3, (_TONGUE_X + 1) / 2, smooth=True)
        self._raised = Strip(raised, (56, 30), 3, (_TONGUE_X + 1) / 2, smooth=True)
        self._tip = Strip(mouth_paint.tongue_tip(spec.lips), (52, 24), 3, (_TONGUE_X + 1) / 2, smooth=True)

    def draw(self, canvas: skia.Canvas, view: View, c: Controls) -> None:
        """Draw the mouth over the skin."""
        m = mouth_shape(c, self._fullness)
        lines = self._lines(view, m)
        upper_out, upper_in, lower_in, lower_out = lines[1], lines[3], lines[4], lines[6]
        self._hollow.draw(canvas, lines[[6, 8, 9], _SPARSE].reshape(-1, 2))
        self._corners(canvas, lower_in, c)
        if m.gap > 0.35:
            self._draw_inside(canvas, view, m, c, upper_in, lower_in)
        self._upper.draw(canvas, np.concatenate([lines[0], upper_out, lines[2], upper_in]))
        self._lower.draw(canvas, np.concatenate([lower_in, lines[5], lower_out, lines[7]]))
        self._draw_line(canvas, m, upper_in, lower_in)
        if c["tongue_out"] > 0.05:
            self._draw_tip(canvas, view, m, c["tongue_out"])

    def _lines(self, view: View, m: MouthShape) -> NDArray[np.float64]:
        """Ten lines of pixels, (10, COLUMNS, 2): the upper lip's fade, edge, middle and inner edge; the lower lip's
        inner edge, middle, edge and fade; two lines of the hollow below."""
        upper, lower = m.upper_in - m.upper_out, m.lower_out - m.lower_in
        fade = MARGIN / (1 - MARGIN)
        below = 1 - U * U
        ys = (
            m.upper_out - upper * fade, m.upper_out, m.upper_out + 0.52 * upper, m.upper_in,
            m.lower_in, m.lower_in + 0.48 * lower, m.lower_out, m.lower_out + lower * fade,
            m.lower_out + 3.0 + 3.0 * below, m.lower_out + 6.0 + 6.0 * below,
        )  # fmt: skip
        xs = (m.x * 1.04, m.x * 1.03, m.x * 1.015, m.x, m.x, m.x * 1.015, m.x * 1.03, m.x * 1.04, m.x * 0.9, m.x * 0.8)
        forward = np.repeat([0.5, 0.8, 1.2, 0.6, 0.6, 1.2, 0.8, 0.5, 0.0, 0.0], COLUMNS)
        xy = np.column_stack([np.concatenate(xs), np.concatenate(ys)])
        flat = xy.copy()
        flat[:, 1] = within(flat[:, 1] - 0.55 * m.jaw * smoothstep(flat[:, 1], 64, 90), 52, 100)
        flat[:, 0] *= 0.95
        xyz = self._surface.carry(xy, flat, forward + m.forward * (forward > 0.1))
        return view.head(xyz).reshape(10, COLUMNS, 2)

    def _corners(self, canvas: skia.Canvas, line: Points, c: Controls) -> None:
        paint = skia.Paint(Alphaf=min(1.0, 0.55 + 0.45 * c["AU14"] + 0.25 * c["AU12"]))
        half = self._dimple.width() / 2
        for x, y in (line[0], line[-1]):
            canvas.drawImage(self._dimple, x - half, y + 0.6 - half, LINEAR, paint)

    def _draw_inside(
        self, canvas: skia.Canvas, view: View, m: MouthShape, c: Controls, upper_in: Points, lower_in: Points
    ) -> None:
        lips = self._lips
        canvas.save()
        # the rim drawn later covers the edge of the clip, so it need not be smooth
        canvas.clipPath(polygon(np.concatenate([upper_in, lower_in[::-1]])), False)
        top, bottom = float(upper_in[:, 1].min()), float(lower_in[:, 1].max())
        dark = linear((0, top), (0, bottom), [(0, "#1c070b"), (0.55, lips.cavity), (1, "#4a1518")])
        canvas.drawPaint(shade(dark))
        lowest = float(m.lower_in.max())
        if lowest > m.teeth_y + 0.6 and c["teeth"] < CLOSED_ROWS:
            self._draw_tongue(canvas, view, m, c)
        width = min(m.half_width * 0.92, 26.0)
        arch = 2.6 * _TOOTH_X**2
        if m.lower_teeth_y < lowest:
            self._row(canvas, view, self._lower_teeth, width * 0.86, m.lower_teeth_y + arch * 0.6, 7.0, -4.0, m.jaw)
        if c["tongue_up"] > 0.05 and c["tongue_out"] <= 0.05:
            self._draw_raised(canvas, view, m, c["tongue_up"])
        self._row(canvas, view, self._teeth, width, m.teeth_y - 12.0 - arch * 0.4, 12.0 - arch * 0.6, -3.0, 0.0)
        canvas.restore()
        self._shadow.draw(canvas, np.concatenate([upper_in, lower_in]))

    def _at(self, view: View, xy: Points, forward: float, jaw: float) -> Points:
        flat = np.column_stack([xy[:, 0], within(xy[:, 1] - jaw, 60, 90)])
        return view.head(self._surface.carry(xy, flat, forward))

    def _row(
        self, canvas: skia.Canvas, view: View, strip: Strip, width: float, top: NDArray[np.float64],
        height: float | NDArray[np.float64], forward: float, jaw: float,
    ) -> None:  # fmt: skip
        x = _TOOTH_X * width
        rows = np.concatenate([np.column_stack([x, top]), np.column_stack([x, top + height])])
        strip.draw(canvas, self._at(view, rows, forward, jaw))

    def _draw_tongue(self, canvas: skia.Canvas, view: View, m: MouthShape, c: Controls) -> None:
        middle = float(m.lower_in[COLUMNS // 2])
        back = min(0.42 * m.gap, 7.5) + 2.4 * c["tongue_up"]
        width = m.half_width * (0.66 - 0.08 * m.roundness)
        top = (
            middle
            - back
            + 3.0 * _TONGUE_X**2 * (1 - 0.4 * m.roundness)
            - 0.6 * np.exp(-((np.abs(_TONGUE_X) - 0.4) ** 2) / 0.06)
        )
        shown = 1.0 - ramp(c["teeth"], 0.5, CLOSED_ROWS)
        self._tongue_rows(canvas, view, m, self._tongue, width, (top, top + 6.0, top + 15.0), -8.0, shown)

    def _draw_raised(self, canvas: skia.Canvas, view: View, m: MouthShape, amount: float) -> None:
        low = float(m.lower_in[COLUMNS // 2])
        tip = low - (low - m.teeth_y + 3.0) * amount
        width = m.half_width * 0.58
        top = tip + 1.6 * _TONGUE_X**2
        bottom = np.full_like(top, low + 3.0)
        self._tongue_rows(
            canvas, view, m, self._raised, width, (top, (top + bottom) / 2, bottom), -5.0, min(1.0, 1.6 * amount)
        )

    def _draw_tip(self, canvas: skia.Canvas, view: View, m: MouthShape, amount: float) -> None:
        low = float(m.lower_in[COLUMNS // 2])
        top = np.full(len(_TONGUE_X), m.teeth_y - 0.6) + 0.8 * _TONGUE_X**2
        tip = max(low + 5.6 * amount, m.teeth_y + 3.0)
        bottom = tip - 0.45 * (tip - m.teeth_y) * np.abs(_TONGUE_X) ** 2.5
        self._tongue_rows(
            canvas,
            view,
            m,
            self._tip,
            m.half_width * 0.48,
            (top, (top + bottom) / 2, bottom),
            2.0,
            min(1.0, 2.5 * amount),
        )

    def _tongue_rows(
        self, canvas: skia.Canvas, view: View, m: MouthShape, strip: Strip, width: float,
        rows: tuple[NDArray[np.float64], ...], forward: float, alpha: float,
    ) -> None:  # fmt: skip
        x = _TONGUE_X * width + m.middle_x
        xy = np.concatenate([np.column_stack([x, y]) for y in rows])
        strip.draw(canvas, self._at(view, xy, forward, 0.8 * m.jaw), alpha)

    def _draw_line(self, canvas: skia.Canvas, m: MouthShape, upper_in: Points, lower_in: Points) -> None:
        shut = 1 - ramp(m.gap, 0.6, 3.0)
        if shut > 0.02:
            middle = (upper_in + lower_in) / 2
            canvas.drawPath(polygon(ribbon(middle, _LINE_WIDTH * 2.0)), fill(self._lips.line, 0.85 * shut))
        if shut < 0.98:
            rim = skia.Paint(AntiAlias=True, Color=color(self._lips.line, 0.42 * (1 - shut)), StrokeWidth=1.4)
            rim.setStyle(skia.Paint.kStroke_Style)
            canvas.drawPath(polygon(np.concatenate([upper_in, lower_in[::-1]])), rim)
