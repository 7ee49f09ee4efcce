"""Two network namespaces and the emulated wire between them, made and removed again. Needs root and /dev/net/tun."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.netem.link import LinkSpec

ROOT: Final = Path(__file__).resolve().parent.parent.parent
NEAR: Final = "10.77.0.1"
FAR: Final = "10.77.0.2"


def possible() -> bool:
    """Whether this machine lets us."""
    return os.geteuid() == 0 and Path("/dev/net/tun").exists() and shutil.which("ip") is not None


@dataclass(frozen=True, slots=True)
class Wire:
    """The two ends of a wire that is up."""

    near: str
    far: str
    emulator: int
    """Its process."""

    def cut(self) -> None:
        """From now on nothing passes."""
        os.kill(self.emulator, signal.SIGUSR1)

    def mend(self) -> None:
        """From now on packets pass again."""
        os.kill(self.emulator, signal.SIGUSR2)

    def at_near(self, *arguments: str) -> tuple[str, ...]:
        """A command line that runs at the near end, whose address is `NEAR`."""
        return ("ip", "netns", "exec", self.near, *arguments)

    def at_far(self, *arguments: str) -> tuple[str, ...]:
        """A command line that runs at the far end, whose address is `FAR`."""
        return ("ip", "netns", "exec", self.far, *arguments)


@contextmanager
def wire(to_far: LinkSpec, to_near: LinkSpec | None = None, seed: int = 1) -> Iterator[Wire]:
    """A wire; the way back is like the way there unless it is given. Time of outages counts from here."""
    tag = f"anima{os.getpid()}"
    near, far = names = f"{tag}n", f"{tag}f"
    for name in names:
        subprocess.run(("ip", "netns", "add", name), check=True)
    ends = [
        {"namespace": near, "device": "emn", "address": NEAR},
        {"namespace": far, "device": "emf", "address": FAR},
    ]
    spec = {"ends": ends, "to_far": asdict(to_far), "to_near": asdict(to_near or to_far), "seed": seed}
    emulator = None
    try:
        arguments = (sys.executable, "-m", "tests.netem.emulator", json.dumps(spec))
        emulator = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert emulator.stdout is not None
        if emulator.stdout.readline() != "up\n":
            raise RuntimeError("the network emulator did not come up")
        yield Wire(near, far, emulator.pid)
    finally:
        if emulator is not None:
            emulator.terminate()
            emulator.communicate()
        for name in names:
            subprocess.run(("ip", "netns", "del", name), check=True)
