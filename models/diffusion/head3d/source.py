"""The 3-D head as a source of training clips: truth from the renderer, base from the portrait's own rig."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.avatar import PortraitAvatar
from models.avatar.portrait.build import assemble
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.framing import PICTURE_PX, PLATE_PX, Framed
from models.avatar.portrait.geometry import Posture, base_key, features
from models.diffusion.data.motion import Moment, moments
from models.diffusion.data.raster import Frame
from models.diffusion.data.sample import RoiClip, RoiSample, Split
from models.diffusion.head3d.develop import Bytes, Camera, camera_of, compressed, develop, exposed
from models.diffusion.head3d.figure import PART, Figure, figure_of, frame_at, vertex_normals
from models.diffusion.head3d.landmarks import SAMPLE_POINTS
from models.diffusion.head3d.light import Light, light_of, transfer
from models.diffusion.head3d.motion import Mover
from models.diffusion.head3d.person import SPLIT_CODE, Person, person
from models.diffusion.head3d.raster import F32
from models.diffusion.head3d.render import Buffers, Painter, Posed
from models.diffusion.head3d.skin import noise
from models.diffusion.head3d.texture import paint
from models.diffusion.head3d.truth import SAMPLES_PER_PIXEL, flow_back, hidden_at_rest, interior_mask, picked
from models.diffusion.refiner_face import PortraitFaces
from models.diffusion.spec import BOXES, CROPS, control_vector
from realtime.core.facs import REST, Controls

ROIS: Final = ("mouth", "eyes", "face")
MAX_FRAMES: Final = 16
CLIPS_OF_ONE: Final = 6
"""Consecutive seeds share a person, so that a bake serves several clips."""
_KEPT: Final = 3
_SMILES: Final = 0.12
_SCALE_PX: Final = 0.185 * PICTURE_PX
_ORIGIN_PX: Final = (0.5 * PICTURE_PX, 0.42 * PICTURE_PX)
_TRUTH_NOISE: Final = 0.3
"""The truth keeps this much of the sensor's noise: the photo's own is in the base, and no net could foresee it."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Where a crop lies in the picture of one frame."""

    left_px: float
    top_px: float
    scale: float
    """Pixels of the crop per pixel of the picture."""
    width: int
    height: int

    def crop(self, picture: NDArray[Any], samples: int = 1) -> NDArray[Any]:
        """A picture's pixels in the crop, `samples` per pixel and side."""
        s = self.scale * samples
        move = np.array([[s, 0, s * (0.5 - self.left_px) - 0.5], [0, s, s * (0.5 - self.top_px) - 0.5]])
        size = (self.width * samples, self.height * samples)
        out = cv2.warpAffine(picture, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(out, picture.dtype)

    def to_crop(self, px: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Picture positions (..., 2) in pixels of the crop."""
        return np.asarray((px - (self.left_px, self.top_px)) * self.scale, np.float32)


class Studio:
    """One person under one light before one camera, and the portrait that was baked from their photo."""

    def __init__(self, number: int, split: Split, *, noisy_photo: bool = True) -> None:
        """`noisy_photo` False takes the photo without the sensor's noise and without H.264."""
        self._noisy_photo = noisy_photo
        self.person: Person = person(number, split)
        self.figure: Figure = figure_of(self.person)
        self.mover = Mover(self.figure)
        self.frame: FaceFrame = frame_at(_SCALE_PX, _ORIGIN_PX)
        light, camera = light_and_camera(self.person)
        normals = vertex_normals(self.figure.rest, self.figure.triangles)
        occlusion = transfer(self.figure.rest, normals, self.figure.triangles)
        self.painter = Painter(self.figure, paint(self.person), light, occlusion)
        self.at_rest: Posed = self.mover.posed(REST, self.frame, PICTURE_PX)
        self.rest_view: Buffers = self.painter.draw(self.at_rest, PICTURE_PX, PICTURE_PX, (0.0, 0.0), 1.0)
        self.camera: Camera = self._exposed_for_skin(camera)
        self.background: F32 = _background(self.person)
        self._avatar: PortraitAvatar | None = None
        self._faces: PortraitFaces | None = None

    def photo(self) -> Bytes:
        """The neutral photo, (PLATE_PX, PLATE_PX, 3) RGB, as the camera gives it."""
        ratio = PLATE_PX / PICTURE_PX
        # the rig shrinks the plate by two, so that one sample for each of its pixels is enough
        drawn = self.painter.draw(self.at_rest, PLATE_PX, PLATE_PX, (0.0, 0.0), ratio)
        wide = np.asarray(cv2.resize(self.background, (PLATE_PX, PLATE_PX), interpolation=cv2.INTER_CUBIC), np.float32)
        picture = self._developed(drawn, wide, (PLATE_PX, PLATE_PX))
        camera = self.camera if self._noisy_photo else replace(self.camera, noise=0.0, crf=0)
        shot = exposed(picture, camera, self.person.stream(8))
        return compressed([shot], camera.crf)[0] if camera.crf else shot

    def photo_points(self) -> NDArray[np.float64]:
        """The 478 face mesh points of the photo, (478, 3) in its pixels, known and not detected."""
        points = self.mover.rest_points
        px = self.project(points, Posture.of(base_key(REST)))
        return np.asarray(np.c_[px, points[:, 2] * _SCALE_PX] * (PLATE_PX / PICTURE_PX), np.float64)

    @property
    def avatar(self) -> PortraitAvatar:
        """The portrait baked from the photo; a second or two, once."""
        if self._avatar is None:
            plate = np.ascontiguousarray(self.photo()[..., ::-1])
            assets = assemble(Framed(plate, self.photo_points()), lambda _: None)
            self._avatar = PortraitAvatar(f"head3d-{self.person.number}", assets)
        return self._avatar

    def fields(self, controls: Controls, view: View) -> NDArray[np.uint8]:
        """The channels `spec.FIELDS` of a crop as the stream draws them, which knows the controls and not the truth."""
        if self._faces is None:
            self._faces = PortraitFaces(self.avatar.assets)
        frame = Frame(view.scale, (view.left_px, view.top_px), (0.0, 0.0), view.width, view.height)
        return self._faces.fields(self._faces.at(self.avatar.base_key(controls), controls), frame)

    def project(self, points: NDArray[np.float64], posture: Posture) -> NDArray[np.float64]:
        """Picture pixels (N, 2) of points that go with the head (N, 3)."""
        px = features(points, 1.0) @ posture.projection(self.frame, PICTURE_PX)
        lever = (points - (0.0, 1.25, 1.0)) @ (posture.rotation.T - np.eye(3))
        near = 1 / (1 + self.person.perspective * (points[:, 2] + lever[:, 2] - 0.1))
        return np.asarray((px - self.frame.origin_px) * near[:, None] + self.frame.origin_px, np.float64)

    def view(self, roi: str, controls: Controls) -> View:
        """Where a crop lies: its box follows the point between the eyes."""
        crop, box = CROPS[roi], BOXES[roi]
        at = self.project(np.zeros((1, 3)), Posture.of(base_key(controls)))[0]
        return View(
            float(at[0] + box[0] * _SCALE_PX),
            float(at[1] + box[1] * _SCALE_PX),
            crop.width / ((box[2] - box[0]) * _SCALE_PX),
            crop.width,
            crop.height,
        )

    def truth(self, posed: Posed, view: View) -> tuple[F32, Buffers]:
        """The developed crop, RGB 0..255, and what was seen where."""
        n = SAMPLES_PER_PIXEL
        drawn = self.painter.draw(posed, view.width * n, view.height * n, (view.left_px, view.top_px), view.scale * n)
        behind = np.asarray(view.crop(self.background, n), np.float32)
        return self._developed(drawn, behind, (view.width, view.height)), drawn

    def base(self, controls: Controls) -> Bytes:
        """The portrait's picture, RGB."""
        picture = self.avatar.render_full(self.avatar.base_key(controls), controls)
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_YUV2RGB_I420), np.uint8)

    def _developed(self, drawn: Buffers, behind: F32, size: tuple[int, int]) -> F32:
        linear = drawn.linear + (1 - drawn.alpha[..., None]) * behind / self.camera.gain.astype(np.float32)
        return np.asarray(cv2.resize(develop(linear, self.camera), size, interpolation=cv2.INTER_AREA), np.float32)

    def _exposed_for_skin(self, camera: Camera) -> Camera:
        """Exposes for the light on the skin, so that dark skin stays dark."""
        skin = self.rest_view.labels == PART["skin"]
        skin &= self.rest_view.alpha > 0
        level = float(np.median((self.rest_view.linear[skin] / self.person.skin.astype(np.float32)).mean(1)))
        return Camera(
            camera.gain * 0.85 / max(level, 0.02),
            camera.shoulder,
            camera.saturation,
            camera.blur_px,
            camera.noise,
            camera.crf,
        )


