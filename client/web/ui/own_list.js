// The hosts that were made of photos, each with a button that removes it when it is pressed twice.

import { asFault } from "../faults.js";
import { posterOf } from "./cast.js";
import { byId, element } from "./dom.js";
import { faultWords } from "./fault_words.js";

/** @typedef {import("./cast.js").Avatar} Avatar */

/** A part of the dialog; nothing is shown where nothing could be removed. */
export class OwnList {
  #holder = byId("own-mine", HTMLElement);
  #list = byId("own-list", HTMLElement);
  #wrong = byId("own-list-wrong", HTMLElement);
  /** The host about to be removed: the second press does it. */
  #doomed = "";
  /** @type {import("./locale.js").Locale} */
  #locale;
  /** @type {import("../session.js").AnimaSession} */
  #session;
  /** @type {import("./cast.js").Cast} */
  #cast;

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {import("../session.js").AnimaSession} session
   * @param {import("./cast.js").Cast} cast
   */
  constructor(locale, session, cast) {
    [this.#locale, this.#session, this.#cast] = [locale, session, cast];
  }

  /** Whatever was about to be removed stays. */
  reset() {
    this.#doomed = "";
    this.#wrong.hidden = true;
  }

  draw() {
    const mine = this.#cast.portraits.possible ? this.#cast.avatars.filter((one) => one.kind === "portrait") : [];
    this.#holder.hidden = mine.length === 0;
    this.#list.replaceChildren(...mine.map((one) => this.#row(one)));
  }

  /** @param {Avatar} avatar */
  #row(avatar) {
    const sure = this.#doomed === avatar.name;
    const label = this.#locale.word(sure ? "ownSureOne" : "ownRemoveOne", { name: avatar.title });
    const button = element(
      "button", { type: "button", class: sure ? "own-remove sure" : "own-remove", "aria-label": label },
      this.#locale.word(sure ? "ownSure" : "ownRemove"),
    );
    // what the server falls back on cannot go
    button.hidden = avatar.default;
    button.addEventListener("click", () => (sure ? this.#remove(avatar) : this.#ask(avatar)));
    const face = element("img", { src: posterOf(avatar.name), alt: "", width: "36", height: "36", loading: "lazy" });
    return element("li", {}, face, element("span", { class: "own-title" }, avatar.title), button);
  }

  /** @param {Avatar} avatar */
  #ask({ name }) {
    this.reset();
    this.#doomed = name;
    this.draw();
    /** @type {HTMLElement | null} */ (this.#list.querySelector(".sure"))?.focus();
  }

  /** @param {Avatar} avatar */
  async #remove({ name, title }) {
    this.#doomed = "";
    try {
      await this.#session.signalling.remove(`/v1/avatars/${encodeURIComponent(name)}`);
      this.#cast.say(this.#locale.word("ownRemoved", { name: title }));
    } catch (error) {
      const fault = asFault(error);
      const words = fault.status === 409 ? [this.#locale.word("ownInUse", { name: title })] : faultWords(fault, this.#locale);
      // whoever removed it before us wanted the same
      this.#wrong.hidden = fault.kind === "gone";
      this.#wrong.replaceChildren(...words);
    }
    await this.#cast.refresh();
    this.draw();
  }
}
