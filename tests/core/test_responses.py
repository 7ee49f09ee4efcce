"""A request is followed from its coming to the first frame that shows it, and to the viewer's display."""

import numpy as np
import pytest

from realtime.core.trace import Responses
from realtime.core.values import Frame, FrameTrace


def sent(media_s: float) -> Frame:
    stamps = {"begun": media_s - 0.02, "published": media_s, "encoded": media_s + 0.002, "sent": media_s + 0.003}
    return Frame(0, 0, media_s, 0, np.zeros((3, 2), np.uint8), FrameTrace(stamps))


def test_stages_from_words_to_eyes() -> None:
    responses = Responses()
    responses.received(1.0)
    responses.asked(1.001)
    responses.answered(1.004)
    responses.answered(1.5)
    responses.voiced(1.02, 1.05)
    responses.voiced(1.4, 1.4)
    assert responses.shown(sent(1.0)) is None, "it shows nothing of it"
    found = responses.shown(sent(1.04))
    assert found is not None
    assert found.durations_s() == pytest.approx({
        "scripted": 0.001, "answered": 0.003, "voiced": 0.016, "framed": 0.02, "encoded": 0.002, "sent": 0.001
    })  # fmt: skip
    assert responses.shown(sent(1.08)) is None, "told once"
    assert responses.displayed(0.08) == pytest.approx(0.037)
    assert responses.displayed(0.08) is None, "joined once"


def test_a_request_without_a_coming_begins_when_it_is_asked() -> None:
    responses = Responses()
    responses.asked(2.0)
    responses.voiced(2.01, 2.02)
    found = responses.shown(sent(2.04))
    assert found is not None and found.stamps_s["received"] == 2.0


def test_what_was_dropped_is_not_told_and_the_next_one_is() -> None:
    responses = Responses()
    responses.asked(1.0)
    responses.voiced(1.01, 1.02)
    responses.received(1.02)
    responses.dropped()
    responses.asked(1.03)
    assert responses.shown(sent(1.04)) is None
    responses.voiced(1.05, 1.06)
    found = responses.shown(sent(1.08))
    assert found is not None and found.stamps_s["received"] == 1.02


def test_a_display_before_the_sending_is_not_believed() -> None:
    responses = Responses()
    assert responses.displayed(0.1) is None
    responses.asked(1.0)
    responses.voiced(1.01, 1.02)
    assert responses.shown(sent(1.04)) is not None
    assert responses.displayed(0.001) is None
