"""Controls in whole steps: what belongs to which region, and how far each control moves the picture."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.face_shape import RESTING_SMILE, settled
from realtime.core.facs import CONTROL_INDEX, CONTROL_NAMES, REST, Controls
from realtime.core.physics import SPRINGS

STEP_PX: Final = 0.25
"""Largest movement that one step of a control may make."""

REACH_PX: Final[dict[str, float]] = {
    "AU1": 11.9, "AU2": 10.7, "AU4": 12.7, "AU5": 5.4, "AU6": 6.3, "AU7": 3.6, "AU9": 5.4, "AU10": 8.2, "AU12": 12.2,
    "AU14": 2.3, "AU15": 13.1, "AU16": 6.3, "AU17": 4.5, "AU18": 16.3, "AU20": 10.4, "AU22": 7.3, "AU23": 4.5,
    "AU24": 8.2, "AU25": 6.3, "AU26": 38.1, "blink_l": 27.2, "blink_r": 27.2, "gaze_x": 11.8, "gaze_y": 7.3,
    "lip_tuck": 7.3, "lip_round": 5.4, "teeth": 5.4, "tongue_up": 16.3, "tongue_out": 7.3, "smirk": 9.1,
    "brow_asym": 6.3, "arm_raise": 380.8, "arm_swing": 54.4, "arm_x": 95.2,
} | {name: spring.reach_px for name, spring in SPRINGS.items()}  # fmt: skip
"""Pixels the fastest landmark moves over a control's unit range, measured on the rig at 512 x 512."""

UPPER: Final = (
    "AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU9", "AU12", "AU15", "AU20", "AU23",
    "blink_l", "blink_r", "gaze_x", "gaze_y", "brow_asym", "smirk",
)  # fmt: skip
LOWER: Final = (
    "AU6", "AU9", "AU10", "AU12", "AU14", "AU15", "AU16", "AU17", "AU18", "AU20", "AU22", "AU23", "AU24", "AU25",
    "AU26", "lip_tuck", "lip_round", "teeth", "tongue_up", "tongue_out", "smirk",
)  # fmt: skip
ARM: Final = ("arm_raise", "arm_swing", "arm_x", "hand")
ARM_STEP_PX: Final = 2.0
"""The arm is a fast, large movement whose pictures are cached: coarser steps let them be met again."""

SWAY_STEP_PX: Final = 0.5
"""What swings is soft or small, and never still while it does."""

BY_SMILE: Final = ("AU12", "AU15", "AU20", "AU23")
"""These move the upper face only by what they leave of the smile, which has steps of its own there."""
SMILE_STEP: Final = RESTING_SMILE / 4
"""Of the smile that is felt: moves the fastest point of the upper face, high on the cheek, by 0.5 px. In speech the
lips' controls change in every frame, and most of the time the cheek does not."""

SIDE: Final = ("hair_x", "hair_tip", "hair_y", "jewel_x")

REGION_CONTROLS: Final = {
    "upper": UPPER, "lower": LOWER, "arm": ARM,
    "sway_left": SIDE, "sway_right": SIDE, "sway_middle": ("cloth_y", "jewel_x"),
}  # fmt: skip
_INDEX: Final = {
    name: np.array([CONTROL_INDEX[control] for control in controls], np.intp)
    for name, controls in REGION_CONTROLS.items()
}
_KEYED: Final = _INDEX | {
    "upper": np.array([CONTROL_INDEX[control] for control in UPPER if control not in BY_SMILE], np.intp)
}
_REACH: Final = np.array([REACH_PX.get(name, 0.0) for name in CONTROL_NAMES])
_STEPS_PX: Final = dict.fromkeys(ARM, ARM_STEP_PX) | dict.fromkeys(SPRINGS, SWAY_STEP_PX)
_STEP: Final = np.array(
    [_STEPS_PX.get(name, STEP_PX) / REACH_PX[name] if name in REACH_PX else 1.0 for name in CONTROL_NAMES]
)
"""Size of a step of each control; the pose controls are not stepped here but by the base key."""


def steps(controls: Controls) -> NDArray[np.int16]:
    """Every control in whole steps, int16 (CONTROL_COUNT,)."""
    return np.asarray(np.rint(controls.clipped().vector / _STEP), np.int16)


REST_STEPS: Final = steps(REST)


def stepped(controls: Controls) -> Controls:
    """The controls that the steps stand for; pose controls come back rounded and are not to be used."""
    return Controls((steps(controls) * _STEP).astype(np.float32))


def coarse_smile(felt: Controls) -> Controls:
    """Settled controls with the smile in whole steps: what skin and upper face are drawn from."""
    return felt.with_(AU12=SMILE_STEP * _smile_steps(felt))


def region_steps(region: str, whole: NDArray[np.int16]) -> bytes:
    """The steps that decide a region's pixels, as a key."""
    own = whole[_KEYED[region]].tobytes()
    if region != "upper":
        return own
    felt = settled(Controls((whole * _STEP).astype(np.float32)))
    return own + _smile_steps(felt).to_bytes(2)


def moved_regions(whole: NDArray[np.int16]) -> dict[str, bytes]:
    """The regions that look otherwise than in the base frame, each with what decides its pixels."""
    keys = {region: region_steps(region, whole) for region in REGION_CONTROLS}
    return {region: key for region, key in keys.items() if key != _REST_KEYS[region]}


def _smile_steps(felt: Controls) -> int:
    return round(felt["AU12"] / SMILE_STEP)


_REST_KEYS: Final = {region: region_steps(region, REST_STEPS) for region in REGION_CONTROLS}


def displacement_px(region: str, before: Controls, after: Controls) -> float:
    """Largest predicted landmark movement: a linear model, each control with its reach, the pulls added up."""
    at = _INDEX[region]
    change = np.abs(after.vector[at] - before.vector[at]) * _REACH[at]
    return float(change.max() + 0.5 * (change.sum() - change.max()))
