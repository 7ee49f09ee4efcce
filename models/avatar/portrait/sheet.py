"""Contact sheets of an avatar: emotions, mouth shapes, eyes and turns, and a strip of speech, to be looked at.

`python -m models.avatar.portrait.sheet OUT [PICTURE]` bakes a picture (the public-domain test photo if none is
named) and writes them."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.pack import Wish, bake, open_portrait
from models.avatar.portrait.preview import Frames, Spoken, film, speak
from realtime.core.errors import NotFound
from realtime.core.expressions import combine, expression
from realtime.core.facs import CONTROL_COUNT, CONTROL_INDEX, REST, Controls, Emotion
from realtime.core.units import FRAME_S
from realtime.core.values import I420
from realtime.core.visemes import SHAPES
from realtime.ports import Avatar, Voice

Picture = NDArray[np.uint8]
Item = tuple[str, Controls]

EYES: Final[Mapping[str, Mapping[str, float]]] = {
    "open": {}, "blink 0.25": {"blink_l": 0.25, "blink_r": 0.25}, "blink 0.5": {"blink_l": 0.5, "blink_r": 0.5},
    "blink 0.75": {"blink_l": 0.75, "blink_r": 0.75}, "closed": {"blink_l": 1, "blink_r": 1},
    "wide": {"AU5": 1, "AU1": 0.6, "AU2": 0.6}, "narrow": {"AU7": 1, "AU6": 0.5}, "look left": {"gaze_x": -0.9},
    "look right": {"gaze_x": 0.9}, "look up": {"gaze_y": -0.9}, "look down": {"gaze_y": 0.9}, "frown": {"AU4": 1},
}  # fmt: skip
TURNS: Final[Mapping[str, Mapping[str, float]]] = {
    "yaw -20": {"yaw": -20}, "yaw -10": {"yaw": -10}, "ahead": {}, "yaw 10": {"yaw": 10}, "yaw 20": {"yaw": 20},
    "pitch -15": {"pitch": -15}, "pitch 15": {"pitch": 15}, "roll -12": {"roll": -12}, "roll 12": {"roll": 12},
    "yaw 15, pitch 8, open": {"yaw": 15, "pitch": 8, "AU26": 0.5, "AU25": 0.7},
    "lean in": {"lean": 1}, "shoulders up": {"shoulders": 1, "breath": 1},
}  # fmt: skip
_FACE: Final = (0.18, 0.16, 0.82, 0.80)
_MOUTH: Final = (0.32, 0.48, 0.68, 0.76)
_STRIP_FRAMES: Final = 32


def emotions() -> list[Item]:
    """The seven emotions at half and at full intensity."""
    rows = ((0.5, "half"), (1.0, "full"))
    return [(f"{e.name.lower()}, {word}", expression(e, amount)) for amount, word in rows for e in Emotion]


def visemes() -> list[Item]:
    """Every mouth shape of speech."""
    found: list[Item] = []
    for name, shape in SHAPES.items():
        mouth = np.zeros(CONTROL_COUNT, np.float32)
        for control, value in shape.targets.items():
            mouth[CONTROL_INDEX[control]] = value
        found.append((name, combine(REST, Controls(mouth))))
    return found


def _named(items: Mapping[str, Mapping[str, float]]) -> list[Item]:
    return [(name, REST.with_(**values)) for name, values in items.items()]


def contact_sheet(
    avatar: Avatar, items: Sequence[Item], columns: int, part: tuple[float, float, float, float], tile_px: int
) -> Picture:
    """A table of labelled pictures, BGR; `part` (left, top, right, bottom in 0..1) of the frame is shown."""
    frames = Frames(avatar)
    tiles = [tile(name, frames.picture(controls), part, tile_px) for name, controls in items]
    while len(tiles) % columns:
        tiles.append(np.full_like(tiles[0], 255))
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def talk_strip(avatar: Avatar, spoken: Spoken, columns: int = 8, tile_px: int = 200) -> Picture:
    """Frames spread evenly over what is spoken, as a table."""
    count = round(spoken.duration_s / FRAME_S)
    wanted = set(np.linspace(0, count - 1, _STRIP_FRAMES).astype(int).tolist())
    items = []
    for index in range(count):
        controls = spoken.plan.sample(index * FRAME_S).controls
        if index in wanted:
            items.append((f"{index * FRAME_S:.2f} s", controls))
    return contact_sheet(avatar, items, columns, _FACE, tile_px)


def write_sheets(avatar: Avatar, out: Path, name: str) -> list[Path]:
    """Write every sheet of an avatar as JPEG; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    sheets = {
        "emotions": contact_sheet(avatar, emotions(), 7, _FACE, 240),
        "visemes": contact_sheet(avatar, visemes(), 6, _MOUTH, 300),
        "eyes": contact_sheet(avatar, _named(EYES), 4, (0.25, 0.26, 0.75, 0.55), 340),
        "turns": contact_sheet(avatar, _named(TURNS), 4, (0.0, 0.0, 1.0, 1.0), 320),
    }
    paths = []
    for kind, picture in sheets.items():
        paths.append(out / f"{name}_{kind}.jpg")
        if not cv2.imwrite(str(paths[-1]), picture, [cv2.IMWRITE_JPEG_QUALITY, 90]):
            raise OSError(f"{paths[-1]} could not be written")
    return paths


