"""From what was seen to controls: head pose, action units, lids, gaze, shoulders; all against the person's own neutral.

The head's pose is the similarity that brings the neutral mesh onto the seen one (Umeyama 1991, on points that no muscle
moves). What is left in the head's own frame is explained as a non-negative mixture of the movements that the portrait's
basis knows, so nothing of the person's shape gets into the controls."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.basis import displacements
from models.avatar.portrait.eyes import GAZE_UNITS
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.topology import LEFT_IRIS, MESH_POINTS, RIGHT_IRIS
from models.vision.watching import Seen

Floats = NDArray[np.float64]
Tracks = dict[str, Floats]
"""Controls by name, a value per frame (frames,)."""

FITTED: Final = (
    "AU1", "AU2", "AU4", "AU6", "AU9", "AU10", "AU12", "AU15", "AU17", "AU18", "AU20", "AU25", "AU26", "smirk",
    "brow_asym",
)  # fmt: skip
MOUTH: Final = ("AU10", "AU17", "AU18", "AU20", "AU25", "AU26")
"""What speech moves; left out of a primitive unless it is wanted, so that it can be played while speaking."""
BODY: Final = ("yaw", "pitch", "roll", "lean", "shoulders")
SIGNED: Final = ("smirk", "brow_asym")

_RIGID: Final = (
    10, 151, 9, 8, 168, 6, 197, 195, 33, 133, 362, 263, 127, 356, 234, 454, 21, 251, 162, 389, 54, 284, 103, 332,
)  # fmt: skip
_PITCH_BIAS: Final = {"AU12": 3.0, "AU4": 2.0}
"""Degrees of pitch that the mesh sees in a full smile or frown of its own measure: it guesses depth from looks. Fitted,
as the gains are, on random faces of both kinds of avatars, whose controls are known."""
_GAINS: Final = {
    "yaw": 1.25, "pitch": 1.3, "AU1": 1.7, "AU2": 2.2, "AU4": 1.5, "AU12": 2.0, "AU18": 1.6, "AU26": 1.8, "gaze_x": 1.8,
}  # fmt: skip
"""The mesh is made of average faces, and understates."""
_DEPTH_WEIGHT: Final = 0.03
"""The mesh guesses depth: it counts for little where movements are explained."""
_RIDGE: Final = 0.15
_STEPS: Final = 800
_LIDS: Final = (("blink_r", 159, 145, 33, 133), ("blink_l", 386, 374, 362, 263))
"""Upper and lower margin's middle, and both corners."""
_CLOSED: Final = 0.78
"""A closed eye's mesh keeps about a fifth of the open one's height."""
_LEAN_GROWTH: Final = 0.10
"""Growth of the head's picture that counts as leaning in fully."""
_SHRUG_UNITS: Final = 0.40
"""Rise of the shoulders, in face units, that counts as raising them fully."""


def similarity(source: Floats, target: Floats) -> tuple[float, Floats, Floats]:
    """Scale, rotation (3, 3) and shift (3,) that bring points (N, 3) nearest to others (Umeyama 1991, eq. 40 to 42)."""
    a, b = source - source.mean(0), target - target.mean(0)
    u, spread, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((spread * sign).sum() / (a**2).sum())
    return scale, rotation, target.mean(0) - scale * rotation @ source.mean(0)


def angles_deg(rotation: Floats) -> tuple[float, float, float]:
    """Yaw, pitch, roll of `Rz(roll) Rx(pitch) Ry(yaw)`: positive to the picture's right, down, clockwise."""
    pitch = np.arcsin(np.clip(rotation[2, 1], -1, 1))
    yaw = np.arctan2(rotation[2, 0], rotation[2, 2])
    roll = np.arctan2(-rotation[0, 1], rotation[1, 1])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def neutral_of(faces: Sequence[Floats]) -> Floats:
    """The person at rest (478, 3) in pixels: the median of the given frames, brought onto their first one."""
    rigid = list(_RIGID)
    brought = []
    for face in faces:
        scale, rotation, shift = similarity(face[rigid], faces[0][rigid])
        brought.append(scale * face @ rotation.T + shift)
    return np.asarray(np.median(brought, axis=0), np.float64)


