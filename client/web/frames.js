// Each frame shown, told to the server on the server's clock once a second: it joins them to its own stamps.

/** What the server takes in one message. */
const ROWS_MAX = 64;
/** Questions for the server's clock at the begin, so that the first report is told well already, and what lies between. */
const PINGS_AT_JOIN = 5;
const PING_EVERY_MS = 100;
/** Answers remembered: two minutes of one a second. */
const SAMPLES_KEPT = 120;
/** Questions that may be unanswered at once. */
const ASKED_MAX = 16;
/** Two clocks of computers run apart by less than this share, while one of them is set right too. */
const DRIFT = 50e-6;
/** Browsers round their clocks, to a millisecond at worst. */
const PRECISION_MS = 1;
/** Who knows the server's clock no better has nothing to tell; the server's own limit. */
const UNCERTAINTY_MAX_MS = 500;

/** @typedef {{roundTripMs: number, aheadMs: number, atMs: number}} Sample */

/**
 * The server's clock as NTP learns one (RFC 5905, sections 8 and 10): of the last answers, the one counts whose round
 * trip, less the server's own time, and age leave the least doubt. Half the round trip is how wrong it can be, for all
 * of it may have been on one of the two ways; what a busy machine adds to other answers does not matter.
 */
export class ServerClock {
  /** When each unanswered question was sent. @type {Map<string, number>} */
  #asked = new Map();
  /** @type {Sample[]} */
  #samples = [];

  /**
   * @param {number} nowMs
   * @returns {{aheadMs: number, uncertaintyMs: number} | null} By how much the server's clock is ahead of
   *   `performance.now()`, and how wrong that may be; null before the first answer.
   */
  at(nowMs) {
    const doubts = this.#samples.map((one) => one.roundTripMs / 2 + PRECISION_MS + DRIFT * (nowMs - one.atMs));
    const uncertaintyMs = Math.min(...doubts);
    const best = this.#samples[doubts.indexOf(uncertaintyMs)];
    return best ? { aheadMs: best.aheadMs, uncertaintyMs } : null;
  }

  /**
   * @param {string | null} id  Of the question; null if it could not be sent.
   * @param {number} sentMs  Just before it was sent.
   */
  asked(id, sentMs) {
    if (id === null) return;
    this.#asked.set(id, sentMs);
    for (const old of this.#asked.keys()) if (this.#asked.size > ASKED_MAX) this.#asked.delete(old);
  }

  /**
   * @param {string} id
   * @param {Record<string, unknown>} answer  `came_s` and `clock_s`: when it came and left, on the server's clock.
   * @param {number} nowMs
   */
  answered(id, { came_s: came, clock_s: left }, nowMs) {
    const sentMs = this.#asked.get(id);
    this.#asked.delete(id);
    if (sentMs === undefined || !Number.isFinite(came) || !Number.isFinite(left)) return;
    const [cameMs, leftMs] = [1000 * Number(came), 1000 * Number(left)];
    const roundTripMs = Math.max(0, nowMs - sentMs - (leftMs - cameMs));
    this.#samples.push({ roundTripMs, aheadMs: (cameMs - sentMs + leftMs - nowMs) / 2, atMs: nowMs });
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift();
  }

  reset() {
    this.#asked.clear();
    this.#samples = [];
  }
}

/** @typedef {{rows: (number | null)[][], uncertainty_ms?: number}} Batch  The `d` of the request `frames`. */
/** @typedef {(batch: Batch) => string | null} Send  Returns the message's id, or null if it could not be sent. */

/** Collects what was shown, bounded, the newest stay; and tells it. */
export class FrameReports {
  clock = new ServerClock();
  /** @type {VideoFrameCallbackMetadata[]} */
  #shown = [];
  /** Of the next question at the begin. @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {VideoFrameCallbackMetadata} metadata */
  frameShown(metadata) {
    // without it there is nothing to join by
    if (metadata.rtpTimestamp === undefined) return;
    this.#shown.push(metadata);
    if (this.#shown.length > ROWS_MAX) this.#shown.shift();
  }

  /**
   * What was shown since it was last asked for, for the request `frames`; null while there is nothing to tell or the
   * server's clock is not known well enough.
   * @param {number} nowMs
   * @returns {Batch | null}
   */
  take(nowMs) {
    const known = this.clock.at(nowMs);
    if (known === null || known.uncertaintyMs > UNCERTAINTY_MAX_MS || this.#shown.length === 0) return null;
    const rows = this.#shown.splice(0).map((one) => rowOf(one, known.aheadMs));
    return { rows, uncertainty_ms: tenths(known.uncertaintyMs) };
  }

  /**
   * A connection stands: learn the server's clock.
   * @param {Send} send
   */
  begin(send) {
    this.reset();
    let left = PINGS_AT_JOIN;
    const next = () => {
      this.#ping(send);
      left -= 1;
      if (left > 0) this.#timer = setTimeout(next, PING_EVERY_MS);
    };
    next();
  }

  /**
   * Tell what was shown since the last time, and ask for the server's clock once more.
   * @param {Send} send
   */
  tell(send) {
    this.#ping(send);
    const batch = this.take(performance.now());
    if (batch) send(batch);
  }

  /**
   * No rows: short, and quickly answered.
   * @param {Send} send
   */
  #ping(send) {
    const sentMs = performance.now();
    this.clock.asked(send({ rows: [] }), sentMs);
  }

  reset() {
    clearTimeout(this.#timer);
    this.#shown = [];
    this.clock.reset();
  }
}

/**
 * @param {VideoFrameCallbackMetadata} one
 * @param {number} aheadMs
 * @returns {(number | null)[]} `[rtp, received_ms, presented_ms, displayed_ms, decode_ms]`; null: it is not told.
 */
function rowOf(one, aheadMs) {
  const presentedMs = Math.max(one.presentationTime, one.receiveTime ?? 0);
  const timesMs = [one.receiveTime, presentedMs, Math.max(one.expectedDisplayTime, presentedMs)];
  const told = timesMs.map((ms) => (ms === undefined ? null : tenths(Math.max(0, ms + aheadMs))));
  return [one.rtpTimestamp ?? 0, ...told, tenths((one.processingDuration ?? 0) * 1000)];
}

/** @param {number} ms */
function tenths(ms) {
  return Math.round(ms * 10) / 10;
}
