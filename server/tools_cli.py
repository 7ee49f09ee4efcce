"""`anima export`, `anima bench`, `anima train motion|emotion`: what has a command line of its own."""

import argparse
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from realtime.core.errors import ConfigError
from realtime.core.extras import how_to_install

ROOT: Final = Path(__file__).resolve().parent.parent
NO_OPTIONS: Final = "\0"
"""As the prefix of options: all that follows is handed on as it stands, `--help` too."""
TRAININGS: Final = {
    "motion": ("models.language.motion.train", "train the model that finds motions by their descriptions"),
    "emotion": ("models.language.emotion_train", "train the reader of emotions"),
}


def add_tools(commands: Any) -> None:
    """Add `export` and `bench` to the commands of the `anima` parser."""
    export = _handed_on(commands, "export", "write a training's net as ONNX, safetensors and model card")
    export.set_defaults(run=lambda arguments: _run_main("models.diffusion.export", arguments.rest))
    bench = _handed_on(commands, "bench", "measure: a bench by its name, or all of them (from a checkout)")
    bench.usage = "anima bench [NAME] [OPTION ...]"
    bench.set_defaults(run=lambda arguments: run_bench(arguments.rest))


def add_trainings(kinds: Any) -> None:
    """Add those trainings to the kinds of `anima train` that take options of their own."""
    for name, (module, about) in TRAININGS.items():
        made = _handed_on(kinds, name, about)
        made.set_defaults(run=lambda arguments, module=module: _run_main(module, arguments.rest))


def run_bench(rest: list[str], root: Path = ROOT) -> int:
    """Run one bench, or all where no name comes first, in a process of its own; returns its exit status. Raises
    `ConfigError` where there are no benches or none of that name."""
    if not (root / "bench" / "__main__.py").is_file():
        raise ConfigError("anima bench: the benches are not installed with Anima; run it from a checkout of its source")
    module, options = "bench", rest
    if rest and not rest[0].startswith("-"):
        known = sorted(path.stem for path in (root / "bench").glob("*.py") if "\nif __name__ ==" in path.read_text())
        if rest[0] not in known or rest[0].startswith("_"):
            names = ", ".join(name for name in known if not name.startswith("_"))
            raise ConfigError(f"anima bench: {rest[0]!r} is none of {names}")
        module, options = f"bench.{rest[0]}", rest[1:]
    # the folder stays, for files that options name are the caller's; but modules that lie there are not taken (-P)
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-P", "-m", module, *options]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=False).returncode


def _handed_on(commands: Any, name: str, about: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=about, add_help=False, prefix_chars=NO_OPTIONS)
    made.add_argument("rest", nargs="*", metavar="OPTION")
    return made


def _run_main(module: str, rest: list[str]) -> int:
    try:
        run = import_module(module).main
    except ImportError as error:
        raise ConfigError(f"{module} takes more packages ({error}): {how_to_install('diffusion')}") from error
    return int(run(rest))
