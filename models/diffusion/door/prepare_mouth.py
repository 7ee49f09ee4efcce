"""Makes of what MuseTalk ships the folder that the setting `mouth_net` names (docs/mouth_net.md).

`python -m models.diffusion.door.prepare_mouth --unet DIR --vae DIR --whisper DIR --licence TEXT OUT`. The U-net is
read with its pickle's code switched off (`weights_only`), put into the shape its config names, and written as
safetensors."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import WhisperModel

from models.diffusion.door.card import PARTS, write_card
from models.diffusion.door.files import first_line, read_json
from models.diffusion.door.mouth import CHANNELS
from realtime.core.errors import PackError

FACE_PX: Final = 256
"""MuseTalk's nets were trained on faces of this size, whatever `sample_size` in their config says."""
CONFIGS: Final = ("musetalk.json", "config.json")
WEIGHTS: Final = ("unet.pth", "pytorch_model.bin")


def prepare(unet: Path, vae: Path, whisper: Path, out: Path, licence: str, *, name: str, half: bool = True) -> Path:
    """Write the folder; returns the card's path. `half` halves the U-net's and the autoencoder's files. Raises
    `PackError` for what does not fit."""
    if any((out / part).exists() for part in PARTS):
        raise PackError(f"{out} holds a net already; choose another folder")
    net = _unet(unet)
    try:
        loaded: list[tuple[str, Any]] = [
            ("vae", _model(AutoencoderKL, vae)), ("whisper", _model(WhisperModel, whisper)),
        ]  # fmt: skip
    except Exception as error:  # whatever a foreign file makes the libraries raise, it is the file's fault
        raise PackError(f"{vae} or {whisper} cannot be loaded: {first_line(error)}") from error
    for part, model in [("unet", net), *loaded]:
        (model.half() if half and part != "whisper" else model).save_pretrained(out / part, safe_serialization=True)
    return write_card(out, name, licence, FACE_PX)


def _model(kind: Any, place: Path) -> Any:
    return kind.from_pretrained(place, local_files_only=True)


def _unet(place: Path) -> Any:
    config = read_json(_first(place, CONFIGS))
    if config.get("in_channels") != CHANNELS:
        raise PackError(f"{place}: in_channels is {config.get('in_channels')}, MuseTalk's nets have {CHANNELS}")
    weights = _first(place, WEIGHTS)
    kind: Any = UNet2DConditionModel
    try:
        net = kind.from_config(config)
        net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True), strict=True)
    except Exception as error:  # whatever a foreign file makes the libraries raise, it is the file's fault
        raise PackError(f"{weights} cannot be loaded: {first_line(error)}") from error
    return net


def _first(place: Path, names: Sequence[str]) -> Path:
    for name in names:
        if (place / name).is_file():
            return place / name
    raise PackError(f"{place} holds neither {' nor '.join(names)}")



def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m models.diffusion.door.prepare_mouth")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write")
    parser.add_argument("--unet", type=Path, required=True, metavar="DIR", help="musetalk.json and unet.pth")
    parser.add_argument("--vae", type=Path, required=True, metavar="DIR", help="sd-vae-ft-mse, as diffusers writes it")
    parser.add_argument("--whisper", type=Path, required=True, metavar="DIR", help="whisper-tiny, of transformers")
    parser.add_argument("--licence", required=True, metavar="TEXT", help="the terms you have the weights under")
    parser.add_argument("--name", default="MuseTalk", metavar="TEXT", help="shown in traces (default: %(default)s)")
    parser.add_argument("--full", action="store_true", help="keep 32 bits per weight")
    given = parser.parse_args(argv)
    try:
        print(
            prepare(
                given.unet, given.vae, given.whisper, given.out, given.licence, name=given.name, half=not given.full
            )
        )
    except PackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
