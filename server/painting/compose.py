"""Picks what paints: the models behind the painter's port, as the settings say. A part of `server.compose`."""

import logging
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

from models.diffusion.door.packs import Shelf, StylePack, read_pack
from models.staging.collection import Collection
from models.staging.paintable import Paintable
from server.config import Config
from server.extras import require_packages
from server.sessions.easel import Paints

log = logging.getLogger(__name__)

NEEDED: Final = ("torch", "diffusers", "transformers", "peft")


def paints(config: Config, avatars: Collection) -> Paints:
    """The painter, loaded, if the settings name a checkpoint; a foreign checkpoint is logged and paints nothing.

    Raises `ConfigError` if its packages are not installed."""
    if config.painter is None:
        return Paints(None, Paintable(avatars))
    require_packages(config, "painter", NEEDED, "diffusion")
    from models.diffusion.door.studio import Studio

    studio = Studio(config.painter, styles_path(config), config.style_licences, config.painter_share)
    studio.load()
    if not studio.broken:
        log.info("painter: %s", config.painter)
    return Paints(studio, Paintable(avatars))


def styles_path(config: Config) -> Path:
    """Where style packs lie."""
    return config.styles_dir or user_data_path("anima") / "styles"


def shelf(config: Config) -> Shelf:
    """The style packs."""
    return Shelf(styles_path(config))


def style_of(config: Config, name: str) -> StylePack:
    """One pack, by its name or its directory, checked. Raises `NotFound` or `PackError`."""
    return read_pack(Path(name)) if Path(name).is_dir() else shelf(config).get(name)


def bases(config: Config) -> tuple[str, ...]:
    """The names of the base model that the settings name; none if there is none. Raises `PackError`."""
    from models.diffusion.door.describe import bases_of

    return () if config.painter is None else bases_of(config.painter)
