"""How each shape parameter bends the mean head: fields over the map, added up."""

from collections.abc import Mapping

import numpy as np

from models.diffusion.head3d.surface import blob, lid_distance
from models.diffusion.head3d.template import EYE, LINE, Floats, Template


def _step(low: float, high: float, x: Floats) -> Floats:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def bent(template: Template, mean: Floats, flat: Floats, shape: Mapping[str, float]) -> Floats:
    """The head (V, 3) of these parameters; `flat` (V, 2) is the map with lips closed."""
    head = mean.copy()
    for move in (_skull, _soft, _nose):
        move(head, flat, shape)
    _mouth(head, flat, shape, template)
    _eyes(head, flat, shape)
    return head


def _skull(head: Floats, p: Floats, g: Mapping[str, float]) -> None:
    """Skull and outline, in place."""
    x, y, z = head.T
    side = np.sign(p[:, 0])
    lower, jaw = _step(0.75, 1.9, p[:, 1]), _step(0.7, 1.3, p[:, 1])
    outer = _step(0.35, 0.9, np.abs(p[:, 0]))
    x *= 1 + (0.022 * g["head_width"] + 0.022 * g["weight"] * jaw) * outer
    x += (
        side
        * outer
        * (
            0.050 * g["jaw_width"] * jaw * _step(2.3, 1.6, p[:, 1])
            + 0.035 * g["cheekbone_width"] * blob(p, 0.95, 0.40, 0.4, 0.3)
        )
    )
    x += side * outer * 0.045 * g["jaw_angle"] * blob(p, 0.95, 1.30, 0.45, 0.28)
    x += side * 0.035 * g["chin_width"] * blob(p, 0.22, 1.72, 0.20, 0.20) + side * outer * 0.03 * g["temple"] * blob(
        p, 1.0, -0.45, 0.4, 0.35
    )
    y += 0.055 * g["face_length"] * lower + 0.05 * g["upper_face"] * _step(0.1, 0.75, p[:, 1])
    y -= 0.05 * g["head_height"] * _step(-0.6, -1.8, p[:, 1])
    y += 0.035 * g["chin_height"] * _step(1.35, 1.8, p[:, 1])
    z += 0.07 * g["forehead_slope"] * _step(-0.35, -1.4, p[:, 1]) * blob(p, 0, -1.0, 0.9, 1.2) - 0.03 * g[
        "forehead_bulge"
    ] * blob(p, 0, -0.75, 0.6, 0.35)


def _soft(head: Floats, p: Floats, g: Mapping[str, float]) -> None:
    """Brows, chin, cheeks and folds, in place."""
    x, y, z = head.T
    z += -0.030 * g["brow_ridge"] * (blob(p, 0.42, -0.30, 0.30, 0.10) + 0.6 * blob(p, 0, -0.33, 0.16, 0.14))
    z += -0.045 * g["chin_forward"] * blob(p, 0, 1.68, 0.32, 0.22) + 0.012 * max(g["chin_cleft"], 0) * blob(
        p, 0, 1.70, 0.035, 0.10
    )
    z += -0.030 * g["cheekbone_forward"] * blob(p, 0.66, 0.46, 0.26, 0.20) - 0.030 * g["cheek_full"] * blob(
        p, 0.52, 0.92, 0.26, 0.30
    )
    z += 0.030 * g["cheek_hollow"] * blob(p, 0.70, 1.08, 0.18, 0.26) - 0.03 * max(g["jowl"], 0) * blob(
        p, 0.52, 1.48, 0.15, 0.16
    )
    fold = (
        np.exp(-(((np.abs(p[:, 0]) - (0.28 + 0.30 * (p[:, 1] - 0.70))) / 0.035) ** 2))
        * _step(0.62, 0.80, p[:, 1])
        * _step(1.25, 1.02, p[:, 1])
    )
    z += 0.016 * max(g["fold_depth"] + 0.4, 0) * fold


