// A gesture in the viewer's own words: the host plays the one that fits, or says that none does.

import { byId, on } from "./dom.js";

/** A field and its answer. */
export class MotionField {
  #form = byId("motion", HTMLFormElement);
  #text = byId("motion-text", HTMLInputElement);
  #found = byId("motion-found", HTMLElement);
  /** The message that waits for its answer. @type {string | null} */
  #sent = null;

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {import("../session.js").AnimaSession} session
   */
  constructor(locale, session) {
    const name = () => this.#text.setAttribute("placeholder", locale.word("motionHint"));
    locale.addEventListener("change", name);
    name();
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const motion = this.#text.value.trim();
      this.#found.textContent = "";
      if (motion) this.#sent = session.cue({ motion });
      else this.#text.focus();
    });
    on(session, "message", ({ type, id, data }) => {
      if (this.#sent === null || id !== this.#sent || type !== "server-response") return;
      const gesture = String(data.d?.gesture ?? "");
      this.#found.textContent = locale.word("motionFound", { name: locale.word(`gesture_${gesture}`) });
      this.#text.value = "";
    });
  }
}
