"""Draws a posed figure: geometry once, then textures, light, relief and highlights for each pixel, with its truth."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.geometry import PIVOT, Posture, features
from models.diffusion.head3d import parts
from models.diffusion.head3d.figure import PART, Figure, vertex_normals
from models.diffusion.head3d.light import Light, basis, irradiance, turned
from models.diffusion.head3d.raster import F32, Cover, Gates, rasterise
from models.diffusion.head3d.surface import lid_distance
from models.diffusion.head3d.template import MOUTH_HALF, lower_height, upper_height
from models.diffusion.head3d.texture import Atlas

MOUTH_PIECES: Final = ("upper_teeth", "lower_teeth", "tongue", "cavity", "upper_lining", "lower_lining")
_LUMA: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
_RELIEF: Final = 0.55
_cv: Final[Any] = cv2
MOUTH_GATE, EYES_GATE = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """A figure in one frame."""

    vertices: F32
    """(V, 3) in the head's axes, face units."""
    xy: F32
    """(V, 2) picture pixels."""
    depth: F32
    posture: Posture
    opening: float
    """Height of the mouth's opening in face units."""
    wrinkles: tuple[float, float, float]
    """How much brows are raised, knit, and the cheeks smile, 0..1."""
    blink: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Buffers:
    """A drawn picture and what was seen where, at the drawing's own resolution."""

    linear: F32
    """(H, W, 3) RGB, linear light."""
    alpha: F32
    """(H, W)."""
    labels: NDArray[np.uint8]
    cover: Cover
    depth: F32
    """(H, W), 1e3 where nothing is."""


def project(figure: Figure, vertices: F32, posture: Posture, frame: FaceFrame, picture_px: int) -> tuple[F32, F32]:
    """Picture pixels (V, 2) and depth (V,) of head vertices, with the portrait's attitude and some perspective."""
    px = features(vertices, figure.follows) @ posture.projection(frame, picture_px)
    lever = (vertices - PIVOT) @ (posture.rotation.T - np.eye(3))
    depth = vertices[:, 2] + lever[:, 2] * figure.follows
    near = 1 / (1 + figure.person.perspective * (depth - 0.1))
    origin = frame.origin_px.astype(np.float32)
    return np.asarray((px - origin) * near[:, None] + origin, np.float32), depth.astype(np.float32)


