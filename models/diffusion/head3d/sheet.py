"""A contact sheet of the 3-D head: people, sounds, eyes, turns, and lights, with the base beside the truth."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.framing import PICTURE_PX
from models.diffusion.data.sample import Split
from models.diffusion.head3d.source import Studio
from realtime.core.facs import REST, Controls, controls
from realtime.core.visemes import SHAPES

_WIDTH: Final = 1280
_SOUNDS: Final = ("A", "E", "I", "O", "U", "L", "TH", "SZ", "FV", "MBP")
_EYES: Final[tuple[Mapping[str, float], ...]] = (
    {},
    {"blink_l": 0.5, "blink_r": 0.5},
    {"blink_l": 1.0, "blink_r": 1.0},
    {"AU5": 1.0},
    {"gaze_x": 0.9},
    {"gaze_y": 0.8},
    {"AU1": 1.0, "AU2": 1.0},
    {"AU4": 1.0},
)
_FACES: Final[tuple[Mapping[str, float], ...]] = (
    {"yaw": -20.0},
    {"yaw": 20.0},
    {"pitch": 14.0},
    {"AU12": 1.0, "AU6": 0.8, "AU25": 0.6},
    {"AU9": 1.0, "AU10": 0.6},
    {"AU26": 0.9, "AU25": 1.0, "AU1": 0.8, "AU5": 0.8},
    {"AU18": 1.0, "AU22": 0.5},
    {"AU15": 0.8, "AU17": 0.7, "AU1": 0.7},
)


def draw_sheet(path: Path, people: int = 16) -> None:
    """Write the sheet as PNG. Raises `OSError` if it cannot be written."""
    studios = [Studio(number, Split.HELD_OUT) for number in range(people)]
    rows = [_row([_truth(studio, "face", REST) for studio in studios[i : i + 8]]) for i in range(0, people, 8)]
    sounds = [controls(**SHAPES[name].targets) for name in _SOUNDS]
    rows.append(_row(_truth(studios[1], "face", controls(**face)) for face in _FACES))
    for studio in (studios[0], studios[4]):
        rows.append(_row(_truth(studio, "mouth", face) for face in sounds))
    rows.append(_row(_base(studios[4], "mouth", face) for face in sounds))
    rows.append(_row(_truth(studios[5], "eyes", controls(**face)) for face in _EYES))
    if not cv2.imwrite(str(path), np.ascontiguousarray(np.vstack(rows)[..., ::-1])):
        raise OSError(f"cannot write {path}")


def _truth(studio: Studio, roi: str, face: Controls) -> NDArray[np.uint8]:
    picture, _ = studio.truth(studio.mover.posed(face, studio.frame, PICTURE_PX), studio.view(roi, face))
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def _base(studio: Studio, roi: str, face: Controls) -> NDArray[np.uint8]:
    return np.asarray(studio.view(roi, face).crop(studio.base(face)), np.uint8)


def _row(pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    row = np.hstack(list(pictures))
    height = round(row.shape[0] * _WIDTH / row.shape[1])
    return np.asarray(cv2.resize(row, (_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)
