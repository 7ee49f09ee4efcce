"""A host's clothes as a picture that can be painted over, and the host in what was painted."""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.body import body_sprite
from models.avatar.layers import Layers
from models.avatar.mesh import Sprite
from models.avatar.paint import Rgba
from models.avatar.sleeve import sleeve_sprite
from models.avatar.spec import AvatarSpec
from models.staging.host import staged_host
from realtime.core.backdrop import TRANSPARENT, Backdrop
from realtime.core.painting import TILE_PX, Rgb, Tiles
from realtime.ports import Avatar

_GROUND: Final = 128
"""Grey around the clothes on the sheet."""
_OTHER: Final = "#00ff00"
_LIGHT: Final = np.array([0.299, 0.587, 0.114], np.float32)
"""Luma of red, green and blue (ITU-R BT.601)."""
_SOFT_PX: Final = 1.2


def sheet(spec: AvatarSpec, layers: Layers) -> tuple[Rgb, Tiles]:
    """The body at half its texture's density, on whole tiles, and which tiles hold cloth."""
    body = layers["body"]
    cloth = _cloth(spec)[0]
    height, width = (-(-side // (2 * TILE_PX)) * TILE_PX for side in body.pixels.shape[:2])
    out = np.full((height * 2, width * 2, 4), _GROUND, np.uint8)
    flags = np.zeros((height * 2, width * 2), np.float32)
    rows, columns = body.pixels.shape[:2]
    alpha = body.pixels[..., 3:].astype(np.float32) / 255
    out[:rows, :columns, :3] = np.rint(body.pixels[..., :3] + _GROUND * (1 - alpha))
    flags[:rows, :columns] = cloth
    small = np.asarray(cv2.resize(out[..., :3], (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    chosen = flags.reshape(height // TILE_PX, 2 * TILE_PX, width // TILE_PX, 2 * TILE_PX).max((1, 3)) > 0
    return small, np.asarray(chosen, np.bool_)


def dressed(spec: AvatarSpec, layers: Layers, painted: Rgb) -> Avatar:
    """The host, cut out, with clothes of a painted sheet; what is skin stays. The sleeve of the arm that waves takes
    the new clothes' mean colour."""
    body, sleeve = layers["body"], layers["sleeve"]
    cloth, cuff = _cloth(spec)
    rows, columns = body.pixels.shape[:2]
    size = (painted.shape[1] * 2, painted.shape[0] * 2)
    large = cv2.resize(painted, size, interpolation=cv2.INTER_CUBIC)[:rows, :columns]
    new = _mixed(body.pixels, np.asarray(large, np.float32), cloth)
    alpha = np.maximum(sleeve.pixels[..., 3:], 1).astype(np.float32) / 255
    light = (sleeve.pixels[..., :3] @ _LIGHT)[..., None] / max(float(_mean(sleeve.pixels, cuff) @ _LIGHT), 1.0)
    # light and shade stay as they were painted, the colour is the new one's
    tinted = np.asarray(_mean(new, cloth) * light, np.float32)
    sprites = {
        **layers.sprites,
        "body": replace(body, pixels=new),
        "sleeve": replace(sleeve, pixels=_mixed(sleeve.pixels, tinted / alpha, cuff)),
    }
    return staged_host(spec, Layers(sprites), Backdrop(TRANSPARENT))


def _mixed(old: Rgba, colours: NDArray[np.float32], weight: NDArray[np.float32]) -> Rgba:
    """Premultiplied pixels with other colours where the weight says; alpha stays."""
    alpha = old[..., 3:].astype(np.float32) / 255
    wanted = np.clip(colours, 0, 255) * alpha
    out = old.copy()
    out[..., :3] = np.rint(old[..., :3] + (wanted - old[..., :3]) * weight[..., None])
    return out


def _cloth(spec: AvatarSpec) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where body and sleeve are cloth, 0..1: there they change when the cloth has another colour."""
    fields = {name: _OTHER for name in ("deep", "dark", "base", "light", "edge")}
    other = replace(spec, cloth=replace(spec.cloth, **fields))
    pairs = ((body_sprite(spec), body_sprite(other)), (sleeve_sprite(spec), sleeve_sprite(other)))
    body, sleeve = (_apart(before, after) for before, after in pairs)
    return body, sleeve


def _apart(before: Sprite, after: Sprite) -> NDArray[np.float32]:
    moved = (np.abs(before.pixels.astype(np.int16) - after.pixels).max(2) > 12).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), _SOFT_PX), np.float32)


def _mean(pixels: Rgba, weight: NDArray[np.float32]) -> NDArray[np.float32]:
    solid = weight * (pixels[..., 3] > 250)
    found = (pixels[..., :3] * solid[..., None]).sum((0, 1)) / max(float(solid.sum()), 1.0)
    return np.asarray(found, np.float32)
