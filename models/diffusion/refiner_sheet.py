"""What weights do to a portrait made from a photo, to be looked at: each mouth and lid as drawn and as repaired.

`python -m models.diffusion.refiner_sheet WEIGHTS OUT [PICTURE]` bakes a picture (the public-domain test photo if none
is named), and writes `roi_photo.jpg` (shapes of the mouth, before above after) and `roi_photo_talk.jpg` (frames of
speech, repaired as the stream repairs them)."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.avatar.portrait.pack import Wish, bake, open_portrait
from models.avatar.portrait.preview import Spoken, speak
from models.avatar.portrait.sheet import Picture, public_domain_photo, tile
from models.diffusion.refiner import Refiner, refiner_for
from models.diffusion.refiner_engine import Engine, open_engine
from realtime.core.composite import compose
from realtime.core.errors import ConfigError
from realtime.core.facs import REST, Controls
from realtime.core.units import FRAME_S
from realtime.core.values import I420, BaseKey, Patch
from realtime.core.visemes import SHAPES
from realtime.ports import Avatar

MOUTHS: Final = ("A", "E", "I", "O", "U", "L", "TH", "SZ", "FV", "CHJ", "MBP")
SMILE: Final = {"AU12": 1.0, "AU6": 0.8, "AU25": 0.6}
_PART: Final = (0.32, 0.50, 0.68, 0.74)
"""Left, top, right, bottom of what is shown, as shares of the frame."""
_TILE_PX: Final = 220
_COLUMNS: Final = 6
_AMPLE_S: Final = 1.0
_SPOKEN: Final = ("Blue moons, maple bowls, five fresh waves: my lips close where yours would.",)


class Pairs:
    """Frames of an avatar as drawn and as a refiner repairs them, one after another."""

    def __init__(self, avatar: Avatar, refiner: Refiner) -> None:
        self._avatar, self._refiner = avatar, refiner
        self._bases: dict[BaseKey, I420] = {}
        self.pair(REST)

    def pair(self, controls: Controls) -> tuple[I420, I420]:
        """The frame as drawn and as repaired, with as many steps as the stream takes at most."""
        avatar, key = self._avatar, self._avatar.base_key(controls)
        base = avatar.base(key)
        if base is None:
            base = self._bases.setdefault(key, avatar.render_base(key))
        patches = [avatar.draw(base, key, controls, region) for region in avatar.regions(key, controls)]
        refined = self._refiner.refine(patches, controls, 2, _AMPLE_S).patches
        return self._composed(base, patches), self._composed(base, refined)

    @staticmethod
    def _composed(base: I420, patches: Sequence[Patch]) -> I420:
        return compose(base, list(patches), np.empty_like(base))


def shapes_sheet(avatar: Avatar, engine: Engine) -> Picture:
    """Shapes of the mouth, BGR: drawn, and below it repaired. Each begins from lips at rest."""
    columns = []
    faces = [(name, SHAPES[name].targets) for name in MOUTHS if name in SHAPES] + [("smile", SMILE)]
    for name, targets in faces:
        before, after = _pairs(avatar, engine).pair(REST.with_(**targets))
        columns.append(_column(name, before, after))
    return _table(columns)


def talk_sheet(avatar: Avatar, engine: Engine, spoken: Spoken, count: int = 24) -> Picture:
    """Frames spread over what is spoken, BGR, drawn and below it repaired; every frame between runs through the net."""
    frames = round(spoken.duration_s / FRAME_S)
    wanted = set(np.linspace(0.1 * frames, 0.85 * frames, count).astype(int).tolist())
    pairs, columns = _pairs(avatar, engine), []
    for index in range(frames):
        before, after = pairs.pair(spoken.plan.sample(index * FRAME_S).controls)
        if index in wanted:
            columns.append(_column(f"{index * FRAME_S:.2f} s", before, after))
    return _table(columns)


def _pairs(avatar: Avatar, engine: Engine) -> Pairs:
    refiner = refiner_for(engine, avatar, 1)
    if refiner is None:
        raise ConfigError("these weights improve nothing of portraits, by their card")
    return Pairs(avatar, refiner)


def _column(name: str, before: I420, after: I420) -> Picture:
    return np.vstack([tile(name, before, _PART, _TILE_PX), tile("", after, _PART, _TILE_PX)])


def _table(columns: Sequence[Picture]) -> Picture:
    blank = np.full_like(columns[0], 255)
    filled = [*columns, *[blank] * (-len(columns) % _COLUMNS)]
    return np.vstack([np.hstack(filled[i : i + _COLUMNS]) for i in range(0, len(filled), _COLUMNS)])


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    from models.speech.espeak import EspeakVoice

    parser = argparse.ArgumentParser(prog="python -m models.diffusion.refiner_sheet")
    parser.add_argument("weights", help="directory of weights, or auto for those that come with Anima")
    parser.add_argument("out", type=Path, help="directory for the sheets")
    parser.add_argument("picture", type=Path, nargs="?", help="photo (default: the test photo)")
    arguments = parser.parse_args(argv)
    engine, about = open_engine(arguments.weights)
    if engine is None:
        print(about, file=sys.stderr)
        return 1

    async def spoken() -> Spoken:
        voice = EspeakVoice()
        try:
            return await speak(voice, _SPOKEN)
        finally:
            await voice.aclose()

    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as place:
        pack = Path(place) / "pack"
        bake(arguments.picture or public_domain_photo(), Wish("sheet", "made for a contact sheet only"), pack, ())
        avatar = open_portrait(pack)
        sheets = {
            "roi_photo.jpg": shapes_sheet(avatar, engine),
            "roi_photo_talk.jpg": talk_sheet(avatar, engine, asyncio.run(spoken())),
        }
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, picture in sheets.items():
        if not cv2.imwrite(str(arguments.out / name), picture, [cv2.IMWRITE_JPEG_QUALITY, 90]):
            print(f"{arguments.out / name} could not be written", file=sys.stderr)
            return 1
        print(arguments.out / name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
