"""What is growth and what is noise."""

import numpy as np

from bench.growth import Slope, slope

AT_S = tuple(float(at) for at in range(0, 900, 10))


def test_steady_growth_is_found() -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.5, len(AT_S))
    found = slope(AT_S, [300.0 + at / 60.0 + n for at, n in zip(AT_S, noise, strict=True)])
    assert found is not None and found.verdict == "grows" and found.low < 1.0 < found.high


def test_noise_is_no_growth_even_where_neighbours_resemble_each_other() -> None:
    wrong = 0
    for seed in range(200):
        steps = np.random.default_rng(seed).normal(0.0, 1.0, len(AT_S))
        walk = [0.0]
        for step in steps[1:]:
            walk.append(0.8 * walk[-1] + step)
        found = slope(AT_S, walk)
        assert found is not None
        wrong += found.verdict != "within noise"
    # the plain interval is wrong in about half of these
    assert wrong <= 40


def test_what_stands_still_has_no_interval_and_what_falls_shrinks() -> None:
    still = slope(AT_S, [5.0] * len(AT_S))
    assert still == Slope(0.0, 0.0, 0.0) and still.verdict == "within noise"
    falling = slope(AT_S, [-at for at in AT_S])
    assert falling is not None and falling.verdict == "shrinks"


def test_few_samples_tell_nothing() -> None:
    assert slope((0.0, 1.0), (1.0, 2.0)) is None
