// The debug overlay: dirty regions over the picture, the frame's way as a waterfall, quality step, figures.

import { byId, element } from "./dom.js";

const FIGURE_ROWS = /** @type {const} */ ([
  ["fps", "fps", ""],
  ["receive_to_display_ms_p95", "receive → display p95", "ms"],
  ["decode_ms", "decode", "ms"],
  ["video_jitter_buffer_ms", "jitter buffer, video", "ms"],
  ["audio_jitter_buffer_ms", "jitter buffer, audio", "ms"],
  ["sound_lag_ms", "sound after picture", "ms"],
  ["jitter_ms", "jitter", "ms"],
  ["round_trip_ms", "round trip", "ms"],
  ["video_kbps", "video", "kb/s"],
  ["audio_kbps", "audio", "kb/s"],
  ["packets_lost", "packets lost", "/s"],
  ["frames_dropped", "frames dropped", "/s"],
  ["freezes", "freezes", ""],
]);

/** Drawn regions fade over this many milliseconds unless they are drawn again. */
const FADE_MS = 240;
/** Colours of bars in the style sheet. */
const STAGE_COLOURS = 11;

/** Hidden until `toggle()`; costs nothing while hidden. */
export class DebugOverlay {
  #panel = byId("overlay", HTMLElement);
  #button = byId("debug", HTMLButtonElement);
  #canvas = byId("regions", HTMLCanvasElement);
  /** @type {import("../trace.js").TraceView | null} */
  #trace = null;
  #tracedMs = 0;
  /** @type {import("../trace.js").GlassView | null} */
  #glass = null;
  /** @type {import("../stats.js").Figures | null} */
  #figures = null;
  /** @type {{started_ms: number | null, displayed_ms: number | null}} */
  #response = { started_ms: null, displayed_ms: null };
  /** The server's counters, as it answers our figures with. @type {Record<string, any> | null} */
  #server = null;
  /** @type {import("./locale.js").Locale} */
  #locale;

  /** @param {import("./locale.js").Locale} locale */
  constructor(locale) {
    this.#locale = locale;
    this.#button.addEventListener("click", () => this.toggle());
  }

  get visible() {
    return !this.#panel.hidden;
  }

