"""Light of order-2 spherical harmonics, and what a head hides from itself of it.

Irradiance: Ramamoorthi & Hanrahan, "An efficient representation for irradiance environment maps" (2001). Self-occlusion
as a transfer vector for each vertex: Sloan, Kautz & Snyder, "Precomputed radiance transfer" (2002)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.diffusion.head3d.raster import F32, Ints, rasterise

DIRECTIONS: Final = 40
_MAP_PX: Final = 72
_BIAS: Final = 0.05
_BANDS: Final = np.array([1.0] + [2.0 / 3.0] * 3 + [0.25] * 5, np.float32)
"""Ratios A_l / pi of the clamped cosine for l = 0, 1, 2."""


def basis(directions: NDArray[np.floating]) -> F32:  # type: ignore[type-arg]
    """Real spherical harmonics up to order 2 at unit vectors (N, 3): (N, 9)."""
    x, y, z = np.moveaxis(np.asarray(directions, np.float32), -1, 0)
    one = np.ones_like(x)
    return np.stack([
        0.282095 * one, 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y, 1.092548 * y * z,
        0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y),
    ], -1)  # fmt: skip


def sphere(count: int = DIRECTIONS) -> NDArray[np.float64]:
    """Evenly spread unit vectors (count, 3) on a Fibonacci spiral."""
    k = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    return np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], 1)


@dataclass(frozen=True, slots=True, eq=False)
class Lamp:
    """One broad lamp: where it stands, how broad, what colour."""

    direction: NDArray[np.float64]
    """Unit vector from the face to the lamp; x right, y down, z away from the viewer."""
    colour: NDArray[np.float64]
    """Linear RGB."""
    sharpness: float


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Lamps and what surrounds them, as coefficients of radiance."""

    coefficients: F32
    """(9, 3)."""
    key: NDArray[np.float64]
    """(3,) direction of the strongest lamp."""
    key_colour: NDArray[np.float64]
    fill: float
    """0..1: how much of the light comes from everywhere."""


def light_of(rng: np.random.Generator) -> Light:
    """A random indoor or outdoor light: a key, a fill, a rim or window at times, sky above and floor below."""
    key = _from_front(rng, rng.uniform(-75, 75), rng.uniform(-10, 55))
    warm = rng.uniform(-1, 1)
    tint = np.array([1 + 0.16 * warm, 1.0, 1 - 0.20 * warm])
    ambient = float(rng.uniform(0.10, 0.45))
    lamps = [Lamp(key, tint * rng.uniform(0.9, 1.35), float(rng.uniform(2.0, 8.0)))]
    if rng.random() < 0.7:
        side = _from_front(rng, -np.sign(key[0] + 1e-9) * rng.uniform(25, 100), rng.uniform(-15, 35))
        cool = rng.uniform(-1, 1)
        colour = np.array([1 + 0.15 * cool, 1.0, 1 - 0.18 * cool]) * rng.uniform(0.15, 0.6)
        lamps.append(Lamp(side, colour, float(rng.uniform(1.0, 3.0))))
    return mixed(lamps, ambient, rng.uniform(0.7, 1.15, 3) * ambient, float(rng.uniform(0.15, 0.7)))


def mixed(lamps: list[Lamp], ambient: float, sky: NDArray[np.float64], bounce: float) -> Light:
    """Coefficients of lamps over a sky (RGB from above) and what the floor throws back."""
    around = sphere(400)
    radiance = np.zeros((400, 3))
    up = np.clip(0.5 - 0.5 * around[:, 1:2], 0, 1)
    radiance += sky * (up + bounce * (1 - up) * np.array([1.05, 0.95, 0.85]))
    for lamp in lamps:
        lobe = np.clip(around @ lamp.direction, 0, 1) ** lamp.sharpness
        radiance += lobe[:, None] / max(float(lobe.mean()) * 4.0, 1e-6) * lamp.colour
    coefficients = basis(around).T @ radiance * (4 * np.pi / 400)
    return Light(coefficients.astype(np.float32), lamps[0].direction, lamps[0].colour, min(1.0, ambient))


def _from_front(rng: np.random.Generator, azimuth_deg: float, height_deg: float) -> NDArray[np.float64]:
    a, h = np.radians(azimuth_deg), np.radians(height_deg)
    return np.array([np.sin(a) * np.cos(h), -np.sin(h), -np.cos(a) * np.cos(h)])


def irradiance(normals: F32, light: Light) -> F32:
    """Irradiance / pi at unit normals (N, 3), linear RGB (N, 3), nothing hidden."""
    return np.maximum((basis(normals) * _BANDS) @ light.coefficients, 0.0)


def turned(light: Light, rotation: NDArray[np.float64]) -> Light:
    """The light in the axes of a head that stands in the world by `rotation` (3, 3)."""
    around = sphere(200)
    radiance = basis(around @ rotation.T) @ light.coefficients
    coefficients = basis(around).T @ radiance * (4 * np.pi / 200)
    return Light(coefficients.astype(np.float32), rotation.T @ light.key, light.key_colour, light.fill)


def transfer(vertices: F32, normals: F32, triangles: Ints) -> F32:
    """Self-occluded transfer vectors (V, 9): irradiance / pi is `transfer @ coefficients`."""
    around = sphere()
    out = np.zeros((len(vertices), 9), np.float32)
    values = basis(around)
    for direction, value in zip(around, values, strict=True):
        cosine = np.maximum(normals @ direction.astype(np.float32), 0)
        out += (cosine * _seen_from(vertices, triangles, direction))[:, None] * value
    return out * np.float32(4.0 / DIRECTIONS)


def _seen_from(vertices: F32, triangles: Ints, direction: NDArray[np.float64]) -> F32:
    """0..1 for each vertex: whether it sees far away along a direction, by a small shadow map."""
    helper = np.array([0.0, 1.0, 0.0]) if abs(direction[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    right = np.cross(helper, direction)
    right /= np.linalg.norm(right)
    down = np.cross(direction, right)
    plane = vertices @ np.stack([right, down], 1).astype(np.float32)
    depth = -(vertices @ direction.astype(np.float32))
    low, high = plane.min(0), plane.max(0)
    scale = (_MAP_PX - 3) / float((high - low).max())
    xy = (plane - low) * scale + 1
    cover = rasterise(xy, depth, triangles, _MAP_PX, _MAP_PX, cull=False)
    shadow = cover.image(cover.interpolate(depth[:, None], triangles), 1e3)[..., 0]
    lit = np.zeros(len(vertices), np.float32)
    for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
        x = np.clip(np.rint(xy[:, 0]).astype(int) + dx, 0, _MAP_PX - 1)
        y = np.clip(np.rint(xy[:, 1]).astype(int) + dy, 0, _MAP_PX - 1)
        lit += np.clip(1.5 - (depth - shadow[y, x] - _BIAS) / 0.06, 0, 1)
    return lit / np.float32(5)
