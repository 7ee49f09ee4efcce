"""How far each control moves each mesh point: a displacement basis written once for all faces, in face units.

The shapes follow the muscles of FACS (Ekman, Friesen & Hager 2002), tuned by eye on photographs. Lids, irises, teeth
and tongue are not here: they are drawn, not warped."""

from typing import Final

import numpy as np

from models.avatar.portrait.numerics import Floats, smoothstep
from models.avatar.portrait.surface import DEPTH_AT_JAW, Moves, Surface, members, moves, survey
from models.avatar.portrait.topology import LEFT_LOWER_LID, LEFT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_UPPER_LID

UPPER_CONTROLS: Final = ("AU1", "AU2", "AU4", "AU7", "brow_asym")
BOTH_CONTROLS: Final = ("AU6", "AU9")
LOWER_CONTROLS: Final = (
    "AU10", "AU12", "AU14", "AU15", "AU16", "AU17", "AU18", "AU20", "AU22", "AU23", "AU24", "AU25", "AU26",
    "lip_tuck", "lip_round", "teeth", "smirk",
)  # fmt: skip
"""Controls that warp, by where; those of BOTH_CONTROLS cross the border between the regions."""

_JAW_HINGE_V: Final = 0.30


def displacements(face: Floats) -> dict[str, Moves]:
    """Displacement of the mesh points at full control, by control, for a face at rest (478, 3) in face units.

    `smirk` and `brow_asym` are the displacement at +1."""
    s = survey(face)
    found = _brows(s) | _cheeks(s) | _jaw_and_parting(s) | _corners(s) | _rounding(s) | _pressing(s)
    return {name: found[name] for name in (*UPPER_CONTROLS, *BOTH_CONTROLS, *LOWER_CONTROLS)}


def _jaw_and_parting(s: Surface) -> dict[str, Moves]:
    """The jaw drop as a turn about its hinge; lips that part, are raised or drawn down."""
    open_profile = np.clip(1 - s.reach**2.3, 0, 1)
    inside = np.abs(s.t) <= 1
    share = 0.25 + 0.75 * (1 - s.reach**2.1)
    lower = np.where(inside, share + (1 - share) * smoothstep(0, 0.34, s.below), 0)
    upper = np.where(inside, 0.25 * s.reach**3 * (1 - smoothstep(0, 0.40, -s.below)), 0)
    cheek_line = s.line - 0.38 * np.clip((np.abs(s.u - s.middle) - s.half) / (1.0 - s.half), 0, 1)
    outer = smoothstep(-0.50, 0.58, s.v - cheek_line)
    weight = np.where(inside, np.where(s.low, lower, upper), outer)
    blend = smoothstep(0.8, 1.25, np.abs(s.t))  # hides the seam where lips end and cheeks begin
    weight = weight * (1 - blend) + outer * blend
    high = s.nose - 0.05
    weight = np.where(s.v < high, weight * (1 - smoothstep(0, 0.35, high - s.v)), weight)
    drop = 0.40 * (0.45 + 0.55 * (DEPTH_AT_JAW - s.z) / 0.98) * weight
    narrow = -0.045 * s.side * weight * smoothstep(0.35, 0.8, np.abs(s.u - s.middle))
    jaw = moves(narrow, drop, 0.22 * (s.v - _JAW_HINGE_V) / 1.47 * weight)
    jaw[:, 1] += np.where(s.is_up, 0.018 * (1 - s.reach**2) * s.upper_pull, 0)
    near = 1 - smoothstep(0.9, 1.6, np.abs(s.t))
    raised = -0.105 * (1 - s.reach**3) * (0.82 + 0.3 * np.exp(-(((s.reach - 0.5) / 0.3) ** 2))) * s.upper_pull
    wings = s.twin(0.27, s.nose - 0.03, 0.16, 0.20)
    down = np.where(s.low, 0.10 * (1 - s.reach**2.2) * s.lower_pull + 0.02 * smoothstep(0.2, 0.5, s.below) * near, 0)
    return {
        "AU26": jaw,
        "AU25": moves(0, np.where(s.is_up, -0.030 * open_profile * s.upper_pull, 0.066 * open_profile * s.lower_pull)),
        "AU10": moves(0, raised - 0.045 * wings),
        "AU16": moves(0.015 * s.side * s.reach * s.lower_pull, down),
        "teeth": moves(
            np.asarray(0.02 * s.t.clip(-1, 1) * _spread(s)),
            np.where(s.is_up, -0.020 * s.upper_pull, 0.026 * s.lower_pull) * open_profile,
        ),
    }


