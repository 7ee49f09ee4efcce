"""`anima primitives`: recording, listing, inspecting and removing motion primitives."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server.config import Config

ConfigOf = Callable[[argparse.Namespace], Config]


def add_primitives(commands: Any, add_settings: Callable[[argparse.ArgumentParser], None], config_of: ConfigOf) -> None:
    """Add the command and its own commands to the parser's."""
    group = commands.add_parser("primitives", help="motion primitives").add_subparsers(required=True, metavar="WHAT")

    def command(name: str, help_text: str, run: Callable[[argparse.Namespace, Config], int]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = group.add_parser(name, help=help_text)
        made.usage = f"anima primitives {name} [...] [--config FILE] [--SETTING VALUE ...]"
        made.set_defaults(run=lambda arguments: run(arguments, config_of(arguments)))
        return made

    listing = command("list", "show the motion primitives", show_list)
    listing.add_argument("--json", action="store_true", help="as JSON")
    inspecting = command("inspect", "show what a recorded primitive moves and how good its clip was", show)
    removing = command("remove", "delete a recorded primitive", remove)
    for one in (inspecting, removing):
        one.add_argument("name", metavar="NAME")
    recording = command("record", "make a primitive of a clip of a person", record)
    recording.add_argument("video", metavar="VIDEO", type=Path, help="a video file with one person in it")
    recording.add_argument("--name", required=True, metavar="NAME", help="small letters, digits, underscores")
    recording.add_argument(
        "--loop", action="store_true", help="a loop; without it a gesture that begins and ends at rest"
    )
    recording.add_argument("--start", type=float, default=0.0, metavar="S", help="where in the video it begins")
    recording.add_argument("--end", type=float, metavar="S", help="where in the video it ends")
    recording.add_argument("--mouth", action="store_true", help="record the mouth's opening, too")
    recording.add_argument("--description", default="", metavar="TEXT", help="for people")
    recording.add_argument("--replace", action="store_true", help="in the place of one of the same name")
    for one in (listing, inspecting, removing, recording):
        add_settings(one)


def show_list(arguments: argparse.Namespace, config: Config) -> int:
    """Show the motion primitives, recorded ones included."""
    from server.compose import motions

    found = motions(config)
    learned = set(found.learn())
    rows = [
        {"name": one.name, "kind": one.kind, "duration_s": one.duration_s,
         "from": "recorded" if one.name in learned else "anima", "description": one.description}
        for one in found.library().values()
    ]  # fmt: skip
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    widths = {key: max(len(str(row[key])) for row in rows) for key in rows[0]}
    for row in rows:
        print("  ".join(f"{value!s:<{widths[key]}}" for key, value in row.items()).rstrip())
    return 0


def show(arguments: argparse.Namespace, config: Config) -> int:
    """Show what a recorded primitive moves, and how good its clip was."""
    from server.compose import motions

    print(json.dumps(motions(config).inspect(arguments.name), indent=2, ensure_ascii=False))
    return 0


def remove(arguments: argparse.Namespace, config: Config) -> int:
    """Delete a recorded primitive."""
    from server.compose import motions

    print(motions(config).remove(arguments.name))
    return 0


def record(arguments: argparse.Namespace, config: Config) -> int:
    """Make a primitive of a clip, and show its report."""
    from server.compose import motions
    from server.serving import ProgressBar

    place = motions(config)
    with ProgressBar() as progress:
        place.record(
            arguments.video, arguments.name, loop=arguments.loop, start_s=arguments.start, end_s=arguments.end,
            mouth=arguments.mouth, description=arguments.description, replace=arguments.replace, progress=progress,
        )  # fmt: skip
    print(json.dumps(place.inspect(arguments.name), indent=2, ensure_ascii=False))
    return 0
