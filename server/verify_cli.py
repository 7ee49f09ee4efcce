"""The `anima verify` command: reads the mark out of a file and tells where its pictures come from."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from server.config import Config


def add_verify(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    add_settings: Callable[[argparse.ArgumentParser], None],
    config_of: Callable[[argparse.Namespace], Config],
) -> None:
    """Add the command."""
    command = commands.add_parser("verify", help="read the invisible mark of a video or picture")
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.usage = "anima verify FILE [--json] [--config FILE] [--SETTING VALUE ...]"
    add_settings(command)
    command.set_defaults(run=lambda arguments: verify_file(arguments, config_of(arguments)))


def verify_file(arguments: argparse.Namespace, config: Config) -> int:
    """Read the mark; 0 if there is one, 1 if there is none."""
    from server.provenance import ProvenanceLog
    from server.verify import verify

    found = verify(arguments.file)
    record = None if found is None else ProvenanceLog(config.provenance_path).find(found.identity)
    if arguments.json:
        told = None
        if found is not None:
            told = {
                "identity": f"{found.identity:016x}", "clarity": round(found.clarity, 3), "windows": found.windows,
                "agreeing": found.agreeing, "width": found.width, "height": found.height, "record": record,
            }  # fmt: skip
        print(json.dumps({"mark": told}, ensure_ascii=False, indent=2))
    elif found is None:
        print("no mark was found")
    else:
        print(f"mark {found.identity:016x}, read in {found.agreeing} of {found.windows} seconds")
        if record is None:
            print(f"{config.provenance_path} holds no record of it: it was made elsewhere")
        for name, value in (record or {}).items():
            if name != "identity":
                print(f"  {name}: {value}")
    return 0 if found is not None else 1