def _spread(s: Surface) -> Floats:
    """Influence of what pulls at the lips sideways: the lips, and the skin beside the corners."""
    lips = np.where(s.is_up, s.upper_pull, s.lower_pull) * (np.abs(s.t) <= 1)
    beside = np.exp(-(((np.abs(s.t) - 1) * s.half / 0.30) ** 2)) * (np.abs(s.t) > 1)
    return np.maximum(lips, beside * np.exp(-(((s.v - s.line + 0.05) / 0.30) ** 2)))


def _corners(s: Surface) -> dict[str, Moves]:
    """What the corners do: smile, dimple, droop, stretch; and one corner more than the other."""
    spread = _spread(s)
    smile, dimple, droop, stretch = ({} for _ in range(4))
    for way in (-1, 1):
        along = np.clip(way * s.t, 0, 1)
        half = smoothstep(-0.25, 0.35, way * s.t)
        thin = (
            half
            * (np.where(s.upper_lip, 0.028 * s.upper_depth, 0) - np.where(s.lower_lip, 0.030 * s.lower_depth, 0))
            * (1 - s.reach**2)
        )
        corner = np.exp(-(((way * s.t - 1) * s.half / 0.20) ** 2)) * np.exp(-(((s.v - s.line - 0.06) / 0.24) ** 2))
        apple, jowl = s.spot(way * 0.62, 0.66, 0.30, 0.26), s.spot(way * 0.5, 0.95, 0.22, 0.22)
        smile[way] = moves(
            way * (0.100 * along * spread + 0.030 * apple),
            -0.145 * along**2 * spread - 0.012 * (1 - along) * half * s.upper_pull - 0.075 * apple - 0.03 * jowl + thin,
            0.05 * np.exp(-(((way * s.t - 1) / 0.5) ** 2)) * spread - 0.05 * apple,
        )
        dimple[way] = moves(way * 0.055 * along**2 * spread, -0.02 * along**3 * spread, 0.06 * along**2 * spread)
        droop[way] = moves(-way * 0.012 * corner, 0.105 * corner)
        stretch[way] = moves(way * 0.12 * along * spread, 0.022 * along**2 * spread + 0.8 * thin, 0.05 * along * spread)
    both = {"AU12": smile, "AU14": dimple, "AU15": droop, "AU20": stretch}
    found = {name: parts[-1] + parts[1] for name, parts in both.items()}
    return found | {"smirk": 0.5 * (smile[1] - smile[-1])}


def _rounding(s: Surface) -> dict[str, Moves]:
    """Lips drawn together and pushed forward."""
    outside = s.side * np.exp(-(((np.abs(s.t) - 1) * s.half / 0.34) ** 2))
    over_lip = 1 - smoothstep(0.5 * (s.line - s.nose), 1.5 * (s.line - s.nose), -s.below)
    chin = (s.chin - s.line) * 0.55
    under_lip = 1 - smoothstep(0.5 * chin, 1.6 * chin, s.below)
    together = np.where(np.abs(s.t) <= 1, s.t, outside) * np.where(s.is_up, over_lip, under_lip)
    forward = np.exp(-((s.t / 1.1) ** 4)) * np.where(s.is_up, s.upper_pull, s.lower_pull)
    profile = np.clip(1 - s.reach**2.3, 0, 1)

    def fuller(up: tuple[float, float], low: tuple[float, float]) -> Floats:
        above = -(up[0] + up[1] * s.upper_depth) * s.upper_pull
        below = (low[0] + low[1] * s.lower_depth) * s.lower_pull
        return np.asarray(np.where(s.is_up, above, below) * profile, np.float64)

    return {
        "AU18": moves(-0.115 * together, fuller((0.0, 0.024), (0.0, 0.020)), -0.14 * forward),
        "AU22": moves(-0.060 * together, fuller((0.026, 0.022), (0.030, 0.014)), -0.16 * forward),
        "lip_round": moves(-0.030 * together, fuller((0.005, 0.006), (0.004, 0.002)), -0.05 * forward),
    }


