"""Clips of random illustrated hosts: the rig at full quality as truth, its picture at rest, warped, as the base.

Hair, glasses and beard are drawn over the face but not labelled: their pixels carry the label of what they cover."""

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.face_shape import settled
from models.avatar.projection import PICTURE_PX, View, base_key
from models.avatar.rig import Rig
from models.diffusion.data.camera import Camera, Occluder, random_camera, random_occluder, shot_at
from models.diffusion.data.crude import CrudeStyle, crude_insides, random_style
from models.diffusion.data.flow import Floats, grid, sample, scattered_flow, stretch
from models.diffusion.data.identity import SPLIT_CODE, identity_rig
from models.diffusion.data.motion import Moment, moments
from models.diffusion.data.places import FacePlaces
from models.diffusion.data.raster import Frame, field_masks, label_map
from models.diffusion.data.sample import RoiClip, RoiSample, Split
from models.diffusion.spec import BOXES, CROPS, FIELDS, control_vector
from realtime.core.facs import REST

Bytes = NDArray[np.uint8]

MAX_FRAMES: Final = 16
CLIPS_PER_IDENTITY: Final = 16
"""Seeds that share a host: painting one takes more than a second."""
TURNED: Final = 0.15
"""Share of the clips whose base is warped from the host facing the viewer."""
RIGS_KEPT: Final = 4
UNIT: Final = 74.8
"""Head units between the eye centres of the rig's face."""
TORN: Final = 0.3
"""Area of source per pixel below which the base shows skin that was pulled apart."""
_FACING: Final = View.of(base_key(REST))


@dataclass(frozen=True, slots=True, eq=False)
class _Clip:
    """What all frames of a clip share."""

    rig: Rig
    places: FacePlaces
    roi: str
    camera: Camera
    occluder: Occluder | None
    style: CrudeStyle
    turned: bool
    """Whether the base is warped from the host facing the viewer, instead of from the same turn of the head."""
    zoom: float
    shift: tuple[float, float]
    rest: Bytes
    """The avatar's own picture, facing the viewer."""


class IllustratedSource:
    """A `RoiSource` of illustrated hosts."""

    name = "illustrated"
    version = 1
    rois = ("mouth", "eyes", "face")

    def __init__(self) -> None:
        self._rigs: OrderedDict[tuple[int, Split], Rig] = OrderedDict()

    def clip(self, seed: int, roi: str, frames: int, split: Split = Split.TRAIN) -> RoiClip:
        """See `RoiSource.clip`. Clips whose seeds have the same quotient by `CLIPS_PER_IDENTITY` show the same host."""
        if roi not in self.rois:
            raise ValueError(f"roi: {roi!r} is not one of {', '.join(self.rois)}")
        if not 1 <= frames <= MAX_FRAMES:
            raise ValueError(f"frames: {frames} is not from 1 to {MAX_FRAMES}")
        rng = np.random.default_rng([SPLIT_CODE[split], seed, self.rois.index(roi), 3])
        identity = seed // CLIPS_PER_IDENTITY
        rig = self._rig(identity, split)
        crop = CROPS[roi]
        camera = random_camera(rng, PICTURE_PX, PICTURE_PX)
        shared = _Clip(
            rig=rig, places=FacePlaces(rig.surface), roi=roi, camera=camera,
            occluder=random_occluder(rng, crop.width, crop.height), style=random_style(rng),
            turned=bool(rng.random() < TURNED), zoom=float(rng.uniform(0.94, 1.06)),
            shift=(float(rng.normal(0, 1.5)), float(rng.normal(0, 1.5))),
            rest=camera.taken(_rgb(rig, _FACING)),
        )  # fmt: skip
        samples, before = [], None
        for index, moment in enumerate(moments(rng, frames)):
            sampled, before = _frame(shared, moment, index, before)
            samples.append(sampled)
        return RoiClip(roi, identity, split, tuple(samples))

    def _rig(self, identity: int, split: Split) -> Rig:
        key = identity, split
        if key not in self._rigs:
            self._rigs[key] = identity_rig(identity, split)
            while len(self._rigs) > RIGS_KEPT:
                self._rigs.popitem(last=False)
        self._rigs.move_to_end(key)
        return self._rigs[key]


@dataclass(frozen=True, slots=True, eq=False)
class _Before:
    """What the next frame needs of this one, in pixels of its crop."""

    points: NDArray[np.float64]
    opened: NDArray[np.bool_]


