"""Bends the rig's face into a host's: one smooth map of the plane, so that everything painted on the face follows."""

import numpy as np

from models.avatar.geometry import Points, bump, smoothstep
from models.avatar.spec import FaceShape


def morphed(xy: Points, s: FaceShape) -> Points:
    """Places of points of the rig's face, (N, 2), on this host's."""
    x, y = xy[:, 0], xy[:, 1]
    side, away = np.sign(x), np.abs(x)
    dx, dy = np.zeros_like(x), np.zeros_like(y)

    eye_x, eye_y = away - 37.5, y + 4.6
    around = 1 - smoothstep(np.hypot(eye_x / 26, eye_y / 20), 0.9, 1.75)
    dx += side * around * (eye_x * (s.eye_size - 1) + 2.6 * s.eye_spacing)
    dy += around * (eye_y * (s.eye_size - 1) - s.eye_tilt * eye_x * 0.085)

    dy -= 4.0 * s.brow_height * bump(away, y, (40, -37), (34, 12))
    dx += x * (s.nose_width - 1) * bump(x, y, (0, 33), (17, 15))
    dy += 3.4 * s.nose_length * bump(x, y, (0, 34), (20, 13))
    dx += x * (s.mouth_width - 1) * bump(x, y, (0, 68), (46, 20))

    dx += side * 4.0 * s.cheek * bump(away, y, (74, 34), (30, 30))
    dx += x * (s.jaw_width - 1) * smoothstep(y, 18, 82)
    dy += 7.0 * s.chin_length * smoothstep(y, 78, 106)
    dx += x * (s.face_width - 1)
    return np.column_stack([x + dx, y + dy])
