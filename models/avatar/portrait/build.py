"""From a photo to the assets of a portrait: the stages of a bake in their order."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.assets import Assets, MouthPaint
from models.avatar.portrait.basis import displacements
from models.avatar.portrait.detect import FaceCheck, Picture, UnusablePhoto, averaged, find_face
from models.avatar.portrait.eyes import take
from models.avatar.portrait.fields import lay_out
from models.avatar.portrait.flow import lattice
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.framing import PICTURE_PX, PLATE_PX, Framed, cut_out
from models.avatar.portrait.geometry import POSE_STEP_PX
from models.avatar.portrait.matte import split
from models.avatar.portrait.neutral import Neutral, neutralise
from models.avatar.portrait.numerics import Image, blur, closed_mask, curve, erode, smoothstep, stack
from models.avatar.portrait.shading import paint_shades
from models.avatar.portrait.teeth import tongue, tooth_row
from models.avatar.portrait.topology import CHIN, LOWER_INNER, LOWER_OUTER, UPPER_INNER, UPPER_OUTER

STAGES: Final = ("finding the face", "taking the smile out", "cutting out the head", "laying out movements", "painting")
Tell = Callable[[str], None]

_ENAMEL: Final = np.array([216.0, 232.0, 240.0])
_EDGE_UNITS: Final = 0.080
"""The upper teeth end this far below the mouth line at rest."""


def portrait_of(photo: Picture, tell: Tell) -> tuple[Assets, FaceCheck]:
    """Everything a portrait is drawn from. Raises `UnusablePhoto` with the reason if the photo cannot be used."""
    tell(STAGES[0])
    points, check = find_face(photo)
    framed = cut_out(photo, points)
    steady = averaged(framed.plate)
    if steady is None:
        raise UnusablePhoto("no_face", "the face could not be found again in the cut-out picture")
    tell(STAGES[1])
    return assemble(Framed(framed.plate, steady), tell), check


def assemble(framed: Framed, tell: Tell) -> Assets:
    """The assets of a framed face."""
    neutral = neutralise(framed)
    tell(STAGES[2])
    layers = split(framed.plate, neutral.plate, framed.points, neutral.frame)
    tell(STAGES[3])
    frame = neutral.frame.scaled(PICTURE_PX / PLATE_PX)
    alpha = cv2.resize(layers.head[..., 3], (PICTURE_PX, PICTURE_PX), interpolation=cv2.INTER_AREA)
    fields = lay_out(neutral.face, frame, alpha.astype(np.float32) / 255, displacements(neutral.face))
    tell(STAGES[4])
    head = layers.head[..., :3].astype(np.float32)
    eyes = (take(head, framed.points, 0, neutral.frame.scale_px), take(head, framed.points, 1, neutral.frame.scale_px))
    return Assets(
        frame=frame,
        head=layers.head,
        back=layers.back,
        body=_body(layers.person, frame, float(neutral.face[CHIN, 1])),
        fields=fields,
        shades=paint_shades(neutral.face, neutral.frame, neutral.plate, neutral.folds),
        eyes=eyes,
        mouth=_mouth(framed, neutral),
    )


def _body(person: Image, frame: FaceFrame, chin: float) -> NDArray[np.float32]:
    """How much the pose lattice's nodes belong to the body, soft around its outline so that nothing tears."""
    count = PICTURE_PX // POSE_STEP_PX + 1
    soft = blur(np.asarray(cv2.dilate(person, np.ones((25, 25), np.uint8)), np.float32), 16.0)
    v = frame.to_units(lattice(count, count, POSE_STEP_PX))[..., 1]
    small = cv2.resize(soft, (count, count), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(small * 1.2, 0, 1) * smoothstep(chin - 0.5, chin + 0.2, v), np.float32)


def _mouth(framed: Framed, neutral: Neutral) -> MouthPaint:
    """Teeth as bright as the photo's light allows, a tongue and a cavity in the lips' hue."""
    outline = stack(curve(neutral.face[list(UPPER_OUTER), :2]), curve(neutral.face[list(LOWER_OUTER), :2])[::-1])
    lips = closed_mask((PLATE_PX, PLATE_PX), neutral.frame.to_px(outline)) > 0.8
    lip = np.median(neutral.plate[lips], axis=0)
    cheeks = neutral.frame.to_px(neutral.face[[50, 280, 205, 425, 9], :2]).astype(int)
    skin = np.mean([neutral.plate[y - 6 : y + 6, x - 6 : x + 6].reshape(-1, 3).max(0) for x, y in cheeks], axis=0)
    enamel = _shown_teeth(framed, neutral.frame.scale_px)
    if enamel is None:
        enamel = _ENAMEL * min(1.0, float(skin.max()) * 1.02 / _ENAMEL.max())
    cavity = np.clip(lip * (0.15, 0.13, 0.24), 0, 64)
    edge = float(neutral.face[list(UPPER_INNER), 1].mean()) + _EDGE_UNITS
    return MouthPaint(
        tooth_row(True, enamel), tooth_row(False, enamel * 0.93), tongue(np.clip(lip * (0.88, 0.80, 0.95), 0, 235)),
        (float(cavity[0]), float(cavity[1]), float(cavity[2])), edge,
    )  # fmt: skip


def _shown_teeth(framed: Framed, unit_px: float) -> NDArray[np.float64] | None:
    """Colour of the teeth if the photo shows them lit."""
    inner = stack(curve(framed.points[list(UPPER_INNER), :2]), curve(framed.points[list(LOWER_INNER), :2])[::-1])
    inside = erode(closed_mask((PLATE_PX, PLATE_PX), inner), 0.02 * unit_px) > 0.5
    if inside.sum() < 0.02 * unit_px**2:
        return None
    pixels = framed.plate[inside].astype(np.float64)
    bright = pixels[pixels.mean(1) >= np.percentile(pixels.mean(1), 60)]
    light = float(np.median(bright.mean(1)))
    if light < 120:
        return None
    # the photo's light, not its tint: what little of the teeth it shows is tinted by lips and shadow
    return np.asarray(_ENAMEL * np.clip(1.10 * light / _ENAMEL.mean(), 0.75, 1.03), np.float64)
