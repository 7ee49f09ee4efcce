"""Does the picture do what the controls say? Random control vectors, drawn, and judged by mediapipe's face mesh.

For each avatar kind 160 random faces are drawn over a base frame; the judge knows nothing of the rig. Each `*_r` is the
correlation of what it measures with what was asked for; the worst kind stands at top level.
"""

import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.harness import Goal, Result, command
from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.portrait.detect import FaceFinder
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.pack import Wish, bake, open_portrait
from models.avatar.portrait.preview import Frames
from models.avatar.portrait.sheet import public_domain_photo
from models.avatar.spec import AvatarSpec
from realtime.core.facs import REST, Controls
from realtime.core.visemes import opening
from realtime.ports import Avatar

Floats = NDArray[np.float64]

GOALS: Final = (
    Goal("mouth_openness_r", least=0.97),
    Goal("mouth_width_r", least=0.93),
    Goal("brows_r", least=0.85),
    Goal("eyes_r", least=0.85),
    Goal("gaze_r", least=0.90),
    Goal("yaw_r", least=0.98),
)
KEYS: Final = (
    "mouth_openness_r", "mouth_width_r", "brows_r", "eyes_r", "gaze_r", "yaw_r", "pitch_r", "detected_ratio",
)  # fmt: skip

_SEED: Final = 7
_RIGHT_LID, _LEFT_LID = (159, 145, 33, 133), (386, 374, 362, 263)
"""Upper and lower margin's middle, and both corners."""
_BROWS: Final = ((105, 66, 107), (334, 296, 336))


def random_controls(random: np.random.Generator) -> Controls:
    """A face somebody might make while speaking: every group of muscles on its own."""
    pick = random.uniform
    open_, round_, wide = pick(0, 1), pick(0, 1) * (random.random() < 0.4), pick(0, 1) * (random.random() < 0.5)
    if round_:
        wide = 0.0
    blink = pick(0, 1) if random.random() < 0.6 else 0.0
    brows = pick(-1, 1)
    return REST.with_(
        AU25=min(1.0, 0.3 + open_) * (open_ > 0.05), AU26=0.75 * open_, AU18=0.8 * round_, lip_round=round_,
        AU12=0.9 * wide, AU20=0.5 * wide * pick(0, 1), AU6=0.5 * wide,
        AU1=max(0.0, brows), AU2=max(0.0, brows), AU4=max(0.0, -brows),
        blink_l=blink, blink_r=blink, gaze_x=pick(-0.9, 0.9), gaze_y=pick(-0.5, 0.5),
        yaw=pick(-15, 15), pitch=pick(-10, 10), roll=pick(-5, 5),
    ).clipped()  # fmt: skip


def asked(controls: Controls) -> dict[str, float]:
    """What the judge should find, in the controls' own terms."""
    return {
        "mouth_openness_r": opening(controls),
        "mouth_width_r": controls["AU12"] + 0.9 * controls["AU20"] - controls["AU18"] - 0.3 * controls["lip_round"],
        "brows_r": 0.5 * (controls["AU1"] + controls["AU2"]) - 0.8 * controls["AU4"],
        "eyes_r": -controls["blink_l"],
        "gaze_r": controls["gaze_x"],
        "yaw_r": controls["yaw"],
        "pitch_r": controls["pitch"],
    }


def seen(points: Floats) -> dict[str, float]:
    """The same, measured on 478 detected points (x, y, z in pixels), in units of the eyes' distance."""
    frame = FaceFrame.of(points)
    face = frame.to_units(points[:, :2])
    eyes, gazes = [], []
    for (top, bottom, start, end), iris in ((_RIGHT_LID, 468), (_LEFT_LID, 473)):
        width = float(np.hypot(*(face[end] - face[start])))
        eyes.append(float(face[bottom, 1] - face[top, 1]) / width)
        gazes.append(float(face[iris, 0] - (face[start, 0] + face[end, 0]) / 2) / width)
    brows = [float(face[list(ids), 1].mean() - face[[lid[2], lid[3]], 1].mean())
             for ids, lid in zip(_BROWS, (_RIGHT_LID, _LEFT_LID), strict=True)]  # fmt: skip
    across = points[263] - points[33]
    down = points[152] - points[10]
    return {
        "mouth_openness_r": float(np.hypot(*(face[14] - face[13]))),
        "mouth_width_r": float(np.hypot(*(face[291] - face[61]))),
        "brows_r": -float(np.mean(brows)),
        "eyes_r": float(np.mean(eyes)),
        "gaze_r": float(np.mean(gazes)),
        "yaw_r": float(np.degrees(np.arctan2(across[2], np.hypot(across[0], across[1])))),
        "pitch_r": float(np.degrees(np.arctan2(down[2], np.hypot(down[0], down[1])))),
    }


def _without_pose(values: Floats, poses: Floats) -> Floats:
    """Values without what the head's turn explains linearly: a nod brings brows and eyes together, too."""
    terms = np.c_[np.ones(len(poses)), poses]
    return np.asarray(values - terms @ np.linalg.lstsq(terms, values, rcond=None)[0], np.float64)


def follow(avatar: Avatar, n: int) -> dict[str, float]:
    """The published keys of one avatar. Gaze counts where the eyes are open enough to show it; brows are
    judged without what the head's pose explains."""
    random, frames = np.random.default_rng(_SEED), Frames(avatar)
    wanted, found, open_eyes, poses = [], [], [], []
    with FaceFinder() as finder:
        for _ in range(n):
            controls = random_controls(random)
            picture = np.asarray(cv2.cvtColor(frames.picture(controls), cv2.COLOR_YUV2BGR_I420), np.uint8)
            faces = finder.faces(picture)
            if faces:
                wanted.append(asked(controls))
                found.append(seen(faces[0]))
                open_eyes.append(controls["blink_l"] < 0.4)
                poses.append([controls[name] for name in ("yaw", "pitch", "roll")])
    result = {}
    for key in KEYS[:-1]:
        a, b = (np.array([row[key] for row in rows]) for rows in (wanted, found))
        if key == "brows_r":
            b = _without_pose(b, np.array(poses))
        use = np.array(open_eyes) if key == "gaze_r" else np.ones(len(a), bool)
        result[key] = round(abs(float(np.corrcoef(a[use], b[use])[0, 1])), 4)
    return result | {"detected_ratio": round(len(found) / n, 4)}


def worst(kinds: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The lowest figure of all kinds, key by key."""
    return {key: min(figures[key] for figures in kinds.values()) for key in KEYS}


def measure(n: int) -> Result:
    """The published keys over `n` faces per kind."""
    cv2.setNumThreads(1)
    spec = AvatarSpec()
    kinds: dict[str, Any] = {"illustrated": follow(IllustratedHost(spec, paint_layers(spec)), n)}
    with tempfile.TemporaryDirectory() as place:
        kinds["portrait"] = follow(baked(public_domain_photo(), Path(place) / "portrait"), n)
    return {**worst(kinds), "kinds": kinds}


def baked(photo: Path, place: Path) -> Avatar:
    """A portrait of a photo, without base frames beyond the resting one."""
    bake(photo, Wish("bench", "public-domain picture, measured only"), place, ())
    return open_portrait(place)


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mediapipe's generated modules
        return command("follow", measure, GOALS, n=160, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
