"""A worker process ends when its parent was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "from models.orphans import end_with_parent\\nend_with_parent()\\n"
    "import time\\nprint('up', flush=True)\\ntime.sleep(600)"], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""
PATIENCE_S = 60.0


def test_a_worker_ends_with_a_killed_parent() -> None:
    root = Path(__file__).resolve().parent.parent.parent
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=root) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    until_s = time.monotonic() + PATIENCE_S
    while _runs(worker) and time.monotonic() < until_s:
        time.sleep(0.1)
    assert not _runs(worker)


def _runs(pid: int) -> bool:
    try:
        # a zombie that nobody has buried yet has ended, too (proc(5))
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
