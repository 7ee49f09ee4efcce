"""How worker processes begin, so that they neither outlive nor outshout the server that started them."""

import os
import signal
import threading
import time
from typing import Final

_LOOK_EVERY_S: Final = 2.0


def begin_work(niceness: int = 0) -> None:
    """For the initializer of a process pool: deaf to the terminal, gone with its parent, and nice to who streams."""
    deafen()
    end_with_parent()
    os.nice(niceness)


def deafen() -> None:
    """Ignore a terminal's interruption: it reaches all processes of its group, and ending this one is the server's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def end_with_parent() -> None:
    """End this process when its parent is gone, however that ended: a killed server cannot tell its workers. Called
    once in a worker; a process of the standard library's pools waits for work for ever otherwise."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
