// The microphone's button with its level, and the words for what it is doing.

import { loudness } from "../microphone.js";
import { byId, setIcon } from "./dom.js";

/** Loudness that is shown in steps: a meter need not repaint for less. */
const STEPS = 12;

/** Shows a `Microphone` and switches it. */
export class MicButton {
  #button = byId("mic", HTMLButtonElement);
  #words = byId("mic-words", HTMLElement);
  /** @type {import("../microphone.js").Microphone} */
  #microphone;
  /** @type {import("./locale.js").Locale} */
  #locale;
  /** @type {AudioContext | null} */
  #context = null;

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {import("../microphone.js").Microphone} microphone
   */
  constructor(locale, microphone) {
    this.#locale = locale;
    this.#microphone = microphone;
    this.#button.addEventListener("click", () => microphone.toggle());
    microphone.addEventListener("state", () => this.#show());
  }

  /** @param {boolean} offered  Whether the host of this session understands speech. */
  offer(offered) {
    this.#button.hidden = !offered;
    if (!offered) this.#microphone.off();
  }

  /** @param {boolean} heard  Whether the host hears the viewer speak right now. */
  showHeard(heard) {
    this.#button.classList.toggle("heard", heard);
  }

  #show() {
    const { state } = this.#microphone;
    this.#button.dataset.mic = state;
    this.#button.setAttribute("aria-pressed", String(state === "on"));
    this.#locale.put(this.#button, "data-word-label", state === "on" ? "micOff" : "micOn");
    setIcon(this.#button, state === "on" ? "mic" : "micoff");
    this.#locale.put(this.#words, "data-word", `mic_${state}`);
    // what is asked for or went wrong stands there to be read; that it is on or off is told to screen readers only
    this.#words.classList.toggle("unseen", state === "on" || state === "off");
    this.showHeard(false);
    if (state === "on") this.#meter();
    else this.#endMeter();
  }

  #meter() {
    const stream = this.#microphone.stream;
    if (!stream || !("AudioContext" in window)) return;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 1024 });
    context.createMediaStreamSource(stream).connect(analyser);
    this.#context = context;
    const samples = new Float32Array(analyser.fftSize);
    let shown = -1;
    const measure = () => {
      if (this.#context !== context) return;
      analyser.getFloatTimeDomainData(samples);
      const step = Math.round(loudness(samples) * STEPS);
      if (step !== shown) this.#button.style.setProperty("--level", String(step / STEPS));
      shown = step;
      requestAnimationFrame(measure);
    };
    measure();
  }

  #endMeter() {
    this.#context?.close();
    this.#context = null;
    this.#button.style.removeProperty("--level");
  }
}
