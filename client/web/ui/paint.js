// The painter's row: what is to be painted where, in which style, and how far it has come.

import { cueOf, Painting } from "../painting.js";
import { byId, element, on } from "./dom.js";
import { Surroundings } from "./surroundings.js";

/** @typedef {import("../painting.js").Region} Region */
/** @typedef {{name: string, title: string, usable: boolean, reason: string, strength_range: [number, number]}} Style */

/** States in which tiles are still to come. */
const AT_WORK = ["waiting", "painting"];

/** A folded row of the directing panel; there while a conversation is. */
export class PaintRow {
  #row = byId("paint", HTMLDetailsElement);
  #state = byId("paint-state", HTMLElement);
  #off = byId("paint-off", HTMLElement);
  #form = byId("paint-form", HTMLFormElement);
  #regions = byId("paint-regions", HTMLElement);
  #prompt = byId("paint-prompt", HTMLTextAreaElement);
  #avoid = byId("paint-avoid", HTMLInputElement);
  #styling = byId("paint-styling", HTMLElement);
  #style = byId("paint-style", HTMLSelectElement);
  #strength = byId("paint-strength", HTMLInputElement);
  #far = byId("paint-far", HTMLElement);
  #progress = byId("paint-progress", HTMLProgressElement);
  #count = byId("paint-count", HTMLElement);
  #painting = new Painting();
  #surroundings = new Surroundings();
  /** @type {Region} */
  #region = "background";
  /** @type {Style[]} */
  #styles = [];
  /** @type {import("./locale.js").Locale} */
  #locale;
  /** @type {import("../session.js").AnimaSession} */
  #session;

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {import("../session.js").AnimaSession} session
   */
  constructor(locale, session) {
    this.#locale = locale;
    this.#session = session;
    on(session, "message", (message) => this.#received(message));
    on(session, "state", ({ state }) => this.#stateChanged(state));
    locale.addEventListener("change", () => this.#draw());
    this.#style.addEventListener("change", () => this.#rangeStrength());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#order();
    });
    this.#prompt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#order();
    });
  }

  #order() {
    const wish = {
      region: this.#region, prompt: this.#prompt.value, avoid: this.#avoid.value,
      style: this.#style.value, strength: Number(this.#strength.value),
    };
    const cue = cueOf(wish, this.#painting.style);
    const id = cue && this.#session.cue(cue);
    if (!cue || !id) return this.#prompt.focus();
    this.#painting.sent(id, cue);
    this.#drawReport();
  }

  /** @param {import("../wire.js").Envelope} message */
  #received(message) {
    if (!this.#painting.receive(message)) return;
    if (this.#painting.repaints(message)) this.#surroundings.follow();
    if (message.type !== "bot-ready") return this.#drawReport();
    this.#draw();
    if (this.#painting.regions.length) this.#loadStyles();
  }

  /** @param {import("../session.js").SessionState} state */
  #stateChanged(state) {
    if (state !== "closed" && state !== "failed" && state !== "idle") return;
    this.#painting.clear();
    this.#surroundings.restore();
    this.#draw();
  }

  async #loadStyles() {
    try {
      ({ styles: this.#styles } = await this.#session.get("/v1/styles"));
    } catch {
      // without its styles the painter still paints
      this.#styles = [];
    }
    this.#drawStyles();
  }

  // -- drawing ----------------------------------------------------------------------------------------------------

  #draw() {
    const { regions, why } = this.#painting;
    this.#row.hidden = why === null;
    this.#form.hidden = regions.length === 0;
    this.#off.hidden = regions.length > 0;
    this.#off.textContent = why ? this.#locale.word(`paintOff_${why}`) : "";
    if (!regions.includes(this.#region)) this.#region = regions[0] ?? "background";
    this.#regions.replaceChildren(...regions.map((region) => this.#choice(region)));
    this.#avoid.setAttribute("placeholder", this.#locale.word("paintAvoidHint"));
    this.#hint();
    this.#drawStyles();
    this.#drawReport();
  }

  /** @param {Region} region */
  #choice(region) {
    const input = element("input", { type: "radio", name: "region", value: region, checked: region === this.#region });
    input.addEventListener("change", () => {
      this.#region = region;
      this.#hint();
    });
    return element("label", {}, input, element("span", {}, this.#locale.word(`region_${region}`)));
  }

  #hint() {
    this.#prompt.setAttribute("placeholder", this.#locale.word(`paintHint_${this.#region}`));
  }

  #drawStyles() {
    this.#styling.hidden = this.#styles.length === 0;
    const choices = this.#styles.map(({ name, title, usable, reason }) =>
      element("option", { value: name, disabled: !usable, title: reason }, title || name));
    this.#style.replaceChildren(element("option", { value: "" }, this.#locale.word("paintStyleNone")), ...choices);
    this.#style.value = this.#painting.style.name;
    this.#rangeStrength();
  }

  #rangeStrength() {
    const chosen = this.#styles.find(({ name }) => name === this.#style.value);
    byId("paint-strength-label", HTMLElement).hidden = !chosen;
    const [least, most] = chosen?.strength_range ?? [0, 1];
    this.#strength.min = String(least);
    this.#strength.max = String(most);
    const worn = this.#painting.style;
    this.#strength.value = String(chosen?.name === worn.name ? worn.strength : most);
  }

  #drawReport() {
    const report = this.#painting.report;
    const counted = report !== null && AT_WORK.includes(report.state) && report.tiles > 0;
    this.#far.hidden = !counted;
    if (!report) {
      this.#row.removeAttribute("data-state");
      return this.#say("");
    }
    const { state, done, tiles, message } = report;
    const region = this.#locale.word(`region_${report.region}`);
    this.#say(this.#locale.word(`painting_${state}`, { region, message }));
    this.#row.setAttribute("data-state", state);
    if (!counted) return;
    [this.#progress.max, this.#progress.value] = [tiles, done];
    this.#count.textContent = this.#locale.word("paintTiles", { done, tiles });
  }

  /** Said aloud once for each state, not for each tile. @param {string} words */
  #say(words) {
    if (this.#state.textContent !== words) this.#state.textContent = words;
  }
}