class Painter:
    """Draws one person under one light."""

    def __init__(self, figure: Figure, atlas: Atlas, light: Light, occlusion: F32) -> None:
        """`occlusion` (V, 9) are the transfer vectors at rest."""
        self._f, self._atlas, self._light, self._occlusion = figure, atlas, light, occlusion
        self._skin_labels = skin_labels()
        self._gate_bits = gate_bits(figure)
        self._along_x, self._along_y = _tangents(figure)

    def draw(self, posed: Posed, width: int, height: int, offset: tuple[float, float], scale: float) -> Buffers:
        """Draw what lies in a rectangle: picture pixel p shows at (p - offset) * scale; without the background."""
        f = self._f
        xy = ((posed.xy - np.asarray(offset, np.float32)) * np.float32(scale) - 0.5).astype(np.float32)
        cover = rasterise(xy, posed.depth, f.triangles, width, height, gates=self._gates(xy, width, height))
        attributes = np.concatenate([f.uv, self._shaded(posed), posed.depth[:, None]], 1)
        seen = cover.image(cover.interpolate(attributes.astype(np.float32), f.triangles))
        alpha = np.zeros(width * height, np.float32)
        alpha[cover.pixel] = 1
        labels = np.zeros(width * height, np.uint8)
        labels[cover.pixel] = f.labels[cover.triangle]
        labels = self._told_apart(labels.reshape(height, width), seen[..., :2], cover)
        linear = self._pixels(seen, posed)
        mask = alpha.reshape(height, width)
        depth = np.where(mask > 0, seen[..., 11], 1e3).astype(np.float32)
        return Buffers(linear * mask[..., None], mask, labels, cover, depth)

    def _gates(self, xy: F32, width: int, height: int) -> Gates:
        f = self._f
        mask = np.zeros((height, width), np.uint8)
        for bit, (first, second) in zip((MOUTH_GATE, EYES_GATE, EYES_GATE), (f.seams, *f.lids), strict=True):
            outline = np.round(np.concatenate([xy[first], xy[second][::-1]]) * 16).astype(np.int32)
            part = np.zeros((height, width), np.uint8)
            _cv.fillPoly(part, [outline], 1, cv2.LINE_8, 4)
            _cv.polylines(part, [outline], True, 1, 3, cv2.LINE_8, 4)
            mask |= part * np.uint8(bit)
        return Gates(self._gate_bits, mask)

    def _shaded(self, posed: Posed) -> F32:
        """Per vertex (V, 9): light RGB, relief's light along the map's x and y, highlight terms, highlight strength."""
        f = self._f
        normals = vertex_normals(posed.vertices, f.triangles)
        light = turned(self._light, posed.posture.rotation)
        hidden = np.maximum(self._occlusion @ light.coefficients, 0.0)
        open_at_rest = irradiance(self._rest_normals(), light)
        ratio = np.clip(hidden / np.maximum(open_at_rest, 1e-3), 0.03, 1.15)
        shade = irradiance(normals, light) * ratio
        shade = self._inside_mouth(shade, posed, light)
        shade = self._under_lids(shade, posed)
        luma = shade @ _LUMA
        first = light.coefficients[[3, 1, 2]] @ _LUMA * np.float32(0.488603 * 2 / 3)
        relief = np.float32(_RELIEF) / np.maximum(luma, 0.05)
        lit = np.clip(ratio @ _LUMA, 0, 1)
        half = light.key + posed.posture.rotation.T @ np.array([0.0, 0.0, -1.0])
        half = (half / np.linalg.norm(half)).astype(np.float32)
        soft = f.neighbours[: f.slices["skin"].stop]
        for channel, rounds in ((0, 2), (1, 1)):
            for _ in range(rounds):
                shade[: len(soft), channel] = 0.4 * shade[: len(soft), channel] + 0.6 * shade[soft, channel].mean(1)
        along = np.stack([-(self._along_x @ first) * relief * lit, -(self._along_y @ first) * relief * lit], 1)
        strength = lit * self._key_seen(light)
        for name in ("right_eye", "left_eye"):
            strength[f.slices[name]] = 0.9
        for name in ("upper_teeth", "lower_teeth", "tongue"):
            strength[f.slices[name]] = np.clip(shade[f.slices[name]] @ _LUMA, 0, 0.8)
        shine = np.stack([normals @ half, self._along_x @ half, self._along_y @ half, strength], 1)
        return np.asarray(np.concatenate([shade, along, shine], 1), np.float32)

    def _rest_normals(self) -> F32:
        return vertex_normals(self._f.rest, self._f.triangles)

    def _key_seen(self, light: Light) -> F32:
        seen = np.maximum(self._occlusion @ basis(light.key[None])[0], 0)
        return np.asarray(np.clip(seen * 2.2, 0.15, 1), np.float32)

    def _inside_mouth(self, shade: F32, posed: Posed, light: Light) -> F32:
        """What lies behind the lips gets what light the opening lets in."""
        f = self._f
        upper, lower = (posed.vertices[ids] for ids in f.seams)
        half = max(1e-3, float(upper[-1, 0] - upper[0, 0]) / 2)
        front = irradiance(np.array([[0, 0.15, -0.98]], np.float32), light)[0]
        let_in = np.clip(posed.opening / 0.40, 0, 1) ** 0.7
        at_rest = f.rest[f.seams[0]]
        # lips drawn together and forward leave a tunnel with less light
        wide = np.clip(2 * half / float(at_rest[-1, 0] - at_rest[0, 0]), 0.5, 1)
        middle = float(upper[:, 0].mean())
        for name in MOUTH_PIECES:
            at = f.slices[name]
            v = posed.vertices[at]
            t = np.clip((v[:, 0] - middle) / half, -1, 1)
            edge = np.interp(v[:, 0], upper[:, 0], upper[:, 1])
            floor = np.interp(v[:, 0], lower[:, 0], lower[:, 1])
            lip_z = np.interp(v[:, 0], upper[:, 0], upper[:, 2])
            under = np.exp(-np.clip(v[:, 1] - edge, 0, None) / 0.04)
            above = np.exp(-np.clip(floor - v[:, 1], 0, None) / 0.04)
            deep = np.exp(-np.clip(v[:, 2] - lip_z - 0.05, 0, None) / (0.16 + 0.26 * let_in))
            if name.endswith("teeth"):
                # enamel scatters what reaches its wet front: it is seldom darker than the skin around the mouth
                amount = (0.88 + 0.20 * let_in) * (1 - 0.38 * under) * (1 - 0.18 * above) * (1 - 0.35 * t**4)
                around = np.clip(np.abs(v[:, 0] - middle) / parts.ARCH[True][0], 0, 1)
                amount = amount * wide * np.clip(deep, 0.20, 1) * (1 - 0.70 * around**5)
                if name.startswith("lower"):
                    amount = amount * self._bitten(posed, v)
            elif name == "tongue":
                amount = (0.80 + 0.50 * let_in) * (1 - 0.45 * under) * (1 - 0.30 * above) * (1 - 0.45 * t**2)
                amount = amount * wide * np.clip(deep, 0.12, 1)
            else:
                amount = (0.42 + 0.58 * let_in) * (1 - 0.45 * under) * (1 - 0.30 * above) * (1 - 0.45 * t**2)
                amount = amount * np.clip(deep, 0.07, 1)
            if name.endswith("lining"):
                amount = np.maximum(amount, 0.0) * (0.85 if name.startswith("lower") else 0.55)
            shade[at] = front * amount[:, None].astype(np.float32)
        return shade

    def _bitten(self, posed: Posed, lower: F32) -> F32:
        """(N,) how much light the upper row leaves vertices of the lower one where the rows meet."""
        upper = posed.vertices[self._f.slices["upper_teeth"]].reshape(-1, parts.TEETH_COLUMNS, 3)
        bite = upper[upper[..., 1].mean(1).argmax()]
        gap = lower[:, 1] - np.interp(lower[:, 0], bite[:, 0], bite[:, 1])
        return np.asarray(1 - 0.60 * np.exp(-np.clip(gap, 0, None) / 0.022), np.float32)

    def _under_lids(self, shade: F32, posed: Posed) -> F32:
        """Eyeballs lie in the shade of lids and lashes."""
        f = self._f
        for name, (upper_ids, lower_ids) in zip(("right_eye", "left_eye"), f.lids, strict=True):
            at = f.slices[name]
            v = posed.vertices[at]
            upper, lower = posed.vertices[upper_ids], posed.vertices[lower_ids]
            order = np.argsort(upper[:, 0], kind="stable")
            top = np.interp(v[:, 0], upper[order, 0], upper[order, 1])
            order_low = np.argsort(lower[:, 0], kind="stable")
            bottom = np.interp(v[:, 0], lower[order_low, 0], lower[order_low, 1])
            left, right = float(upper[:, 0].min()), float(upper[:, 0].max())
            s = np.clip((v[:, 0] - left) / (right - left) * 2 - 1, -1, 1)
            dark = 1 - 0.55 * np.exp(-np.clip(v[:, 1] - top, 0, None) / 0.035)
            dark *= 1 - 0.25 * np.exp(-np.clip(bottom - v[:, 1], 0, None) / 0.025)
            dark *= 1 - 0.35 * np.abs(s) ** 4
            around = shade[np.concatenate([upper_ids, lower_ids])].mean(0)
            shade[at] = (0.35 * shade[at] + 0.6 * around) * dark[:, None].astype(np.float32)
        return shade

    def _pixels(self, seen: F32, posed: Posed) -> F32:
        where = np.ascontiguousarray(seen[..., :2])
        albedo = cv2.remap(self._atlas.albedo, where, np.empty(0), cv2.INTER_LINEAR)
        detail = cv2.remap(self._atlas.detail, where, np.empty(0), cv2.INTER_LINEAR)
        slope_x, slope_y = detail[..., 0], detail[..., 1]
        for index, amount in enumerate(posed.wrinkles):
            if amount > 0.02:
                pair = np.ascontiguousarray(self._atlas.wrinkles[..., 2 * index : 2 * index + 2])
                found = cv2.remap(pair, where, np.empty(0), cv2.INTER_LINEAR)
                slope_x = slope_x + np.float32(amount) * found[..., 0]
                slope_y = slope_y + np.float32(amount) * found[..., 1]
        relief = np.clip(1 + slope_x * seen[..., 5] + slope_y * seen[..., 6], 0.35, 1.8)
        linear = albedo * seen[..., 2:5] * relief[..., None]
        facing = np.clip(seen[..., 7] - 0.5 * (slope_x * seen[..., 8] + slope_y * seen[..., 9]), 0, 1)
        sharp = detail[..., 3]
        power = np.float32(14) + sharp * sharp * np.float32(420)
        level = detail[..., 2] * (np.float32(0.055) + np.float32(0.75) * sharp * sharp) * seen[..., 10]
        shine = level * np.exp(power * (facing - 1))
        return np.asarray(linear + shine[..., None] * self._light.key_colour.astype(np.float32), np.float32)

    def _told_apart(self, labels: NDArray[np.uint8], uv: F32, cover: Cover) -> NDArray[np.uint8]:
        """Skin becomes lid, brow and lips, eyeballs iris, where the atlas says so."""
        n = self._skin_labels.shape
        at = np.clip(uv.astype(np.int32), 0, (n[1] - 1, n[0] - 1))
        fine = self._skin_labels[at[..., 1], at[..., 0]]
        face = (labels == PART["skin"]) | (labels == PART["sclera"])
        body_start, body_stop = self._f.slices["body"].start, self._f.slices["body"].stop
        first = np.zeros(labels.size, np.int64)
        first[cover.pixel] = self._f.triangles[cover.triangle, 0]
        first = first.reshape(labels.shape)
        cloth = (first >= body_start) & (first < body_stop) & (labels == PART["skin"]) & (uv[..., 1] > 792)
        out = np.where(face & (fine > 0), fine, labels)
        return np.asarray(np.where(cloth, PART["background"], out), np.uint8)


