"""The visible label: where it lies, that it can be read, and that it leaves the rest alone."""

from typing import get_args

import numpy as np
import pytest

from models.marks.label import Label, Place, label, label_text
from realtime.core.values import I420


def drawn(made: Label, height: int = 512, level: int = 120) -> I420:
    picture = np.full((height * 3 // 2, 512), level, np.uint8)
    picture[height:] = 100
    made.draw(picture, 512, 512)
    return picture


@pytest.mark.parametrize("place", get_args(Place))
@pytest.mark.parametrize("language", ["en", "zh", "de", "pt-BR"])
def test_it_lies_in_its_corner_and_touches_nothing_else(place: Place, language: str) -> None:
    made = label(language, place, 512, 512)
    roi = made.roi
    middle = roi.x + roi.width / 2
    assert (middle < 250, middle > 262) == (place.endswith("left"), place.endswith("right"))
    assert (roi.y < 256) == place.startswith("top")
    assert roi.x + roi.width <= 512 and roi.y + roi.height <= 512
    luma = drawn(made)[:512].copy()
    inside = luma[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width].copy()
    luma[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width] = 120
    assert np.all(luma == 120)
    assert inside.max() > 200 and inside.min() < 90


@pytest.mark.parametrize("level", [16, 120, 235])
def test_its_letters_stand_out_from_any_picture(level: int) -> None:
    made = label("en", "top-left", 512, 512)
    roi = made.roi
    part = drawn(made, level=level)[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width]
    middle = part[4:-4, 6:-6]
    assert int(middle.max()) - int(np.median(middle)) > 80


def test_chroma_moves_towards_grey_only_below_it() -> None:
    made = label("zh", "bottom-left", 512, 512)
    planes = drawn(made)[512:].reshape(2, 256, 256)
    y, x = made.roi.y // 2 + made.roi.height // 4, made.roi.x // 2 + 3
    assert np.all(planes[:, y, x] > 105) and planes[0, 10, 200] == 100


def test_a_packed_matte_becomes_opaque_where_it_lies() -> None:
    made = label("en", "bottom-right", 512, 512)
    picture = np.full((1536, 512), 16, np.uint8)
    made.draw(picture, 512, 512)
    roi = made.roi
    matte = picture[512 + roi.y : 512 + roi.y + roi.height, roi.x : roi.x + roi.width]
    assert matte.max() > 200
    assert picture[512 : 512 + roi.y].max() == 16


def test_words_by_language() -> None:
    assert label_text("zh-CN") == "AI 生成"
    assert label_text("xx") == label_text("en") == "AI generated"
