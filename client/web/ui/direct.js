// Directing the host by hand: seven moods with a strength, and her gestures.

import { byId, element, icon, setLabel } from "./dom.js";

/** @typedef {import("../wire.js").Emotion} Emotion */

/** From at ease over glad to cross. @type {readonly Emotion[]} */
const FACES = ["neutral", "happy", "surprise", "sad", "fear", "angry", "disgust"];
/** Shown until the server has told what this host can do. */
const USUAL_GESTURES = ["nod", "wave", "shake"];
const ICONS = new Set(["nod", "wave", "shake", "think"]);

/** Mood and gesture buttons; `onCue` gets every wish. */
export class Direct {
  #faces = byId("faces", HTMLElement);
  #gestures = byId("gestures", HTMLElement);
  #intensity = byId("intensity", HTMLInputElement);
  #moodName = byId("mood-name", HTMLElement);
  /** @type {Emotion} */
  #mood = "neutral";
  /** @type {readonly string[]} */
  #names = USUAL_GESTURES;
  /** @type {import("./locale.js").Locale} */
  #locale;

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {(cue: import("../wire.js").Cue) => void} onCue
   */
  constructor(locale, onCue) {
    this.#locale = locale;
    this.onCue = onCue;
    this.#intensity.addEventListener("change", () => this.#cueMood());
    locale.addEventListener("change", () => this.#draw());
    this.#draw();
  }

  /** @param {Emotion} emotion  What the server says she feels. */
  showMood(emotion) {
    if (!FACES.includes(emotion)) return;
    this.#mood = emotion;
    this.#locale.put(this.#moodName, "data-word", `emotion_${emotion}`);
    for (const face of this.#faces.children) {
      face.setAttribute("aria-pressed", String(face.getAttribute("data-emotion") === emotion));
    }
  }

  /** @param {readonly string[]} names  The gestures this host can do; those with an icon become buttons. */
  offerGestures(names) {
    this.#names = names.filter((name) => ICONS.has(name));
    this.#drawGestures();
  }

  #cueMood() {
    this.onCue({ emotion: this.#mood, intensity: Number(this.#intensity.value) / 100 });
  }

  #draw() {
    this.#faces.replaceChildren(...FACES.map((emotion) => this.#face(emotion)));
    this.#drawGestures();
    this.showMood(this.#mood);
  }

  /** @param {Emotion} emotion */
  #face(emotion) {
    const face = element("button", { type: "button", class: "face", "data-emotion": emotion }, icon(emotion));
    setLabel(face, this.#locale.word(`emotion_${emotion}`));
    face.addEventListener("click", () => {
      this.showMood(emotion);
      this.#cueMood();
    });
    return face;
  }

  #drawGestures() {
    const buttons = this.#names.map((gesture) => {
      const glyph = icon(gesture);
      const button = element("button", { type: "button", class: "chip" }, glyph, this.#locale.word(`gesture_${gesture}`));
      button.addEventListener("click", () => this.onCue({ gesture }));
      return button;
    });
    this.#gestures.replaceChildren(...buttons);
  }
}