def light_and_camera(who: Person) -> tuple[Light, Camera]:
    """The light on a person, and the camera before it is exposed for their skin."""
    rng = who.stream(7)
    light = light_of(rng)
    return light, camera_of(rng, 1.0)


class Head3dSource:
    """Implements `RoiSource`."""

    def __init__(self, *, noisy_truth: bool = True, noisy_photo: bool = True) -> None:
        """`noisy_truth` False leaves the sensor's noise out of the truth, all else stays bit by bit; `noisy_photo`
        False leaves noise and H.264 out of the photo, whose picture the base is."""
        self._noisy_truth, self._noisy_photo = noisy_truth, noisy_photo
        self._studios: OrderedDict[tuple[int, Split], Studio] = OrderedDict()

    @property
    def name(self) -> str:
        quiet = [name for name, noisy in (("truth", self._noisy_truth), ("photo", self._noisy_photo)) if not noisy]
        return "-".join(["head3d", *(f"quiet_{name}" for name in quiet)])

    @property
    def version(self) -> int:
        return 4

    @property
    def rois(self) -> tuple[str, ...]:
        return ROIS

    def clip(self, seed: int, roi: str, frames: int, split: Split = Split.TRAIN) -> RoiClip:
        """A clip of 1 to 16 frames. Raises `ValueError` for another number of frames or a crop it does not render."""
        if not 1 <= frames <= MAX_FRAMES:
            raise ValueError(f"a clip has 1 to {MAX_FRAMES} frames, got {frames}")
        if roi not in ROIS:
            raise ValueError(f"crops are {', '.join(ROIS)}, got {roi!r}")
        if seed < 0:
            raise ValueError(f"seeds are not negative, got {seed}")
        number = seed // CLIPS_OF_ONE
        studio = self._studio(number, split)
        rng = np.random.default_rng([SPLIT_CODE[split], seed, 11])
        rest = _Shot(studio, studio.at_rest, studio.view(roi, REST))
        reference = np.asarray(rest.view.crop(studio.base(REST)), np.uint8)
        samples, before = [], None
        for moment in moments(rng, frames, smiles=_SMILES):
            shot = _Shot(
                studio, studio.mover.posed(moment.controls, studio.frame, PICTURE_PX), studio.view(roi, moment.controls)
            )
            samples.append(shot.sample(moment, roi, reference, before, rng, self._noisy_truth))
            before = shot
        return RoiClip(roi, number, split, tuple(samples))

    def _studio(self, number: int, split: Split) -> Studio:
        key = (number, split)
        if key not in self._studios:
            self._studios[key] = Studio(number, split, noisy_photo=self._noisy_photo)
            while len(self._studios) > _KEPT:
                self._studios.popitem(last=False)
        self._studios.move_to_end(key)
        return self._studios[key]


