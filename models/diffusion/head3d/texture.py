"""A person's textures by number: skin, eyes, teeth, tongue, hair and cloth in one atlas."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from models.diffusion.head3d import parts
from models.diffusion.head3d.parts import ATLAS_PX, MAP_CORNER, PX_PER_UNIT
from models.diffusion.head3d.person import Person
from models.diffusion.head3d.raster import F32
from models.diffusion.head3d.skin import Skin, noise

_FACE_PX: Final = (704, 904)


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Textures of all parts, (ATLAS_PX, ATLAS_PX, C)."""

    albedo: F32
    """Linear RGB reflectance."""
    detail: F32
    """(.., 4): slope of the relief along x and y, gloss, and how sharp its highlights are."""
    wrinkles: F32
    """(.., 6): slopes of the wrinkles of raised brows, of a frown, of a smile."""


def paint(person: Person) -> Atlas:
    """All textures of a person; a tenth of a second or two."""
    albedo = np.zeros((ATLAS_PX, ATLAS_PX, 3), np.float32) + np.asarray(person.skin, np.float32)
    height = np.zeros((ATLAS_PX, ATLAS_PX), np.float32)
    gloss = np.full((ATLAS_PX, ATLAS_PX), 0.3, np.float32)
    sharp = np.zeros((ATLAS_PX, ATLAS_PX), np.float32)
    columns, rows = _FACE_PX
    face = (slice(0, rows), slice(0, columns))
    x, y = np.meshgrid(np.arange(columns) / PX_PER_UNIT + MAP_CORNER[0], np.arange(rows) / PX_PER_UNIT + MAP_CORNER[1])
    skin = Skin(person, x, y)
    albedo[face], height[face], gloss[face], sharp[face] = skin.paint()
    _paint_eye(person, albedo, gloss, sharp)
    _paint_mouth(person, albedo, gloss, sharp, height)
    _paint_hair_and_cloth(person, albedo, height, gloss)
    slope_x, slope_y = _slopes(height)
    wrinkles = np.zeros((ATLAS_PX, ATLAS_PX, 6), np.float32)
    for index, relief in enumerate(skin.wrinkles()):
        full = np.zeros((ATLAS_PX, ATLAS_PX), np.float32)
        full[face] = relief
        wrinkles[..., 2 * index], wrinkles[..., 2 * index + 1] = _slopes(full)
    return Atlas(albedo, np.dstack([slope_x, slope_y, gloss, sharp]), wrinkles)


