// What can be painted in a session, what was ordered and how far it has come. No DOM.

/** @typedef {"background"|"outfit"|"product"} Region */
/** @typedef {"checking"|"refused"|"waiting"|"painting"|"done"|"cancelled"|"failed"} PaintState */

/**
 * @typedef {object} PaintReport
 * @property {Region} region
 * @property {PaintState} state
 * @property {number} done  Tiles.
 * @property {number} tiles  Of so many; 0 while that is not known.
 * @property {string} message  What went wrong, in the server's words.
 */

/** @typedef {{region: Region, prompt: string, avoid: string, style: string, strength: number}} PaintWish */

/** Follows the painter by the session's messages. */
export class Painting {
  /** What can be painted. @type {readonly Region[]} */
  regions = [];
  /** Why nothing can be; empty if something can. Null while the server has not said anything. @type {string | null} */
  why = null;
  /** The style that is on; an empty name for none. */
  style = { name: "", strength: 1 };
  /** The latest. @type {PaintReport | null} */
  report = null;
  /** Orders at work, by region: reports of those that they replaced say nothing any more. @type {Map<string, string>} */
  #orders = new Map();
  /** What was sent and is not answered yet. @type {{id: string, cue: import("./wire.js").Cue} | null} */
  #sent = null;

  /** Forget everything: the conversation is over. */
  clear() {
    [this.regions, this.why, this.style, this.report, this.#sent] = [[], null, { name: "", strength: 1 }, null, null];
    this.#orders.clear();
  }

  /**
   * A cue was sent under this id.
   * @param {string} id
   * @param {import("./wire.js").Cue} cue
   */
  sent(id, cue) {
    this.#sent = { id, cue };
    const region = cue.paint?.region ?? this.report?.region ?? "background";
    this.report = { region, state: "checking", done: 0, tiles: 0, message: "" };
  }

  /**
   * Read one message of the session.
   * @param {import("./wire.js").Envelope} message
   * @returns {boolean} Whether anything of this changed.
   */
  receive({ type, id, data }) {
    if (type === "bot-ready") return this.#begin(data.about?.painting);
    if (type === "server-message" && data.t === "paint") return this.#told(data.d ?? {});
    if (this.#sent?.id !== id || (type !== "server-response" && type !== "error-response")) return false;
    return this.#answered(this.#sent.cue, type === "server-response");
  }

  /**
   * Whether a message says that what is behind the host looks other than before.
   * @param {import("./wire.js").Envelope} message
   */
  repaints({ type, data }) {
    if (type === "bot-ready") return Boolean(data.about?.painting?.painted?.background);
    return data.t === "paint" && data.d?.region === "background" && data.d.tiles_done > 0;
  }

  /** @param {Record<string, any> | undefined} offer */
  #begin(offer) {
    if (!offer) return false;
    this.regions = offer.regions ?? [];
    this.why = String(offer.why ?? "");
    if (offer.style !== this.style.name) this.style = { name: String(offer.style ?? ""), strength: 1 };
    return true;
  }

  /**
   * @param {import("./wire.js").Cue} cue
   * @param {boolean} taken
   */
  #answered(cue, taken) {
    this.#sent = null;
    if (taken && cue.style !== undefined) this.style = { name: cue.style, strength: cue.style_strength ?? 1 };
    if (this.report?.state !== "checking") return true;
    if (!taken) this.report = { ...this.report, state: "refused" };
    else if (cue.paint) this.report = { ...this.report, state: "waiting" };
    else this.report = null;
    return true;
  }

  /** @param {Record<string, any>} d */
  #told(d) {
    const { region, state, order = "" } = d;
    if (state === "waiting") this.#orders.set(region, order);
    else if ((this.#orders.get(region) ?? order) !== order) return false;
    this.report = { region, state, done: Number(d.tiles_done), tiles: Number(d.tiles), message: String(d.message ?? "") };
    return true;
  }
}

/**
 * What to send for a wish; null if it changes nothing.
 * @param {PaintWish} wish
 * @param {{name: string, strength: number}} worn  The style that is on.
 * @returns {import("./wire.js").Cue | null}
 */
export function cueOf(wish, worn) {
  /** @type {import("./wire.js").Cue} */
  const cue = {};
  const [prompt, avoid] = [wish.prompt.trim(), wish.avoid.trim()];
  if (prompt) cue.paint = { region: wish.region, prompt, ...(avoid && { negative_prompt: avoid }) };
  const other = wish.style !== worn.name || (wish.style !== "" && wish.strength !== worn.strength);
  if (other) [cue.style, cue.style_strength] = [wish.style, wish.strength];
  return cue.paint || other ? cue : null;
}
