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
  reports.clock.answered("w1", 5.01, 1020);
  return reports;
};

test("the server's clock is that of its quickest answer", () => {
  const clock = new ServerClock();
  assert.equal(clock.aheadMs, null);
  for (const [tripMs, clockS] of [[200, 5.2], [10, 5.005], [400, 9]]) {
    clock.asked("w1", 1000);
    clock.answered("w1", clockS, 1000 + tripMs);
  }
  assert.equal(clock.aheadMs, 4000);
});

test("only the answer to what was asked counts, and only a number", () => {
  const clock = new ServerClock();
  clock.asked("w1", 0);
  clock.answered("w2", 1, 10);
  clock.answered("w1", "1", 10);
  clock.asked(null, 0);
  clock.answered("w1", 1, 10);
  assert.equal(clock.aheadMs, null);
});

test("a batch is told on the server's clock, once", () => {
  const reports = known();
  reports.frameShown(shown(90_000, 2000));
  assert.deepEqual(reports.take(), { rows: [[90_000, 6000, 6020, 6036, 4.2]] });
  assert.equal(reports.take(), null);
});

test("nothing is told before the clock is known, nor what a browser does not tell", () => {
  const reports = new FrameReports();
  reports.frameShown(shown(1, 2000));
  assert.equal(reports.take(), null);
  const silent = known();
  silent.frameShown(shown(1, 2000, { receiveTime: undefined }));
  silent.frameShown(shown(undefined, 2000));
  assert.equal(silent.take(), null);
});

test("a batch is bounded and keeps the newest", () => {
  const reports = known();
  for (let i = 0; i < 200; i += 1) reports.frameShown(shown(i, 2000 + i));
  const { rows } = reports.take();
  assert.equal(rows.length, 64);
  assert.equal(rows.at(-1)[0], 199);
});

test("times never go backwards within a row", () => {
  const reports = known();
  reports.frameShown(shown(1, 2000, { presentationTime: 1990, expectedDisplayTime: 1995 }));
  assert.deepEqual(reports.take().rows[0].slice(1, 4), [6000, 6000, 6000]);
});
