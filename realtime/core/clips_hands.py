"""Gestures of the hands: pointing, counting, thumbs up, open palms, a product held up, a hand at the chin.

The shape of the hand is set while the arm is out of the picture, so it never changes before the viewer's eyes."""

from typing import Final

from realtime.core.facs import HAND_SHAPES
from realtime.core.primitives import Primitive, Track

_OUT_OF_SIGHT_S: Final = 0.001


def _shape(name: str, length_s: float) -> Track:
    """The hand's shape from the first frame to the last."""
    index = float(HAND_SHAPES.index(name))
    return ((0, 0), (_OUT_OF_SIGHT_S, index), (length_s - _OUT_OF_SIGHT_S, index), (length_s, 0))


def _held(peak: float, rise_s: float, fall_s: float, length_s: float) -> Track:
    return ((0, 0), (rise_s, peak), (fall_s, peak), (length_s, 0))


def _hand(name: str, shape: str, length_s: float, description: str, **tracks: Track) -> Primitive:
    """Up within half a second, down at the end. The head moves only where a track says so."""
    moves_body = any(control in tracks for control in ("yaw", "pitch", "roll", "lean", "shoulders"))
    arm = {"hand": _shape(shape, length_s), "arm_raise": _held(1.0, 0.5, length_s - 0.55, length_s)}
    return Primitive(name, "gesture", length_s, arm | tracks, description, moves_body)


def _beat(length_s: float, size: float = 0.4) -> Track:
    """A small beat of the hand when it has arrived."""
    return ((0, 0), (0.45, -0.3 * size), (0.75, size), (1.1, 0), (length_s, 0))


def _aside(length_s: float, yaw: float) -> Track:
    return ((0, 0), (0.2, 0), (0.6, yaw), (length_s - 0.6, yaw), (length_s, 0))


def _glance(length_s: float, x: float) -> Track:
    return ((0, 0), (0.3, 0), (0.38, x), (length_s - 0.8, x), (length_s - 0.7, 0), (length_s, 0))


HANDS: Final = (
    _hand(
        "point_left", "point_left", 2.6, "Points to the picture's left and glances there.",
        yaw=_aside(2.6, -4.5), gaze_x=_glance(2.6, -0.6), arm_swing=_beat(2.6), AU12=_held(0.3, 0.5, 2.0, 2.6),
    ),
    _hand(
        "point_right", "point_right", 2.6, "Points to the picture's right and glances there.",
        yaw=_aside(2.6, 4.5), gaze_x=_glance(2.6, 0.6), arm_swing=_beat(2.6), AU12=_held(0.3, 0.5, 2.0, 2.6),
    ),
    _hand(
        "point_up", "one", 2.2, "Lifts a finger with raised brows: mark this.",
        arm_swing=_beat(2.2, 0.6), AU1=_held(0.5, 0.4, 1.4, 2.2), AU2=_held(0.5, 0.4, 1.4, 2.2),
    ),
    _hand(
        "thumbs_up", "thumb", 2.4, "Thumb up with a smile: well done.",
        arm_swing=_beat(2.4, 0.7), AU12=_held(0.7, 0.4, 1.8, 2.4), AU6=_held(0.5, 0.4, 1.8, 2.4),
        pitch=((0, 0), (0.55, 0), (0.85, 3.6), (1.25, 0), (2.4, 0)),
    ),
    _hand(
        "open_palms", "palms", 2.6, "Opens both palms: here you are, come in.",
        arm_swing=((0, 0), (0.5, 0.4), (1.1, -0.5), (2.0, -0.3), (2.6, 0)), AU12=_held(0.45, 0.5, 1.9, 2.6),
        AU1=_held(0.3, 0.5, 1.6, 2.6), AU2=_held(0.3, 0.5, 1.6, 2.6),
    ),
    _hand("count_one", "one", 2.0, "Shows one finger: first.", arm_swing=_beat(2.0)),
    _hand("count_two", "two", 2.0, "Shows two fingers: second.", arm_swing=_beat(2.0)),
    _hand("count_three", "three", 2.0, "Shows three fingers: third.", arm_swing=_beat(2.0)),
    _hand(
        "touch_chin", "chin", 3.4, "Lays a hand to the chin and looks up: let me think.",
        roll=_held(-2.4, 0.6, 2.6, 3.4), gaze_x=_glance(3.4, 0.45), gaze_y=_glance(3.4, -0.5),
        AU4=_held(0.25, 0.5, 2.6, 3.4), AU14=_held(0.35, 0.5, 2.6, 3.4),
    ),
    Primitive(
        "show_product", "gesture", 2.2,
        {"hand": _shape("card", 2.2), "arm_raise": _held(1.0, 0.65, 1.55, 2.2),
         "arm_swing": ((0, 0), (0.65, -0.4), (1.0, 0.2), (1.3, 0), (2.2, 0))},
        "Holds the product's card up, until it is put down or the hand is needed.",
        moves_body=False, holds="product", hold_at_s=1.4, hold_for_s=20.0,
    ),
    Primitive("put_down", "gesture", 0.4, {}, "Puts down what the hand holds.", moves_body=False, puts_down=True),
)  # fmt: skip
