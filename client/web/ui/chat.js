// The conversation's log and the composer beneath it.

import { suggestions } from "../words.js";
import { byId, element, icon, setLabel } from "./dom.js";
import { faultWords } from "./fault_words.js";

/** @typedef {"ask"|"say"} Mode */

/** Log and composer. `onSend` gets the text and what it is for, `onStop` the wish for silence. */
export class Chat {
  #log = byId("log", HTMLElement);
  #empty = byId("empty", HTMLElement);
  #suggestions = byId("suggestions", HTMLElement);
  #form = byId("composer", HTMLFormElement);
  #text = byId("text", HTMLTextAreaElement);
  #textLabel = byId("text-label", HTMLElement);
  #complaint = byId("complaint", HTMLElement);
  /** @type {Map<number, HTMLElement>} */
  #shown = new Map();
  #scene = "";
  /** @type {import("./locale.js").Locale} */
  #locale;

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {{onSend: (text: string, mode: Mode) => void, onStop: () => void}} actions
   */
  constructor(locale, { onSend, onStop }) {
    this.#locale = locale;
    this.onSend = onSend;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#form.addEventListener("change", () => this.#applyMode());
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    this.#text.addEventListener("input", () => this.#grow());
    byId("stop", HTMLButtonElement).addEventListener("click", onStop);
    locale.addEventListener("change", () => this.#localise());
    this.#localise();
  }

  /** @returns {Mode} */
  get mode() {
    return new FormData(this.#form).get("mode") === "say" ? "say" : "ask";
  }

  /** Ready to type, but not where that would raise a keyboard over the host. */
  focus() {
    if (matchMedia("(hover: hover)").matches) this.#text.focus({ preventScroll: true });
  }

  /** @param {import("../conversation.js").Turn} turn */
  show(turn) {
    this.#empty.hidden = true;
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 80;
    let bubble = this.#shown.get(turn.id);
    if (!bubble) {
      bubble = element("article", { class: `turn ${turn.who}` });
      this.#shown.set(turn.id, bubble);
      this.#log.append(bubble);
    }
    bubble.replaceChildren(...this.#bubbleParts(turn));
    if (atEnd || turn.who === "user") this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** Take every turn away: others follow. */
  clear() {
    this.#shown.clear();
    this.#log.querySelectorAll(".turn").forEach((bubble) => bubble.remove());
  }

  /** @param {import("../faults.js").Fault | null} fault */
  complain(fault) {
    this.#complaint.hidden = fault === null;
    if (!fault) return this.#complaint.replaceChildren();
    const dismiss = element("button", { type: "button", class: "tool small" }, icon("close"));
    setLabel(dismiss, this.#locale.word("dismiss"));
    dismiss.addEventListener("click", () => this.complain(null));
    this.#complaint.replaceChildren(element("div", {}, ...faultWords(fault, this.#locale)), dismiss);
  }

  /**
   * @param {import("../conversation.js").Turn} turn
   * @returns {Node[]}
   */
  #bubbleParts(turn) {
    const who = element("span", { class: "unseen" }, `${this.#locale.word(turn.who === "user" ? "you" : "host")}: `);
    const parts = [element("p", {}, who, turn.text)];
    const state = turn.refused ? "refused" : turn.stopped ? "stopped" : null;
    const notes = [state && this.#locale.word(state), turn.source].filter(Boolean);
    if (notes.length > 0) parts.push(element("p", { class: "note" }, notes.join(" · ")));
    return parts;
  }

  /** @param {string} text  Was refused: it comes back to be corrected, unless something new is being written. */
  giveBack(text) {
    if (this.#text.value.trim() !== "") return;
    this.#text.value = text;
    this.#grow();
  }

  #submit() {
    const text = this.#text.value.trim();
    if (text === "") return;
    this.#text.value = "";
    this.#grow();
    this.complain(null);
    this.onSend(text, this.mode);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // an input method confirms a candidate with Enter too: that Enter sends nothing
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #grow() {
    this.#form.classList.toggle("filled", this.#text.value.trim() !== "");
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }

  #applyMode() {
    const words = this.#locale.word(this.mode === "say" ? "placeholderSay" : "placeholderAsk");
    this.#text.placeholder = words;
    this.#textLabel.textContent = words;
  }

  /** @param {string} scene  What the suggestions are about. */
  setScene(scene) {
    this.#scene = scene;
    this.#localise();
  }

  #localise() {
    this.#applyMode();
    const chips = suggestions(this.#locale.language, this.#scene).map((text) => {
      const chip = element("button", { type: "button", class: "chip" }, text);
      chip.addEventListener("click", () => this.onSend(text, "ask"));
      return chip;
    });
    this.#suggestions.replaceChildren(...chips);
  }
}
