"""Exports traces over OpenTelemetry's protocol, where the settings name a collector; nothing is imported otherwise."""

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from realtime.core.errors import ConfigError
from realtime.core.extras import how_to_install
from server.config import Config

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter

log = logging.getLogger(__name__)

SERVICE: Final = "anima"
_NS: Final = 1e9


class Telemetry:
    """Turns stamps on session clocks into spans: one for the whole, below it one for each stage."""

    def __init__(self, processor: "SpanProcessor") -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        self._provider = TracerProvider(resource=Resource({"service.name": SERVICE}), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(SERVICE)

    def export(self, name: str, zero: str, stamps_s: Mapping[str, float], now_s: float, session_id: str) -> None:
        """One trace. `stamps_s` and `now_s` are on the session's clock; the first stage begins at stamp `zero`."""
        from opentelemetry.trace import set_span_in_context

        if zero not in stamps_s:
            return
        # spans carry wall-clock times (OpenTelemetry, trace API, "Start time")
        origin_ns = time.time_ns() - round(now_s * _NS)
        ordered = sorted((at_s, stage) for stage, at_s in stamps_s.items() if at_s >= stamps_s[zero])
        times_ns = [origin_ns + round(at_s * _NS) for at_s, _ in ordered]
        whole = self._tracer.start_span(name, start_time=times_ns[0], attributes={"anima.session": session_id})
        context = set_span_in_context(whole)
        for i, (_, stage) in enumerate(ordered[1:], 1):
            if stage != zero:
                span = self._tracer.start_span(f"{name}.{stage}", context=context, start_time=times_ns[i - 1])
                span.end(times_ns[i])
        whole.end(times_ns[-1])

    def close(self) -> None:
        """Send what waits; gives up after a few seconds."""
        self._provider.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry leaves it out


def telemetry(config: Config, exporter: "SpanExporter | None" = None) -> Telemetry | None:
    """What exports traces; None unless the settings name a collector. Raises `ConfigError` without the extra `otel`."""
    if not config.otel_endpoint:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ConfigError(f"otel_endpoint needs OpenTelemetry: {how_to_install('otel')}") from None
    found = exporter or OTLPSpanExporter(endpoint=config.otel_endpoint)
    return Telemetry(BatchSpanProcessor(found, schedule_delay_millis=1000))
