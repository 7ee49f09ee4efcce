"""What is skipped where a foreign program is missing, and fails where all of them were installed."""

import os
import shutil
from typing import NoReturn

import pytest


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips where one of these is missing."""
    missing = [name for name in programs if shutil.which(name) is None]
    return skip_unless(not missing, f"needs {', '.join(missing)}: make interop-deps")


def skip_unless(has: bool, reason: str) -> pytest.MarkDecorator:
    """Skips where a peer is missing; with `ANIMA_REQUIRE_PEERS=1` the test runs, and fails for what it lacks."""
    return pytest.mark.skipif(not has and not peers_required(), reason=reason)


def peers_required() -> bool:
    """Whether a missing peer is a failure, as where all of them were installed for the tests."""
    return os.environ.get("ANIMA_REQUIRE_PEERS") == "1"


def missing_peer(reason: str) -> NoReturn:
    """Skip, or fail where peers are required."""
    if peers_required():
        pytest.fail(reason)
    pytest.skip(reason)
