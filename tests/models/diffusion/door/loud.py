"""A tiny net of MuseTalk's shape whose mouths tell what it hears: one picture while it is loud, another in silence.

The Whisper encoder's first channel is the mean of the mel bands; the U-net's last cross attention takes the mean of
that over the picture's tokens; the group norm before its last layer makes of it whether that is above a threshold."""

from pathlib import Path
from typing import Any, Final

import diffusers
import numpy as np
import torch
from transformers import WhisperModel

from models.diffusion.door.card import write_card
from models.diffusion.door.hearing import WhisperFeatures, around
from models.diffusion.door.mouth import positions
from realtime.core.values import Pcm
from tests.models.diffusion.door.tiny import tiny_mouth

FACE_PX: Final = 64
DARK: Final = 50
BRIGHT: Final = 210
"""Greys, about, of its mouths in silence and in sound."""
_ATTENTION: Final = "up_blocks.0.attentions.1."


def noise(samples: int, seed: int = 0) -> Pcm:
    """Loud sound."""
    return np.random.default_rng(seed).integers(-9000, 9000, samples).astype(np.int16)


def loud_mouth(place: Path) -> Path:
    """A folder as a user would bring it."""
    tiny_mouth(place)
    _hear_loudness(place / "whisper")
    threshold = _threshold(place / "whisper")
    kind: Any = diffusers
    unet = kind.UNet2DConditionModel.from_pretrained(place / "unet")
    state = {name: torch.zeros_like(value) for name, value in unet.state_dict().items()}
    block = _ATTENTION + "transformer_blocks.0.attn2."
    state[block + "to_v.weight"][0, 0] = 1.0
    state[block + "to_out.0.weight"][0, 0] = 1.0
    state[_ATTENTION + "proj_out.weight"][0, 0] = 1.0
    state["up_blocks.0.upsamplers.0.conv.weight"][0, 0, 1, 1] = 1.0
    for index in (0, 1):
        state[f"up_blocks.1.resnets.{index}.conv_shortcut.weight"][0, 0] = 1.0
    state["up_blocks.1.resnets.1.conv_shortcut.bias"][1] = threshold
    state["conv_norm_out.weight"][:] = 1.0
    state["conv_out.weight"][:, 0, 1, 1] = torch.tensor([3.0, -3.0, 3.0, -3.0])
    unet.load_state_dict(state)
    unet.save_pretrained(place / "unet")
    _show_black_and_white(place / "vae")
    write_card(place, "loud", "made by a test", FACE_PX)
    return place


def _hear_loudness(place: Path) -> None:
    model: Any = WhisperModel.from_pretrained(place)
    state = model.state_dict()
    for name, value in state.items():
        if name.startswith("encoder."):
            value.zero_()
    bands = state["encoder.conv1.weight"].shape[1]
    state["encoder.conv1.weight"][0, :, 1] = 1.0 / bands
    state["encoder.conv1.bias"][0] = 4.0
    state["encoder.conv2.weight"][0, 0, 1] = 1.0
    model.load_state_dict(state)
    model.save_pretrained(place)


def _show_black_and_white(place: Path) -> None:
    """What the two latents of the U-net above are decoded to becomes `DARK` and `BRIGHT`, grey."""
    kind: Any = diffusers
    vae = kind.AutoencoderTiny.from_pretrained(place)
    last = vae.decoder.layers[-1]
    weight, bias = last.weight[:1].clone(), last.bias[:1].clone()
    found = []
    for level in (-0.269, 0.731):  # SiLU of -1 and 1
        latents = torch.tensor([3.0, -3.0, 3.0, -3.0])[None, :, None, None] * level
        with torch.inference_mode():
            found.append(float(vae.decode(latents.expand(1, 4, 8, 8)).sample[0, 0].mean() + 1) / 2)
    gain = (BRIGHT - DARK) / 255 / (found[1] - found[0])
    with torch.no_grad():
        last.weight.copy_((weight * gain).expand_as(last.weight))
        last.bias.copy_((DARK / 255 + gain * (bias - found[0])).expand_as(last.bias))
    vae.save_pretrained(place)


def _threshold(place: Path) -> float:
    """Between what the tokens are in the middle of noise and of silence; half and half where one begins."""
    features = WhisperFeatures(place)
    half = np.concatenate([noise(16_000), np.zeros(16_000, np.int16)])
    frames = features.encode(half)
    level = [float(around(frames, at_s)[:, 0].mean()) for at_s in (0.5, 1.5)]
    return sum(level) / 2 + float(positions(*features.shape)[0, :, 0].mean())
