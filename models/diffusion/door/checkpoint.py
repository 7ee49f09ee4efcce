"""A painter's checkpoint: a directory as diffusers writes it, checked part by part, then loaded.

Taken are latent inpainting (9 input channels) and img2img (4) U-nets of the Stable Diffusion 1 and 2 families with one
CLIP text encoder, `AutoencoderTiny` or `AutoencoderKL`, and a scheduler that needs few steps: LCM (Luo et al. 2023) or
the Euler schedulers of the Turbo models (Sauer et al. 2023). Nothing is fetched from anywhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel, CLIPTokenizer

from models.diffusion.door.describe import bases_of
from models.diffusion.door.files import first_line, read_json, variant_of, weights_in
from realtime.core.errors import PackError
from realtime.core.painting import TILE_PX

SCHEDULERS: Final[dict[str, Any]] = {
    "LCMScheduler": LCMScheduler,
    "EulerAncestralDiscreteScheduler": EulerAncestralDiscreteScheduler,
    "EulerDiscreteScheduler": EulerDiscreteScheduler,
}
AUTOENCODERS: Final[dict[str, Any]] = {"AutoencoderTiny": AutoencoderTiny, "AutoencoderKL": AutoencoderKL}
INPAINT_CHANNELS: Final = 9
_STEPS: Final = {"LCMScheduler": 4, "EulerAncestralDiscreteScheduler": 2, "EulerDiscreteScheduler": 2}


@dataclass(slots=True)
class Checkpoint:
    """The loaded parts, in evaluation mode on one device."""

    name: str
    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    scheduler: Any
    steps: int
    bases: tuple[str, ...]
    """The names under which style packs may call this base model."""

    @property
    def inpaints(self) -> bool:
        """Whether the U-net is told what is to be painted; otherwise what stays is put back after each step."""
        return int(self.unet.config.in_channels) == INPAINT_CHANNELS

    @property
    def factor(self) -> int:
        """Picture pixels per latent pixel."""
        return factor(self.vae.config)

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        device: torch.device = self.unet.device
        return device

    def new_scheduler(self) -> Any:
        """A scheduler of its own for one window: they keep count of their steps."""
        return type(self.scheduler).from_config(self.scheduler.config)


def load_checkpoint(place: Path, device: str = "cpu") -> Checkpoint:
    """Check and load a directory. Raises `PackError` that says which part does not fit and why."""
    if not place.is_dir():
        raise PackError(f"there is no directory {place}")
    index = read_json(place / "model_index.json")
    if "text_encoder_2" in index:
        raise PackError(f"{place}: models with two text encoders (SDXL) are not taken, only the 1 and 2 families")
    parts = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
    classes = {name: _class_in(index, name, place) for name in parts}
    _check(place, classes)
    steps = _steps(place, classes["scheduler"])
    try:
        made = Checkpoint(
            place.name,
            load_part(UNet2DConditionModel, place / "unet", device),
            load_part(AUTOENCODERS[classes["vae"]], place / "vae", device),
            load_part(CLIPTextModel, place / "text_encoder", device),
            CLIPTokenizer.from_pretrained(place / "tokenizer", local_files_only=True),
            SCHEDULERS[classes["scheduler"]].from_pretrained(place / "scheduler", local_files_only=True),
            steps,
            bases_of(place),
        )
    except PackError:
        raise
    except Exception as error:  # whatever a foreign file makes the libraries raise, it is the file's fault
        raise PackError(f"{place} cannot be loaded: {first_line(error)}") from error
    _check_fit(place, made)
    return made


def _class_in(index: dict[str, Any], part: str, place: Path) -> str:
    entry = index.get(part)
    if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[1], str):
        raise PackError(f"{place / 'model_index.json'} names no {part}")
    return entry[1]


def _check(place: Path, classes: dict[str, str]) -> None:
    """Each part is of a class that is known here and has a sound weight file, before anything is loaded."""
    wanted: dict[str, tuple[str, ...]] = {
        "unet": ("UNet2DConditionModel",),
        "vae": tuple(AUTOENCODERS),
        "text_encoder": ("CLIPTextModel",),
        "tokenizer": ("CLIPTokenizer", "CLIPTokenizerFast"),
        "scheduler": tuple(SCHEDULERS),
    }
    for part, allowed in wanted.items():
        if classes[part] not in allowed:
            raise PackError(f"{place}: {part} is a {classes[part]}; taken are {', '.join(allowed)}")
    for part in ("unet", "vae", "text_encoder"):
        weights_in(place / part)
    config = read_json(place / "unet" / "config.json")
    if config.get("addition_embed_type") or config.get("class_embed_type"):
        raise PackError(f"{place}/unet wants further embeddings than text (an SDXL model?), which are not given here")
    if config.get("in_channels") not in (4, INPAINT_CHANNELS):
        raise PackError(
            f"{place}/unet has {config.get('in_channels')} input channels; an img2img U-net has 4, an inpainting one 9"
        )


def _check_fit(place: Path, made: Checkpoint) -> None:
    """The parts fit one another. Raises `PackError`."""
    width, wanted = made.text_encoder.config.hidden_size, made.unet.config.cross_attention_dim
    if width != wanted:
        raise PackError(f"{place}: the text encoder gives {width} numbers per word, the U-net wants {wanted}")
    if made.vae.config.latent_channels != 4 or made.unet.config.out_channels != 4:
        raise PackError(f"{place}: latents have 4 channels, not {made.vae.config.latent_channels}")
    if TILE_PX % made.factor:
        raise PackError(f"{place}/vae shrinks {made.factor} times, which does not divide a tile of {TILE_PX} pixels")


def _steps(place: Path, scheduler: str) -> int:
    config = read_json(place / "scheduler" / "scheduler_config.json")
    if scheduler != "LCMScheduler" and config.get("timestep_spacing") != "trailing":
        raise PackError(f"{place}/scheduler: an Euler scheduler has timestep_spacing trailing here, as for Turbo")
    return _STEPS[scheduler]


def load_part(kind: Any, place: Path, device: str) -> Any:
    """One model of a directory, from safetensors alone. Raises `PackError` where weights and config do not fit."""
    path = weights_in(place)
    read_json(place / "config.json")
    options = {"use_safetensors": True, "local_files_only": True, "variant": variant_of(path)}
    dtype = torch.float16 if device.startswith("cuda") else torch.float32
    try:
        model, info = kind.from_pretrained(place, torch_dtype=dtype, output_loading_info=True, **options)
    except Exception as error:  # whatever a foreign file makes the library raise, it is the file's fault
        raise PackError(f"{place} cannot be loaded: {first_line(error)}") from error
    missing = sorted(key for key in info["missing_keys"] if not key.endswith("position_ids"))
    if missing or info["mismatched_keys"]:
        first = missing[0] if missing else info["mismatched_keys"][0]
        raise PackError(f"{path} does not fit its config.json: {first} is missing or has another shape")
    return model.to(device).eval().requires_grad_(False)


def factor(config: Any) -> int:
    blocks = getattr(config, "block_out_channels", None) or config.encoder_block_out_channels
    return int(2 ** (len(blocks) - 1))
