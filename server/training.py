"""`anima train`: what trains Anima's own models. Torch is imported when a training begins, not before."""

import argparse
import time
from pathlib import Path
from typing import Any, Final

from realtime.core.errors import ConfigError
from realtime.core.extras import how_to_install
from server.tools_cli import add_trainings

LONGEST_LEG_S: Final = 540.0
"""A leg ends by itself before this; the next one goes on."""


def add_train(commands: Any) -> None:
    """Add the command to those of the `anima` parser."""
    kinds = commands.add_parser("train", help="train Anima's own models").add_subparsers(required=True, metavar="WHAT")
    roi = kinds.add_parser("roi", help="train the denoiser of regions, in legs that can be resumed")
    roi.add_argument("config", type=Path, metavar="CONFIG", help="YAML file of the training")
    roi.add_argument("--out", type=Path, metavar="DIR", help="checkpoints and curves (default: out/NAME)")
    roi.add_argument("--cache", type=Path, metavar="DIR", help="rendered clips (default: out/roi-clips)")
    roi.add_argument("--leg-s", type=float, default=LONGEST_LEG_S, metavar="S", help="length of a leg (default: 540)")
    roi.add_argument("--legs", type=int, default=1, metavar="N", help="how many legs to run, 0 until it is complete")
    roi.set_defaults(run=train_roi)
    add_trainings(kinds)


def train_roi(arguments: argparse.Namespace) -> int:
    """Run legs; 0 when the training is complete, 4 when there is more to do."""
    if not 1.0 <= arguments.leg_s <= LONGEST_LEG_S:
        raise ConfigError(f"--leg-s: {arguments.leg_s:g} must be from 1 to {LONGEST_LEG_S:g} seconds")
    if arguments.legs < 0:
        raise ConfigError(f"--legs: {arguments.legs} must not be negative")
    try:
        from models.diffusion.train.config import load_config
        from models.diffusion.train.legs import leg
    except ImportError as error:
        raise ConfigError(f"training takes more packages ({error}): {how_to_install('diffusion')}") from error
    config = load_config(arguments.config)
    out = arguments.out or Path("out") / config.name
    cache = arguments.cache or Path("out") / "roi-clips"
    began_s, legs, complete = time.monotonic(), 0, False
    while not complete and (arguments.legs == 0 or legs < arguments.legs):
        complete = leg(config, out, cache, arguments.leg_s, lambda line: print(line, flush=True))
        legs += 1
    print(f"{config.name}: {'complete' if complete else 'to be continued'} after {time.monotonic() - began_s:.0f} s")
    return 0 if complete else 4
