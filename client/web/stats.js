// What the viewer gets, in figures: getStats() once a second, and every frame shown in between.

/**
 * @typedef {object} FrameShown  One call of requestVideoFrameCallback.
 * @property {number} atMs  performance.now() when it was called.
 * @property {number} rtpTimestamp
 * @property {number | null} receiveToDisplayMs  From the last packet's arrival to the expected display.
 * @property {number | null} decodeMs
 */

/**
 * @typedef {object} Figures  Everything the overlay shows and the server is told; null means not known.
 * @property {number | null} fps  Frames shown per second.
 * @property {number | null} shown_gap_ms_p95  Time between two frames on screen.
 * @property {number | null} receive_to_display_ms_p50
 * @property {number | null} receive_to_display_ms_p95
 * @property {number | null} decode_ms  Mean per frame over the last interval.
 * @property {number | null} video_jitter_buffer_ms
 * @property {number | null} audio_jitter_buffer_ms
 * @property {number | null} sound_lag_ms  How long after its picture a sound is played; negative: before.
 * @property {number | null} jitter_ms
 * @property {number | null} round_trip_ms
 * @property {number | null} video_kbps
 * @property {number | null} audio_kbps
 * @property {number} packets_lost  Over the last interval.
 * @property {number} frames_dropped  Over the last interval.
 * @property {number} freezes  Since the connection began.
 * @property {number | null} concealed_ratio  Share of the sound that had to be made up over the last interval.
 * @property {number} nacks
 * @property {number} plis
 * @property {string | null} codec
 * @property {number | null} width
 * @property {number | null} height
 */

/**
 * @typedef {object} Sample  The few rows of an RTCStatsReport that count.
 * @property {number} atMs
 * @property {Record<string, any>} video  inbound-rtp
 * @property {Record<string, any>} audio  inbound-rtp
 * @property {Record<string, any>} path  the nominated candidate pair
 * @property {string | null} codec
 */

/** Frames remembered for percentiles: ten seconds at 25 per second. */
const FRAMES_KEPT = 250;

/**
 * @param {Iterable<Record<string, any>>} rows  The values of an RTCStatsReport.
 * @param {number} atMs
 * @returns {Sample}
 */
export function sampleOf(rows, atMs) {
  /** @type {Sample} */
  const sample = { atMs, video: {}, audio: {}, path: {}, codec: null };
  /** @type {Map<string, any>} */
  const byId = new Map();
  for (const row of rows) {
    byId.set(row.id, row);
    if (row.type === "inbound-rtp" && row.kind === "video") sample.video = row;
    if (row.type === "inbound-rtp" && row.kind === "audio") sample.audio = row;
    if (row.type === "candidate-pair" && row.nominated && row.state === "succeeded") sample.path = row;
  }
  const mime = byId.get(sample.video.codecId)?.mimeType;
  sample.codec = typeof mime === "string" ? mime.replace("video/", "") : null;
  return sample;
}

/**
 * @param {Sample} before
 * @param {Sample} after
 * @param {readonly FrameShown[]} frames
 * @returns {Figures}
 */
export function figuresOf(before, after, frames) {
  const spanS = (after.atMs - before.atMs) / 1000;
  const recent = frames.filter((f) => f.atMs > before.atMs && f.atMs <= after.atMs);
  const gaps = frames.slice(1).map((f, i) => f.atMs - frames[i].atMs);
  const delays = frames.flatMap((f) => (f.receiveToDisplayMs === null ? [] : [f.receiveToDisplayMs]));
  const video = difference(before.video, after.video);
  const audio = difference(before.audio, after.audio);
  return {
    fps: spanS > 0 ? round(recent.length / spanS, 1) : null,
    shown_gap_ms_p95: round(percentile(gaps, 0.95), 1),
    receive_to_display_ms_p50: round(percentile(delays, 0.5), 1),
    receive_to_display_ms_p95: round(percentile(delays, 0.95), 1),
    decode_ms: round(ratio(video("totalDecodeTime"), video("framesDecoded"), 1000), 2),
    video_jitter_buffer_ms: round(ratio(video("jitterBufferDelay"), video("jitterBufferEmittedCount"), 1000), 1),
    audio_jitter_buffer_ms: round(ratio(audio("jitterBufferDelay"), audio("jitterBufferEmittedCount"), 1000), 1),
    sound_lag_ms: round(soundLagMs(after), 0),
    jitter_ms: round(scaled(after.video.jitter, 1000), 1),
    round_trip_ms: round(scaled(after.path.currentRoundTripTime, 1000), 1),
    video_kbps: round(ratio(video("bytesReceived"), spanS, 0.008), 0),
    audio_kbps: round(ratio(audio("bytesReceived"), spanS, 0.008), 0),
    packets_lost: (video("packetsLost") ?? 0) + (audio("packetsLost") ?? 0),
    frames_dropped: video("framesDropped") ?? 0,
    freezes: after.video.freezeCount ?? 0,
    concealed_ratio: round(ratio(audio("concealedSamples"), audio("totalSamplesReceived"), 1), 4),
    nacks: after.video.nackCount ?? 0,
    plis: after.video.pliCount ?? 0,
    codec: after.codec,
    width: after.video.frameWidth ?? null,
    height: after.video.frameHeight ?? null,
  };
}

