"""Controls of a portrait in whole steps of a quarter of a pixel: what belongs to which region, how far things move."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.assets import Assets
from models.avatar.portrait.basis import BOTH_CONTROLS, LOWER_CONTROLS, UPPER_CONTROLS
from models.avatar.portrait.eyes import GAZE_UNITS
from realtime.core.facs import CONTROL_COUNT, CONTROL_INDEX, REST, Controls

STEP_PX: Final = 0.25
"""Largest movement that one step of a control may make."""
UPPER: Final = (*UPPER_CONTROLS, *BOTH_CONTROLS, "AU5", "blink_l", "blink_r", "gaze_x", "gaze_y")
LOWER: Final = (*BOTH_CONTROLS, *LOWER_CONTROLS, "tongue_up", "tongue_out")
_REGIONS: Final = {
    "upper": np.array([CONTROL_INDEX[n] for n in UPPER], np.intp),
    "lower": np.array([CONTROL_INDEX[n] for n in LOWER], np.intp),
}
_WHOLE: Final = np.unique(np.concatenate(list(_REGIONS.values())))
_TONGUE_UNITS: Final = {"tongue_up": 0.30, "tongue_out": 0.30, "teeth": 0.05}
_SHADE_PX: Final = 3.0
"""Shading counts as at least this much movement, so that a fold deepens in steps that nobody sees."""


class Steps:
    """Quantises controls for one portrait; how far each reaches is measured on its own movements."""

    def __init__(self, assets: Assets) -> None:
        scale = assets.frame.scale_px
        reach = np.zeros(CONTROL_COUNT)
        for names, basis in (
            ((*UPPER_CONTROLS, *BOTH_CONTROLS), assets.fields.upper),
            ((*BOTH_CONTROLS, *LOWER_CONTROLS), assets.fields.lower),
        ):  # fmt: skip
            for name, moves in zip(names, basis, strict=True):
                far = float(np.hypot(moves[..., 0], moves[..., 1]).max()) * scale
                reach[CONTROL_INDEX[name]] = max(reach[CONTROL_INDEX[name]], far, _SHADE_PX)
        gap = max(eye.gap_px for eye in assets.eyes) / 2
        for name, px in (("blink_l", gap), ("blink_r", gap), ("AU5", 0.3 * gap), ("AU7", max(0.3 * gap, 1.5))):
            reach[CONTROL_INDEX[name]] = max(reach[CONTROL_INDEX[name]], px)
        for name, units in (("gaze_x", GAZE_UNITS[0]), ("gaze_y", GAZE_UNITS[1]), *_TONGUE_UNITS.items()):
            reach[CONTROL_INDEX[name]] = max(reach[CONTROL_INDEX[name]], units * scale)
        self._reach = reach
        self._step = np.where(reach > 0, STEP_PX / np.maximum(reach, 1e-6), 1.0)
        self._rest = self.whole(REST)

    def whole(self, controls: Controls) -> NDArray[np.int16]:
        """Every control in whole steps, int16 (CONTROL_COUNT,)."""
        return np.asarray(np.rint(controls.clipped().vector / self._step), np.int16)

    def stepped(self, controls: Controls) -> Controls:
        """The controls that the steps stand for; the pose's come back rounded and are not to be used."""
        return Controls((self.whole(controls) * self._step).astype(np.float32))

    def key(self, regions: Sequence[str], whole: NDArray[np.int16]) -> bytes | None:
        """What decides the regions' pixels; None if they look as in the base frame."""
        at = _REGIONS[regions[0]] if len(regions) == 1 else _WHOLE
        steps = whole[at]
        return None if bool((steps == self._rest[at]).all()) else steps.tobytes()

    def displacement_px(self, region: str, before: Controls, after: Controls) -> float:
        """Largest predicted landmark movement: a linear model, each control with its reach, the pulls added up."""
        at = _REGIONS[region]
        change = np.abs(after.vector[at] - before.vector[at]) * self._reach[at]
        return float(change.max() + 0.5 * (change.sum() - change.max()))
