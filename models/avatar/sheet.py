"""Contact sheets of an avatar: `python -m models.avatar.sheet OUT_DIR` draws what it can do, to be looked at."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.presets import DEFAULT, presets
from realtime.core.composite import compose
from realtime.core.expressions import combine, expression
from realtime.core.facs import HAND_SHAPES, REST, Controls, Emotion, controls
from realtime.core.visemes import SHAPES

Picture = NDArray[np.uint8]
"""BGR, (H, W, 3)."""

JPEG_QUALITY: Final = 88
FACE: Final = (96, 110, 416, 430)
"""The part of the picture that the viseme sheet shows: x from, y from, x to, y to."""


def draw(host: IllustratedHost, pose: Controls) -> Picture:
    """One finished frame, drawn as the generator draws it."""
    key = host.base_key(pose)
    base = host.base(key)
    if base is None:
        base = host.render_base(key)
    patches = [host.draw(base, key, pose, region) for region in host.regions(key, pose)]
    frame = compose(base, patches, np.empty_like(base))
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), np.uint8)


def emotions() -> dict[str, Controls]:
    """The seven emotions at full intensity, and a blink."""
    found = {emotion.name.lower(): expression(emotion, 1.0) for emotion in reversed(Emotion)}
    return found | {"blink": controls(blink_l=1.0, blink_r=1.0)}


def visemes() -> dict[str, Controls]:
    """Every mouth shape of speech."""
    return {name: combine(REST, controls(breath=0.0, **shape.targets)) for name, shape in SHAPES.items()}


def turns() -> dict[str, Controls]:
    """Turns of the head to the limits of the rig, and gaze."""
    return {
        "yaw -20": controls(yaw=-20.0),
        "yaw 20": controls(yaw=20.0),
        "pitch -12": controls(pitch=-12.0),
        "pitch 12": controls(pitch=12.0),
        "roll 10": controls(roll=10.0, AU12=0.5, AU6=0.3),
        "yaw -12 talking": controls(yaw=-12.0, pitch=4.0, AU25=0.8, AU26=0.5),
        "gaze left": controls(gaze_x=-0.9, yaw=-5.0),
        "gaze up": controls(gaze_y=-0.8, gaze_x=0.5, AU1=0.2, AU2=0.2),
    }


def gestures() -> dict[str, Controls]:
    """Phases of a wave, and every other shape of the hand."""
    smile = {"AU12": 0.7, "AU6": 0.5, "AU25": 0.5}
    waves = {
        "rise": controls(arm_raise=0.75, **smile),
        "wave out": controls(arm_raise=1.0, arm_swing=-1.0, **smile),
        "wave in": controls(arm_raise=1.0, arm_swing=1.0, roll=3.0, **smile),
    }
    shapes = {
        name.replace("_", " "): controls(arm_raise=1.0, hand=float(index), AU12=0.4)
        for index, name in enumerate(HAND_SHAPES)
        if name != "open"
    }
    return waves | shapes


def looks() -> dict[str, Controls]:
    """What the presets are compared in."""
    return {
        "rest": REST,
        "happy": expression(Emotion.HAPPY, 1.0),
        "speaking": combine(REST, controls(breath=0.0, **SHAPES["O"].targets)),
        "turned": controls(yaw=-16.0, pitch=3.0, roll=2.0),
    }


def presets_sheet(hosts: Mapping[str, IllustratedHost], size: int = 216) -> Picture:
    """A row of looks for each host, two hosts side by side."""
    rows = []
    for name, host in hosts.items():
        poses = {f"{name}: {look}" if look == "rest" else look: pose for look, pose in looks().items()}
        rows.append(contact_sheet(host, poses, len(poses), size))
    if len(rows) % 2:
        rows.append(np.full_like(rows[0], 255))
    half = len(rows) // 2
    return np.asarray(np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])]), np.uint8)


def presets_emotions_sheet(hosts: Mapping[str, IllustratedHost], size: int = 168) -> Picture:
    """A row of all emotions for each host."""
    felt = emotions()
    rows = []
    for name, host in hosts.items():
        poses = {f"{name}: {mood}" if mood == "neutral" else mood: pose for mood, pose in felt.items()}
        rows.append(contact_sheet(host, poses, len(poses), size))
    return np.asarray(np.vstack(rows), np.uint8)


def swings() -> dict[str, Controls]:
    """What hangs on the head, at rest and swung out to both sides."""
    out = dict.fromkeys(("hair_x", "hair_tip", "jewel_x", "cloth_y"), 1.0)
    return {
        "at rest": REST,
        "swung right": controls(**out),
        "swung left": controls(**{name: -value for name, value in out.items()}),
        "swung in a turn": controls(yaw=16.0, **{name: -value for name, value in out.items()}),
    }


def contact_sheet(
    host: IllustratedHost, poses: Mapping[str, Controls], columns: int, size: int, part: Sequence[int] | None = None
) -> Picture:
    """Pictures in rows of `columns`, each reduced to `size` pixels and named; `part` crops them first."""
    cells = []
    for name, pose in poses.items():
        cell = draw(host, pose)
        if part is not None:
            cell = cell[part[1] : part[3], part[0] : part[2]]
        cell = np.ascontiguousarray(cv2.resize(cell, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
        for tone, width in (((250, 248, 247), 4), ((58, 46, 44), 1)):
            cv2.putText(cell, name, (8, 20), cv2.FONT_HERSHEY_DUPLEX, 0.5, tone, width, cv2.LINE_AA)
        cells.append(cell)
    while len(cells) % columns:
        cells.append(np.full_like(cells[0], 255))
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    return np.asarray(np.vstack(rows), np.uint8)


SHEETS: Final[Mapping[str, Callable[[IllustratedHost], Picture]]] = {
    "hero": lambda host: draw(host, controls(AU12=0.35, AU6=0.15, yaw=3.0, roll=-1.5)),
    "emotions": lambda host: contact_sheet(host, emotions(), 4, 320),
    "visemes": lambda host: contact_sheet(host, visemes(), 4, 240, FACE),
    "turns": lambda host: contact_sheet(host, turns(), 4, 288),
    "gestures": lambda host: contact_sheet(host, gestures(), 4, 288),
    "swings": lambda host: contact_sheet(host, swings(), 4, 320),
}


def main() -> None:
    """Draw the sheets of a host into the directory named on the command line, and one of all presets."""
    parser = argparse.ArgumentParser(description="Draw contact sheets of an illustrated host, and one of all presets.")
    parser.add_argument("out_dir", type=Path, help="directory for the pictures; it is made if it does not exist")
    parser.add_argument("--host", default=DEFAULT, choices=list(presets()), help="whose (default: %(default)s)")
    arguments = parser.parse_args()
    out_dir: Path = arguments.out_dir
    out_dir.mkdir(parents=True, exist_ok=True)
    hosts = {name: IllustratedHost(spec, paint_layers(spec)) for name, spec in presets().items()}
    sheets = {name: sheet(hosts[arguments.host]) for name, sheet in SHEETS.items()} | {
        "presets": presets_sheet(hosts),
        "presets_emotions": presets_emotions_sheet(hosts),
    }
    for name, picture in sheets.items():
        path = out_dir / f"{name}.jpg"
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        print(path)


if __name__ == "__main__":
    main()