def _pressing(s: Surface) -> dict[str, Moves]:
    """Lips pressed, tightened, tucked under the teeth, pushed up by the chin."""
    profile = np.clip(1 - s.reach**2.3, 0, 1)
    arch = 1 - s.reach**2
    forward = np.exp(-((s.t / 1.1) ** 4)) * np.where(s.is_up, s.upper_pull, s.lower_pull)
    near = 1 - smoothstep(0.9, 1.6, np.abs(s.t))
    inward = -s.t.clip(-1, 1) * np.where(s.is_up, s.upper_pull, s.lower_pull)

    def thinner(up: float, low: float, skin: float) -> Floats:
        lips = np.where(s.upper_lip, up * s.upper_depth, 0) - np.where(s.lower_lip, low * s.lower_depth, 0)
        around = np.where(s.is_up & ~s.upper_lip, skin * s.upper_pull, 0)
        around -= np.where(s.low & ~s.lower_lip, skin * s.lower_pull, 0)
        return np.asarray(lips * arch + around * profile)

    chin = -0.075 * s.spot(0, s.chin - 0.22, 0.36, 0.20) - np.where(s.low, 0.055 * arch * s.lower_pull, 0)
    chin -= np.where(s.is_up, 0.022 * arch * s.upper_pull, 0)
    chin += np.where(s.low, 0.035 * np.exp(-(((np.abs(s.t) - 1) / 0.35) ** 2)) * s.lower_pull, 0)
    return {
        "AU17": moves(0, chin, -0.04 * np.where(s.low, s.lower_pull * near, 0)),
        "AU23": moves(0.05 * inward, thinner(0.040, 0.045, 0.022)),
        "AU24": moves(0.02 * inward, thinner(0.050, 0.058, 0.032), 0.05 * forward),
        "lip_tuck": moves(
            0.01 * inward,
            np.where(s.low, -(0.028 + 0.052 * s.lower_depth) * s.lower_pull * profile, 0),
            np.where(s.low, 0.10 * forward, 0),
        ),
    }


def _brows(s: Surface) -> dict[str, Moves]:
    """Brows per side, and the lower lid's bulge; the lids' margins themselves are drawn."""
    parts: dict[str, dict[int, Moves]] = {"AU1": {}, "AU2": {}, "AU4": {}, "AU7": {}}
    for way, inner, mid, outer, lid in (
        (-1, 107, 105, 70, (*RIGHT_UPPER_LID, *RIGHT_LOWER_LID)),
        (1, 336, 334, 300, (*LEFT_UPPER_LID, *LEFT_LOWER_LID)),
    ):
        eye_u, eye_v = (float(s.face[[lid[0], lid[8]], axis].mean()) for axis in (0, 1))
        start, middle, end = (s.face[i, :2] for i in (inner, mid, outer))
        free = 1 - smoothstep(-0.36, -0.11, s.v - eye_v)  # the lids keep still

        def bump(at: Floats, ru: float, rv: float) -> Floats:
            tall = np.where(s.v < at[1], rv * 1.35, rv)
            return np.asarray(np.exp(-(((s.u - at[0]) / ru) ** 2) - ((s.v - at[1]) / tall) ** 2))

        near = bump(start + (0.03 * way, 0), 0.27, 0.24) * free
        parts["AU1"][way] = moves(0.006 * way * near, -0.13 * near)
        parts["AU2"][way] = moves(0, -0.125 * bump(end * 0.55 + middle * 0.45, 0.30, 0.24) * free)
        knit = bump(start + (0.06 * way, 0.03), 0.30, 0.22) * (1 - smoothstep(-0.16, -0.02, s.v - eye_v))
        parts["AU4"][way] = moves(-0.060 * way * bump(start + (0.04 * way, 0.02), 0.28, 0.22) * free, 0.105 * knit)
        bag = np.exp(-(((s.u - eye_u) / 0.34) ** 4) - ((s.v - eye_v - 0.19) / 0.12) ** 2) * (s.v > eye_v + 0.09)
        parts["AU7"][way] = moves(0, -0.024 * bag * ~members(lid))
    found = {name: both[-1] + both[1] for name, both in parts.items()}
    return found | {"brow_asym": 0.5 * (parts["AU2"][1] - parts["AU2"][-1] + parts["AU1"][1] - parts["AU1"][-1])}


def _cheeks(s: Surface) -> dict[str, Moves]:
    """Cheeks raised under the eyes; the nose wrinkled."""
    lids = members((*RIGHT_UPPER_LID, *RIGHT_LOWER_LID, *LEFT_UPPER_LID, *LEFT_LOWER_LID))
    raised = moves()
    for way in (-1, 1):
        cheek = np.exp(-(((s.u - way * 0.58) / 0.34) ** 2) - ((s.v - 0.46) / 0.26) ** 2)
        raised += moves(0.012 * way * cheek, -0.085 * cheek * smoothstep(0.10, 0.30, s.v) * ~lids, -0.04 * cheek)
    beside_nose, bridge = s.twin(0.24, s.nose - 0.06, 0.17, 0.20), s.twin(0.12, 0.30, 0.14, 0.25)
    brow, cheek = s.twin(0.20, -0.25, 0.26, 0.18), s.twin(0.5, 0.5, 0.22, 0.22)
    lip = np.where(s.is_up, 0.035 * np.clip(1 - s.reach**2.3, 0, 1) * s.upper_pull, 0)
    knit = s.spot(0.2, -0.25, 0.2, 0.15) - s.spot(-0.2, -0.25, 0.2, 0.15)
    wrinkled = moves(-0.03 * knit, (-0.060 * beside_nose - 0.035 * bridge + 0.055 * brow - 0.03 * cheek) * ~lids - lip)
    return {"AU6": raised, "AU9": wrinkled}
