"""`anima scenes`: what a session can be for."""

import argparse
import json
from typing import Any


def add_scenes(commands: Any) -> None:
    """Add the command to the parser's."""
    made: argparse.ArgumentParser = commands.add_parser("scenes", help="show the scenes and their budgets")
    made.add_argument("--json", action="store_true", help="as JSON, with ladder and layout")
    made.set_defaults(run=show)


def show(arguments: argparse.Namespace) -> int:
    """Show the scenes."""
    from realtime.core.scenes import SCENES

    if arguments.json:
        print(json.dumps([scene.as_json() for scene in SCENES.values()], indent=2, ensure_ascii=False))
        return 0
    for scene in SCENES.values():
        inputs = ", ".join(scene.inputs)
        print(f"{scene.name:<10}{scene.budget_ms:>4} ms  {scene.content:<10}{scene.title['en']:<18}{inputs}")
    return 0
