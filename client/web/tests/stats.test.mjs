// Figures: differences between two reports, percentiles over frames, answer times.

import assert from "node:assert/strict";
import test from "node:test";

import { figuresOf, percentile, ResponseTimer, sampleOf, StatsMonitor } from "../stats.js";

const report = (frames, extra = {}) => [
  { id: "c", type: "codec", mimeType: "video/H264" },
  {
    id: "v", type: "inbound-rtp", kind: "video", codecId: "c", framesDecoded: frames, totalDecodeTime: frames * 0.002,
    bytesReceived: frames * 1000, jitterBufferDelay: frames * 0.03, jitterBufferEmittedCount: frames, jitter: 0.004,
    packetsLost: 3, framesDropped: 1, frameWidth: 512, frameHeight: 512, freezeCount: 2,
    estimatedPlayoutTimestamp: 5040, ...extra,
  },
  {
    id: "a", type: "inbound-rtp", kind: "audio", bytesReceived: 4000, concealedSamples: 0, totalSamplesReceived: 48_000,
    estimatedPlayoutTimestamp: 5000,
  },
  { id: "p", type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: 0.012 },
  { id: "q", type: "candidate-pair", nominated: false, state: "failed", currentRoundTripTime: 9 },
];

const frame = (atMs, delay = 20) => ({ atMs, rtpTimestamp: 0, receiveToDisplayMs: delay, decodeMs: 1 });

test("the rows that count are found", () => {
  const sample = sampleOf(report(25), 5);
  assert.equal(sample.codec, "H264");
  assert.equal(sample.path.currentRoundTripTime, 0.012);
  assert.equal(sample.video.framesDecoded, 25);
});

test("figures are differences over the interval", () => {
  const frames = Array.from({ length: 26 }, (_, i) => frame(i * 40, i));
  const figures = figuresOf(sampleOf(report(25), 0), sampleOf(report(50), 1000), frames);
  assert.equal(figures.fps, 25);
  assert.equal(figures.decode_ms, 2);
  assert.equal(figures.video_jitter_buffer_ms, 30);
  assert.equal(figures.video_kbps, 200);
  assert.equal(figures.round_trip_ms, 12);
  assert.equal(figures.packets_lost, 0);
  assert.equal(figures.freezes, 2);
  assert.equal(figures.shown_gap_ms_p95, 40);
  assert.equal(figures.receive_to_display_ms_p95, 24);
  assert.equal(figures.width, 512);
  assert.equal(figures.sound_lag_ms, 40);
});

test("what is not reported is null, never NaN", () => {
  const figures = figuresOf(sampleOf([], 0), sampleOf([], 1000), []);
  for (const [name, value] of Object.entries(figures)) assert.ok(value === null || value === 0, `${name} is ${value}`);
});

test("percentiles are nearest-rank", () => {
  assert.equal(percentile([], 0.5), null);
  assert.equal(percentile([7], 0.95), 7);
  assert.equal(percentile([4, 1, 3, 2], 0.5), 2);
  assert.equal(percentile(Array.from({ length: 100 }, (_, i) => i + 1), 0.95), 95);
});

test("the monitor needs two samples and forgets on reset", () => {
  const monitor = new StatsMonitor();
  monitor.frameShown(10, { rtpTimestamp: 1, receiveTime: 5, expectedDisplayTime: 17, processingDuration: 0.002 });
  assert.equal(monitor.lastFrameMs, 10);
  assert.equal(monitor.sample(report(1), 0), null);
  assert.equal(monitor.sample(report(26), 1000).receive_to_display_ms_p50, 12);
  monitor.reset();
  assert.equal(monitor.figures, null);
  assert.equal(monitor.lastFrameMs, null);
});

test("answer times: the first word told, then the first frame that shows it", () => {
  const timer = new ResponseTimer();
  timer.speakingStarted(1, 5);
  assert.equal(timer.last.started_ms, null);
  timer.sent(1000);
  timer.frameShown(2.9, 1005, 1010);
  timer.speakingStarted(3, 1050);
  timer.frameShown(2.96, 1055, 1060);
  timer.frameShown(3.0, 1090, 1100);
  timer.frameShown(3.04, 1130, 1140);
  timer.speakingStarted(4, 1200);
  assert.deepEqual(timer.last, { started_ms: 50, displayed_ms: 100 });
});

test("without media times of frames, the first that arrived after the word was told counts", () => {
  const timer = new ResponseTimer();
  timer.sent(1000);
  timer.speakingStarted(3, 1050);
  timer.frameShown(null, 1049, 1060);
  timer.frameShown(null, undefined, 1070);
  timer.frameShown(null, 1051, 1075);
  assert.equal(timer.last.displayed_ms, 75);
});
