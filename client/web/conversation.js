// The conversation as the page shows it: whose turn it is, what was said, and what the host is doing.

/**
 * @typedef {object} Turn
 * @property {number} id
 * @property {"user"|"host"} who
 * @property {string} text
 * @property {boolean} open  Whether more may be added.
 * @property {boolean} stopped  Cut off by an interruption.
 * @property {string | null} source  Where the answer came from, if the server said so.
 */

/** @typedef {"listening"|"thinking"|"speaking"} Activity */

/** Folds messages into turns. `onTurn` hears of every new or changed turn, `onActivity` of every change. */
export class Conversation {
  /** @type {Turn[]} */
  turns = [];
  /** @type {Activity} */
  activity = "listening";
  /** Texts shown when they were sent, whose echo is still to come. @type {string[]} */
  #pending = [];
  /** @type {string | null} */
  #source = null;

  /** @param {{onTurn?: (turn: Turn) => void, onActivity?: (activity: Activity) => void}} listeners */
  constructor({ onTurn = () => undefined, onActivity = () => undefined } = {}) {
    this.onTurn = onTurn;
    this.onActivity = onActivity;
  }

  /**
   * The viewer has asked something: show it at once, without waiting for the server's echo.
   * @param {string} text
   */
  asked(text) {
    this.#pending.push(text.trim());
    this.#add("user", text);
    this.#become("thinking");
  }

  /** The viewer had words spoken: they are the host's, and come back as its transcription. */
  scripted() {
    this.#become("thinking");
  }

  /** The connection is gone: nothing that was begun will be continued. */
  broken() {
    this.#pending = [];
    this.#close(false);
    this.#become("listening");
  }

  /** @param {import("./wire.js").Envelope} message */
  receive({ type, data }) {
    switch (type) {
      case "user-transcription":
        return this.#echoed(String(data.text ?? ""));
      case "bot-llm-text":
        this.#source = data.source ?? this.#source;
        return this.activity === "listening" ? this.#become("thinking") : undefined;
      case "bot-started-speaking":
        return this.#become("speaking");
      case "bot-transcription":
        return this.#spoken(String(data.text ?? ""));
      case "bot-stopped-speaking":
        this.#close(false);
        return this.#become("listening");
      case "bot-interrupted":
        this.#close(true);
        return this.#become("listening");
      case "error-response":
        return this.activity === "thinking" ? this.#become("listening") : undefined;
    }
  }

  /** @param {string} text */
  #echoed(text) {
    const at = this.#pending.indexOf(text.trim());
    if (at >= 0) this.#pending.splice(at, 1);
    else if (text.trim() !== "") this.#add("user", text);
    if (this.activity === "listening") this.#become("thinking");
  }

  /** @param {string} sentence */
  #spoken(sentence) {
    if (sentence.trim() === "") return;
    const last = this.turns.at(-1);
    if (last?.who === "host" && last.open) {
      last.text = joined(last.text, sentence);
      last.source ??= this.#source;
      return this.onTurn(last);
    }
    this.#add("host", sentence.trim());
  }

  /**
   * @param {"user"|"host"} who
   * @param {string} text
   */
  #add(who, text) {
    this.#close(false);
    const source = who === "host" ? this.#source : null;
    const turn = { id: this.turns.length, who, text, open: who === "host", stopped: false, source };
    this.turns.push(turn);
    this.onTurn(turn);
  }

  /** @param {boolean} stopped */
  #close(stopped) {
    this.#source = stopped || this.turns.at(-1)?.open ? null : this.#source;
    const last = this.turns.findLast((t) => t.who === "host" && t.open);
    if (!last) return;
    last.open = false;
    last.stopped = stopped;
    this.onTurn(last);
  }

  /** @param {Activity} activity */
  #become(activity) {
    if (this.activity === activity) return;
    this.activity = activity;
    this.onActivity(activity);
  }
}

/**
 * Chinese sentences follow each other without a space.
 * @param {string} before
 * @param {string} after
 */
function joined(before, after) {
  const glue = /[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]$/.test(before) ? "" : " ";
  return before + glue + after.trim();
}
