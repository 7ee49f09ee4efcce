"""What was loaded is left out of later collections."""

import gc

from server.collector import settle_collector


def test_what_is_loaded_is_frozen() -> None:
    thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
    try:
        settle_collector()
        assert gc.get_freeze_count() > frozen + 1000
        assert gc.get_threshold()[0] > thresholds[0]
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