/**
 * Both playout times are on the sender's clock (webrtc-stats, `estimatedPlayoutTimestamp`).
 * @param {Sample} sample
 */
function soundLagMs({ video, audio }) {
  const [picture, sound] = [video.estimatedPlayoutTimestamp, audio.estimatedPlayoutTimestamp];
  return typeof picture === "number" && typeof sound === "number" ? picture - sound : null;
}

/**
 * @param {Record<string, any>} before
 * @param {Record<string, any>} after
 * @returns {(key: string) => number | null}
 */
function difference(before, after) {
  return (key) => (typeof after[key] === "number" ? after[key] - (before[key] ?? 0) : null);
}

/**
 * @param {number | null} part
 * @param {number | null} whole
 * @param {number} factor
 */
function ratio(part, whole, factor) {
  return part === null || whole === null || whole <= 0 ? null : (part / whole) * factor;
}

/**
 * @param {unknown} value
 * @param {number} factor
 */
function scaled(value, factor) {
  return typeof value === "number" ? value * factor : null;
}

/**
 * @param {number | null} value
 * @param {number} digits
 */
function round(value, digits) {
  return value === null || !Number.isFinite(value) ? null : Number(value.toFixed(digits));
}

/**
 * Nearest-rank percentile.
 * @param {readonly number[]} values
 * @param {number} share  0..1
 * @returns {number | null}
 */
export function percentile(values, share) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/**
 * Answer times as the viewer lives them: from sending to the host's first sound being told, and to the frame on screen
 * that shows it. While media times of frames are unknown, that is the first frame that arrived after it was told.
 */
export class ResponseTimer {
  /** @type {number | null} */
  #sentMs = null;
  /** @type {{mediaS: number | null, atMs: number} | null} */
  #started = null;
  /** Both in milliseconds since the text was sent; null until they have happened. */
  last = { started_ms: /** @type {number | null} */ (null), displayed_ms: /** @type {number | null} */ (null) };

  /** @param {number} nowMs */
  sent(nowMs) {
    this.#sentMs = nowMs;
    this.#started = null;
    this.last = { started_ms: null, displayed_ms: null };
  }

  /**
   * @param {number | null} mediaS  Media time of the first audible sample, if told.
   * @param {number} nowMs
   */
  speakingStarted(mediaS, nowMs) {
    if (this.#sentMs === null || this.#started) return;
    this.#started = { mediaS, atMs: nowMs };
    this.last = { ...this.last, started_ms: nowMs - this.#sentMs };
  }

  /**
   * @param {number | null} mediaS  Media time of the frame on screen, if known.
   * @param {number | undefined} receivedMs  When its last packet arrived.
   * @param {number} displayMs  When it is expected on the display.
   */
  frameShown(mediaS, receivedMs, displayMs) {
    if (this.#sentMs === null || this.#started === null) return;
    const { mediaS: wantedS, atMs } = this.#started;
    const known = mediaS !== null && wantedS !== null;
    if (known ? mediaS < wantedS : receivedMs === undefined || receivedMs < atMs) return;
    this.last = { ...this.last, displayed_ms: displayMs - this.#sentMs };
    this.#sentMs = null;
  }
}

/** Remembers frames and samples, and turns two samples into figures. */
export class StatsMonitor {
  /** @type {FrameShown[]} */
  #frames = [];
  /** @type {Sample | null} */
  #before = null;
  /** @type {Figures | null} */
  figures = null;

  /**
   * @param {number} nowMs
   * @param {VideoFrameCallbackMetadata} metadata
   */
  frameShown(nowMs, metadata) {
    const { receiveTime, expectedDisplayTime, processingDuration } = metadata;
    this.#frames.push({
      atMs: nowMs,
      rtpTimestamp: metadata.rtpTimestamp ?? 0,
      receiveToDisplayMs: receiveTime === undefined ? null : expectedDisplayTime - receiveTime,
      decodeMs: processingDuration === undefined ? null : processingDuration * 1000,
    });
    if (this.#frames.length > FRAMES_KEPT) this.#frames.shift();
  }

  /** @returns {number | null} When the last frame was shown. */
  get lastFrameMs() {
    return this.#frames.at(-1)?.atMs ?? null;
  }

  reset() {
    this.#frames = [];
    this.#before = null;
    this.figures = null;
  }

  /**
   * @param {Iterable<Record<string, any>>} rows
   * @param {number} nowMs
   * @returns {Figures | null} Null at the first sample: there is nothing to compare it with.
   */
  sample(rows, nowMs) {
    const after = sampleOf(rows, nowMs);
    if (this.#before) this.figures = figuresOf(this.#before, after, this.#frames);
    this.#before = after;
    return this.figures;
  }
}

/**
 * The figures that are known: the server takes numbers only.
 * @param {Record<string, unknown>} figures
 * @returns {Record<string, number>}
 */
export function numbersOf(figures) {
  /** @type {Record<string, number>} */
  const known = {};
  for (const [name, value] of Object.entries(figures)) if (typeof value === "number") known[name] = value;
  return known;
}
