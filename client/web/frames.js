// Each frame shown, told to the server on the server's clock once a second: it joins them to its own stamps.

/** What the server takes in one message. */
const ROWS_MAX = 64;
/** Answers remembered: the quickest of the last twenty seconds knows the server's clock best. */
const SAMPLES_KEPT = 20;

/**
 * The server's clock, from what it says its time is, as Cristian's algorithm has it: halfway between asking and the
 * answer, wrong by half the round trip at most. The quickest of the last answers counts.
 */
export class ServerClock {
  /** @type {{id: string, sentMs: number} | null} */
  #asked = null;
  /** @type {{tripMs: number, aheadMs: number}[]} */
  #samples = [];

  /** By how much the server's clock is ahead of `performance.now()`; null before the first answer. */
  get aheadMs() {
    if (this.#samples.length === 0) return null;
    return this.#samples.reduce((best, one) => (one.tripMs < best.tripMs ? one : best)).aheadMs;
  }

  /**
   * @param {string | null} id  Of the message that is answered with `clock_s`; null if it could not be sent.
   * @param {number} nowMs
   */
  asked(id, nowMs) {
    this.#asked = id === null ? null : { id, sentMs: nowMs };
  }

  /**
   * @param {string} id
   * @param {unknown} clockS
   * @param {number} nowMs
   */
  answered(id, clockS, nowMs) {
    if (this.#asked?.id !== id || typeof clockS !== "number" || !Number.isFinite(clockS)) return;
    const { sentMs } = this.#asked;
    this.#asked = null;
    this.#samples.push({ tripMs: nowMs - sentMs, aheadMs: clockS * 1000 - (sentMs + nowMs) / 2 });
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift();
  }

  reset() {
    this.#asked = null;
    this.#samples = [];
  }
}

/** Collects what was shown; bounded, the newest stay. */
export class FrameReports {
  clock = new ServerClock();
  /** @type {VideoFrameCallbackMetadata[]} */
  #shown = [];

  /** @param {VideoFrameCallbackMetadata} metadata */
  frameShown(metadata) {
    const { rtpTimestamp, receiveTime } = metadata;
    // a browser that does not tell both leaves nothing to join
    if (rtpTimestamp === undefined || receiveTime === undefined) return;
    this.#shown.push(metadata);
    if (this.#shown.length > ROWS_MAX) this.#shown.shift();
  }

  /**
   * What was shown since it was last asked for, for the request `frames`; null while there is nothing to tell or the
   * server's clock is not known.
   * @returns {{rows: number[][]} | null}
   */
  take() {
    const aheadMs = this.clock.aheadMs;
    if (aheadMs === null || this.#shown.length === 0) return null;
    return { rows: this.#shown.splice(0).map((one) => rowOf(one, aheadMs)) };
  }

  reset() {
    this.#shown = [];
    this.clock.reset();
  }
}

/**
 * @param {VideoFrameCallbackMetadata} one
 * @param {number} aheadMs
 * @returns {number[]} `[rtp, received_ms, presented_ms, displayed_ms, decode_ms]`
 */
function rowOf(one, aheadMs) {
  const [receivedMs, presentedMs] = [one.receiveTime ?? 0, Math.max(one.presentationTime, one.receiveTime ?? 0)];
  const timesMs = [receivedMs, presentedMs, Math.max(one.expectedDisplayTime, presentedMs)];
  const told = timesMs.map((ms) => tenths(Math.max(0, ms + aheadMs)));
  return [one.rtpTimestamp ?? 0, ...told, tenths((one.processingDuration ?? 0) * 1000)];
}

/** @param {number} ms */
function tenths(ms) {
  return Math.round(ms * 10) / 10;
}
