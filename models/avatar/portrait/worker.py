"""Bakes one portrait in a process of its own: a wish as JSON on standard input, progress as JSON lines on the output.

A server starts it, so that finding a face and cutting it out never share a process with running sessions."""

import json
import sys
from pathlib import Path
from typing import Final, TextIO

from models.avatar.portrait.detect import UnusablePhoto
from models.avatar.portrait.shelf import Portraits
from models.orphans import begin_work
from realtime.core.clips import BAKED
from realtime.core.errors import AnimaError, RequestError

_NICENESS: Final = 10


def run(wish: dict[str, str], out: TextIO) -> int:
    """Bake `wish` (`photo`, `name`, `consent`, `title`, `licence`, `packs`); returns the exit status."""

    def tell(**line: object) -> None:
        print(json.dumps(line), file=out, flush=True)

    try:
        Portraits(Path(wish["packs"])).bake(
            Path(wish["photo"]), wish["name"], wish["consent"], wish["title"], BAKED,
            lambda what, done, total: tell(what=what, done=done, total=total), wish.get("licence", ""),
        )  # fmt: skip
    except RequestError as error:
        reason = error.reason if isinstance(error, UnusablePhoto) else None
        tell(error=str(error), field=error.field, limit=error.limit, reason=reason)
    except AnimaError as error:
        tell(error=str(error), field=None, limit=None)
    else:
        return 0
    return 1


def main() -> int:
    """The command."""
    import cv2

    begin_work(_NICENESS)
    cv2.setNumThreads(1)
    return run(json.load(sys.stdin), sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
