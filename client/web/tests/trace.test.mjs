// One frame's trace, made ready to be drawn.

import assert from "node:assert/strict";
import test from "node:test";

import { glassView, traceView } from "../trace.js";

test("the whole way to the glass is a waterfall too, with what is usual beside it", () => {
  const view = glassView({
    slowest: { total_ms: 60, rung: "warp", stages_ms: { displayed: 16, sent: 4, received: 10, buffered: 30 } },
    uncertainty_ms: 2.5,
    stages_ms: { total: { p50: 50, p95: 61 }, buffered: { p50: 28, p95: 31 }, unheard: { p50: 1, p95: 1 } },
  });
  assert.deepEqual(view.slowest.map((bar) => [bar.name, bar.startMs]), [["sent", 0], ["received", 4], ["buffered", 14], ["displayed", 44]]);
  assert.deepEqual(view.stages.map((one) => one.name), ["buffered", "total"]);
  assert.equal(view.uncertaintyMs, 2.5);
  assert.equal(glassView({ joined: 0, stages_ms: {} }), null);
});

test("stages become a waterfall in their own order", () => {
  const view = traceView({ stages_ms: { sent: 1, drawn: 3, posed: 0.5, unknown: 9 } });
  assert.deepEqual(view.bars, [
    { name: "posed", startMs: 0, durationMs: 0.5 },
    { name: "drawn", startMs: 0.5, durationMs: 3 },
    { name: "sent", startMs: 3.5, durationMs: 1 },
  ]);
  assert.equal(view.totalMs, 4.5);
});

test("regions are boxes in the picture, and broken ones are left out", () => {
  const rois = { lower: [1, 2, 3, 4], short: [1, 2, 3], word: "x", upper: [5, 6, 7, 8] };
  const view = traceView({ rois, drawn: ["lower"], width: 640, height: 480 });
  assert.deepEqual(view.regions, [
    { name: "lower", drawn: true, x: 1, y: 2, width: 3, height: 4 },
    { name: "upper", drawn: false, x: 5, y: 6, width: 7, height: 8 },
  ]);
  assert.deepEqual([view.width, view.height], [640, 480]);
});

test("an empty trace is a valid view", () => {
  const view = traceView({});
  assert.deepEqual([view.bars, view.regions, view.totalMs, view.rung], [[], [], 0, ""]);
});
