"""What the server counts, as Prometheus metrics on a registry of its own (no module globals)."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from realtime.core.values import FrameTrace
from server.media.packets import EncodedVideo

FRAME_BUCKETS_S: Final = (0.001, 0.002, 0.004, 0.006, 0.008, 0.012, 0.016, 0.024, 0.04, 0.08, 0.16)
GLASS_BUCKETS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.25, 0.5, 1.0)
ANSWER_BUCKETS_S: Final = (0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The counters and histograms of one server. Times are in seconds; every method is cheap and never raises."""

    content_type: Final = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._sessions_opened = self._counter("sessions_opened", "Sessions that were opened")
        self._sessions_refused = self._counter("sessions_refused", "Sessions refused, by what was lacking", "reason")
        self._frames = self._counter("frames", "Frames produced, by what was done for them", "rung")
        self._late = self._counter("late_frames", "Frames that missed their media time")
        self._left_out = self._counter(
            "pictures_left_out", "Pictures too late to be shown, by encoding and where", "encoding", "found"
        )
        self._bases = self._counter("base_frames", "Base frames looked up in the cache, by result", "result")
        self._decisions = self._counter(
            "decisions", "Steps of the ladder, the frame rate and viewers' encodings", "kind", "to", "direction"
        )
        self._faults = self._counter("region_faults", "Regions found faulty and not shown, by why", "region", "kind")
        self._pictures = self._counter("encoded_pictures", "Pictures encoded, by encoding", "encoding", "keyframe")
        self._bytes = self._counter("encoded_bytes", "Bytes of encoded pictures, by encoding", "encoding")
        self._encoding = self._counter("encoding_seconds", "Time spent on pictures' encoding, by encoding", "encoding")
        self._interruptions = self._counter("interruptions", "Times a speaking host was interrupted")
        self._viewers_joined = self._counter("viewers_joined", "Viewers that connected")
        self._viewers_failed = self._counter("viewers_failed", "Offers that led to no connection", "reason")
        self._messages_refused = self._counter("messages_refused", "Data-channel messages refused", "reason")
        self._outputs_opened = self._counter("outputs_opened", "Recordings and publications begun, by kind", "kind")
        self._output_failures = self._counter("output_failures", "Attempts of outputs that failed, by kind", "kind")
        self._outputs = Gauge("anima_outputs", "Recordings and publications running", ["kind"], registry=self.registry)
        self._requests = self._counter("http_requests", "HTTP requests, by route and status", "route", "status")
        self._stage = Histogram(
            "anima_stage_seconds", "Time one stage of a frame took", ["stage"], buckets=FRAME_BUCKETS_S,
            registry=self.registry,
        )  # fmt: skip
        self._response_stage = Histogram(
            "anima_response_stage_seconds", "Time a request spent in one stage, from its coming to its first frame",
            ["stage"], buckets=ANSWER_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self._glass = Histogram(
            "anima_glass_seconds", "Time one stage of a frame took on its way to a viewer's display, and the total",
            ["stage"], buckets=GLASS_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self._seen = self._counter("viewer_frames", "Frames that viewers told of, by what came of it", "result")
        self._stages: dict[str, Histogram] = {}
        self._encode = self._histogram("encode_seconds", "Time to encode one frame", FRAME_BUCKETS_S)
        self._shown = self._histogram("picture_late_seconds", "Media time of a frame to its sending", FRAME_BUCKETS_S)
        self._response = self._histogram("response_seconds", "Text received to first audible sample", ANSWER_BUCKETS_S)
        self._join = self._histogram("join_seconds", "Offer received to first frame sent", ANSWER_BUCKETS_S)
        self._silence = self._histogram("silence_seconds", "Interruption received to silence", ANSWER_BUCKETS_S)
        self.gauge("resident_memory_bytes", "Resident memory of the server process", resident_memory_bytes)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a value that is read whenever metrics are asked for."""
        Gauge(f"anima_{name}", text, registry=self.registry).set_function(read)

    def session_opened(self) -> None:
        self._sessions_opened.inc()

    def session_refused(self, reason: str) -> None:
        """A session was not opened. `reason` is one of a few fixed words."""
        self._sessions_refused.labels(reason).inc()

    def viewer_joined(self, offer_to_frame_s: float | None = None) -> None:
        """A viewer connected; how long its first frame took, where known."""
        self._viewers_joined.inc()
        if offer_to_frame_s is not None:
            self._join.observe(offer_to_frame_s)

    def viewer_failed(self, reason: str) -> None:
        """An offer came to nothing. `reason` is one of a few fixed words, never a peer's text."""
        self._viewers_failed.labels(reason).inc()

    def frame(self, trace: FrameTrace, *, late: bool = False) -> None:
        """A frame was produced: its rung, its base's cache hit, and the time between each two of its stamps."""
        self._frames.labels(trace.rung).inc()
        self._bases.labels("hit" if trace.base_hit else "miss").inc()
        if late:
            self._late.inc()
        for region, kind in trace.faults.items():
            self._faults.labels(region, kind).inc()
        stamps = list(trace.stamps_s.items())
        for (_, before_s), (stage, at_s) in zip(stamps, stamps[1:], strict=False):
            series = self._stages.get(stage)
            if series is None:
                # finding a series by its label costs more than counting into it
                series = self._stages[stage] = self._stage.labels(stage)
            series.observe(max(0.0, at_s - before_s))

    def left_out(self, encoding: str, found: str) -> None:
        """A picture of an encoding was not shown for its time had passed: `waiting`, `queued` or `encoded`."""
        self._left_out.labels(encoding, found).inc()

    def shown(self, late_s: float) -> None:
        """A frame's packets left so long after its media time."""
        self._shown.observe(max(0.0, late_s))

    def decided(self, kind: str, to: str, *, down: bool) -> None:
        """The ladder, the frame rate or a viewer's encoding went a step; all three are few fixed words."""
        self._decisions.labels(kind, to, "down" if down else "up").inc()

    def encoded(self, took_s: float) -> None:
        self._encode.observe(took_s)

    def encoded_by(self, encoding: str, unit: EncodedVideo, took_s: float) -> None:
        """A picture left an encoder; `encoding` is its codec and rung. Rates of these give frame rate and bit rate."""
        self._pictures.labels(encoding, "yes" if unit.keyframe else "no").inc()
        self._bytes.labels(encoding).inc(unit.size_bytes)
        self._encoding.labels(encoding).inc(took_s)

    def responded(self, text_to_sound_s: float) -> None:
        self._response.observe(text_to_sound_s)

    def response_stages(self, took_s: Mapping[str, float]) -> None:
        """How long a request spent in each stage; the stages are few fixed words."""
        for stage, value in took_s.items():
            self._response_stage.labels(stage).observe(max(0.0, value))

    def seen(self, frames: Iterable[Mapping[str, float]], refused: int, inconsistent: int) -> None:
        """A viewer told of frames: seconds by stage for each that was joined, how many rows could not be true, and how
        many contradicted our stamps."""
        for took_s in frames:
            self._seen.labels("joined").inc()
            for stage, value in took_s.items():
                self._glass.labels(stage).observe(max(0.0, value))
        for result, n in (("refused", refused), ("inconsistent", inconsistent)):
            if n:
                self._seen.labels(result).inc(n)

    def interrupted(self, to_silence_s: float | None = None) -> None:
        """The host was interrupted; how long the silence took, where known."""
        self._interruptions.inc()
        if to_silence_s is not None:
            self._silence.observe(to_silence_s)

    def message_refused(self, reason: str) -> None:
        """A data-channel message was refused. `reason` is one of a few fixed words."""
        self._messages_refused.labels(reason).inc()

    def output_opened(self, kind: str) -> None:
        """A recording or publication was begun."""
        self._outputs_opened.labels(kind).inc()
        self._outputs.labels(kind).inc()

    def output_failed(self, kind: str) -> None:
        """An attempt failed; another one follows unless it was the last."""
        self._output_failures.labels(kind).inc()

    def output_closed(self, kind: str) -> None:
        self._outputs.labels(kind).dec()

    def request(self, route: str, status: int) -> None:
        """An HTTP request was answered. `route` is the route's pattern, never the path asked for."""
        self._requests.labels(route, str(status)).inc()

    def value(self, name: str, **labels: str) -> float:
        """One sample's value now, such as `value("anima_frames_total", rung="warp")`; 0 if it was never counted."""
        found = self.registry.get_sample_value(name, labels)
        return 0.0 if found is None else found

    def exposition(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"anima_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"anima_{name}", text, buckets=buckets, registry=self.registry)


def resident_memory_bytes() -> float:
    """Resident memory of this process; 0 where the system has no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return float(pages * os.sysconf("SC_PAGE_SIZE"))
