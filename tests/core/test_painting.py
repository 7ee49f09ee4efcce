"""Tests of painted regions as decisions: tiles, windows, canvases."""

import cv2
import numpy as np
import pytest

from realtime.core.painting import Canvas, PaintOrder, Tiles, Window, tiles_of, to_i420, visible_tiles, windows

SIZES = [(32, 32, 16, 2), (32, 32, 32, 2), (7, 20, 8, 2), (3, 3, 16, 2)]


@pytest.mark.parametrize(("rows", "columns", "side", "margin"), SIZES)
def test_windows_cover_every_chosen_tile_once(rows: int, columns: int, side: int, margin: int) -> None:
    chosen = np.random.default_rng(5).random((rows, columns)) < 0.4
    counted = np.zeros((rows, columns), int)
    for window in windows(chosen, side, margin):
        top, left = window.y // 16, window.x // 16
        high, wide = window.chosen.shape
        assert (window.width, window.height) == (wide * 16, high * 16)
        assert top + high <= rows and left + wide <= columns
        counted[top : top + high, left : left + wide] += window.chosen
        # what is painted has something to go on from, wherever the picture goes on
        ys, xs = np.nonzero(window.chosen)
        assert ys.min() + top < margin or ys.min() >= min(margin, top) or top == 0
        assert xs.min() + left < margin or xs.min() >= min(margin, left) or left == 0
    assert (counted == chosen).all()


def test_nothing_chosen_needs_no_window() -> None:
    assert not list(windows(np.zeros((8, 8), np.bool_), 4, 1))


def test_tiles_behind_a_host_that_never_moves_away_are_not_visible() -> None:
    matte = np.zeros((160, 160), np.uint8)
    matte[32:160, 32:128] = 255
    visible = visible_tiles(matte, 1)
    assert visible[0].all() and not visible[4, 5] and visible[4, 2] and not visible[4, 3]


def test_colours_are_those_of_limited_range() -> None:
    rgb = np.kron(np.random.default_rng(2).integers(0, 256, (4, 4, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    ours, theirs = to_i420(rgb), cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def _painted(canvas: Canvas, chosen: Tiles, level: int, x: int = 0, y: int = 0) -> int:
    rows, columns = chosen.shape
    before = canvas.rgb[y : y + rows * 16, x : x + columns * 16]
    return canvas.put(tiles_of(Window(x, y, columns * 16, rows * 16, chosen), before, np.full_like(before, level)))


def test_a_canvas_changes_by_tiles_and_says_which() -> None:
    canvas = Canvas(np.full((64, 96, 3), 100, np.uint8))
    chosen = np.array([[True, False], [False, True]])
    assert _painted(canvas, chosen, 200, x=32, y=16) == 2
    assert canvas.version == 1 and int((canvas.tiles == 1).sum()) == 2
    assert (canvas.rgb[16:32, 32:48] == 200).all() and (canvas.rgb[16:32, 48:64] == 100).all()
    assert (canvas.i420 == to_i420(canvas.rgb)).all()
    assert canvas.newest_in(0, 0, 32, 64) == 0 and canvas.newest_in(30, 20, 4, 4) == 1


def test_tiles_that_come_out_as_they_were_do_not_count() -> None:
    canvas = Canvas(np.full((32, 32, 3), 100, np.uint8))
    assert _painted(canvas, np.ones((2, 2), np.bool_), 102) == 0
    assert canvas.version == 0 and not canvas.tiles.any()


def test_a_finished_canvas_counts_every_tile_once() -> None:
    canvas = Canvas(np.full((32, 32, 3), 100, np.uint8))
    _painted(canvas, np.array([[True, False], [False, False]]), 200)
    canvas.settle()
    assert canvas.version == 2 and canvas.tiles.tolist() == [[1, 2], [2, 2]]
    canvas.settle()
    assert canvas.version == 2


def test_a_canvas_has_whole_tiles() -> None:
    with pytest.raises(ValueError, match="whole tiles"):
        Canvas(np.zeros((60, 64, 3), np.uint8))


def test_equal_orders_have_equal_digests() -> None:
    one = PaintOrder("background", "a forest", seed=4)
    assert one.digest == PaintOrder("background", "a forest", seed=4).digest
    assert one.digest != PaintOrder("background", "a forest", seed=5).digest