def mimic(seen: Sequence[Seen], neutral: Floats) -> tuple[Tracks, float]:
    """Controls of every frame, all of which show a face; and what share of the movement they do not explain (0..1)."""
    frame, rigid = FaceFrame.of(neutral), list(_RIGID)
    rest = _in_units(neutral, frame)
    poses, shapes, sizes = [], [], []
    for one in seen:
        assert one.face is not None
        scale, rotation, shift = similarity(neutral[rigid], one.face[rigid])
        poses.append(angles_deg(rotation))
        sizes.append(scale)
        shapes.append(_in_units((one.face - shift) @ rotation / scale, frame))
    faces = np.array(shapes)
    tracks: Tracks = dict(zip(("yaw", "pitch", "roll"), np.array(poses).T, strict=True))
    tracks["lean"] = (np.array(sizes) - 1) / _LEAN_GROWTH
    fitted, turned, unexplained = _explained(faces[:, :MESH_POINTS] - rest[:MESH_POINTS], rest)
    tracks["pitch"] = tracks["pitch"] + np.degrees(turned[:, 0])
    tracks["yaw"] = tracks["yaw"] + np.degrees(turned[:, 1])
    tracks |= fitted | _lids(faces, rest) | _gaze(faces, rest)
    tracks["pitch"] = tracks["pitch"] - sum(bias * fitted[name] for name, bias in _PITCH_BIAS.items())
    tracks |= {name: tracks[name] * gain for name, gain in _GAINS.items()}
    if all(one.shoulders is not None for one in seen):
        height = np.array([float(one.shoulders[:, 1].mean()) for one in seen if one.shoulders is not None])
        width = np.array([float(np.ptp(one.shoulders[:, 0])) for one in seen if one.shoulders is not None])
        rise = (np.median(height) - height) / frame.scale_px
        tracks["shoulders"] = rise / _SHRUG_UNITS
        tracks["lean"] = 0.5 * (tracks["lean"] + (width / np.median(width) - 1) / _LEAN_GROWTH)
    return tracks, unexplained


def _in_units(points: Floats, frame: FaceFrame) -> Floats:
    return np.concatenate([frame.to_units(points[:, :2]), points[:, 2:] / frame.scale_px], 1)


def _explained(moved: Floats, rest: Floats) -> tuple[Tracks, Floats, float]:
    """Mixtures of known movements nearest to what moved (frames, points, 3): controls, what is left of the head's pitch
    and yaw in radians (frames, 2), and the share that stays unexplained. Accelerated projected descent (Nesterov 1983).

    Small turns and shifts take part freely: the pose came from a few points and is corrected by all of them."""
    basis, p = displacements(rest), rest[:MESH_POINTS]
    none = np.zeros(len(p))
    free = [np.stack(way, 1) for way in ((none, -p[:, 2], p[:, 1]), (-p[:, 2], none, p[:, 0]), (none + 1, none, none),
                                         (none, none + 1, none))] + [p]  # fmt: skip
    weight = np.array([1.0, 1.0, _DEPTH_WEIGHT])
    columns = np.stack([(one * weight).ravel() for one in [*(basis[name] for name in FITTED), *free]], 1)
    target = (moved * weight).reshape(len(moved), -1)
    held = np.r_[np.full(len(FITTED), _RIDGE), np.full(len(free), 1e-3)]
    gram = columns.T @ columns
    gram += np.diag(held * np.diag(gram))
    unit = 1 / np.sqrt(np.diag(gram))  # equal scales make the descent quick
    low = np.r_[[-1.0 if name in SIGNED else 0.0 for name in FITTED], np.full(len(free), -np.inf)] / unit
    high = np.r_[np.ones(len(FITTED)), np.full(len(free), np.inf)] / unit
    gram, wanted = gram * unit * unit[:, None], (target @ columns) * unit
    step = 1 / float(np.linalg.eigvalsh(gram)[-1])
    found = ahead = np.zeros_like(wanted)
    t = 1.0
    for _ in range(_STEPS):
        new = np.clip(ahead - step * (ahead @ gram - wanted), low, high)
        t_next = (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead, found, t = new + (t - 1) / t_next * (new - found), new, t_next
    found = found * unit
    left = target - found @ columns.T
    share = float((left**2).sum() / max(float((target**2).sum()), 1e-12))
    count = len(FITTED)
    return dict(zip(FITTED, found[:, :count].T, strict=True)), found[:, count : count + 2], share


def _lids(faces: Floats, rest: Floats) -> Tracks:
    """How far each eye is closed, against its own opening at rest."""
    found = {}
    for name, top, bottom, *_ in _LIDS:
        still = float(rest[bottom, 1] - rest[top, 1])
        gap = faces[:, bottom, 1] - faces[:, top, 1]
        found[name] = np.clip((1 - gap / max(still, 1e-6)) / _CLOSED, 0, 1)
    return found


def _gaze(faces: Floats, rest: Floats) -> Tracks:
    """Where the irises stand between the corners of the eyes, against rest."""
    found = np.zeros((len(faces), 2))
    for (_, _, _, start, end), iris in zip(_LIDS, (RIGHT_IRIS[0], LEFT_IRIS[0]), strict=True):
        middle = (faces[:, start, :2] + faces[:, end, :2]) / 2
        still = rest[iris, :2] - (rest[start, :2] + rest[end, :2]) / 2
        found += (faces[:, iris, :2] - middle - still) / 2
    return {"gaze_x": found[:, 0] / GAZE_UNITS[0], "gaze_y": found[:, 1] / GAZE_UNITS[1]}
