"""From linear light to the bytes of a camera: exposure, white balance, tone, blur, sensor noise, H.264."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from models.diffusion.head3d.raster import F32

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """What one recording does to all its frames."""

    gain: NDArray[np.float64]
    """(3,) exposure times white balance."""
    shoulder: float
    saturation: float
    blur_px: float
    noise: float
    """Standard deviation at mid grey, in bytes; shot noise grows with the square root of the light."""
    crf: int
    """H.264 quality; 0: never compressed."""


def camera_of(rng: np.random.Generator, light: float) -> Camera:
    """A random camera; `light` is the mean radiance of skin that it exposes for."""
    warm, green = rng.normal(0, 0.045), rng.normal(0, 0.012)
    balance = np.array([1 + warm, 1 + green, 1 - warm])
    target = float(rng.uniform(0.75, 1.25))
    return Camera(
        gain=balance * target / max(light, 0.02),
        shoulder=float(rng.uniform(0.5, 0.9)),
        saturation=float(rng.uniform(0.85, 1.12)),
        blur_px=float(rng.uniform(0.0, 0.7)),
        noise=float(rng.uniform(0.3, 3.0)) if rng.random() < 0.7 else 0.0,
        crf=int(rng.integers(18, 31)) if rng.random() < 0.35 else 0,
    )


def develop(linear: F32, camera: Camera) -> F32:
    """RGB 0..255 float of linear light (H, W, 3): a filmic shoulder above, the sRGB curve below."""
    x = np.maximum(linear * camera.gain.astype(np.float32), 0)
    knee = np.float32(camera.shoulder)
    room = np.float32(1) - knee
    x = np.where(x > knee, knee + room * (1 - np.exp(-(x - knee) / room)), x)
    grey = x @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    x = np.clip(grey[..., None] + (x - grey[..., None]) * np.float32(camera.saturation), 0, 1)
    coded = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(np.maximum(x, 1e-6), np.float32(1 / 2.4)) - 0.055)
    return np.asarray(coded * 255, np.float32)


def exposed(picture: F32, camera: Camera, rng: np.random.Generator) -> Bytes:
    """Blur and noise of the lens and the sensor."""
    if camera.blur_px > 0.2:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), camera.blur_px), np.float32)
    if camera.noise > 0:
        fine = rng.standard_normal(picture.shape[:2]).astype(np.float32)[..., None]
        colour = cv2.GaussianBlur(rng.standard_normal(picture.shape).astype(np.float32), (0, 0), 0.8)
        level = np.sqrt(np.clip(picture, 4, 255) / 128) * np.float32(camera.noise)
        picture = picture + level * (0.8 * fine + 0.9 * colour)
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def compressed(frames: list[Bytes], crf: int) -> list[Bytes]:
    """Frames (H, W, 3) RGB, H and W even, through H.264 at a quality and back. Deterministic: one thread."""
    encoder: Any = av.CodecContext.create("libx264", "w")
    height, width, _ = frames[0].shape
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"crf": str(crf), "preset": "veryfast", "tune": "zerolatency", "threads": "1"}
    decoder: Any = av.CodecContext.create("h264", "r")
    packets = []
    for index, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuv420p")
        picture.pts = index
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    out = [found for packet in packets for found in decoder.decode(packet)] + list(decoder.decode(None))
    return [np.asarray(found.to_ndarray(format="rgb24"), np.uint8) for found in out]
