"""Ready pixels: what leaves the stock leaves the process, however long a host speaks."""

import gc
import sys
import weakref

import numpy as np
import pytest

from realtime.core.values import I420, BaseKey
from realtime.stock import Stock
from tests.fakes import FlatAvatar
from tests.realtime.test_mapped import pages

FRAME_BYTES = 96 * 64


class Keeper(FlatAvatar):
    """Keeps what it drew, and says so by making it read-only."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[I420] = []

    def render_base(self, key: BaseKey) -> I420:
        self.kept.append(super().render_base(key))
        self.kept[-1].flags.writeable = False
        return self.kept[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="pages of their own are Linux's here")
def test_an_hour_of_new_poses_holds_no_more_pages_than_the_budget() -> None:
    stock = Stock(FlatAvatar(), base_budget_bytes=10 * FRAME_BYTES)
    mapped = [weakref.ref(pages(stock.make_base((pose,)))) for pose in range(1000)]
    gc.collect()
    alive = [pose for pose, one in enumerate(mapped) if one() is not None]
    assert alive == list(range(990, 1000)) and stock.size_bytes == 10 * FRAME_BYTES


def test_what_the_avatar_keeps_is_not_copied() -> None:
    avatar = Keeper()
    made = Stock(avatar).make_base((1,))
    assert np.shares_memory(made, avatar.kept[0])
