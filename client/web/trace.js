// One frame's trace from the server, made ready to be drawn: regions, quality step, stages as a waterfall.

/** Stamps in the order a frame gets them, as `realtime.core.trace` names them; `due` is the zero. */
const STAGES = ["posed", "based", "drawn", "refined", "published", "encoded", "sent"];

/**
 * @typedef {object} Bar  One stage: where it begins and how long it took, in milliseconds since the frame was due.
 * @property {string} name
 * @property {number} startMs
 * @property {number} durationMs
 */

/**
 * @typedef {object} RegionBox
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {string} name
 */

/**
 * @typedef {object} TraceView
 * @property {number | null} mediaS
 * @property {string} rung
 * @property {boolean} baseHit
 * @property {string[]} drawn
 * @property {string[]} reused
 * @property {RegionBox[]} regions
 * @property {Bar[]} bars
 * @property {number} totalMs
 */

/**
 * @param {Record<string, any>} data  A `server-message` with `t: "trace"`.
 * @returns {TraceView}
 */
export function traceView(data) {
  const bars = barsOf(data.stamps_s ?? {});
  const last = bars.at(-1);
  const drawn = listOf(data.drawn).map(String);
  return {
    mediaS: typeof data.media_s === "number" ? data.media_s : null,
    rung: String(data.rung ?? ""),
    baseHit: data.base_hit !== false,
    drawn,
    reused: listOf(data.reused).map(String),
    regions: listOf(data.rois).flatMap((roi, i) => boxOf(roi, drawn[i] ?? "")),
    bars,
    totalMs: last ? last.startMs + last.durationMs : 0,
  };
}

/**
 * @param {Record<string, number>} stamps  Session-clock seconds by stage.
 * @returns {Bar[]}
 */
function barsOf(stamps) {
  const known = STAGES.filter((name) => typeof stamps[name] === "number");
  const zero = stamps.due ?? stamps[known[0]] ?? 0;
  let previous = zero;
  return known.map((name) => {
    const bar = { name, startMs: (previous - zero) * 1000, durationMs: Math.max(0, (stamps[name] - previous) * 1000) };
    previous = Math.max(previous, stamps[name]);
    return bar;
  });
}

/**
 * @param {unknown} roi  `[x, y, width, height]` in picture pixels.
 * @param {string} name
 * @returns {RegionBox[]}
 */
function boxOf(roi, name) {
  if (!Array.isArray(roi) || roi.length !== 4 || !roi.every(Number.isFinite)) return [];
  const [x, y, width, height] = roi;
  return [{ x, y, width, height, name }];
}

/**
 * @param {unknown} value
 * @returns {unknown[]}
 */
function listOf(value) {
  return Array.isArray(value) ? value : [];
}

/** Counts over the traces seen: how often the base frame came from the cache, how often regions could be kept. */
export class TraceTally {
  #frames = 0;
  #hits = 0;
  #drawn = 0;
  #reused = 0;

  /** @param {TraceView} trace */
  add(trace) {
    this.#frames += 1;
    this.#hits += trace.baseHit ? 1 : 0;
    this.#drawn += trace.drawn.length;
    this.#reused += trace.reused.length;
  }

  reset() {
    this.#frames = this.#hits = this.#drawn = this.#reused = 0;
  }

  /** @returns {{frames: number, baseHitRatio: number | null, reusedRatio: number | null}} */
  get summary() {
    const regions = this.#drawn + this.#reused;
    return {
      frames: this.#frames,
      baseHitRatio: this.#frames ? this.#hits / this.#frames : null,
      reusedRatio: regions ? this.#reused / regions : null,
    };
  }
}
