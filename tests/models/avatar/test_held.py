"""What drawing keeps is bounded in bytes, and counted: nothing else grows while a host speaks and moves."""

import gc
import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatar.held import Held
from models.avatar.host import IllustratedHost
from realtime.core.facs import Controls, controls
from realtime.stock import Holding, Stock

UNCOUNTED_BYTES = 1 << 20
"""Keys, poses and rectangles: so much may come with what is counted."""


def piece(size: int) -> NDArray[np.uint8]:
    return np.zeros(size, np.uint8)


def test_the_budget_holds_and_what_is_kept_is_made_once() -> None:
    held: Held[NDArray[np.uint8]] = Held(1000, lambda one: one.nbytes)
    made = []

    def ask(key: int) -> NDArray[np.uint8]:
        def make() -> NDArray[np.uint8]:
            made.append(key)
            return piece(300)

        return held.get(key, make)

    assert ask(1) is ask(1) and made == [1] and held.size_bytes == 300
    for key in range(2, 100):
        ask(key)
        assert held.size_bytes <= 1000
    ask(99)
    ask(1)
    assert made == [*range(1, 100), 1]
    held.clear()
    assert held.size_bytes == 0
    held.get(0, lambda: piece(2000))
    assert held.size_bytes == 0, "what is larger than the budget is not kept"


def pose(rng: np.random.Generator) -> Controls:
    """Somebody who speaks, moves, waves, and whose hair follows."""
    turned = {"yaw": float(rng.uniform(-18, 18)), "pitch": float(rng.uniform(-8, 8)), "roll": float(rng.uniform(-6, 6))}
    swung = {name: float(rng.uniform(-1, 1)) for name in ("hair_x", "hair_tip", "cloth_y", "jewel_x")}
    raised = {"arm_raise": float(rng.uniform(0.5, 1)), "arm_swing": float(rng.uniform(-1, 1))}
    return controls(AU26=float(rng.uniform(0, 1)), AU1=float(rng.uniform(0, 1)), **turned, **swung, **raised)


@pytest.mark.slow
def test_many_poses_leave_nothing_behind_that_is_not_counted(host: IllustratedHost) -> None:
    rng = np.random.default_rng(5)
    stock = Stock(host, base_budget_bytes=2 << 20, patch_budget_bytes=2 << 20)
    assert isinstance(host, Holding)

    def draw(count: int) -> None:
        for _ in range(count):
            shown = pose(rng)
            key = host.base_key(shown)
            base = stock.base(key)
            if base is None:
                base = stock.make_base(key)
            for region in host.regions(key, shown):
                stock.keep_patch(region, host.draw(base, key, shown, region))

    draw(6)
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        draw(40)
        gc.collect()
        since = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 2**20 < since <= stock.size_bytes + UNCOUNTED_BYTES, "what came since and is still there is counted"
    assert stock.size_bytes > host.held_bytes > 0
