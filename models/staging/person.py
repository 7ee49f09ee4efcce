"""Cuts a portrait's body out of its back plate: whose pixels they are, and the background without the body.

A pack keeps roughly where the body is (how much nodes follow its breath); GrabCut (Rother, Kolmogorov & Blake 2004)
finds the outline inside that doubt, and a guided filter (He, Sun & Tang 2010) brings its edge to the picture's."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.assets import Assets
from models.avatar.portrait.framing import PICTURE_PX
from models.avatar.portrait.numerics import Image, blur, dilate, erode, fill, smoothstep

_SURELY_BODY: Final = 0.985
_SURELY_NOT: Final = 0.10
_DOUBT_PX: Final = 45
"""The pack's notion of the body is this much wider than the body, at most."""
_DOUBT_ABOVE_PX: Final = 181
"""How far above that the body may reach."""
_UNSEEN_RIM_PX: Final = 25
"""The outline found beside the head's hole is not trusted nearer than half of this."""
_ITERATIONS: Final = 5
_RADIUS_PX, _EPSILON = 5, 40.0


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A back plate, taken apart."""

    body: NDArray[np.uint8]
    """BGRA, premultiplied, (PICTURE_PX, PICTURE_PX, 4)."""
    room: NDArray[np.uint8]
    """BGR (PICTURE_PX, PICTURE_PX, 3): the photo's background where it is seen, a smooth continuation elsewhere."""


def cut_body(assets: Assets) -> Person:
    """Take a portrait's back plate apart; takes about a second. Repeatable."""
    back = np.asarray(assets.back, np.uint8)
    matte = _matte(back, *_guess(assets))
    picture = back.astype(np.float32)
    inside = fill(picture, erode((matte > 0.97).astype(np.float32), 5))
    # the edge's own pixels hold some of the photo's background: there the body's inner colours are continued
    cover = matte[..., None]
    sure = smoothstep(0.9, 1.0, matte)[..., None]
    colours = picture * sure + inside * (1 - sure)
    head = _head(assets)
    room = fill(picture, (1 - dilate((matte > 0.02).astype(np.float32), 9)) * (1 - dilate(head, 5)))
    seen = (1 - dilate((matte > 0.02).astype(np.float32), 3))[..., None]
    return Person(
        _bytes(np.asarray(np.dstack([colours * cover, cover * 255]), np.float32)),
        _bytes(np.asarray(picture * seen + room * (1 - seen), np.float32)),
    )


def _guess(assets: Assets) -> tuple[Image, Image]:
    """How much each pixel belongs to the body by the pack, and the head's hole, both 0..1."""
    size = (PICTURE_PX, PICTURE_PX)
    wide = cv2.resize(np.asarray(assets.body, np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, np.float32), _head(assets)


def _head(assets: Assets) -> Image:
    size = (PICTURE_PX, PICTURE_PX)
    alpha = cv2.resize(np.asarray(assets.head[..., 3]), size, interpolation=cv2.INTER_AREA)
    return (np.asarray(alpha) > 5).astype(np.float32)


def _matte(back: NDArray[np.uint8], wide: Image, head: Image) -> Image:
    """The body's alpha, 0..1."""
    labels = np.full(wide.shape, cv2.GC_PR_BGD, np.uint8)
    core = erode((wide > _SURELY_BODY).astype(np.float32), _DOUBT_PX) > 0
    labels[wide > 0.6] = cv2.GC_PR_FGD
    # what lies high moves little with breath, body or not: the doubt reaches up from where the pack is certain
    labels[dilate((wide > _SURELY_NOT).astype(np.float32), _DOUBT_ABOVE_PX) == 0] = cv2.GC_BGD
    labels[head > 0] = cv2.GC_BGD
    labels[core] = cv2.GC_FGD
    labels[core] = cv2.GC_FGD
    if not core.any():
        return np.zeros(wide.shape, np.float32)
    cv2.setRNGSeed(0)  # GrabCut seeds its colour clusters with OpenCV's generator
    models = np.zeros((2, 1, 65))
    cut: Any = cv2.grabCut
    cut(back, labels, None, models[0], models[1], _ITERATIONS, cv2.GC_INIT_WITH_MASK)
    mask = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)
    rough = blur(_connected(mask, core), 1.0)
    fine = cv2.ximgproc.guidedFilter(back, np.clip(rough, 0, 1), _RADIUS_PX, _EPSILON)
    seen = np.asarray(np.clip((fine - 0.2) / 0.6, 0, 1), np.float32)
    # behind the head nothing was ever seen: what surrounds it goes on there
    hidden = fill(np.repeat(seen[..., None], 3, 2), 1 - dilate(head, _UNSEEN_RIM_PX))[..., 0]
    behind = blur(dilate(head, _UNSEEN_RIM_PX - 4), 1.5)
    # rather a little more body behind the neck than a gap beside it when the head turns
    return np.asarray(seen * (1 - behind) + smoothstep(0.12, 0.4, hidden) * behind, np.float32)


def _connected(mask: NDArray[np.uint8], core: NDArray[np.bool_]) -> Image:
    """The parts of a mask that hang together with what is surely the body."""
    _, parts = cv2.connectedComponents(mask)
    kept = np.unique(parts[core & (mask > 0)])
    return np.isin(parts, kept[kept > 0]).astype(np.float32)


def _bytes(image: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(image), 0, 255), np.uint8)
