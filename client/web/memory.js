// The session this tab is in, kept across a reload: the tab's own storage, gone with the tab.

/** @typedef {import("./signalling.js").Grant} Grant */

const KEY = "anima.session";

/** Keeps one grant. A browser that forbids storage forgets it at the next reload; nothing else changes. */
export class GrantMemory {
  /** @type {Storage | null} */
  #storage;

  /** @param {Storage | null} [storage] */
  constructor(storage = ownStorage()) {
    this.#storage = storage;
  }

  /** @returns {Grant | null} */
  load() {
    try {
      const grant = JSON.parse(this.#storage?.getItem(KEY) ?? "null");
      const whole = ["id", "token", "offer_url"].every((name) => typeof grant?.[name] === "string");
      return whole ? grant : null;
    } catch {
      return null;
    }
  }

  /** @param {Grant} grant */
  keep(grant) {
    try {
      this.#storage?.setItem(KEY, JSON.stringify(grant));
    } catch {
      // full, or forbidden: a reload then begins a new conversation
    }
  }

  forget() {
    this.#storage?.removeItem(KEY);
  }
}

/** @returns {Storage | null} */
function ownStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}
