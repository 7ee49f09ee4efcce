"""The gathered warp puts every texture pixel where the grid says."""

import numpy as np

from models.avatar.mesh import Sprite, crossings
from models.avatar.projection import View, base_key
from models.avatar.warp import Warp
from realtime.core.facs import controls
from realtime.core.values import Roi


def gradient() -> Sprite:
    """A texture whose red grows with x and green with y, one level per pixel."""
    y, x = np.mgrid[0:200, 0:200].astype(np.uint8)
    return Sprite(np.dstack([x, y, np.zeros_like(x), np.full_like(x, 255)]), 0.0, 0.0, 2.0)


LINES = np.linspace(0.0, 100.0, 11)


def test_a_shift_is_exact() -> None:
    points, _ = crossings(LINES, LINES)
    out = Warp(gradient(), LINES, LINES).render(points * 2.0 + [10.0, 6.0], Roi(20, 20, 64, 48))
    expected_x = np.arange(64) + 20 - 10
    assert np.abs(out[10, :, 0].astype(int) - expected_x).max() == 0
    assert np.abs(out[:, 10, 1].astype(int) - (np.arange(48) + 20 - 6)).max() == 0


def test_outside_the_texture_is_empty() -> None:
    points, _ = crossings(LINES, LINES)
    out = Warp(gradient(), LINES, LINES).render(points * 2.0 + [100.0, 100.0], Roi(0, 0, 64, 64))
    assert not out.any()


def test_rectangles_agree() -> None:
    """What lies in two rectangles is the same in both, to the last bit, also under a bend."""
    points, _ = crossings(LINES, LINES)
    bent = points * 1.7 + np.column_stack([4 * np.sin(points[:, 1] / 20), 5 * np.sin(points[:, 0] / 25)]) + 12.0
    warp = Warp(gradient(), LINES, LINES)
    whole, part = warp.render(bent, Roi(0, 0, 200, 200)), warp.render(bent, Roi(38, 54, 60, 70))
    assert np.array_equal(whole[54:124, 38:98], part)


def test_a_bend_is_inverted() -> None:
    points, _ = crossings(LINES, LINES)
    bent = points * 1.5 + np.column_stack([3 * np.sin(points[:, 1] / 20), 3 * np.sin(points[:, 0] / 25)]) + 20.0
    out = Warp(gradient(), LINES, LINES).render(bent, Roi(0, 0, 180, 180))
    for (u, v), (x, y) in zip(points, bent, strict=True):
        if 15 < u < 85 and 15 < v < 85:
            seen = out[int(y), int(x), :2].astype(float)
            # the pixel's centre lies up to half a pixel beside the crossing, and a pixel is 1.33 texels
            assert np.abs(seen - [2 * u, 2 * v]).max() < 2.2


def test_a_turn_projects_depth() -> None:
    turned = View.of(base_key(controls(yaw=10)))
    near, far = turned.head(np.array([[0.0, 0.0, 80.0], [0.0, 0.0, -40.0]]))
    assert near[0] > far[0] + 20
    down = View.of(base_key(controls(pitch=10)))
    nose = np.array([[0.0, 20.0, 90.0]])
    assert down.head(nose)[0, 1] > View.of(base_key(controls())).head(nose)[0, 1] + 10


def test_rectangles_may_share_one_solution() -> None:
    points, _ = crossings(LINES, LINES)
    bent = points * 1.7 + np.column_stack([4 * np.sin(points[:, 1] / 20), 5 * np.sin(points[:, 0] / 25)]) + 12.0
    warp, part = Warp(gradient(), LINES, LINES), Roi(38, 54, 60, 70)
    assert np.array_equal(warp.gather(warp.solve(bent, Roi(20, 40, 160, 120)), part), warp.render(bent, part))
