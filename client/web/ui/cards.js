// What is shown beside the picture: cards, the brand's colours, and how near the picture is.

import { byId, element } from "./dom.js";

/**
 * @typedef {object} Card
 * @property {string} id
 * @property {string} kind
 * @property {string} title
 * @property {string[]} lines
 * @property {Record<string, string>} [colours]
 */

/**
 * @typedef {object} Brand
 * @property {string[]} palette  Background, card, accent, text.
 * @property {string} lighting
 * @property {string} camera_movement
 * @property {string} transition_effect
 * @property {string} text_animation
 * @property {string} aspect_ratio
 */

const SHOWN_MS = 14_000;
/** These stay until the next: a lesson's board, and a question that waits. */
const STAYING = new Set(["formula", "concept", "example", "quiz"]);
const VARIABLES = ["--brand-ground", "--brand-card", "--brand-accent", "--brand-text"];

/** The card, the brand and the framing. */
export class Cards {
  #card = byId("card", HTMLElement);
  #stage = byId("stage", HTMLElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #shown = "";

  /** @param {Card} card */
  show(card) {
    clearTimeout(this.#timer);
    const grows = card.id === this.#shown;
    this.#shown = card.id;
    this.#card.dataset.kind = card.kind;
    const before = grows ? this.#card.querySelectorAll("li").length : 0;
    const items = card.lines.map((line, index) =>
      element("li", { class: index >= before ? "new" : "" }, ...coloured(line, card.colours ?? {})),
    );
    this.#card.replaceChildren(element("h3", {}, card.title), element("ul", {}, ...items));
    this.#card.classList.toggle("entering", !grows);
    this.#card.hidden = card.title === "" && items.length === 0;
    if (!STAYING.has(card.kind)) this.#timer = setTimeout(() => this.hide(), SHOWN_MS);
  }

  hide() {
    clearTimeout(this.#timer);
    this.#shown = "";
    this.#card.hidden = true;
  }

  /** @param {Brand | null | undefined} brand */
  dress(brand) {
    VARIABLES.forEach((name, index) => {
      const colour = brand?.palette[index];
      if (colour) this.#stage.style.setProperty(name, colour);
      else this.#stage.style.removeProperty(name);
    });
    const { dataset } = this.#stage;
    dataset.lighting = brand?.lighting ?? "";
    dataset.camera = brand?.camera_movement ?? "";
    dataset.transition = brand?.transition_effect ?? "";
    dataset.textAnimation = brand?.text_animation ?? "";
    dataset.aspect = brand?.aspect_ratio ?? "";
  }

  /** @param {{framing?: string, camera?: string}} shot */
  frame({ framing, camera }) {
    this.#stage.dataset.framing = framing ?? "medium";
    this.#stage.dataset.camera = camera ?? "static";
  }

  /** Nothing of the conversation before is left. */
  clear() {
    this.hide();
    this.dress(null);
    delete this.#stage.dataset.framing;
  }
}

/**
 * A line with its variables in their colours, the longest names first.
 * @param {string} line
 * @param {Record<string, string>} colours
 * @returns {(Node | string)[]}
 */
function coloured(line, colours) {
  const names = Object.keys(colours).sort((a, b) => b.length - a.length);
  if (names.length === 0) return [line];
  const escaped = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const any = escaped.join("|");
  // in "2 m/s²" the m is a unit, no variable
  const pattern = new RegExp(`(?<![\\p{L}])(?!(?<=\\d\\s*)(?:${any})/)(${any})(?![\\p{L}])`, "u");
  return line.split(pattern).map((part) => {
    const colour = colours[part];
    if (colour === undefined) return part;
    const word = element("span", { class: "variable" }, part);
    word.style.color = colour;
    return word;
  });
}