def _slopes(height: F32) -> tuple[F32, F32]:
    across, down = (cv2.Sobel(height, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _paint_eye(person: Person, albedo: F32, gloss: F32, sharp: F32) -> None:
    rng, n = person.stream(3), parts.EYE_PX
    a = (np.arange(n) - (n - 1) / 2) / (n / 2 - 2)
    x, y = np.meshgrid(a, a)
    r, turn = np.hypot(x, y) * 0.27, np.arctan2(y, x)
    radius = 0.098 * float(rng.uniform(0.96, 1.05))
    white = np.array([0.56, 0.52, 0.48]) * (1 - 0.10 * person.age) * np.ones((n, n, 3))
    veins = (
        0.4
        * np.clip(noise(rng, (n, n), 1.2) * 0.7 + noise(rng, (n, n), 3) * 0.4 - 0.9, 0, 1)
        * np.clip((r - 0.13) / 0.12, 0, 1)
    )
    white *= np.exp(
        -veins[..., None] * np.array([0.03, 0.5, 0.5])
        - np.clip((r - 0.14) / 0.13, 0, 1)[..., None] * np.array([0.12, 0.34, 0.36])
    )
    fibre = np.interp(turn + np.pi, np.linspace(0, 2 * np.pi, 90), rng.standard_normal(90)) * 0.22 + 0.12 * noise(
        rng, (n, n), 1.2
    )
    f = r / radius
    iris = person.iris * (1 + fibre * np.clip(f * 1.6 - 0.4, 0, 1))[..., None]
    iris = (
        iris
        * (1 + 0.5 * np.exp(-(((f - 0.55) / 0.13) ** 2)))[..., None]
        * (1 - 0.62 * np.clip((f - 0.78) / 0.2, 0, 1))[..., None]
    )
    pupil = np.clip((person.pupil - f) / 0.06 + 0.5, 0, 1)[..., None]
    iris = iris * (1 - pupil) + 0.004 * pupil
    cover = np.clip((1 - f) / 0.10 + 0.5, 0, 1)[..., None]
    at = (slice(parts.EYE_AT[1], parts.EYE_AT[1] + n), slice(parts.EYE_AT[0], parts.EYE_AT[0] + n))
    albedo[at] = (white * (1 - cover) + iris * cover).astype(np.float32)
    gloss[at] = 1.0
    sharp[at] = 1.0


def _paint_mouth(person: Person, albedo: F32, gloss: F32, sharp: F32, height: F32) -> None:
    rng = person.stream(4)
    width, tall = parts.TEETH_SIZE
    enamel = np.array([0.84, 0.80, 0.73]) * person.teeth_tone + np.array([0.72, 0.66, 0.56]) * (1 - person.teeth_tone)
    gum = np.array([0.42, 0.13, 0.12]) * (0.55 + 0.45 * float(person.skin.mean() / 0.4))
    for upper, at in ((True, parts.TEETH_AT), (False, parts.TEETH_LOW_AT)):
        s = np.linspace(-1, 1, width)[None]
        f = np.linspace(1, 0, tall)[:, None] if upper else np.linspace(0, 1, tall)[:, None]
        edges = parts.tooth_edges(upper)
        index = np.clip(np.searchsorted(edges, np.abs(s), side="right") - 1, 0, len(edges) - 2)
        within = (np.abs(s) - edges[index]) / (edges[index + 1] - edges[index])
        side = np.minimum(within, 1 - within) * (edges[index + 1] - edges[index]) * width / 2
        groove = np.exp(-((side / (0.8 + 0.5 * person.teeth_gap)) ** 2)) * (0.45 + 0.45 * f)
        tint = rng.normal(0, 0.025, 16)[index + 8 * (s > 0)]
        tone = (1 + tint) * (1 - 0.16 * np.clip(np.abs(s) * 1.3 - 0.3, 0, 1)) * (1 - 0.20 * np.clip(f - 0.35, 0, 1))
        tone = tone + 0.05 * noise(rng, (tall, width), 5)
        tooth = enamel * tone[..., None] * np.exp(-np.clip(f - 0.3, 0, 1)[..., None] * np.array([0, 0.04, 0.14]))
        tip = np.exp(-((f / 0.09) ** 2))[..., None] * 0.25
        tooth = tooth * (1 - tip) + tooth * np.array([0.78, 0.84, 0.92]) * tip
        tooth = tooth * np.exp(-groove[..., None] * np.array([1.0, 1.35, 1.6]))
        line = (0.80 if upper else 0.74) - 0.13 * (2 * within - 1) ** 2 + 0.0 * f
        gums = np.clip((f - line) / 0.03 + 0.5, 0, 1)[..., None]
        box = (slice(at[1], at[1] + tall), slice(at[0], at[0] + width))
        albedo[box] = (tooth * (1 - gums) + gum * (1 + 0.08 * noise(rng, (tall, width), 3))[..., None] * gums).astype(
            np.float32
        )
        gloss[box], sharp[box] = 0.75, 0.55
    n, (tx, ty) = parts.TONGUE_PX, parts.TONGUE_AT
    rough = 0.10 * noise(rng, (n, n), 1.0) + 0.06 * noise(rng, (n, n), 4)
    s = np.linspace(-1, 1, n)[None]
    flesh = np.array([0.44, 0.155, 0.145]) * (1 + rough - 0.22 * np.exp(-((s / 0.10) ** 2)))[..., None]
    albedo[ty : ty + n, tx : tx + n] = flesh
    gloss[ty : ty + n, tx : tx + n], sharp[ty : ty + n, tx : tx + n] = 0.55, 0.35
    height[ty : ty + n, tx : tx + n] = 1.2 * rough
    cx, cy = parts.CAVITY_AT
    albedo[cy : cy + 16, cx : cx + 16] = (0.24, 0.055, 0.05)
    gloss[cy : cy + 16, cx : cx + 16] = 0.0


def _paint_hair_and_cloth(person: Person, albedo: F32, height: F32, gloss: F32) -> None:
    rng = person.stream(5)
    (hx, hy), (width, tall) = parts.HAIR_AT, parts.HAIR_SIZE
    strands = (
        0.8 * noise(rng, (tall, width), 0.8, (0.7, 22.0))
        + 0.6 * noise(rng, (tall, width), 2.5, (0.8, 12.0))
        + 0.4 * noise(rng, (tall, width), 7, (0.8, 5.0))
    )
    box = (slice(hy, hy + tall), slice(hx, hx + width))
    albedo[box] = person.hair * np.exp(0.34 * np.clip(strands, -2.2, 2.2))[..., None]
    height[box] = 1.6 * strands
    gloss[box] = 0.22 + 0.14 * np.clip(strands, 0, 1.5)
    (cx, cy), n = parts.CLOTH_AT, parts.CLOTH_PX
    box = (slice(cy, cy + n), slice(cx, cx + n))
    v = np.linspace(0.9, 4.6, n)[:, None] * np.ones((1, n))
    collar = 2.42 + 0.10 * np.cos(np.linspace(-np.pi, np.pi, n))[None] + 0 * v
    cover = np.clip((v - collar) / 0.035, 0, 1)[..., None]
    neck = person.skin * (1 + 0.03 * noise(rng, (n, n), 3))[..., None]
    albedo[box] = neck * (1 - cover) + person.shirt * (1 + 0.05 * noise(rng, (n, n), 1))[..., None] * cover
    gloss[box] = 0.12 * (1 - cover[..., 0])
    fx, fy = parts.FRAME_AT
    albedo[fy : fy + 16, fx : fx + 16] = rng.choice([0.01, 0.02, 0.08, 0.25]) * rng.uniform(0.5, 1.0, 3)
    gloss[fy : fy + 16, fx : fx + 16] = 0.9
