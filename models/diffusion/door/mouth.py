"""A mouth by a user's own net of MuseTalk's shape (Zhang et al. 2024): one-step latent inpainting led by sound.

The U-net takes 8 channels, the latents of the face with its lower half masked and those of the face as it is, and the
sound's features through cross attention; at time step 0 it gives the latents of the face that speaks. A folder has a
card, `unet/`, `vae/` (diffusers) and `whisper/` (transformers), see docs/mouth_net.md."""

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from numpy.typing import NDArray

from models.diffusion.door.card import read_card
from models.diffusion.door.checkpoint import factor, load_part
from models.diffusion.door.files import read_json, shapes, weights_in
from models.diffusion.door.hearing import WhisperFeatures
from realtime.core.errors import PackError

CHANNELS: Final = 8
_VAES: Final[dict[str, Any]] = {"AutoencoderKL": AutoencoderKL, "AutoencoderTiny": AutoencoderTiny}

Bytes = NDArray[np.uint8]


class MouthNet:
    """The loaded net, the same for all sessions. Raises `PackError` that says which part does not fit and why."""

    def __init__(self, place: Path, device: str = "cpu") -> None:
        self.card = read_card(place)
        config = check(place)
        self.device = device
        self.features = WhisperFeatures(place / "whisper", device)
        if self.features.shape[1] != config["cross_attention_dim"]:
            raise PackError(
                f"{place}: the sound has {self.features.shape[1]} numbers per token, the U-net wants "
                f"{config['cross_attention_dim']}"
            )
        self._unet = load_part(UNet2DConditionModel, place / "unet", device)
        self._vae = load_part(_VAES[read_json(place / "vae" / "config.json")["_class_name"]], place / "vae", device)
        self.side_px = self.card.face_px
        coarsest = factor(self._vae.config) * 2 ** (len(self._unet.config.block_out_channels) - 1)
        if self.side_px % coarsest:
            raise PackError(f"{place}: face_px is {self.side_px}, these nets take multiples of {coarsest}")

    @torch.inference_mode()
    def speak(self, face: Bytes, sound: NDArray[np.float32]) -> Bytes:
        """The face (side_px, side_px, 3), RGB, with the mouth of a sound (tokens, width). Raises `ArithmeticError` for
        numbers that are none, and what torch raises."""
        device, dtype = self._unet.device, self._unet.dtype
        whole = torch.from_numpy(face.astype(np.float32)).permute(2, 0, 1)[None].to(device, dtype) / 127.5 - 1.0
        masked = whole.clone()
        masked[..., self.side_px // 2 :, :] = -1.0
        given = torch.cat([self._encode(masked), self._encode(whole)], 1)  # (1, 8, h, w)
        tokens = torch.from_numpy(sound)[None].to(device, dtype)
        tokens = tokens + positions(*sound.shape).to(tokens)
        latents = self._unet(given, torch.zeros((), device=device), tokens, return_dict=False)[0]
        made = self._vae.decode(latents / self._vae.config.scaling_factor, return_dict=False)[0][0]
        if not bool(torch.isfinite(made).all()):
            raise ArithmeticError("the net gives numbers that are not finite")
        pixels = ((made.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        return np.ascontiguousarray(pixels.permute(1, 2, 0).cpu().numpy())

    def _encode(self, picture: torch.Tensor) -> torch.Tensor:
        found = self._vae.encode(picture)
        latents: torch.Tensor = found.latents if hasattr(found, "latents") else found.latent_dist.mode()
        return latents * float(self._vae.config.scaling_factor)


def check(place: Path) -> dict[str, Any]:
    """The U-net's config, if a folder's files have the shape that is wanted. Raises `PackError`."""
    config = read_json(place / "unet" / "config.json")
    wanted = {"in_channels": CHANNELS, "out_channels": 4}
    for key, value in wanted.items():
        if config.get(key) != value:
            raise PackError(f"{place}/unet: {key} is {config.get(key)}, a mouth net of MuseTalk's shape has {value}")
    if not isinstance(config.get("cross_attention_dim"), int):
        raise PackError(f"{place}/unet: cross_attention_dim is {config.get('cross_attention_dim')!r}, not one number")
    found = shapes(weights_in(place / "unet")).get("conv_in.weight")
    if found is None or found[1] != CHANNELS:
        raise PackError(f"{place}/unet: conv_in.weight has shape {found}, not {CHANNELS} input channels")
    vae = read_json(place / "vae" / "config.json")
    if vae.get("_class_name") not in _VAES or vae.get("latent_channels") != 4:
        raise PackError(f"{place}/vae is no AutoencoderKL or AutoencoderTiny with 4 latent channels")
    weights_in(place / "vae")
    weights_in(place / "whisper")
    return config


def positions(count: int, width: int) -> torch.Tensor:
    """Sinusoidal positions (1, count, width) (Vaswani et al. 2017, section 3.5)."""
    places = torch.arange(count, dtype=torch.float32)[:, None]
    rates = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10000.0) / width))
    found = torch.zeros(1, count, width)
    found[0, :, 0::2] = torch.sin(places * rates)
    found[0, :, 1::2] = torch.cos(places * rates)[:, : width // 2]
    return found
