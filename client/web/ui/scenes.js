// The scene picker on the start screen: what the conversation is for, and what it is about.

import { byId, element } from "./dom.js";

/**
 * @typedef {object} Content
 * @property {string} name
 * @property {Record<string, string>} title  By language.
 */

/**
 * @typedef {object} Scene
 * @property {string} name
 * @property {Record<string, string>} title  By language.
 * @property {number} budget_ms
 * @property {Content[]} contents
 */

/** Lets the viewer choose; without an answer of the server there is nothing to choose. */
export class ScenePicker {
  #holder = byId("scenes", HTMLElement);
  #contents = byId("contents", HTMLElement);
  /** @type {import("./locale.js").Locale} */
  #locale;
  /** @type {Scene[]} */
  #scenes = [];
  #onChange;
  scene = "";
  content = "";

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {() => void} onChange
   */
  constructor(locale, onChange) {
    this.#locale = locale;
    this.#onChange = onChange;
    const asked = new URLSearchParams(location.search);
    this.scene = asked.get("scene") ?? "";
    this.content = asked.get("content") ?? "";
    locale.addEventListener("change", () => this.#show());
  }

  /** What POST /v1/sessions is told of the choice. */
  get wish() {
    return { ...(this.scene && { scene: this.scene }), ...(this.content && { content: this.content }) };
  }

  /** @param {(path: string) => Promise<any>} get */
  async load(get) {
    try {
      this.#scenes = (await get("/v1/scenes")).scenes ?? [];
    } catch {
      return;
    }
    const known = this.#scenes.some((scene) => scene.name === this.scene);
    this.#choose(known ? this.scene : (this.#scenes[0]?.name ?? ""), known ? this.content : "");
  }

  /**
   * @param {string} scene
   * @param {string} content
   */
  #choose(scene, content) {
    const found = this.#scenes.find((one) => one.name === scene);
    const fits = this.#contentsOf(found).some((one) => one.name === content);
    this.scene = scene;
    this.content = fits ? content : (this.#contentsOf(found)[0]?.name ?? "");
    this.#show();
    this.#onChange();
  }

  /** @param {Scene | undefined} scene */
  #contentsOf(scene) {
    return (scene?.contents ?? []).filter((content) => this.#locale.language in content.title);
  }

  #show() {
    const { language } = this.#locale;
    const scene = this.#scenes.find((one) => one.name === this.scene);
    this.#holder.hidden = this.#scenes.length < 2;
    this.#holder.replaceChildren(
      ...this.#scenes.map((one) =>
        choice(one.title[language] ?? one.name, one.name === this.scene, () => this.#choose(one.name, "")),
      ),
    );
    const contents = this.#contentsOf(scene);
    this.#contents.hidden = contents.length === 0;
    this.#contents.replaceChildren(
      ...contents.map((one) =>
        choice(one.title[language] ?? one.name, one.name === this.content, () => this.#choose(this.scene, one.name)),
      ),
    );
  }
}

/**
 * @param {string} text
 * @param {boolean} chosen
 * @param {() => void} onChoose
 */
function choice(text, chosen, onChoose) {
  const button = element("button", { type: "button", class: "choice", "aria-pressed": String(chosen) }, text);
  button.addEventListener("click", onChoose);
  return button;
}
