"""The sync bench tells a mouth in time from one that is late, still or never closed."""

import numpy as np
import pytest

from bench.sync import Floats, Said, figures, perform, speak
from realtime.core.units import FRAME_S


@pytest.fixture
async def said() -> list[Said]:
    return await speak(2)


def late(asked: Floats, lag_s: float) -> Floats:
    times_s = np.arange(len(asked)) * FRAME_S
    return np.interp(times_s - lag_s, times_s, asked)


async def test_a_mouth_in_time_reaches_the_goals(said: list[Said]) -> None:
    _, asked = perform(said)
    found = figures(asked, asked, said)
    assert found["openness_r"] == 1.0 and found["bilabial_closed_ratio"] == 1.0
    assert found["viseme_offset_ms_p95"] <= 20.0 and abs(found["phrase_lag_ms_median"]) <= 10.0
    assert found["bilabials"] >= 8 and found["detected_ratio"] == 1.0


async def test_a_late_mouth_is_found_late(said: list[Said]) -> None:
    _, asked = perform(said)
    found = figures(late(asked, 0.080), asked, said)
    assert found["phrase_lag_ms_median"] == pytest.approx(80.0, abs=15.0)
    assert found["openness_r"] < 0.8 and found["bilabial_closed_ratio"] < 0.9


async def test_a_mouth_that_never_closes_is_found_open(said: list[Said]) -> None:
    _, asked = perform(said)
    judged = asked.copy()
    judged[12:] = np.maximum(judged[12:], 0.2)
    assert figures(judged, asked, said)["bilabial_closed_ratio"] == 0.0
