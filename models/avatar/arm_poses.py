"""Where arm and hand are for each shape of the hand: raised to full height, and while it comes up from below."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import skia

from models.avatar.projection import ORIGIN_PX, VIEW_SCALE
from models.avatar.sleeve import FOREARM
from realtime.core.facs import HAND_SHAPES

HAND_SCALE: Final = 0.80
ELBOW_LOW: Final = (-176.0, 580.0)
TURN_LOW_DEG: Final = -24.0
SWING_DEG: Final = 4.5
WRIST_SWING_DEG: Final = 11.0
ARM_X_UNITS: Final = 70.0
"""Head units towards the picture's middle at arm_x = 1."""


@dataclass(frozen=True, slots=True)
class ArmPose:
    """One shape's arm on the picture's left, raised; mirrored for the other side."""

    hand: str
    """Sprite of the hand."""
    elbow: tuple[float, float]
    turn_deg: float
    """Of the forearm, clockwise from upright."""
    wrist_deg: float = 0.0
    sides: tuple[int, ...] = (1,)
    """1 for the arm on the picture's left, -1 for the other."""
    flipped: bool = False
    """Whether the hand is the mirror image of its sprite."""
    card_at: tuple[float, float] | None = None
    """Centre of a card that is held, in units of the hand."""


POSES: Final[Mapping[str, ArmPose]] = {
    "open": ArmPose("open", (-147.0, 282.0), 3.0),
    "one": ArmPose("one", (-150.0, 292.0), 4.0),
    "two": ArmPose("two", (-150.0, 292.0), 4.0),
    "three": ArmPose("three", (-150.0, 292.0), 4.0),
    "thumb": ArmPose("thumb", (-168.0, 322.0), 14.0),
    "palms": ArmPose("open", (-88.0, 346.0), -13.0, -18.0, (1, -1)),
    "point_left": ArmPose("point", (-70.0, 344.0), -9.0, flipped=True),
    "point_right": ArmPose("point", (-70.0, 344.0), -9.0, sides=(-1,), flipped=True),
    "card": ArmPose("grip", (-176.0, 352.0), 12.0, -8.0, card_at=(6.0, -112.0)),
    "chin": ArmPose("chin", (-166.0, 350.0), 25.0, -16.0),
}


def pose_of(hand: float) -> ArmPose:
    """The pose of a shape's index."""
    return POSES[HAND_SHAPES[min(len(HAND_SHAPES) - 1, max(0, round(hand)))]]


def matrices(pose: ArmPose, side: int, raised: float, swing: float, shift: float) -> tuple[skia.Matrix, skia.Matrix]:
    """Local units to picture pixels, for hand and sleeve."""
    x = ELBOW_LOW[0] + (pose.elbow[0] - ELBOW_LOW[0]) * raised + ARM_X_UNITS * shift * raised
    y = ELBOW_LOW[1] + (pose.elbow[1] - ELBOW_LOW[1]) * raised
    turn = TURN_LOW_DEG + (pose.turn_deg - TURN_LOW_DEG) * raised + SWING_DEG * swing * raised
    sleeve = skia.Matrix()
    sleeve.setTranslate(*ORIGIN_PX)
    sleeve.preScale(VIEW_SCALE * side, VIEW_SCALE)
    sleeve.preTranslate(x, y)
    sleeve.preRotate(turn)
    hand = skia.Matrix.Concat(sleeve, skia.Matrix())
    hand.preTranslate(0, -FOREARM - 4)
    hand.preRotate(pose.wrist_deg * raised + WRIST_SWING_DEG * swing * raised)
    hand.preScale(HAND_SCALE * (-1 if pose.flipped else 1), HAND_SCALE)
    return hand, sleeve
