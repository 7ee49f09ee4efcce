"""Paint and curves come out as they are named: colours in the order of our arrays, normals as numpy would take them."""

import numpy as np
import pytest
import skia

from models.avatar.geometry import normals, within
from models.avatar.paint import blank, canvas_on, draw_pixels, fill, image_of, linear, shade

CODE, LEVELS = "#c8643c", (200, 100, 60, 255)


def test_a_fill_is_red_green_blue() -> None:
    pixels = blank(4, 4)
    canvas_on(pixels).drawPaint(fill(CODE))
    assert tuple(pixels[2, 2]) == LEVELS


def test_a_gradient_is_red_green_blue() -> None:
    pixels = blank(4, 4)
    canvas_on(pixels).drawPaint(shade(linear((0, 0), (4, 0), [(0, CODE), (1, CODE)])))
    assert tuple(pixels[2, 2]) == LEVELS


@pytest.mark.parametrize("copied", [False, True])
def test_a_picture_keeps_its_order(copied: bool) -> None:
    source = np.full((4, 4, 4), LEVELS, np.uint8)
    pixels = blank(4, 4)
    canvas = canvas_on(pixels)
    if copied:
        canvas.drawImage(image_of(source), 0, 0)
    else:
        draw_pixels(canvas, source, 0, 0, skia.BlendMode.kSrcOver)
    assert np.array_equal(pixels, source)


def test_normals_stand_upright_on_central_differences() -> None:
    curves = np.random.default_rng(3).normal(size=(3, 9, 2)).cumsum(1)
    along = np.gradient(curves, axis=-2)
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    assert np.allclose(normals(curves), np.stack([-along[..., 1], along[..., 0]], -1), atol=1e-6)


def test_within_holds_numbers_between_both_ends() -> None:
    assert within(np.array([-3, 2, 9]), 0, 5).tolist() == [0, 2, 5]
