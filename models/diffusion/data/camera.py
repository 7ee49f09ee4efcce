"""What lies between a face and its picture: light, lens, sensor noise, a codec, and things held before the face."""

import io
from dataclasses import dataclass
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from models.diffusion.data.flow import Floats, sample

Bytes = NDArray[np.uint8]

_CODED: Final = 0.35
_BLURRED: Final = 0.25
_OCCLUDED: Final = 0.12


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """One clip's light and lens; equal in all its frames."""

    gain: Floats
    """(H, W, 3): what the light multiplies each pixel of the picture by."""
    noise_bytes: float
    blur_px: float
    crf: int | None
    """H.264 quality of the avatar's picture; None where it was never compressed."""
    seed: int

    def lit(self, picture: Bytes) -> Bytes:
        """The picture in this light."""
        return np.clip(picture * self.gain, 0, 255).astype(np.uint8)

    def lit_at(self, pixels: Bytes, places: Floats) -> Bytes:
        """Pixels that were sampled at these places of the picture, in this light."""
        gain = cv2.remap(
            self.gain, (places - 0.5).astype(np.float32), np.empty(0, np.float32), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return np.clip(pixels * gain, 0, 255).astype(np.uint8)

    def taken(self, picture: Bytes) -> Bytes:
        """The avatar's own picture as a camera or a file delivers it: lit, blurred, noisy, compressed."""
        shot = self.lit(picture)
        if self.blur_px > 0:
            shot = np.asarray(cv2.GaussianBlur(shot, (0, 0), self.blur_px), np.uint8)
        if self.noise_bytes > 0:
            noise = np.random.default_rng(self.seed).normal(0, self.noise_bytes, shot.shape).astype(np.float32)
            shot = np.clip(shot + noise, 0, 255).astype(np.uint8)
        return shot if self.crf is None else h264(shot, self.crf)


def random_camera(rng: np.random.Generator, width: int, height: int) -> Camera:
    """Light from some side in some colour, a lens and a codec."""
    x, y = np.meshgrid(np.linspace(-1, 1, 32), np.linspace(-1, 1, 32))
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.35)
    slope = 1 + strength * (np.cos(angle) * x + np.sin(angle) * y)
    spot = rng.uniform(-0.8, 0.8, 2)
    glow = 1 + rng.uniform(-0.2, 0.2) * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / rng.uniform(0.05, 0.6))
    color = rng.uniform(0.75, 1.1) * (1 + rng.normal(0, 0.06, 3))
    coarse = ((slope * glow)[..., None] * color).astype(np.float32)
    gain = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    return Camera(
        gain=gain,
        noise_bytes=float(max(0.0, rng.normal(0.8, 0.9))),
        blur_px=float(rng.uniform(0.3, 0.8)) if rng.random() < _BLURRED else 0.0,
        crf=int(rng.integers(18, 33)) if rng.random() < _CODED else None,
        seed=int(rng.integers(2**31)),
    )


def h264(picture: Bytes, crf: int) -> Bytes:
    """The picture after one intra frame of H.264 at this quality."""
    buffer = io.BytesIO()
    height, width = picture.shape[:2]
    with av.open(buffer, "w", format="h264") as container:
        options = {"crf": str(crf), "preset": "ultrafast", "threads": "1"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    buffer.seek(0)
    with av.open(buffer, "r", format="h264") as container:
        decoded = next(container.decode(video=0))
        return np.ascontiguousarray(decoded.to_ndarray(format="rgb24"))


@dataclass(frozen=True, slots=True, eq=False)
class Occluder:
    """A finger, a microphone or a strand before the face: it must be left alone."""

    start: tuple[float, float]
    end: tuple[float, float]
    half_px: float
    color: tuple[float, float, float]
    drift: tuple[float, float]

    def draw(self, pictures: tuple[Bytes, ...], frame: int) -> NDArray[np.bool_]:
        """Draw it over all pictures alike, in place; where it lies, (H, W)."""
        height, width = pictures[0].shape[:2]
        cover = np.zeros((height, width), np.float32)
        ends = [
            (round((x + self.drift[0] * frame) * 16), round((y + self.drift[1] * frame) * 16))
            for x, y in (self.start, self.end)
        ]
        cv2.line(cover, ends[0], ends[1], (1.0,), max(1, round(2 * self.half_px)), cv2.LINE_AA, 4)
        cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.8), np.float32)
        depth = np.asarray(cv2.GaussianBlur(cover, (0, 0), self.half_px * 0.6), np.float32)
        paint = np.array(self.color, np.float32) * (0.55 + 0.45 * depth[..., None])
        for picture in pictures:
            picture[...] = (picture + (paint - picture) * cover[..., None]).astype(np.uint8)
        return cover > 0.5


def random_occluder(rng: np.random.Generator, width: int, height: int) -> Occluder | None:
    """Something before the face in one clip out of eight, nothing in the others."""
    if rng.random() >= _OCCLUDED:
        return None
    start, end = (rng.uniform(-0.2, 1.2, 2) * (width, height) for _ in range(2))
    return Occluder(
        start=(float(start[0]), float(start[1])),
        end=(float(end[0]), float(end[1])),
        half_px=float(rng.uniform(2, 0.12 * width)),
        color=tuple(float(v) for v in rng.uniform(20, 235, 3)),  # type: ignore[arg-type]  # three numbers
        drift=(float(rng.normal(0, 1.5)), float(rng.normal(0, 1.5))),
    )


def shot_at(camera: Camera, picture: Bytes, places: Floats) -> Bytes:
    """The true picture (H, W, 3) at these places, in the camera's light, without its faults."""
    return camera.lit_at(sample(picture, places), places)
