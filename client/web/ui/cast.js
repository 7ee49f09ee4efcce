// The host picker: who is on the picture and what stands behind. On the start screen, and over a running conversation.

import { shortTitle } from "../portrait.js";
import { byId, element } from "./dom.js";

/**
 * @typedef {object} Avatar
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {"illustrated"|"portrait"} kind
 * @property {boolean} default
 */

const STORED = "anima.cast";
const UPLOAD = "upload";
const COLOUR = "colour";

/**
 * @param {string} name
 * @returns {string}
 */
export function posterOf(name) {
  return `/v1/avatars/${encodeURIComponent(name)}/poster.jpg`;
}

/** Without an answer of the server there is nothing to pick, and nothing is shown. */
export class Cast {
  #holder = byId("cast", HTMLElement);
  #strip = byId("avatars", HTMLElement);
  #select = byId("background", HTMLSelectElement);
  #colour = byId("background-colour", HTMLInputElement);
  #file = byId("background-file", HTMLInputElement);
  #toggle = byId("cast-toggle", HTMLButtonElement);
  #said = byId("cast-said", HTMLElement);
  /** @type {Avatar[]} */
  #avatars = [];
  /** @type {{name: string, title: string}[]} */
  #pictures = [];
  /** @type {import("./locale.js").Locale} */
  #locale;
  /** @type {(path: string) => Promise<any>} */
  #get = () => Promise.reject(new Error("the list was not asked for yet"));
  #events;
  /** Whether a host can be made of a photo here, and why not; "" where that is not this viewer's business. */
  portraits = { possible: false, why: "" };
  /** What stands at the end of the row. @type {() => HTMLElement | null} */
  further = () => null;
  avatar = "";
  background = "";

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {{onPick: (begin: boolean) => void, onPreview: (avatar: string) => void, upload: (file: File) => Promise<{name: string, title: string}>}} events
   */
  constructor(locale, events) {
    this.#locale = locale;
    this.#events = events;
    const asked = new URLSearchParams(location.search);
    const stored = storedChoice();
    this.avatar = asked.get("avatar") ?? stored.avatar ?? "";
    this.background = asked.get("background") ?? stored.background ?? "";
    locale.addEventListener("change", () => this.#show());
    this.#select.addEventListener("change", () => this.#chosen());
    this.#colour.addEventListener("change", () => this.#setBackground(this.#colour.value));
    this.#file.addEventListener("change", () => this.#upload());
    this.#toggle.addEventListener("click", () => this.open(this.#toggle.getAttribute("aria-expanded") !== "true"));
    this.#holder.addEventListener("keydown", (event) => this.#key(event));
  }

  get avatars() {
    return this.#avatars;
  }

  /** What POST /v1/sessions is told of the choice. */
  get wish() {
    return { ...(this.avatar && { avatar: this.avatar }), ...(this.background && { background: this.background }) };
  }

  /** @param {(path: string) => Promise<any>} get */
  async load(get) {
    this.#get = get;
    const [avatars, backgrounds] = await Promise.allSettled([get("/v1/avatars"), get("/v1/backgrounds")]);
    if (avatars.status === "fulfilled") this.#take(avatars.value);
    this.#pictures = backgrounds.status === "fulfilled" ? backgrounds.value.backgrounds ?? [] : [];
    if (!this.#knows(this.background)) this.background = "";
    this.#holder.hidden = this.#avatars.length === 0;
    this.#toggle.hidden = this.#avatars.length === 0;
    this.#show();
    if (this.avatar) this.#events.onPreview(this.avatar);
  }

  /** The row anew, as after a host was made or removed; the choice stays where it still can. */
  async refresh() {
    const [before, known] = [this.avatar, JSON.stringify([this.#avatars, this.portraits])];
    try {
      this.#take(await this.#get("/v1/avatars"));
    } catch {
      // what was there before is still the best that is known
      return;
    }
    // a row drawn anew would take the focus from whoever is in it
    if (JSON.stringify([this.#avatars, this.portraits]) === known) return;
    this.#show();
    if (this.avatar !== before) this.#picked(false);
  }

  /**
   * Choose a host for the next conversation, or for the one that runs.
   * @param {string} name
   */
  adopt(name) {
    if (!this.#avatars.some((one) => one.name === name)) return;
    this.avatar = name;
    this.#show();
    this.#picked(false);
  }

  /** Tell a reader of screens. @param {string} words */
  say(words) {
    this.#said.textContent = words;
  }

  /** @param {{avatars?: Avatar[], portraits?: {possible: boolean, why: string}}} answer */
  #take({ avatars, portraits }) {
    this.#avatars = avatars ?? [];
    this.portraits = portraits ?? { possible: false, why: "" };
    if (this.#avatars.some((one) => one.name === this.avatar)) return;
    this.avatar = this.#avatars.find((one) => one.default)?.name ?? "";
  }

  /** @param {import("../session.js").SessionState} state */
  showState(state) {
    const running = state === "connected" || state === "reconnecting";
    const home = byId(running ? "stage" : "curtain", HTMLElement);
    if (this.#holder.parentElement !== home) home.insertBefore(this.#holder, running ? null : byId("scenes", HTMLElement));
    if (!running) this.open(false);
  }

  /**
   * Over a running conversation the picker waits behind its button.
   * @param {boolean} open
   */
  open(open) {
    this.#toggle.setAttribute("aria-expanded", String(open));
    this.#holder.classList.toggle("open", open);
    if (!open) return;
    this.#revealPressed();
    this.#pressed()?.focus();
  }

  /** @param {string} background */
  #knows(background) {
    const plain = ["", "default", "transparent", "blur"].includes(background) || /^#[0-9a-f]{6}$/i.test(background);
    return plain || this.#pictures.some((one) => one.name === background);
  }

  #show() {
    const last = this.further();
    this.#strip.replaceChildren(...this.#avatars.map((one) => this.#card(one)), ...(last ? [last] : []));
    const word = (/** @type {string} */ key) => this.#locale.word(key);
    this.#select.replaceChildren(
      option("", word("background_default")),
      option("transparent", word("background_transparent")),
      option("blur", word("background_blur")),
      option(COLOUR, word("background_colour")),
      ...this.#pictures.map((one) => option(one.name, this.#locale.wordOr(`background_${one.name}`, one.title))),
      option(UPLOAD, word("background_upload")),
    );
    this.#showBackground();
    this.#revealPressed();
  }

  #showBackground() {
    const isColour = this.background.startsWith("#");
    this.#select.value = isColour ? COLOUR : this.background;
    this.#colour.hidden = !isColour;
    if (isColour) this.#colour.value = this.background;
  }

  /** @param {Avatar} avatar */
  #card(avatar) {
    const chosen = avatar.name === this.avatar;
    const kind = avatar.kind === "portrait" ? this.#locale.word("portrait") : "";
    const button = element(
      "button",
      { type: "button", class: "member", "aria-pressed": String(chosen), "data-avatar": avatar.name, title: [avatar.title, avatar.description].filter(Boolean).join(". ") },
      element("img", { src: posterOf(avatar.name), alt: "", width: "96", height: "96", loading: "lazy", decoding: "async" }),
      element("span", { class: "member-name" }, shortTitle(avatar.title), ...(kind ? [element("span", { class: "unseen" }, `, ${kind}`)] : [])),
    );
    button.addEventListener("click", () => this.#pick(avatar));
    button.addEventListener("focus", () => this.#events.onPreview(avatar.name));
    button.addEventListener("blur", () => this.#events.onPreview(this.avatar));
    return button;
  }

  /** @param {Avatar} avatar */
  #pick(avatar) {
    this.avatar = avatar.name;
    for (const button of this.#cards()) {
      button.setAttribute("aria-pressed", String(button.dataset.avatar === avatar.name));
    }
    this.say(this.#locale.word("picked", { name: avatar.title }));
    this.#picked();
  }

  #chosen() {
    const { value } = this.#select;
    if (value === UPLOAD) {
      this.#showBackground();
      this.#file.click();
    } else this.#setBackground(value === COLOUR ? this.#colour.value : value);
  }

  async #upload() {
    const file = this.#file.files?.[0];
    this.#file.value = "";
    if (!file) return;
    try {
      const made = await this.#events.upload(file);
      if (!this.#pictures.some((one) => one.name === made.name)) this.#pictures.push(made);
      this.background = made.name;
      this.#show();
      this.#picked();
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {string} background */
  #setBackground(background) {
    this.background = background;
    this.#showBackground();
    this.#picked();
  }

  /** @param {boolean} [begin]  Whether a conversation begins where none runs. */
  #picked(begin = true) {
    localStorage.setItem(STORED, JSON.stringify({ avatar: this.avatar, background: this.background }));
    this.#events.onPreview(this.avatar);
    this.#events.onPick(begin);
  }

  /** Arrow keys walk along the hosts, as in any row of buttons that belong together. */
  #key(/** @type {KeyboardEvent} */ event) {
    if (event.key === "Escape" && this.#holder.classList.contains("open")) {
      event.stopPropagation();
      this.open(false);
      this.#toggle.focus();
    }
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const buttons = [...this.#strip.querySelectorAll("button")];
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    if (step === undefined || at < 0) return;
    event.preventDefault();
    buttons[(at + step + buttons.length) % buttons.length].focus();
  }

  /** @returns {HTMLButtonElement[]} */
  #cards() {
    return [...this.#strip.querySelectorAll("button")].filter((button) => button.dataset.avatar !== undefined);
  }

  #pressed() {
    return this.#cards().find((button) => button.ariaPressed === "true") ?? null;
  }

  #revealPressed() {
    const [strip, pressed] = [this.#strip, this.#pressed()];
    if (!pressed) return;
    strip.scrollLeft = pressed.offsetLeft - (strip.clientWidth - pressed.clientWidth) / 2;
    strip.scrollTop = pressed.offsetTop - (strip.clientHeight - pressed.clientHeight) / 2;
  }
}

/**
 * @param {string} value
 * @param {string} text
 */
function option(value, text) {
  return element("option", { value }, text);
}

/** @returns {{avatar?: string, background?: string}} */
function storedChoice() {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "{}");
  } catch {
    return {};
  }
}
