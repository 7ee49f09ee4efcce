// The language of the page: fills every element that names its word, and remembers the choice.

import { hasWord, languageOf, word } from "../words.js";
import { byId, setLabel } from "./dom.js";

const STORED = "anima.language";

/** Events: `change` when the language was chosen anew. */
export class Locale extends EventTarget {
  #select = byId("language", HTMLSelectElement);

  constructor() {
    super();
    const asked = new URLSearchParams(location.search).get("lang");
    /** @type {import("../words.js").Language} */
    this.language = languageOf(asked ?? localStorage.getItem(STORED) ?? navigator.language);
    this.#select.value = this.language;
    this.#select.addEventListener("change", () => this.#choose(languageOf(this.#select.value)));
    this.#apply();
  }

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   */
  word(key, values) {
    return word(this.language, key, values);
  }

  /**
   * A word that there may not be, such as the name of something a server offers.
   * @param {string} key
   * @param {string} otherwise
   */
  wordOr(key, otherwise) {
    return hasWord(this.language, key) ? this.word(key) : otherwise;
  }

  /** @param {import("../words.js").Language} language */
  #choose(language) {
    this.language = language;
    localStorage.setItem(STORED, language);
    this.#apply();
    this.dispatchEvent(new Event("change"));
  }

  #apply() {
    document.documentElement.lang = this.language === "zh" ? "zh-CN" : "en";
    for (const el of document.querySelectorAll("[data-word]")) el.textContent = this.word(named(el, "data-word"));
    for (const el of document.querySelectorAll("[data-word-label]")) setLabel(el, this.word(named(el, "data-word-label")));
    for (const el of document.querySelectorAll("[data-word-title]")) el.setAttribute("title", this.word(named(el, "data-word-title")));
    for (const el of document.querySelectorAll("[data-word-aria]")) el.setAttribute("aria-label", this.word(named(el, "data-word-aria")));
  }

  /**
   * Give an element another word, now and whenever the language changes.
   * @param {Element} el
   * @param {"data-word" | "data-word-label"} attribute
   * @param {string} key
   */
  put(el, attribute, key) {
    el.setAttribute(attribute, key);
    if (attribute === "data-word") el.textContent = this.word(key);
    else setLabel(el, this.word(key));
  }
}

/**
 * @param {Element} el
 * @param {string} attribute
 */
function named(el, attribute) {
  return el.getAttribute(attribute) ?? "";
}
