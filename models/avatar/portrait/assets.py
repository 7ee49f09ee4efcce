"""Everything a portrait is drawn from, as one value, and its files: plain arrays that can be memory-mapped."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.eyes import Eye
from models.avatar.portrait.fields import Fields, Window
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.shading import Shades

Bytes = NDArray[np.uint8]

META: Final = "portrait.json"
ARRAYS: Final = (
    "head", "back", "body", "points", "follows", "upper", "lower", "lips", "lip_moves", "shade_upper", "shade_lower",
    "teeth_upper", "teeth_lower", "tongue",
)  # fmt: skip
_EYE_ARRAYS: Final = tuple(f.name for f in fields(Eye) if f.name not in ("x", "y", "unit_px"))


@dataclass(frozen=True, slots=True, eq=False)
class MouthPaint:
    """What the inside of the mouth is painted with; sprites as `teeth` describes them, colours BGR 0..255."""

    teeth_upper: NDArray[np.float32]
    teeth_lower: NDArray[np.float32]
    tongue: NDArray[np.float32]
    cavity: tuple[float, float, float]
    edge_v: float
    """v of the upper teeth's edge in face units."""


@dataclass(frozen=True, slots=True, eq=False)
class Assets:
    """A portrait ready to be drawn; made by `bake`, read by `load`."""

    frame: FaceFrame
    """The face at rest in picture pixels."""
    head: Bytes
    """BGRA (PLATE_PX, PLATE_PX, 4)."""
    back: Bytes
    """BGR (PICTURE_PX, PICTURE_PX, 3)."""
    body: NDArray[np.float32]
    """(n, n) how much a node of the back plate follows breath and shoulders."""
    fields: Fields
    shades: Shades
    eyes: tuple[Eye, Eye]
    mouth: MouthPaint


def save(assets: Assets, directory: Path) -> list[str]:
    """Write the files into a directory; returns their names."""
    names = []
    for name, array in _arrays(assets).items():
        np.save(directory / f"{name}.npy", np.ascontiguousarray(array))
        names.append(f"{name}.npy")
    meta = {
        "frame": {
            "origin_px": [float(n) for n in assets.frame.origin_px],
            "scale_px": assets.frame.scale_px,
            "axes": assets.frame.axes.tolist(),
        },
        "upper_window": asdict(assets.fields.upper_window),
        "lower_window": asdict(assets.fields.lower_window),
        "border": assets.fields.border,
        "eyes": [{"x": eye.x, "y": eye.y, "unit_px": eye.unit_px} for eye in assets.eyes],
        "cavity": list(assets.mouth.cavity),
        "edge_v": assets.mouth.edge_v,
    }
    (directory / META).write_text(json.dumps(meta, indent=2), encoding="utf-8")
    return [*names, META]


def load(directory: Path) -> Assets:
    """Read what `save` wrote, arrays memory-mapped. Raises `OSError`, `ValueError` or `KeyError` for broken files."""
    meta: dict[str, Any] = json.loads((directory / META).read_text(encoding="utf-8"))

    def array(name: str) -> NDArray[Any]:
        return np.asarray(np.load(directory / f"{name}.npy", mmap_mode="r"))

    a = {name: array(name) for name in ARRAYS}
    frame = FaceFrame(
        np.array(meta["frame"]["origin_px"]), float(meta["frame"]["scale_px"]), np.array(meta["frame"]["axes"])
    )
    layout = Fields(
        a["points"], a["follows"], a["upper"], a["lower"], Window(**meta["upper_window"]),
        Window(**meta["lower_window"]), float(meta["border"]), a["lips"], a["lip_moves"],
    )  # fmt: skip
    first, second = (
        Eye(
            int(place["x"]), int(place["y"]),
            **{name: array(f"eye{side}_{name}") for name in _EYE_ARRAYS}, unit_px=float(place["unit_px"]),
        )
        for side, place in enumerate(meta["eyes"])
    )  # fmt: skip
    blue, green, red = (float(n) for n in meta["cavity"])
    mouth = MouthPaint(a["teeth_upper"], a["teeth_lower"], a["tongue"], (blue, green, red), float(meta["edge_v"]))
    shades = Shades(a["shade_upper"], a["shade_lower"])
    return Assets(frame, a["head"], a["back"], a["body"], layout, shades, (first, second), mouth)


def file_names() -> list[str]:
    """The files of a portrait, in the order of `save`."""
    eyes = [f"eye{side}_{name}" for side in (0, 1) for name in _EYE_ARRAYS]
    return [*(f"{name}.npy" for name in (*ARRAYS, *eyes)), META]


def _arrays(assets: Assets) -> dict[str, NDArray[Any]]:
    layout, mouth = assets.fields, assets.mouth
    own = (
        assets.head, assets.back, assets.body, layout.points, layout.follows, layout.upper, layout.lower, layout.lips,
        layout.lip_moves, assets.shades.upper, assets.shades.lower, mouth.teeth_upper, mouth.teeth_lower, mouth.tongue,
    )  # fmt: skip
    found: dict[str, NDArray[Any]] = dict(zip(ARRAYS, own, strict=True))
    for side, eye in enumerate(assets.eyes):
        found |= {f"eye{side}_{name}": getattr(eye, name) for name in _EYE_ARRAYS}
    return found
