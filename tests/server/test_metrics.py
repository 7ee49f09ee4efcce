"""Metrics count what they are told and read what they are asked for."""

from realtime.core.values import FrameTrace
from server.media.packets import EncodedVideo
from server.metrics import Metrics, resident_memory_bytes


def test_frames_are_counted_by_rung_and_timed_by_stage() -> None:
    metrics = Metrics()
    metrics.frame(FrameTrace(stamps_s={"plan": 1.0, "render": 1.003, "encode": 1.005}, rung="warp"))
    metrics.frame(FrameTrace(rung="cached", base_hit=False), late=True)
    assert metrics.value("anima_frames_total", rung="warp") == 1
    assert metrics.value("anima_late_frames_total") == 1
    assert metrics.value("anima_base_frames_total", result="hit") == 1
    assert metrics.value("anima_base_frames_total", result="miss") == 1
    assert metrics.value("anima_stage_seconds_bucket", stage="render", le="0.004") == 1
    assert metrics.value("anima_stage_seconds_bucket", stage="render", le="0.002") == 0
    assert metrics.value("anima_stage_seconds_count", stage="plan") == 0, "nothing precedes the first stage"


def test_encodings_are_told_apart() -> None:
    metrics = Metrics()
    for keyframe, rung in ((True, "H264 high"), (False, "H264 high"), (False, "VP8 small")):
        unit = EncodedVideo(rung.split()[0], 0, keyframe, (b"x",), 700, FrameTrace())  # type: ignore[arg-type]
        metrics.encoded_by(rung, unit, 0.002)
    assert metrics.value("anima_encoded_pictures_total", encoding="H264 high", keyframe="yes") == 1
    assert metrics.value("anima_encoded_pictures_total", encoding="H264 high", keyframe="no") == 1
    assert metrics.value("anima_encoded_bytes_total", encoding="H264 high") == 1400
    assert metrics.value("anima_encoding_seconds_total", encoding="VP8 small") == 0.002


def test_everything_else_counts_too() -> None:
    metrics = Metrics()
    metrics.encoded(0.002)
    metrics.responded(0.05)
    metrics.interrupted(0.03)
    metrics.interrupted()
    metrics.viewer_joined(0.2)
    metrics.viewer_failed("timeout")
    metrics.message_refused("rate")
    metrics.session_opened()
    metrics.session_refused("sessions")
    metrics.request("/v1/sessions", 201)
    assert metrics.value("anima_encode_seconds_count") == 1
    assert metrics.value("anima_response_seconds_sum") == 0.05
    assert metrics.value("anima_interruptions_total") == 2
    assert metrics.value("anima_silence_seconds_count") == 1
    assert metrics.value("anima_join_seconds_count") == 1
    assert metrics.value("anima_viewers_failed_total", reason="timeout") == 1
    assert metrics.value("anima_messages_refused_total", reason="rate") == 1
    assert metrics.value("anima_never_seen_total") == 0


def test_gauges_are_read_when_asked_and_registries_are_apart() -> None:
    one, other = Metrics(), Metrics()
    level = [3.0]
    one.gauge("sessions", "Sessions", lambda: level[0])
    level[0] = 4.0
    assert b"anima_sessions 4.0" in one.exposition()
    assert b"anima_sessions 4.0" not in other.exposition()


def test_resident_memory_is_plausible() -> None:
    assert 1e6 < resident_memory_bytes() < 1e11
