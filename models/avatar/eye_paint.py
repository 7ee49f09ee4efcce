"""Paints the parts of an eye once, in spaces of their own: iris disc, lash band, lid bands, brow band."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.geometry import smoothstep, taper
from models.avatar.paint import Rgba, blank, canvas_on, fill, linear, mix, polygon, radial, rgb, shade
from models.avatar.spec import HairColors, IrisColors, SkinColors

IRIS_PX = 44
"""Side of the iris texture: a little more than it is shown at."""
_FINE_PX = 176


def iris(colors: IrisColors) -> Rgba:
    """A disc that fills the square, lit from below."""
    pixels = blank(_FINE_PX, _FINE_PX)
    canvas = canvas_on(pixels)
    canvas.translate(_FINE_PX / 2, _FINE_PX / 2)
    canvas.scale(_FINE_PX / 96, _FINE_PX / 96)
    r = 46.0
    canvas.drawCircle(0, 0, r, fill(colors.rim, 1.0, 1.2))
    stops = [(0.0, colors.inner), (0.5, colors.inner), (0.78, colors.outer), (0.93, colors.rim), (1.0, colors.rim)]
    canvas.drawCircle(0, 0, r - 1, shade(radial((0, 0), r, stops)))
    for i in range(40):
        angle = i * 2 * math.pi / 40 + 0.12 * math.sin(i * 9)
        inner, outer = 0.42 * r, (0.76 + 0.12 * math.sin(i * 5.3)) * r
        ends = [(math.cos(angle) * q, math.sin(angle) * q) for q in (inner, (inner + outer) / 2, outer)]
        tone = colors.glow if i % 2 else colors.outer
        canvas.drawPath(polygon(taper(ends, 2.0, count=8)), fill(tone, 0.42, 0.5))
    below = [(0.0, colors.glow, 0.95), (0.55, colors.glow, 0.5), (1.0, colors.glow, 0.0)]
    canvas.drawCircle(0, r * 0.46, r * 0.60, shade(radial((0, r * 0.6), r * 0.62, below)))
    canvas.drawCircle(0, -r * 0.02, r * 0.40, fill(colors.pupil, 1.0, 0.8))
    top = [(0.0, colors.rim, 0.75), (0.45, colors.rim, 0.25), (0.8, colors.rim, 0.0)]
    canvas.drawCircle(0, 0, r, shade(linear((0, -r), (0, r), top)))
    return np.asarray(cv2.resize(pixels, (IRIS_PX, IRIS_PX), interpolation=cv2.INTER_AREA), np.uint8)


def lash_band(colors: HairColors) -> Rgba:
    """Upper lashes, rooted at the bottom edge; the outer end is right."""
    width, height = 280, 80
    pixels = blank(width, height)
    canvas = canvas_on(pixels)
    ink = mix(colors.gap, "#000000", 0.25)
    for i in range(19):
        t = 0.10 + 0.86 * i / 18
        length = (20 + 50 * t**1.5) * (1.0 if i % 2 else 0.72)
        lean = 0.05 + 0.80 * t**1.2 + (0.08 if i % 2 else -0.06)
        bx, by = t * width * 0.97, float(height)
        tip = (bx + math.sin(lean) * length, by - math.cos(lean) * length)
        middle = (bx + math.sin(lean) * length * 0.64, by - math.cos(lean) * length * 0.42)
        stroke = taper([(bx - 2, by + 2), middle, tip], 5.6 if i % 2 else 4.6, (1.0, 0.70, 0.04), 14)
        canvas.drawPath(polygon(stroke), fill(ink, 0.92, 0.3))
    return pixels


def lower_lash_band(colors: HairColors) -> Rgba:
    """Lower lashes: the line lies at 1/4 of the height, short lashes hang below it."""
    width, height = 220, 40
    pixels = blank(width, height)
    canvas = canvas_on(pixels)
    canvas.drawPath(
        polygon(taper([(40, 11), (130, 11), (216, 10)], 4.6, (0.1, 0.6, 1.0, 0.7))), fill(colors.dark, 0.75, 0.9)
    )
    for i in range(12):
        t = 0.36 + 0.60 * i / 11
        bx, length = t * width, 9 + 9 * t
        stroke = taper(
            [(bx, 10), (bx + 2 + 3 * t, 10 + length * 0.55), (bx + 6 * t, 10 + length)], 2.6, (1, 0.7, 0.06), 10
        )
        canvas.drawPath(polygon(stroke), fill(colors.dark, 0.5, 0.5))
    return pixels


def lid_band(skin: SkinColors) -> Rgba:
    """Upper lid from crease (top) to lashes (bottom)."""
    width, height = 128, 64
    v = np.linspace(0, 1, height)[:, None]
    u = np.linspace(0, 1, width)[None, :]
    shadow = np.array(rgb(mix(skin.shadow, skin.blush, 0.25)), np.float64)
    lit = np.array(rgb(mix(skin.light, skin.mid, 0.35)), np.float64)
    lightness = np.exp(-(((v - 0.52) / 0.26) ** 2)) * np.exp(-(((u - 0.46) / 0.34) ** 2))
    color = shadow + (lit - shadow) * lightness[..., None] * 0.9
    color *= (1 - 0.28 * smoothstep(v, 0.72, 1.0))[..., None]
    alpha = 0.90 * smoothstep(v, 0.0, 0.16) * smoothstep(u, 0.0, 0.10) * smoothstep(u, 1.0, 0.92)
    crease = np.exp(-(((v - 0.10) / 0.055) ** 2)) * smoothstep(u, 0.02, 0.3) * smoothstep(u, 1.0, 0.8)
    dark = np.array(rgb(skin.line), np.float64)
    color = color * (1 - 0.8 * crease[..., None]) + dark * 0.8 * crease[..., None]
    return premultiplied(color, np.maximum(alpha, 0.72 * crease))


def eyeball_bands(skin: SkinColors) -> tuple[Rgba, Rgba]:
    """The white of the eye from upper to lower lid, and the shadow the upper lid throws on it."""
    width, height = 96, 48
    v = np.linspace(0, 1, height)[:, None] * np.ones((1, width))
    u = np.linspace(0, 1, width)[None, :] * np.ones((height, 1))
    white = np.array([252.0, 247.0, 244.0])
    grey = np.array([205.0, 188.0, 186.0])
    edge = 0.75 * smoothstep(np.abs(u - 0.5), 0.22, 0.52)
    color = white + (grey - white) * edge[..., None]
    pink = np.array(rgb(skin.blush), np.float64)
    corner = np.exp(-((u / 0.07) ** 2)) * 0.8
    color = color * (1 - corner[..., None]) + pink * corner[..., None]
    shadow = 0.72 * smoothstep(v, 0.46, 0.0)
    return premultiplied(color, np.ones_like(u)), premultiplied(np.zeros(3) + np.array([48.0, 24.0, 26.0]), shadow)


def brow_band(colors: HairColors, seed: int) -> Rgba:
    """A brow from its inner (left) to its outer end (right), hairs over a soft body."""
    width, height = 240, 56
    rng = np.random.default_rng(seed)
    pixels = blank(width, height)
    canvas = canvas_on(pixels)
    x = np.linspace(4, width - 4, 30)
    half = np.interp(x / width, [0, 0.12, 0.45, 0.75, 1.0], [8.5, 12.5, 12.5, 9.0, 1.2])
    body = np.column_stack([np.concatenate([x, x[::-1]]), np.concatenate([28 - half, (28 + half)[::-1]])])
    tone, ink = mix(colors.dark, colors.gap, 0.25), mix(colors.dark, colors.gap, 0.3)
    stops = [(0.0, tone, 0.10), (0.16, tone, 0.50), (0.5, tone, 0.78), (1.0, tone, 0.85)]
    canvas.drawPath(polygon(body), shade(linear((0, 0), (width, 0), stops), 1.0, 2.6))
    for i in range(90):
        t = rng.uniform(0.02, 0.95)
        reach = float(np.interp(t * width, x, half))
        by = 28 + reach * rng.uniform(-0.85, 0.85)
        angle = float(np.interp(t, [0, 0.3, 0.6, 1.0], [-1.15, -0.55, -0.12, 0.08]))
        angle += 0.28 * (by - 28) / max(reach, 1.0)
        length = float(np.interp(t, [0, 0.3, 1.0], [16, 27, 22])) * rng.uniform(0.8, 1.15)
        tip = (t * width + math.cos(angle) * length, by + math.sin(angle) * length * 0.8)
        middle = ((t * width + tip[0]) / 2 + 1, (by + tip[1]) / 2 - 1.2)
        hair = taper([(t * width, by), middle, tip], rng.uniform(2.2, 3.4), (0.5, 1.0, 0.05), 10)
        canvas.drawPath(polygon(hair), fill(ink if i % 3 else colors.light, 0.62 if i % 3 else 0.4, 0.4))
    u = np.linspace(0, 1, width)
    ends = smoothstep(u, 0.0, 0.10) * smoothstep(u, 1.0, 0.97)
    return (pixels * ends[None, :, None]).round().astype(np.uint8)


def premultiplied(color: NDArray[np.float64], alpha: NDArray[np.float64]) -> Rgba:
    """Colour (3,) or (H, W, 3) in 0..255 and opacity (H, W) in 0..1 as a texture."""
    height, width = alpha.shape
    out = np.empty((height, width, 4), np.uint8)
    out[..., :3] = np.clip(color * np.clip(alpha, 0, 1)[..., None], 0, 255).round()
    out[..., 3] = (255 * np.clip(alpha, 0, 1)).round()
    return out
