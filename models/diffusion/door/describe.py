"""What a checkpoint's directory says of itself, without torch: enough to refuse what cannot be one at start."""

from pathlib import Path
from typing import Final

from models.diffusion.door.files import read_json, weights_in
from realtime.core.errors import PackError

FAMILIES: Final = {768: "stable-diffusion-1", 1024: "stable-diffusion-2"}
"""Model family by the width of its text embedding."""


def bases_of(place: Path) -> tuple[str, ...]:
    """The names under which style packs may call this base model. Raises `PackError` where it is no checkpoint."""
    if not place.is_dir():
        raise PackError(f"there is no directory {place}")
    index = read_json(place / "model_index.json")
    config = read_json(place / "unet" / "config.json")
    for part in ("unet", "vae", "text_encoder"):
        weights_in(place / part)
    width = config.get("cross_attention_dim")
    family = FAMILIES.get(width) if isinstance(width, int) else None
    origin = str(index.get("_name_or_path") or "").rstrip("/")
    names = (origin, origin.rpartition("/")[2], place.name, family)
    return tuple(dict.fromkeys(name for name in names if name))
