"""Paints the sleeve and cuff of the arm that waves."""

from typing import Final

import numpy as np

from models.avatar.geometry import taper
from models.avatar.mesh import TEXTURE_DENSITY, Sprite
from models.avatar.paint import blank, canvas_on, clipped, fill, linear, polygon, shade
from models.avatar.spec import AvatarSpec

FOREARM: Final = 196.0
"""Elbow to wrist in head units."""
WITH_SHIRT: Final = frozenset({"blazer", "suit", "cardigan"})
"""Outfits under whose sleeves a white cuff shows."""
SLEEVE_BOX: Final = (-48.0, -214.0, 48.0, 20.0)


def sleeve_sprite(spec: AvatarSpec) -> Sprite:
    """Cuff and sleeve of the forearm; the elbow is at the origin, the wrist straight above it."""
    c = spec.cloth
    shown = spec.outfit in WITH_SHIRT
    white, grey = (c.blouse, c.blouse_shade) if shown else (c.base, c.deep)
    x0, y0, x1, y1 = SLEEVE_BOX
    pixels = blank(round((x1 - x0) * TEXTURE_DENSITY), round((y1 - y0) * TEXTURE_DENSITY))
    canvas = canvas_on(pixels)
    canvas.scale(TEXTURE_DENSITY, TEXTURE_DENSITY)
    canvas.translate(-x0, -y0)
    top = -FOREARM
    cuff = np.array(
        [(-22, top - 5), (0, top - 1), (22, top - 5), (24, top + 14), (0, top + 20), (-24, top + 14)], float
    )
    canvas.drawPath(
        polygon(cuff), shade(linear((-24, 0), (24, 0), [(0, "#ffffff" if shown else c.light), (0.5, white), (1, grey)]))
    )
    canvas.drawPath(
        polygon(taper([(-21, top - 6), (0, top - 2), (21, top - 6)], 3.4, (1, 1))), fill(spec.skin.line, 0.35, 1.4)
    )
    sleeve = polygon(
        np.array(
            [
                (-28, top + 8),
                (0, top + 14),
                (28, top + 8),
                (34, -120),
                (39, -50),
                (40, 20),
                (-42, 20),
                (-41, -50),
                (-35, -120),
            ],
            float,
        )
    )
    canvas.drawPath(
        sleeve, shade(linear((-42, 0), (42, 0), [(0, c.light), (0.25, c.base), (0.62, c.dark), (1, c.deep)]))
    )
    with clipped(canvas, sleeve):
        for points, width, code, alpha, blur in (
            ([(-28, top + 20), (0, top + 27), (28, top + 20)], 2.6, c.deep, 0.55, 0.9),
            ([(-36, -130), (2, -118), (36, -136)], 10.0, c.deep, 0.34, 4.5),
            ([(-38, -96), (-6, -82), (38, -104)], 11.0, c.deep, 0.40, 4.5),
            ([(-40, -50), (0, -36), (40, -58)], 12.0, c.deep, 0.40, 4.5),
            ([(-36, -84), (-4, -70), (32, -90)], 6.0, c.edge, 0.30, 3.5),
            ([(-16, -182), (-22, -130), (-20, -64)], 11.0, c.edge, 0.26, 5.5),
            ([(-29, top + 10), (-35, -120), (-41, -40)], 5.0, "#ffffff", 0.30, 2.2),
        ):
            canvas.drawPath(polygon(taper(points, width)), fill(code, alpha, blur))
    return Sprite(pixels, x0, y0)