def preview_files(
    avatar: Avatar, voice: Voice, out: Path, name: str, progress: Callable[[int, int], None]
) -> list[Path]:
    """Film the avatar speaking (MP4 with sound) and write its sheets; returns the paths."""
    out.mkdir(parents=True, exist_ok=True)

    async def speaking() -> Spoken:
        try:
            return await speak(voice)
        finally:
            await voice.aclose()

    path = out / f"{name}_preview.mp4"
    film(avatar, asyncio.run(speaking()), path, progress)
    return [path, *write_sheets(avatar, out, name)]


def public_domain_photo() -> Path:
    """NASA's portrait of Eileen Collins (public domain), as scikit-image ships it. Raises `NotFound` without it."""
    spec = find_spec("skimage")
    path = Path(spec.origin).parent / "data" / "astronaut.png" if spec and spec.origin else None
    if path is None or not path.exists():
        raise NotFound("the test photo comes with scikit-image: install Anima with the extra `dev`", field="photo")
    return path


def tile(name: str, frame: I420, part: tuple[float, float, float, float], tile_px: int) -> Picture:
    """A labelled piece of a frame, BGR and `tile_px` wide; `part` as in `contact_sheet`."""
    picture = np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), np.uint8)
    height, width, _ = picture.shape
    x0, y0, x1, y1 = (round(p * side) for p, side in zip(part, (width, height, width, height), strict=True))
    zoom = tile_px / (x1 - x0)
    shown = cv2.resize(picture[y0:y1, x0:x1], None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(shown, name, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thick, cv2.LINE_AA)
    return np.asarray(shown, np.uint8)


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    from models.speech.espeak import EspeakVoice

    parser = argparse.ArgumentParser(prog="python -m models.avatar.portrait.sheet")
    parser.add_argument("out", type=Path, help="directory for the sheets")
    parser.add_argument("picture", type=Path, nargs="?", help="photo or drawing (default: the test photo)")
    parser.add_argument("--name", default="portrait", help="what the files' names begin with")
    arguments = parser.parse_args(argv)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as place:
        pack = Path(place) / "pack"
        bake(arguments.picture or public_domain_photo(), Wish("sheet", "made for a contact sheet only"), pack, ())
        avatar = open_portrait(pack)
        paths = write_sheets(avatar, arguments.out, arguments.name)

        async def strip() -> Picture:
            voice = EspeakVoice()
            try:
                return talk_strip(avatar, await speak(voice))
            finally:
                await voice.aclose()

        paths.append(arguments.out / f"{arguments.name}_talk.jpg")
        cv2.imwrite(str(paths[-1]), asyncio.run(strip()), [cv2.IMWRITE_JPEG_QUALITY, 90])
    print("\n".join(str(path) for path in paths))
    return 0


if __name__ == "__main__":
    sys.exit(main())