def _nose(head: Floats, p: Floats, g: Mapping[str, float]) -> None:
    """In place."""
    x, y, z = head.T
    side = np.sign(p[:, 0])
    tip = blob(p, 0, 0.66, 0.17, 0.13)
    nose = blob(p, 0, 0.62, 0.30, 0.30)
    y += 0.040 * g["nose_length"] * nose - 0.030 * g["tip_up"] * tip
    x += side * 0.028 * g["nose_width"] * blob(p, 0.2, 0.69, 0.12, 0.12) + side * 0.012 * g["wings"] * blob(
        p, 0.22, 0.70, 0.07, 0.06
    )
    z += -0.030 * g["bridge_height"] * np.exp(-((p[:, 0] / 0.11) ** 2)) * blob(p, 0, 0.15, 9.0, 0.28)
    x += 0.20 * p[:, 0] * g["bridge_width"] * 0.5 * blob(p, 0, 0.25, 0.16, 0.30)
    z += -0.022 * g["nose_hump"] * blob(p, 0, 0.27, 0.09, 0.12) - 0.035 * g["tip_forward"] * blob(
        p, 0, 0.64, 0.15, 0.14
    )
    z += -0.018 * g["tip_size"] * (blob(p, 0.05, 0.66, 0.09, 0.08)) + 0.02 * g["tip_up"] * blob(p, 0, 0.75, 0.12, 0.05)
    x += 0.016 * g["asymmetry_nose"] * blob(p, 0, 0.55, 0.2, 0.25)


def _mouth(head: Floats, p: Floats, g: Mapping[str, float], template: Template) -> None:
    """Lips and what lies around them, in place."""
    x, y, z = head.T
    t, q = template.lip.T
    mouth = blob(p, 0, LINE, 0.55, 0.22)
    x += 0.055 * g["mouth_width"] * np.clip(p[:, 0] / 0.42, -1.25, 1.25) * blob(p, 0, LINE, 0.75, 0.26)
    body = np.clip(1 - np.abs(t) ** 2.2, 0, 1)
    grow = np.clip(q, 0, 1) * np.clip(2.2 - q, 0, 1) * body
    y += np.where(template.low, 0.026 * g["lower_full"], -0.024 * g["upper_full"]) * grow
    lip_roll = np.sin(np.pi * np.clip(q, 0, 1)) * body * (q < 1)
    z -= np.where(template.low, 0.022 * g["lower_full"], 0.018 * g["upper_full"]) * lip_roll
    z += -0.022 * g["lips_forward"] * blob(p, 0, LINE, 0.34, 0.18) - 0.03 * g["muzzle"] * blob(p, 0, 1.05, 0.42, 0.32)
    y += np.where(
        template.low, 0, 0.012 * g["bow"] * np.exp(-((t / 0.12) ** 2)) * np.clip(q, 0, 1) * np.clip(2 - q, 0, 1)
    )
    y += (0.016 * g["corners"] * np.abs(t) ** 2.5 + 0.010 * g["asymmetry_mouth"] * t) * mouth + 0.028 * g[
        "philtrum"
    ] * _step(0.78, 1.0, p[:, 1]) * _step(1.9, 1.3, p[:, 1])


def _eyes(head: Floats, p: Floats, g: Mapping[str, float]) -> None:
    """Lids, sockets and brows, in place."""
    x, y, z = head.T
    side = np.sign(p[:, 0])
    eye = np.exp(-((lid_distance(p) / 0.16) ** 2))
    dx = np.abs(p[:, 0]) - EYE[0]
    y += eye * (0.13 * g["eye_height"] * (p[:, 1] - EYE[1]) - 0.055 * g["eye_tilt"] * dx)
    x += side * eye * (0.05 * g["eye_width"] * dx + 0.018 * g["eye_spacing"])
    ring = 1 - np.exp(-((lid_distance(p) / 0.05) ** 2))
    z += 0.030 * g["eye_depth"] * blob(p, 0.46, 0.0, 0.28, 0.20) * ring
    z += -0.022 * g["hood"] * blob(p, 0.56, -0.19, 0.22, 0.06) * ring - 0.016 * max(g["bags"], 0) * blob(
        p, 0.48, 0.20, 0.18, 0.055
    )
    y += 0.020 * g["hood"] * blob(p, 0.58, -0.18, 0.22, 0.06) * ring
    y -= 0.030 * g["brow_height"] * blob(p, 0.48, -0.32, 0.42, 0.12) + 0.018 * g["brow_arch"] * blob(
        p, 0.62, -0.32, 0.16, 0.12
    )