def _frame(clip: _Clip, moment: Moment, index: int, before: _Before | None) -> tuple[RoiSample, _Before]:
    key = base_key(moment.controls)
    view, felt = View.of(key), settled(moment.controls)
    crop = CROPS[clip.roi]
    frame = _crop_frame(clip, view)
    places_px = frame.to_picture(grid(crop.width, crop.height))
    now = clip.places.at(view, felt)

    # the truth, and the picture at rest brought to it
    truth = shot_at(clip.camera, _rgb(clip.rig, view, moment), places_px)
    rest_view = _FACING if clip.turned else view
    rest = clip.rest if clip.turned else clip.camera.taken(_rgb(clip.rig, view))
    at_rest = settled(REST)
    here = frame.to_crop(np.concatenate([now.points, clip.places.iris_points(view, felt)]))
    rest_places = clip.places.at(rest_view, at_rest)
    there = np.concatenate([rest_places.points, clip.places.iris_points(rest_view, at_rest)])
    flow = partial(_flow, here, width=crop.width, height=crop.height)
    source = frame.to_picture(grid(crop.width, crop.height) + flow(frame.to_crop(there) - here))
    base = sample(rest, source)

    # what the rig knows
    torn = np.asarray(stretch(frame.to_crop(source).astype(np.float32)) < TORN)
    masks = field_masks(now.outlines, frame, torn)
    base = crude_insides(base, masks, clip.style)
    labels = label_map(now.outlines, frame)
    if clip.occluder is not None:
        labels[clip.occluder.draw((truth, base), index)] = 0
    opened = np.asarray((masks[FIELDS.index("opening")] > 128) | (masks[FIELDS.index("eyeball")] > 128))
    back, valid = np.zeros((crop.height, crop.width, 2), np.float32), np.zeros((crop.height, crop.width), np.uint8)
    if before is not None:
        back = flow(before.points - here)
        valid = np.where(opened & ~before.opened, 0, 255).astype(np.uint8)
    reference = sample(clip.rest, _crop_frame(clip, _FACING).to_picture(grid(crop.width, crop.height)))
    sampled = RoiSample(
        truth=truth, base=base, reference=reference, fields=masks, interior=_interior(masks), labels=labels,
        flow=np.ascontiguousarray(np.moveaxis(back, -1, 0)).astype(np.float16), flow_valid=valid,
        landmarks=frame.to_crop(now.landmarks).astype(np.float32),
        control=control_vector(moment.controls, clip.roi, moment.visemes, moment.emotions),
    )  # fmt: skip
    return sampled, _Before(here, opened)


def _crop_frame(clip: _Clip, view: View) -> Frame:
    """Where the crop lies: its middle stays on the same point of the head."""
    left, top, right, bottom = BOXES[clip.roi]
    crop = CROPS[clip.roi]
    middle = np.array([[(left + right) / 2 * UNIT, (top + bottom) / 2 * UNIT - 4.6]])
    anchor = view.head(clip.rig.surface.lift(middle))[0]
    unit_px = clip.places.at(_FACING, settled(REST)).unit_px
    scale = crop.width / ((right - left) * unit_px) * clip.zoom
    middle_px = crop.width / 2 + clip.shift[0], crop.height / 2 + clip.shift[1]
    return Frame(scale, (float(anchor[0]), float(anchor[1])), middle_px, crop.width, crop.height)


def _flow(at: NDArray[np.float64], moves: NDArray[np.float64], *, width: int, height: int) -> Floats:
    """Flow from the points that lie in or near the crop."""
    reach = 0.4 * max(width, height)
    x, y = at[:, 0], at[:, 1]
    near = (x > -reach) & (x < width + reach) & (y > -reach) & (y < height + reach)
    return scattered_flow(at[near], moves[near], width, height)


def _interior(masks: Bytes) -> Bytes:
    chosen = [masks[FIELDS.index(name)] for name in ("opening", "eyeball", "lid", "disoccluded")]
    widest = cv2.dilate(np.max(chosen, axis=0), np.ones((5, 5), np.uint8))
    return np.asarray(cv2.GaussianBlur(widest, (0, 0), 1.5), np.uint8)


def _rgb(rig: Rig, view: View, moment: Moment | None = None) -> Bytes:
    pixels = rig.picture(view, moment.controls) if moment else rig.picture(view)
    return np.ascontiguousarray(pixels[..., :3])
