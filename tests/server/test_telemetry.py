"""Traces reach a collector: through an exporter in memory, and over HTTP to a receiver of our own."""

import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server.config import Config
from server.telemetry import telemetry

STAMPS_S = {"begun": 1.0, "posed": 1.001, "drawn": 1.005, "published": 1.03, "sent": 1.034}


def test_nothing_is_exported_without_a_setting() -> None:
    assert telemetry(Config()) is None


def test_stamps_become_spans() -> None:
    memory = InMemorySpanExporter()
    exporting = telemetry(Config(otel_endpoint="http://127.0.0.1:1/v1/traces"), memory)
    assert exporting is not None
    exporting.export("frame", "begun", STAMPS_S, 2.0, "abc")
    exporting.export("frame", "begun", {"posed": 1.0}, 2.0, "abc")
    exporting.close()
    spans = {span.name: span for span in memory.get_finished_spans()}
    assert list(spans) == ["frame.posed", "frame.drawn", "frame.published", "frame.sent", "frame"]
    whole, drawn = spans["frame"], spans["frame.drawn"]
    assert whole.attributes == {"anima.session": "abc"} and whole.start_time and whole.end_time
    assert drawn.start_time and drawn.end_time and drawn.parent is not None
    assert whole.end_time - whole.start_time == pytest.approx(34e6, abs=5)
    assert drawn.end_time - drawn.start_time == pytest.approx(4e6, abs=5)
    assert drawn.parent.span_id == whole.context.span_id
    assert abs(time.time_ns() - 1_000_000_000 - whole.start_time) < 60e9, "on the wall clock"


def test_spans_are_sent_over_http() -> None:
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        exporting = telemetry(Config(otel_endpoint=f"http://127.0.0.1:{server.server_port}/v1/traces"))
        assert exporting is not None
        exporting.export("response", "received", {"received": 0.0, "scripted": 0.01, "voiced": 0.03}, 0.1, "abc")
        exporting.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    request = ExportTraceServiceRequest.FromString(bodies[0])
    names = [span.name for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
    assert sorted(names) == ["response", "response.scripted", "response.voiced"]


def test_opentelemetry_is_not_imported_unless_asked_for() -> None:
    check = "import sys, server.compose; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
