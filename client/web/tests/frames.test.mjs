// Frames told to the server: its clock from its answers, bounded batches, times in order.

import assert from "node:assert/strict";
import test from "node:test";

import { FrameReports, ServerClock } from "../frames.js";

const shown = (rtp, ms, extra = {}) => ({
  rtpTimestamp: rtp, receiveTime: ms, presentationTime: ms + 20, expectedDisplayTime: ms + 36, processingDuration: 0.0042, ...extra,
});

const known = () => {
  const reports = new FrameReports();
  reports.clock.asked("w1", 1000);
  reports.clock.answered("w1", { came_s: 5.009, clock_s: 5.011 }, 1020);
  return reports;
};

test("the server's clock is that of the answer that leaves the least doubt", () => {
  const clock = new ServerClock();
  assert.equal(clock.at(1000), null);
  for (const [tripMs, atS] of [[200, 5.2], [10, 5.005], [400, 5.001]]) {
    clock.asked("w1", 1000);
    clock.answered("w1", { came_s: atS, clock_s: atS }, 1000 + tripMs);
  }
  assert.deepEqual(clock.at(1010), { aheadMs: 4000, uncertaintyMs: 6 });
});

test("time that the server itself takes is no doubt, and doubt grows with age", () => {
  const clock = new ServerClock();
  clock.asked("w1", 0);
  clock.answered("w1", { came_s: 1.002, clock_s: 1.102 }, 104);
  assert.deepEqual(clock.at(104), { aheadMs: 1000, uncertaintyMs: 3 });
  assert.equal(clock.at(100_104).uncertaintyMs, 8);
  clock.asked("w2", 100_000);
  clock.answered("w2", { came_s: 101.01, clock_s: 101.01 }, 100_010);
  assert.deepEqual(clock.at(100_010), { aheadMs: 1005, uncertaintyMs: 6 }, "the older one is in more doubt by now");
});

test("on a busy machine the true time lies within the doubt", () => {
  const clock = new ServerClock();
  for (let i = 0; i < 100; i += 1) {
    const [there, back] = [1 + ((i * 37) % 90), 1 + ((i * 53) % 70)];
    const [sentMs, cameS] = [1000 * i, i + 7 + there / 1000];
    clock.asked("w", sentMs);
    clock.answered("w", { came_s: cameS, clock_s: cameS }, sentMs + there + back);
    const { aheadMs, uncertaintyMs } = clock.at(sentMs + there + back);
    assert.ok(Math.abs(aheadMs - 7000) <= uncertaintyMs);
  }
  assert.ok(clock.at(100_000).uncertaintyMs < 20);
});

test("only the answer to what was asked counts, and only numbers", () => {
  const clock = new ServerClock();
  clock.asked("w1", 0);
  clock.answered("w2", { came_s: 1, clock_s: 1 }, 10);
  clock.answered("w1", { came_s: 1, clock_s: "1" }, 10);
  clock.asked(null, 0);
  clock.answered("w1", { came_s: 1, clock_s: 1 }, 10);
  assert.equal(clock.at(10), null);
});

test("a batch is told on the server's clock, once, with its doubt", () => {
  const reports = known();
  reports.frameShown(shown(90_000, 2000));
  assert.deepEqual(reports.take(1020), { rows: [[90_000, 6000, 6020, 6036, 4.2]], uncertainty_ms: 10 });
  assert.equal(reports.take(1020), null);
});

test("nothing is told before the clock is known well, nor without an RTP time", () => {
  const reports = new FrameReports();
  reports.frameShown(shown(1, 2000));
  assert.equal(reports.take(2000), null);
  reports.clock.asked("w1", 0);
  reports.clock.answered("w1", { came_s: 1, clock_s: 1 }, 1200);
  assert.equal(reports.take(2000), null);
  const silent = known();
  silent.frameShown(shown(undefined, 2000));
  assert.equal(silent.take(2000), null);
});

test("what a browser does not tell is left open", () => {
  const reports = known();
  reports.frameShown(shown(1, 2000, { receiveTime: undefined }));
  assert.deepEqual(reports.take(1020).rows, [[1, null, 6020, 6036, 4.2]]);
});

test("the clock is asked several times at the begin, then with each report", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [sent, reports] = [[], new FrameReports()];
  const send = (batch) => `w${sent.push(batch)}`;
  reports.begin(send);
  for (let i = 0; i < 20; i += 1) t.mock.timers.tick(100);
  assert.equal(sent.length, 5);
  reports.tell(send);
  assert.deepEqual(sent.at(-1), { rows: [] });
  reports.begin(send);
  reports.reset();
  for (let i = 0; i < 20; i += 1) t.mock.timers.tick(100);
  assert.equal(sent.length, 7, "whoever has left asks no more");
});

test("a batch is bounded and keeps the newest", () => {
  const reports = known();
  for (let i = 0; i < 200; i += 1) reports.frameShown(shown(i, 2000 + i));
  const { rows } = reports.take(2000);
  assert.equal(rows.length, 64);
  assert.equal(rows.at(-1)[0], 199);
});

test("times never go backwards within a row", () => {
  const reports = known();
  reports.frameShown(shown(1, 2000, { presentationTime: 1990, expectedDisplayTime: 1995 }));
  assert.deepEqual(reports.take(2000).rows[0].slice(1, 4), [6000, 6000, 6000]);
});