class _Shot:
    """One frame of a crop, drawn when first needed."""

    def __init__(self, studio: Studio, posed: Posed, view: View) -> None:
        self.studio, self.posed, self.view = studio, posed, view
        self.picture, self.drawn = studio.truth(posed, view)

    def sample(
        self, moment: Moment, roi: str, reference: Bytes, before: "_Shot | None", rng: np.random.Generator, noisy: bool
    ) -> RoiSample:
        studio, view = self.studio, self.view
        camera = studio.camera
        level = camera.noise * _TRUTH_NOISE if noisy else 0.0
        quiet = Camera(camera.gain, camera.shoulder, camera.saturation, camera.blur_px, level, 0)
        labels = np.ascontiguousarray(picked(self.drawn.labels))
        rest_xy = studio.at_rest.xy
        unseen = hidden_at_rest(studio.figure, self.drawn, rest_xy, studio.at_rest.depth, studio.rest_view.depth)
        shape = (view.height, view.width)
        flow, valid = np.zeros((2, *shape), np.float16), np.zeros(shape, np.uint8)
        if before is not None:
            at = before.view.to_crop(before.posed.xy)
            background = (view.left_px - before.view.left_px, view.top_px - before.view.top_px)
            shift = np.array(background, np.float32) * np.float32(view.scale)
            flow, valid = flow_back(studio.figure, self.drawn, at, before.posed.depth, before.drawn, shift)
        points = studio.mover.points(self.posed, moment.controls)[list(SAMPLE_POINTS)]
        landmarks = view.to_crop(studio.project(points, self.posed.posture))
        return RoiSample(
            truth=exposed(self.picture, quiet, rng),
            base=np.ascontiguousarray(view.crop(studio.base(moment.controls)), np.uint8),
            reference=reference,
            fields=studio.fields(moment.controls, view),
            interior=interior_mask(labels, unseen),
            labels=labels,
            flow=flow,
            flow_valid=valid,
            landmarks=landmarks,
            control=control_vector(moment.controls, roi, moment.visemes, moment.emotions),
        )


def _background(who: Person) -> F32:
    """A blurred room, (PICTURE_PX, PICTURE_PX, 3) linear RGB as the camera sees it."""
    rng = who.stream(9)
    size = (PICTURE_PX, PICTURE_PX)
    colour = rng.uniform(0.05, 0.6) * rng.uniform(0.7, 1.3, 3)
    picture = np.ones((*size, 3), np.float32) * colour.astype(np.float32)
    for sigma in (90.0, 35.0):
        wave = noise(rng, size, sigma)
        picture *= np.exp(0.22 * wave[..., None] * rng.uniform(0.5, 1.3, 3)).astype(np.float32)
    for _ in range(int(rng.integers(0, 5))):
        a, b = rng.integers(0, PICTURE_PX, 2), rng.integers(30, 260, 2)
        tint = tuple(float(c) for c in colour * rng.uniform(0.3, 2.0, 3))
        cv2.rectangle(picture, (int(a[0]), int(a[1])), (int(a[0] + b[0]), int(a[1] + b[1])), tint, -1)
    soft = float(rng.uniform(1.5, 14.0))
    return np.asarray(np.clip(cv2.GaussianBlur(picture, (0, 0), soft), 0.004, 1.4), np.float32)