  toggle() {
    this.#panel.hidden = !this.#panel.hidden;
    this.#button.setAttribute("aria-pressed", String(this.visible));
    document.body.classList.toggle("debugging", this.visible);
    if (this.visible) this.#drawPanel();
    else this.#context()?.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  /**
   * @param {import("../trace.js").TraceView} trace
   * @param {number} nowMs
   */
  traced(trace, nowMs) {
    this.#trace = trace;
    this.#tracedMs = nowMs;
  }

  /** @param {import("../trace.js").GlassView | null} glass  What the server joined of the frames that were told it. */
  seen(glass) {
    this.#glass = glass;
  }

  /** @param {Record<string, any>} figures  The `d` of a `server-response` with `t: "stats"`. */
  answered(figures) {
    this.#server = figures;
  }

  /**
   * @param {import("../stats.js").Figures | null} figures
   * @param {{started_ms: number | null, displayed_ms: number | null}} response
   */
  measured(figures, response) {
    this.#figures = figures;
    this.#response = response;
    if (this.visible) this.#drawPanel();
  }

  /**
   * A frame is on screen: draw the regions last reported over it.
   * @param {number} nowMs
   */
  frameShown(nowMs) {
    const context = this.visible ? this.#context() : null;
    if (!context || !this.#trace) return;
    const { width, height } = this.#trace;
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    context.clearRect(0, 0, width, height);
    const strength = Math.max(0, 1 - (nowMs - this.#tracedMs) / FADE_MS);
    if (strength > 0) drawRegions(context, this.#trace, strength);
  }

  reset() {
    this.#trace = null;
    this.#glass = null;
    this.#figures = null;
    this.#server = null;
  }

  #context() {
    return this.#canvas.getContext("2d");
  }

  #drawPanel() {
    const figures = this.#figures;
    const rows = FIGURE_ROWS.map(([key, name, unit]) => row(name, figures?.[key], unit));
    const size = figures?.width ? `${figures.width} × ${figures.height} ${figures.codec ?? ""}` : null;
    this.#panel.replaceChildren(
      ...this.#glassParts(),
      ...this.#traceParts(),
      element("h2", {}, this.#locale.word("debugPath")),
      element(
        "dl",
        {},
        ...row("picture", size, ""),
        ...rows.flat(),
        ...row("text → voice", rounded(this.#response.started_ms), "ms"),
        ...row("text → display", rounded(this.#response.displayed_ms), "ms"),
      ),
    );
  }

  /** @returns {HTMLElement[]} */
  #glassParts() {
    const glass = this.#glass;
    if (!glass) return [];
    const total = glass.stages.find((one) => one.name === "total");
    const rest = total ? `p50 ${total.p50.toFixed(0)} · p95 ${total.p95.toFixed(0)} ± ${glass.uncertaintyMs.toFixed(0)} ms` : "–";
    return [
      element("h2", {}, `${this.#locale.word("debugGlass")} · ${rest}`),
      element("p", { class: "dim" }, this.#locale.word("debugSlowest", { ms: glass.slowestMs.toFixed(0) })),
      waterfall(glass.slowest, glass.slowestMs, new Map(glass.stages.map((one) => [one.name, one.p95]))),
    ];
  }

  /** @returns {HTMLElement[]} */
  #traceParts() {
    const trace = this.#trace;
    if (!trace) return [element("p", { class: "dim" }, this.#locale.word("debugWaiting"))];
    return [
      element("h2", {}, `${this.#locale.word("debugStages")} · ${trace.totalMs.toFixed(1)} ms`),
      waterfall(trace.bars, trace.totalMs),
      element(
        "dl",
        {},
        ...row("quality step", trace.rung, ""),
        ...(trace.mouth ? row("mouth made by", trace.mouth, "") : []),
        ...row("regions drawn", trace.drawn.join(", ") || "none", ""),
        ...row("regions kept", trace.reused.join(", ") || "none", ""),
        ...row("base frame", trace.baseHit ? "cached" : "drawn", ""),
        ...serverRows(this.#server),
      ),
    ];
  }
}

/**
 * @param {Record<string, any> | null} server
 * @returns {HTMLElement[]}
 */
function serverRows(server) {
  if (!server) return [];
  const lastMs = server.text_to_sound_ms?.at?.(-1);
  return [
    ...row("base cache hits", share(server.base_hits, server.base_misses), "%"),
    ...row("patch cache hits", share(server.patch_hits, server.patch_misses), "%"),
    ...row("unchanged frames", share(server.unchanged, server.frames - server.unchanged), "%"),
    ...row("late, skipped", `${server.late}, ${server.skipped}`, ""),
    ...row("steps down, up", `${server.steps_down}, ${server.steps_up}`, ""),
    ...row("text → sound leaves", typeof lastMs === "number" ? rounded(lastMs) : null, "ms"),
  ];
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("../trace.js").TraceView} trace
 * @param {number} strength  0..1
 */
function drawRegions(context, trace, strength) {
  const colour = getComputedStyle(context.canvas).color;
  context.globalAlpha = strength;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.font = "600 12px system-ui, sans-serif";
  context.fillStyle = colour;
  for (const { name, drawn, x, y, width, height } of trace.regions) {
    // dashed: it lies there as it lay before, nothing was drawn for this frame
    context.setLineDash(drawn ? [] : [6, 6]);
    context.strokeRect(x + 1, y + 1, width - 2, height - 2);
    context.fillText(name, x + 6, y + 16);
  }
  context.globalAlpha = 1;
}

/**
 * @param {readonly import("../trace.js").Bar[]} bars
 * @param {number} totalMs
 * @param {ReadonlyMap<string, number>} [usuallyMs]  What a stage takes at most, usually: its p95, shown behind.
 * @returns {HTMLElement}
 */
function waterfall(bars, totalMs, usuallyMs) {
  const scale = 100 / Math.max(totalMs, 1);
  const lines = bars.map((bar, i) => {
    const span = element("span", { class: `bar-span stage-${i % STAGE_COLOURS}` });
    span.style.marginInlineStart = `${bar.startMs * scale}%`;
    span.style.width = `${Math.max(bar.durationMs * scale, 0.8)}%`;
    const track = element("span", { class: "bar-track" }, span);
    const parts = [element("span", { class: "bar-name" }, bar.name), track, element("span", { class: "bar-ms" }, bar.durationMs.toFixed(1))];
    const usualMs = usuallyMs?.get(bar.name);
    if (usuallyMs) parts.push(element("span", { class: "bar-ms dim" }, usualMs === undefined ? "–" : usualMs.toFixed(1)));
    return element("li", {}, ...parts);
  });
  return element("ol", { class: usuallyMs ? "waterfall with-usual" : "waterfall" }, ...lines);
}

/**
 * @param {string} name
 * @param {string | number | null | undefined} value
 * @param {string} unit
 * @returns {HTMLElement[]}
 */
function row(name, value, unit) {
  const known = value !== null && value !== undefined && value !== "";
  return [element("dt", {}, name), element("dd", {}, known ? `${value}${unit && ` ${unit}`}` : "–")];
}

/**
 * @param {number} part
 * @param {number} rest
 * @returns {string | null} Percent of both together.
 */
function share(part, rest) {
  return part + rest > 0 ? ((100 * part) / (part + rest)).toFixed(0) : null;
}

/** @param {number | null} value */
function rounded(value) {
  return value === null ? null : Math.round(value);
}
