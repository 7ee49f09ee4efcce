"""Draws a pose the way the generator does."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.host import IllustratedHost
from realtime.core.composite import compose
from realtime.core.facs import Controls
from realtime.core.values import I420

_BASES: dict[tuple[int, tuple[int, ...]], I420] = {}


def base_of(host: IllustratedHost, pose: Controls) -> I420:
    """The base frame below a pose, rendered once per test run."""
    key = host.base_key(pose)
    return _BASES.setdefault((id(host), key), host.render_base(key))


def picture(host: IllustratedHost, pose: Controls) -> I420:
    """The finished frame."""
    base = base_of(host, pose)
    key = host.base_key(pose)
    patches = [host.draw(base, key, pose, region) for region in host.regions(key, pose)]
    return compose(base, patches, np.empty_like(base))


def rgb(frame: I420) -> NDArray[np.uint8]:
    """As RGB, (H, W, 3)."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420), np.uint8)


def difference(a: I420, b: I420) -> NDArray[np.int16]:
    """Absolute difference, plane by plane."""
    return np.asarray(np.abs(a.astype(np.int16) - b.astype(np.int16)), np.int16)
