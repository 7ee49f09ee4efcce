"""How good a picture is against the truth: numpy and OpenCV only, so that benches and runtimes can use it, too."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.diffusion.data.sample import PARTS

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

_BEST_DB: Final = 99.0
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_LUMA: Final = np.array([0.299, 0.587, 0.114])
_GROUPS: Final = (
    ("cavity", "upper_teeth", "lower_teeth", "tongue"), ("upper_lip", "lower_lip"),
    ("sclera", "iris"), ("iris",), ("lid",),
)  # fmt: skip
_FEWEST_PX: Final = 12
MARGIN_PX: Final = 5
"""Half of SSIM's window."""


def psnr_db(picture: Bytes, truth: Bytes, weight: Bytes | None = None) -> float:
    """Peak signal to noise ratio of pictures (..., H, W, 3), inside a mask (..., H, W) if one is given."""
    squared = (picture.astype(np.float64) - truth) ** 2
    if weight is None:
        error = squared.mean()
    else:
        error = (squared.mean(-1) * weight).sum() / max(1.0, float(weight.sum(dtype=np.float64)))
    return _BEST_DB if error < 1e-9 else float(min(_BEST_DB, 10 * np.log10(255.0**2 / error)))


def ssim(picture: Bytes, truth: Bytes) -> float:
    """Structural similarity of the luma of two pictures (H, W, 3) (Wang et al., 2004; Gaussian window, sigma 1.5)."""
    return float(ssim_map(picture, truth).mean())


def ssim_map(picture: Bytes, truth: Bytes) -> Floats:
    """`ssim` at each pixel but those within `MARGIN_PX` of the border, whose windows reach beyond it,
    (H - 2 MARGIN_PX, W - 2 MARGIN_PX)."""
    x, y = (p.astype(np.float64) @ _LUMA for p in (picture, truth))

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)

    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    map_ = ((2 * mx * my + _C1) * (2 * vxy + _C2)) / ((mx * mx + my * my + _C1) * (vx + vy + _C2))
    return np.asarray(map_[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX], np.float64)


def seam(picture: Bytes, base: Bytes) -> float:
    """Steps across the crop's border once `picture` is pasted into a frame of which `base` is the crop, against the
    base's own: 1 where the paste cannot be told. The border's pixels are the frame's; the step is to the pixels next to
    them."""
    step, own = (
        sum(
            float(np.abs(edge.astype(np.float64) - inside).sum())
            for edge, inside in (
                (base[0], p[1]), (base[-1], p[-2]), (base[:, 0], p[:, 1]), (base[:, -1], p[:, -2]),
            )
        )
        for p in (picture, base)
    )  # fmt: skip
    return (step + 1.0) / (own + 1.0)


def part_landmarks(labels: NDArray[np.integer]) -> Floats:  # type: ignore[type-arg]
    """Places read off a map of parts (H, W): of mouth opening, lips, eyeballs, irises, lids each the centre and the
    extent to all four sides, (GROUPS * 2 sides * 5, 2); nan where too little of a part shows. Left and right half are
    read apart."""
    height, width = labels.shape
    rows = []
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    for group in _GROUPS:
        covered = np.isin(labels, [PARTS.index(name) for name in group])
        for half in (covered & (x < width / 2), covered & (x >= width / 2)):
            if half.sum() < _FEWEST_PX:
                rows.append(np.full((5, 2), np.nan))
                continue
            px, py = x[half], y[half]
            left, right = np.percentile(px, (3, 97))
            top, bottom = np.percentile(py, (3, 97))
            cx, cy = px.mean(), py.mean()
            rows.append(np.array([(cx, cy), (left, cy), (right, cy), (cx, top), (cx, bottom)]))
    return np.concatenate(rows)


def normalised_error(found: Floats, wanted: Floats, unit_px: float) -> float:
    """Mean distance of landmarks in units of the eye distance; what only one of both shows counts as a tenth of it."""
    both = ~np.isnan(found[:, 0]) & ~np.isnan(wanted[:, 0])
    one = np.isnan(found[:, 0]) ^ np.isnan(wanted[:, 0])
    if not (both | one).any():
        return 0.0
    away = np.linalg.norm(found[both] - wanted[both], axis=1) / unit_px
    return float((away.sum() + 0.1 * one.sum()) / (both | one).sum())
