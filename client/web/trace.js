// One frame's trace from the server, made ready to be drawn: regions, quality step, stages as a waterfall.

/** Stages in the order a frame passes them, as `realtime.core.trace` names them. */
const STAGES = ["posed", "based", "drawn", "refined", "spoken", "published", "encoded", "sent"];
/** Stages on the viewer's side, as `realtime.core.glass` names them. */
const VIEWER_STAGES = ["received", "buffered", "decoded", "displayed"];

/**
 * @typedef {object} Bar  One stage: where it begins and how long it took, in milliseconds since the frame was due.
 * @property {string} name
 * @property {number} startMs
 * @property {number} durationMs
 */

/**
 * @typedef {object} RegionBox  A region that lies over the base frame, in picture pixels.
 * @property {string} name
 * @property {boolean} drawn  Drawn for this frame, rather than kept from an earlier one.
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 */

/**
 * @typedef {object} TraceView
 * @property {number | null} mediaS
 * @property {string} rung
 * @property {string} mouth  The net that made the mouth from sound; empty where it was drawn.
 * @property {boolean} baseHit
 * @property {number} width  The picture's size in the pixels that the regions count.
 * @property {number} height
 * @property {string[]} drawn
 * @property {string[]} reused
 * @property {RegionBox[]} regions
 * @property {Bar[]} bars
 * @property {number} totalMs
 */

/**
 * @param {Record<string, any>} data  The `d` of a `server-message` with `t: "trace"`.
 * @param {boolean} [packed]  Whether the picture has a matte below, which is not shown.
 * @returns {TraceView}
 */
export function traceView(data, packed = false) {
  const bars = barsOf(data.stages_ms ?? {});
  const drawn = listOf(data.drawn).map(String);
  const last = bars.at(-1);
  return {
    mediaS: typeof data.media_s === "number" ? data.media_s : null,
    rung: String(data.rung ?? ""),
    mouth: String(data.mouth ?? ""),
    baseHit: data.base_hit !== false,
    width: Number(data.width) || 512,
    height: (Number(data.height) || 512) / (packed ? 2 : 1),
    drawn,
    reused: listOf(data.reused).map(String),
    regions: Object.entries(data.rois ?? {}).flatMap(([name, roi]) => boxOf(name, roi, drawn.includes(name))),
    bars,
    totalMs: last ? last.startMs + last.durationMs : 0,
  };
}

/**
 * @typedef {object} GlassView  The whole way of frames, from their making to the viewer's display.
 * @property {Bar[]} slowest  Of the slowest frame of the last seconds.
 * @property {number} slowestMs
 * @property {string} rung
 * @property {number} uncertaintyMs  How wrong times between the server's and the viewers' clocks may be.
 * @property {{name: string, p50: number, p95: number}[]} stages  Percentiles over the last frames of all viewers.
 */

/**
 * @param {Record<string, any>} data  The `d` of a `server-response` with `t: "frames"`.
 * @returns {GlassView | null} Null while nothing could be joined.
 */
export function glassView(data) {
  if (!data.slowest) return null;
  const known = data.stages_ms ?? {};
  return {
    slowest: barsOf(data.slowest.stages_ms ?? {}, [...STAGES, ...VIEWER_STAGES]),
    slowestMs: Number(data.slowest.total_ms) || 0,
    rung: String(data.slowest.rung ?? ""),
    uncertaintyMs: Number(data.uncertainty_ms) || 0,
    stages: [...STAGES, ...VIEWER_STAGES, "total"].flatMap((name) =>
      typeof known[name]?.p50 === "number" ? [{ name, p50: known[name].p50, p95: known[name].p95 }] : [],
    ),
  };
}

/**
 * @param {Record<string, number>} stagesMs  Time spent by stage.
 * @param {readonly string[]} [stages]
 * @returns {Bar[]}
 */
function barsOf(stagesMs, stages = STAGES) {
  let startMs = 0;
  return stages.filter((name) => typeof stagesMs[name] === "number").map((name) => {
    const bar = { name, startMs, durationMs: Math.max(0, stagesMs[name]) };
    startMs += bar.durationMs;
    return bar;
  });
}

/**
 * @param {string} name
 * @param {unknown} roi  `[x, y, width, height]`
 * @param {boolean} drawn
 * @returns {RegionBox[]}
 */
function boxOf(name, roi, drawn) {
  if (!Array.isArray(roi) || roi.length !== 4 || !roi.every(Number.isFinite)) return [];
  const [x, y, width, height] = roi;
  return [{ name, drawn, x, y, width, height }];
}

/**
 * @param {unknown} value
 * @returns {unknown[]}
 */
function listOf(value) {
  return Array.isArray(value) ? value : [];
}
