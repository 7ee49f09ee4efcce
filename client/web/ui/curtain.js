// What lies over the picture while there is no conversation: the start button, waiting, what went wrong.

import { byId } from "./dom.js";
import { faultWords } from "./fault_words.js";

/** The curtain and the connection state in words. */
export class Curtain {
  #curtain = byId("curtain", HTMLElement);
  #title = byId("curtain-title", HTMLElement);
  #fault = byId("curtain-fault", HTMLElement);
  #waking = byId("waking", HTMLElement);
  #wakingWords = byId("waking-words", HTMLElement);
  #start = byId("start", HTMLButtonElement);
  #startWords = byId("start-words", HTMLElement);
  #hint = byId("start-hint", HTMLElement);
  #status = byId("status-words", HTMLElement);
  /** @type {import("./locale.js").Locale} */
  #locale;
  /** @type {import("../faults.js").Fault | null} */
  #shownFault = null;

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {() => void} onStart
   */
  constructor(locale, onStart) {
    this.#locale = locale;
    this.#start.addEventListener("click", onStart);
    locale.addEventListener("change", () => this.#showFault(this.#shownFault));
  }

  /**
   * @param {import("../session.js").SessionState} state
   * @param {import("../faults.js").Fault | null} fault  What ended the last attempt.
   */
  show(state, fault) {
    document.body.dataset.state = state;
    delete document.body.dataset.queued;
    this.#locale.put(this.#wakingWords, "data-word", "connectingWords");
    this.#locale.put(this.#status, "data-word", `state_${state}`);
    this.#curtain.hidden = state === "connected" || state === "reconnecting";
    this.#waking.hidden = state !== "connecting";
    this.#start.hidden = state === "connecting";
    this.#title.hidden = state === "failed" || state === "connecting";
    this.#hint.hidden = state !== "idle";
    this.#locale.put(this.#title, "data-word", state === "closed" ? "closedWords" : "tagline");
    this.#locale.put(this.#startWords, "data-word", { failed: "retry", closed: "resume" }[String(state)] ?? "start");
    this.#showFault(state === "failed" ? fault : null);
  }

  /**
   * There is no room; it is asked again by itself.
   * @param {number} waitS
   */
  queued(waitS) {
    document.body.dataset.queued = "";
    this.#wakingWords.removeAttribute("data-word");
    this.#wakingWords.textContent = this.#locale.word("queuedWords", { n: waitS });
  }

  /** @param {import("../faults.js").Fault | null} fault */
  #showFault(fault) {
    this.#shownFault = fault;
    this.#fault.hidden = fault === null;
    this.#fault.replaceChildren(...(fault ? faultWords(fault, this.#locale) : []));
  }
}
