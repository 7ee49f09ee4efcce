"""`anima style`: listing, inspecting and adding style packs."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from realtime.core.errors import ConfigError
from server.config import Config

ConfigOf = Callable[[argparse.Namespace], Config]


def add_styles(commands: Any, add_settings: Callable[[argparse.ArgumentParser], None], config_of: ConfigOf) -> None:
    """Add the command and its own commands to the parser's."""
    top = commands.add_parser("style", help="style packs of the painter")
    group = top.add_subparsers(required=True, metavar="WHAT")

    def command(name: str, help_text: str, run: Callable[[argparse.Namespace, Config], int]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = group.add_parser(name, help=help_text)
        made.usage = f"anima style {name} [...] [--config FILE] [--SETTING VALUE ...]"
        made.set_defaults(run=lambda arguments: run(arguments, config_of(arguments)))
        return made

    listing = command("list", "show the style packs and whether they can be used", show_list)
    listing.add_argument("--json", action="store_true", help="as JSON")
    inspecting = command("inspect", "check a pack and show what it says of itself", inspect)
    inspecting.add_argument("name", metavar="NAME|DIR", help="a pack that was added, or a directory")
    adding = command("add", "check a pack and copy it to the others", add)
    adding.add_argument("place", metavar="DIR", type=Path, help="the directory with its plugin.yaml")
    for one in (listing, inspecting, adding):
        add_settings(one)


def show_list(arguments: argparse.Namespace, config: Config) -> int:
    """Show the style packs."""
    from server.painting.compose import bases, shelf

    found = shelf(config).listing(bases(config), config.style_licences)
    if arguments.json:
        print(json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False))
        return 0
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        print(f"{one.name:<{width}}  {one.version:<8}  {'usable' if one.usable else one.reason}")
    return 0


def inspect(arguments: argparse.Namespace, config: Config) -> int:
    """Check one pack, and show it; fails where it cannot be used here."""
    from server.painting.compose import style_of

    pack = style_of(config, arguments.name)
    print(json.dumps(pack.plugin.model_dump(mode="json"), indent=2, ensure_ascii=False))
    return 0


def add(arguments: argparse.Namespace, config: Config) -> int:
    """Add one pack; its licence is checked here, its base model when it is used."""
    from server.painting.compose import shelf

    if not arguments.place.is_dir():
        raise ConfigError(f"{arguments.place} is no directory")
    print(shelf(config).add(arguments.place).place)
    return 0
