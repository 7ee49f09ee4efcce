"""Paints the dirty tiles of a picture, window by window, in pieces that are short enough to stop between them.

img2img after SDEdit (Meng et al. 2022): a window is encoded, noised as far as the strength says, and denoised in few
steps. Only chosen tiles may change: an inpainting U-net is told by its mask; for any other, what stays is put back with
the step's own noise after each step (Lugmayr et al. 2022, RePaint, without resampling). Noise belongs to the
picture, not the window, so neighbouring windows agree."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch.nn.functional import interpolate

from models.diffusion.door.checkpoint import Checkpoint
from realtime.core.painting import TILE_PX, Painted, PaintOrder, Rgb, Tiles, Window, tiles_of, windows

WINDOW_TILES: Final = 16
"""Side of a window: 256 pixels."""
MARGIN_TILES: Final = 2
"""Tiles around those that are painted, for what is painted to continue."""
GUIDANCE: Final = 1.5
"""Classifier-free guidance (Ho & Salimans 2022) where an order names what must not appear; 1 otherwise. Few-step models
are distilled with guidance inside, so little is added."""

Tensor = torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """What the text says to the U-net; `against` is None where nothing was forbidden."""

    wanted: Tensor
    against: Tensor | None


def paint(
    checkpoint: Checkpoint, order: PaintOrder, picture: Rgb, chosen: Tiles,
    window_tiles: int = WINDOW_TILES, margin_tiles: int = MARGIN_TILES,
) -> Iterator[Painted | None]:
    """Yields after every piece of work: None, or the finished tiles of a window. `picture` is left as it is."""
    canvas = picture.copy()
    words = encode_words(checkpoint, order)
    yield None
    noise = _noise(checkpoint, order.seed, canvas.shape[:2])
    for window in windows(chosen, window_tiles, margin_tiles):
        here = slice(window.y, window.y + window.height), slice(window.x, window.x + window.width)
        before = canvas[here].copy()
        painter = _window(checkpoint, order, words, before, window, noise)
        after = None
        for after in painter:
            if after is None:
                yield None
        assert after is not None, "the last thing a window yields is its picture"
        flags = np.repeat(np.repeat(window.chosen, TILE_PX, 0), TILE_PX, 1)[..., None]
        canvas[here] = np.where(flags, after, before)
        yield tiles_of(window, before, canvas[here].copy())


@torch.inference_mode()
def encode_words(checkpoint: Checkpoint, order: PaintOrder) -> Words:
    """Text embeddings (1, words, width) of prompt and negative prompt."""
    encoder = checkpoint.text_encoder
    limit = min(checkpoint.tokenizer.model_max_length, encoder.config.max_position_embeddings)

    def encoded(text: str) -> Tensor:
        ids = checkpoint.tokenizer(
            text, padding="max_length", max_length=limit, truncation=True, return_tensors="pt"
        ).input_ids
        found: Tensor = encoder(ids.to(encoder.device))[0]
        return found

    return Words(encoded(order.prompt), encoded(order.negative_prompt) if order.negative_prompt else None)


def _window(
    checkpoint: Checkpoint, order: PaintOrder, words: Words, pixels: Rgb, window: Window, noise: Tensor
) -> Iterator[Rgb | None]:
    """Yields None after the encoding and each step, the window's picture at last."""
    factor = checkpoint.factor
    place = (window.y // factor, window.x // factor)
    with torch.inference_mode():
        known = _encode(checkpoint, _tensor(pixels, checkpoint))  # (1, 4, h, w)
        height, width = known.shape[-2:]
        own = noise[..., place[0] : place[0] + height, place[1] : place[1] + width]
        mask = torch.from_numpy(window.chosen.astype(np.float32))[None, None].to(known)
        mask = interpolate(mask, size=(height, width), mode="nearest")  # 1 where it is painted
        extra = _inpaint_channels(checkpoint, pixels, mask) if checkpoint.inpaints else None
    yield None
    scheduler = checkpoint.new_scheduler()
    times = _times(scheduler, checkpoint.steps, order.strength)
    generator = torch.Generator().manual_seed(order.seed)
    with torch.inference_mode():
        latents = scheduler.add_noise(known, own, times[:1])
    for index, time in enumerate(times):
        with torch.inference_mode():
            guess = _guess(checkpoint, scheduler.scale_model_input(latents, time), extra, time, words)
            options = {"generator": generator} if _takes_noise(scheduler) else {}
            latents = scheduler.step(guess, time, latents, return_dict=False, **options)[0]
            if extra is None:
                last = index + 1 == len(times)
                stays = known if last else scheduler.add_noise(known, own, times[index + 1 : index + 2])
                latents = mask * latents + (1 - mask) * stays
        yield None
    with torch.inference_mode():
        yield _decode(checkpoint, latents)


def _times(scheduler: Any, steps: int, strength: float) -> Tensor:
    """The time steps from the noise level that `strength` asks for down to none."""
    if type(scheduler).__name__ == "LCMScheduler":
        origin = scheduler.config.original_inference_steps
        steps = max(1, min(steps, int(origin * strength)))
        scheduler.set_timesteps(steps, original_inference_steps=origin, strength=max(strength, steps / origin))
        found: Tensor = scheduler.timesteps
        return found
    # as many steps as are wanted are left once those above the strength are gone
    whole = max(steps, round(steps / strength))
    scheduler.set_timesteps(whole)
    kept = max(1, min(whole, round(whole * strength)))
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(whole - kept)
    found = scheduler.timesteps[whole - kept :]
    return found


def _guess(checkpoint: Checkpoint, latents: Tensor, extra: Tensor | None, time: Tensor, words: Words) -> Tensor:
    """The U-net's prediction, guided away from what must not appear."""
    given = latents if extra is None else torch.cat([latents, extra], 1)
    unet = checkpoint.unet
    width = unet.config.time_cond_proj_dim
    inner = None if width is None else _guidance_embedding(0.0 if words.against is not None else 7.5, width).to(given)
    wanted: Tensor = unet(given, time, words.wanted, timestep_cond=inner, return_dict=False)[0]
    if words.against is None:
        return wanted
    against: Tensor = unet(given, time, words.against, timestep_cond=inner, return_dict=False)[0]
    return against + GUIDANCE * (wanted - against)


def _guidance_embedding(scale: float, width: int) -> Tensor:
    """Sinusoidal embedding of the guidance scale (Meng et al. 2023, as latent consistency models are distilled)."""
    half = width // 2
    rates: Tensor = torch.exp(torch.arange(half, dtype=torch.float32) * -(np.log(10000.0) / (half - 1)))
    angles = scale * 1000.0 * rates[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


def _inpaint_channels(checkpoint: Checkpoint, pixels: Rgb, mask: Tensor) -> Tensor:
    """Mask and the latents of the picture with what is painted taken out, (1, 5, h, w)."""
    tensor = _tensor(pixels, checkpoint)
    full = interpolate(mask, size=tensor.shape[-2:], mode="nearest")
    return torch.cat([mask, _encode(checkpoint, tensor * (1 - full))], 1)


def _noise(checkpoint: Checkpoint, seed: int, size: tuple[int, ...]) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    height, width = (side // checkpoint.factor for side in size)
    return torch.randn((1, 4, height, width), generator=generator).to(checkpoint.device, checkpoint.unet.dtype)


def _tensor(pixels: Rgb, checkpoint: Checkpoint) -> Tensor:
    """(1, 3, height, width), -1..1."""
    scaled = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1.0
    return scaled.to(checkpoint.device, checkpoint.vae.dtype)


def _encode(checkpoint: Checkpoint, tensor: Tensor) -> Tensor:
    found = checkpoint.vae.encode(tensor)
    latents: Tensor = found.latents if hasattr(found, "latents") else found.latent_dist.mode()
    return latents * float(checkpoint.vae.config.scaling_factor)


def _decode(checkpoint: Checkpoint, latents: Tensor) -> Rgb:
    decoded = checkpoint.vae.decode(latents / checkpoint.vae.config.scaling_factor, return_dict=False)[0]
    if not bool(torch.isfinite(decoded).all()):
        raise ArithmeticError("the checkpoint gives numbers that are not finite")
    pixels = ((decoded[0].clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return np.ascontiguousarray(pixels.permute(1, 2, 0).cpu().numpy(), np.uint8)


def _takes_noise(scheduler: Any) -> bool:
    return hasattr(scheduler, "step") and "generator" in scheduler.step.__code__.co_varnames
