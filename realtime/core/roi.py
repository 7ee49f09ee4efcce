"""How much a region has to be redone, judged in control space before a single pixel is touched."""

from enum import IntEnum

from realtime.core.values import Roi

REUSE_PX = 0.25
WARP_PX = 1.0
ONE_STEP_PX = 4.0


class Dirt(IntEnum):
    """What a region asks for, from nothing to everything."""

    REUSE = 0
    WARP = 1
    ONE_STEP = 2
    TWO_STEPS = 3


def judge(displacement_px: float, *, newly_opened: bool = False) -> Dirt:
    """Class of a region by the predicted landmark displacement since it was last drawn. A mouth that has just opened
    shows what no earlier picture contains, so it asks for everything."""
    if newly_opened or displacement_px > ONE_STEP_PX:
        return Dirt.TWO_STEPS
    if displacement_px >= WARP_PX:
        return Dirt.ONE_STEP
    if displacement_px >= REUSE_PX:
        return Dirt.WARP
    return Dirt.REUSE


def overlaps(a: Roi, b: Roi) -> bool:
    """Whether two rectangles share a pixel."""
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height
