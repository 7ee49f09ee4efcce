"""What a session's equipment reaches up to: the first rung down saves work."""

import pytest

from realtime.core.budget import LADDER
from realtime.core.values import Rung
from server.sessions.production import equipped
from tests.realtime.test_faults import Denoiser


@pytest.mark.parametrize(("steps", "rung"), [(1, "refine1"), (2, "refine2")])
def test_the_best_rung_is_what_the_weights_can_do(steps: int, rung: Rung) -> None:
    denoiser = Denoiser()
    denoiser.steps = steps
    assert equipped(denoiser, mouths=True) == equipped(denoiser, mouths=False) == rung


def test_without_a_denoiser_mouths_decide() -> None:
    assert [equipped(None, mouths=able) for able in (True, False)] == ["refine1", "warp"]
    assert LADDER.index("refine1") < LADDER.index("warp")
