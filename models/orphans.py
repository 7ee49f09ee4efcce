"""Keeps worker processes from outliving the server that started them."""

import os
import threading
import time
from typing import Final

_LOOK_EVERY_S: Final = 2.0


def end_with_parent() -> None:
    """End this process when its parent is gone, however that ended: a killed server cannot tell its workers. Called
    once in a worker; a process of the standard library's pools waits for work for ever otherwise."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