def gate_bits(figure: Figure) -> NDArray[np.uint8]:
    """(T,) which opening each triangle is seen through."""
    out = np.zeros(len(figure.triangles), np.uint8)
    first = figure.triangles[:, 0]
    for bit, names in ((MOUTH_GATE, MOUTH_PIECES), (EYES_GATE, ("right_eye", "left_eye"))):
        for name in names:
            at = figure.slices[name]
            out[(first >= at.start) & (first < at.stop)] = bit
    return out


def _tangents(figure: Figure) -> tuple[F32, F32]:
    """Unit directions (V, 3) of the map's x and y at rest."""
    normals = vertex_normals(figure.rest, figure.triangles)
    down = np.zeros_like(normals)
    down[:, 1] = 1
    down -= normals * (normals * down).sum(1, keepdims=True)
    down /= np.maximum(np.linalg.norm(down, axis=1, keepdims=True), 1e-6)
    right = np.cross(down, -normals)
    return right.astype(np.float32), down.astype(np.float32)


def skin_labels() -> NDArray[np.uint8]:
    """Parts over the atlas: lips, lids and brows on the face, the iris on the eyeball; 0 where the mesh decides."""
    out = np.zeros((parts.ATLAS_PX, parts.ATLAS_PX), np.uint8)
    x, y = np.meshgrid(
        np.arange(704) / parts.PX_PER_UNIT + parts.MAP_CORNER[0],
        np.arange(904) / parts.PX_PER_UNIT + parts.MAP_CORNER[1],
    )
    face = out[:904, :704]
    t = np.clip(np.abs(x) / MOUTH_HALF, 0, 1)
    inner = 0.05 * (1 - t**2)
    mouth = np.abs(x) < MOUTH_HALF
    face[mouth & (y <= 1.10) & (y > 1.10 - inner - upper_height(t))] = PART["upper_lip"]
    face[mouth & (y > 1.10) & (y < 1.10 + inner + lower_height(t))] = PART["lower_lip"]
    far = lid_distance(np.stack([x.ravel(), y.ravel()], 1)).reshape(x.shape)
    face[(far < 0.075) & (y < 0.01) & (np.abs(np.abs(x) - 0.5) < 0.27)] = PART["lid"]
    f = np.clip((np.abs(x) - 0.19) / 0.63, 0, 1)
    centre = -0.295 - 0.085 * np.sin(np.pi * np.minimum(f * 0.72, 1)) + 0.10 * np.maximum(0, f - 0.6) - 0.012
    thick = 0.058 * (0.75 + 0.5 * np.sin(np.pi * np.minimum(1, f * 1.3))) * (1 - 0.75 * np.maximum(0, f - 0.55) / 0.45)
    face[(np.abs(y - centre) < thick) & (np.abs(x) > 0.18) & (np.abs(x) < 0.86)] = PART["brow"]
    n = parts.EYE_PX
    a = (np.arange(n) - (n - 1) / 2) / (n / 2 - 2) * 0.27
    disc = np.hypot(*np.meshgrid(a, a)) < 0.098
    out[parts.EYE_AT[1] : parts.EYE_AT[1] + n, parts.EYE_AT[0] : parts.EYE_AT[0] + n][disc] = PART["iris"]
    return out
