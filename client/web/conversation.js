// The conversation as the page shows it: whose turn it is, what was said, and what the host is doing.

/**
 * @typedef {object} Turn
 * @property {number} id
 * @property {"user"|"host"} who
 * @property {string} text
 * @property {boolean} open  Whether more may be added.
 * @property {boolean} stopped  Cut off by an interruption.
 * @property {boolean} refused  The server did not take it.
 * @property {string | null} source  Where the answer came from, if the server said so.
 */

/** @typedef {"listening"|"thinking"|"speaking"} Activity */

/** Folds messages into turns. `onTurn` hears of every new or changed turn, `onActivity` of every change. */
export class Conversation {
  /** @type {Turn[]} */
  turns = [];
  /** @type {Activity} */
  activity = "listening";
  /** Turns shown when they were sent, whose echo is still to come. @type {Map<string, Turn>} */
  #pending = new Map();
  /** Where the next answer comes from. @type {string | null} */
  #source = null;
  /** What the viewer is still saying, as far as it is understood. @type {Turn | null} */
  #draft = null;

  /** The session that is talked to, and the first turn of it: earlier ones are of sessions before. */
  #session = "";
  #first = 0;

  /** @param {{onTurn?: (turn: Turn) => void, onActivity?: (activity: Activity) => void, onReset?: () => void}} listeners */
  constructor({ onTurn = () => undefined, onActivity = () => undefined, onReset = () => undefined } = {}) {
    this.onTurn = onTurn;
    this.onReset = onReset;
    this.onActivity = onActivity;
  }

  /**
   * The viewer has asked something: show it at once, without waiting for the server's echo.
   * @param {string} text
   * @param {string} id  The message's id, by which a refusal is recognised.
   */
  asked(text, id) {
    this.#pending.set(id, this.#add("user", text));
    this.#become("thinking");
  }

  /** @param {string} session  What follows belongs to this one. */
  begin(session) {
    if (session !== this.#session) this.#first = this.turns.length;
    this.#session = session;
  }

  /**
   * What the server remembers of this session takes the place of what we have of it: the page was reloaded, or missed
   * something. Older turns than the server's oldest stay.
   * @param {readonly Partial<Turn>[]} told
   */
  restore(told) {
    if (told.length === 0) return;
    const ours = this.turns.slice(this.#first);
    const from = Math.max(0, ours.findIndex(({ who, text }) => who === told[0].who && text === told[0].text));
    if (ours.length - from !== told.length || !ours.slice(from).every((turn, at) => isSame(turn, told[at]))) {
      this.#rewrite(this.turns.slice(0, this.#first + from), told);
    }
    if (this.turns.some((turn) => turn.open)) this.#become("speaking");
  }

  /**
   * @param {Turn[]} kept
   * @param {readonly Partial<Turn>[]} told
   */
  #rewrite(kept, told) {
    this.turns = kept;
    this.#pending.clear();
    this.#draft = null;
    this.onReset();
    kept.forEach((turn) => this.onTurn(turn));
    for (const { who, text, open, stopped, source } of told) {
      const turn = this.#add(who === "host" ? "host" : "user", String(text ?? ""));
      Object.assign(turn, { open: open === true, stopped: stopped === true, source: source ?? null });
      this.onTurn(turn);
    }
  }

  /** The connection is gone: nothing that was begun will be continued. */
  broken() {
    this.#pending.clear();
    this.#draft = null;
    this.#close(false);
    this.#become("listening");
  }

  /**
   * @param {import("./wire.js").Envelope} message
   * @returns {void}
   */
  receive({ type, id, data }) {
    switch (type) {
      case "user-transcription":
        if (data.final === false) return this.#drafted(String(data.text ?? ""));
        return this.#echoed(String(data.text ?? ""));
      case "bot-llm-text":
        this.#source = data.source ?? this.#source;
        return undefined;
      case "bot-started-speaking":
        return this.#become("speaking");
      case "bot-transcription":
        return this.#spoken(String(data.text ?? "").trim());
      case "bot-stopped-speaking":
        this.#close(false);
        return this.#become("listening");
      case "bot-interrupted":
        this.#close(true);
        return this.#become("listening");
      case "error-response":
        return this.#refused(id);
      case "error":
        return this.#become("listening");
    }
  }

  /** @param {string} text */
  #echoed(text) {
    const known = [...this.#pending].find(([, turn]) => turn.text.trim() === text.trim());
    if (known) this.#pending.delete(known[0]);
    else if (this.#draft) this.#redraft(text);
    else if (text.trim() !== "") this.#add("user", text);
    if (!known) this.#draft = null;
    if (this.activity === "listening") this.#become("thinking");
  }

  /** @param {string} text  Of somebody who still speaks: what follows replaces it. */
  #drafted(text) {
    if (text.trim() === "") return;
    if (this.#draft) this.#redraft(text);
    else this.#draft = this.#add("user", text);
  }

  /** @param {string} text */
  #redraft(text) {
    if (!this.#draft) return;
    this.#draft.text = text;
    this.onTurn(this.#draft);
  }

  /** @param {string} id */
  #refused(id) {
    const turn = this.#pending.get(id);
    if (!turn) return;
    this.#pending.delete(id);
    turn.refused = true;
    this.onTurn(turn);
    if (this.activity === "thinking") this.#become("listening");
  }

  /** @param {string} sentence */
  #spoken(sentence) {
    if (sentence === "") return;
    const open = this.turns.findLast((turn) => turn.open);
    if (!open) {
      this.#add("host", sentence);
      return;
    }
    open.text = joined(open.text, sentence);
    this.onTurn(open);
  }

  /**
   * @param {"user"|"host"} who
   * @param {string} text
   * @returns {Turn}
   */
  #add(who, text) {
    const host = who === "host";
    const turn = {
      id: this.turns.length, who, text, open: host, stopped: false, refused: false, source: host ? this.#source : null,
    };
    if (host) this.#source = null;
    this.turns.push(turn);
    this.onTurn(turn);
    return turn;
  }

  /** @param {boolean} stopped */
  #close(stopped) {
    this.#source = null;
    for (const turn of this.turns.filter((one) => one.open)) {
      turn.open = false;
      turn.stopped = stopped;
      this.onTurn(turn);
    }
  }

  /** @param {Activity} activity */
  #become(activity) {
    if (this.activity === activity) return;
    this.activity = activity;
    this.onActivity(activity);
  }
}

/**
 * @param {Turn} ours
 * @param {Partial<Turn>} theirs
 */
function isSame(ours, theirs) {
  return ours.who === theirs.who && ours.text === theirs.text && ours.open === (theirs.open === true);
}

/**
 * Chinese sentences follow each other without a space.
 * @param {string} before
 * @param {string} after
 */
function joined(before, after) {
  const glue = /[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]$/.test(before) ? "" : " ";
  return before + glue + after;
}
