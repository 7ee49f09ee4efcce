"""A mouth by a user's own net of MuseTalk's shape (Zhang et al. 2024): one-step latent inpainting led by sound.

The U-net takes 8 channels, the latents of the face with its lower half masked and those of the face as it is, and the
sound's features through cross attention; at time step 0 it gives the latents of the face that speaks. A directory has
`unet/`, `vae/` (diffusers) and `whisper/` (transformers). It refines the mouth's patch behind the port `Denoiser`."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from numpy.typing import NDArray

from models.diffusion.door.checkpoint import load_part
from models.diffusion.door.files import read_json, shapes, weights_in
from models.diffusion.door.hearing import SpeechFeatures, WhisperFeatures
from realtime.core.errors import PackError
from realtime.core.facs import Controls
from realtime.core.values import Patch, Pcm
from realtime.ports import Refined

log = logging.getLogger(__name__)

CHANNELS: Final = 8
FAILURES: Final = 3
_EDGE_SHARE: Final = 0.2
"""Of a patch's shorter side, over which what was made fades into what was drawn."""

Bytes = NDArray[np.uint8]


class MouthNet:
    """The loaded net. Raises `PackError` that says which part does not fit and why."""

    def __init__(self, place: Path, device: str = "cpu") -> None:
        config = check(place)
        kinds: dict[str, Any] = {"AutoencoderKL": AutoencoderKL, "AutoencoderTiny": AutoencoderTiny}
        self.features: SpeechFeatures = WhisperFeatures(place / "whisper")
        if self.features.shape[1] != config["cross_attention_dim"]:
            raise PackError(
                f"{place}: the sound has {self.features.shape[1]} numbers per token, the U-net wants "
                f"{config['cross_attention_dim']}"
            )
        self._unet = load_part(UNet2DConditionModel, place / "unet", device)
        self._vae = load_part(kinds[read_json(place / "vae" / "config.json")["_class_name"]], place / "vae", device)
        self.side_px = int(config.get("sample_size") or 32) * self._factor()

    @torch.inference_mode()
    def speak(self, face: Bytes, sound: NDArray[np.float32]) -> Bytes:
        """The face (side_px, side_px, 3) with the mouth of a sound (tokens, width)."""
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

    def _factor(self) -> int:
        config = self._vae.config
        blocks = getattr(config, "block_out_channels", None) or config.encoder_block_out_channels
        return int(2 ** (len(blocks) - 1))


def check(place: Path) -> dict[str, Any]:
    """The U-net's config, if a directory's files have the shape that is wanted. Raises `PackError`."""
    if (place / "musetalk.json").is_file() or (place / "unet.pth").is_file():
        raise PackError(f"{place} is as MuseTalk ships it, with pickles; convert it to safetensors (docs/painted.md)")
    config = read_json(place / "unet" / "config.json")
    wanted = {"in_channels": CHANNELS, "out_channels": 4}
    for key, value in wanted.items():
        if config.get(key) != value:
            raise PackError(f"{place}/unet: {key} is {config.get(key)}, a mouth net of MuseTalk's shape has {value}")
    found = shapes(weights_in(place / "unet")).get("conv_in.weight")
    if found is None or found[1] != CHANNELS:
        raise PackError(f"{place}/unet: conv_in.weight has shape {found}, not {CHANNELS} input channels")
    vae = read_json(place / "vae" / "config.json")
    if vae.get("_class_name") not in ("AutoencoderKL", "AutoencoderTiny") or vae.get("latent_channels") != 4:
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


class MouthRefiner:
    """One session's, behind the port `Denoiser`. `sound` gives 16 kHz sound and where in it the frame at hand lies, in
    seconds, or None in silence."""

    def __init__(self, net: MouthNet, sound: Callable[[], tuple[Pcm, float] | None]) -> None:
        self._net = net
        self._sound = sound
        self._failures = 0

    @property
    def name(self) -> str:
        return "mouth net"

    def refine(self, patches: Sequence[Patch], controls: Controls, steps: int, left_s: float) -> Refined:
        """See `Denoiser.refine`. The mouth's patch is the last of those that reach lowest; the net takes one step."""
        heard = self._sound() if steps and patches and self._failures < FAILURES else None
        if heard is None:
            return Refined(tuple(patches), 0)
        place = max(range(len(patches)), key=lambda index: patches[index].roi.y + patches[index].roi.height)
        try:
            made = self._spoken(patches[place], self._net.features.around(*heard))
        except Exception:
            # a frame as it was drawn is a good frame
            self._failures += 1
            log.exception("the mouth net failed")
            return Refined(tuple(patches), 0)
        self._failures = 0
        return Refined((*patches[:place], made, *patches[place + 1 :]), 1)

    def _spoken(self, patch: Patch, sound: NDArray[np.float32]) -> Patch:
        side, roi = self._net.side_px, patch.roi
        drawn = np.asarray(cv2.cvtColor(patch.pixels, cv2.COLOR_YUV2RGB_I420), np.uint8)
        face = np.asarray(cv2.resize(drawn, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
        made = cv2.resize(self._net.speak(face, sound), (roi.width, roi.height), interpolation=cv2.INTER_AREA)
        weight = window(roi.height, roi.width)[..., None]
        mixed = np.rint(drawn + (made.astype(np.float32) - drawn) * weight).astype(np.uint8)
        return replace(patch, pixels=np.asarray(cv2.cvtColor(mixed, cv2.COLOR_RGB2YUV_I420), np.uint8))


def window(height: int, width: int) -> NDArray[np.float32]:
    """A raised cosine, exactly 0 on the border, so that there is no seam."""
    edge = max(1.0, _EDGE_SHARE * min(height, width))
    ramps = []
    for side in (height, width):
        inward = np.minimum(np.arange(side), np.arange(side)[::-1])
        ramps.append(0.5 - 0.5 * np.cos(np.pi * np.clip(inward / edge, 0.0, 1.0)))
    return np.asarray(ramps[0][:, None] * ramps[1][None], np.float32)
