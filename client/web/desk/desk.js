// The director's desk: shows a session's director as it changes, and carries a person's decisions to it.

import { events } from "./events.js";
import { t, translatePage } from "./words.js";

const KEY = "anima.director.key";
const RETRY_MS = 1_500;

/**
 * @param {string} name
 * @returns {any}
 */
const part = (name) => document.querySelector(`[data-part="${name}"]`);

/** The page. */
class Desk {
  #key = sessionStorage.getItem(KEY) ?? "";
  #session = new URLSearchParams(location.search).get("session") ?? "";
  #stop = new AbortController();
  #holding = false;
  /** What was drawn last, so that a text that is being edited is not drawn over. @type {Record<string, string>} */
  #drawn = {};

  constructor() {
    part("key").value = this.#key;
    part("key-form").addEventListener("submit", (/** @type {Event} */ event) => this.#useKey(event));
    part("reload").addEventListener("click", () => this.#list());
    part("sessions").addEventListener("change", () => this.#watch(part("sessions").value));
    part("hold").addEventListener("click", () => this.#act(this.#holding ? "release" : "hold"));
    part("say-form").addEventListener("submit", (/** @type {Event} */ event) => this.#say(event));
    part("silence").addEventListener("click", () => this.#post("interrupt", {}));
    this.#list();
  }

  /** @param {Event} event */
  #useKey(event) {
    event.preventDefault();
    this.#key = part("key").value.trim();
    sessionStorage.setItem(KEY, this.#key);
    this.#list();
  }

  /** @returns {Record<string, string>} */
  get #headers() {
    return this.#key ? { Authorization: `Bearer ${this.#key}` } : {};
  }

  async #list() {
    const response = await this.#fetch("/v1/sessions");
    if (!response) return;
    /** @type {{id: string, scene: string, content: string, label: string, viewers: number}[]} */
    const sessions = (await response.json()).sessions;
    part("sessions").replaceChildren(
      ...sessions.map(({ id, scene, content, label, viewers }) => {
        const words = [label || id.slice(0, 6), scene, content, `${viewers} ${t("watching")}`].filter(Boolean).join(" · ");
        return new Option(words, id, false, id === this.#session);
      }),
    );
    const chosen = sessions.some(({ id }) => id === this.#session) ? this.#session : sessions[0]?.id;
    if (chosen) this.#watch(chosen);
    else part("status").textContent = t("No session is running");
  }

  /** @param {string} session */
  async #watch(session) {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#session = session;
    this.#drawn = {};
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const response = await this.#fetch(`${this.#path}/director/events`, { signal });
      if (!response?.body) return;
      part("status").textContent = t("Live");
      try {
        for await (const { event, data } of events(response.body)) {
          if (event === "end") {
            part("status").textContent = t("The session has ended");
            return;
          }
          if (event === "state") this.#show(JSON.parse(data));
        }
      } catch {
        if (signal.aborted) return;
      }
      part("status").textContent = t("Connecting again");
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  get #path() {
    return `/v1/sessions/${encodeURIComponent(this.#session)}`;
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   * @returns {Promise<Response | null>}
   */
  async #fetch(path, options = {}) {
    try {
      const response = await fetch(path, { ...options, headers: { ...this.#headers, ...options.headers } });
      if (response.ok) {
        this.#complain("");
        return response;
      }
      const { error } = await response.json().catch(() => ({ error: { message: response.statusText } }));
      this.#complain([error.message, error.limit].filter(Boolean).join(" · "));
    } catch (error) {
      if (!options.signal?.aborted) this.#complain(`${t("The server does not answer:")} ${error}`);
    }
    return null;
  }

  /** @param {string} words */
  #complain(words) {
    part("fault").hidden = words === "";
    part("fault").textContent = words;
  }

  /**
   * @param {string} call
   * @param {object} body
   */
  #post(call, body) {
    const headers = { "Content-Type": "application/json" };
    return this.#fetch(`${this.#path}/${call}`, { method: "POST", headers, body: JSON.stringify(body) });
  }

  /**
   * @param {string} action
   * @param {string} [id]
   * @param {string} [text]
   */
  #act(action, id = "", text = "") {
    this.#drawn = {};
    return this.#post("director", { action, id, text });
  }

  /** @param {Event} event */
  async #say(event) {
    event.preventDefault();
    const text = part("say").value.trim();
    if (text && (await this.#post("say", { text }))) part("say").value = "";
  }

  // -- showing --------------------------------------------------------------------------------------------------

  /** @param {any} state */
  #show(state) {
    const { desk, director, figures } = state;
    this.#holding = desk.holding;
    part("hold").setAttribute("aria-pressed", String(desk.holding));
    part("hold").textContent = t(desk.holding ? "Let lines go" : "Hold every line");
    this.#draw("held", desk.held, (line) => this.#heldLine(line));
    this.#draw("past", desk.past.toReversed(), (line) => item([line.text], [], { status: line.status }));
    this.#draw("shots", director.upcoming, (shot) => this.#shot(shot, director.running));
    this.#draw("waiting", director.waiting, (one) => this.#question(one));
    part("running").textContent = director.asking ? t("waits for the pupils' answer") : (state.about.title ?? "");
    part("counts").textContent = Object.entries(director.counts).map(([name, n]) => `${n} ${t(name)}`).join(" · ");
    part("policy").textContent = JSON.stringify(director.policy, null, 2);
    const { response, comment_wait: wait, safety } = figures;
    const rows = {
      "Response p50 / p95": `${response.p50_ms ?? "–"} / ${response.p95_ms ?? "–"} ${t("ms of")} ${response.budget_ms}`,
      "Comment waited p95": `${wait.p95_ms ?? "–"} ${t("ms")}`,
      "Filter": Object.entries(safety).map(([name, n]) => `${name} ${n}`).join(", ") || t("nothing so far"),
      "Content": state.warnings.join("; ") || t("no warnings"),
    };
    part("figures").replaceChildren(...Object.entries(rows).flatMap(([name, text]) => [node("dt", t(name)), node("dd", text)]));
  }

  /**
   * @param {string} name
   * @param {any[]} values
   * @param {(value: any) => HTMLElement} make
   */
  #draw(name, values, make) {
    const text = JSON.stringify(values);
    const holder = part(name);
    if (this.#drawn[name] === text || (this.#drawn[name] && holder.contains(document.activeElement) && editing())) return;
    this.#drawn[name] = text;
    holder.replaceChildren(...values.map(make));
  }

  /** @param {{id: string, text: string}} line */
  #heldLine({ id, text }) {
    const words = Object.assign(document.createElement("textarea"), { value: text, rows: 2 });
    return item([words], [
      button("Say it", () => (words.value.trim() === text ? this.#act("approve", id) : this.#act("replace", id, words.value))),
      button("Skip", () => this.#act("skip", id)),
    ]);
  }

  /**
   * @param {{id: string, phase: string, text: string}} shot
   * @param {string | null} running
   */
  #shot({ id, phase, text }, running) {
    if (id === running) return item([node("b", `${phase} · ${t("now")}`), text], [], { class: "running" });
    const words = Object.assign(document.createElement("textarea"), { value: text, rows: 2, hidden: true });
    const shown = node("span", text);
    const edit = button("Replace", () => {
      if (words.hidden) {
        words.hidden = false;
        shown.hidden = true;
        words.focus();
      } else this.#act("replace_shot", id, words.value);
    });
    return item([node("b", phase), shown, words], [edit, button("Skip", () => this.#act("skip_shot", id))]);
  }

  /** @param {{id: number, text: string, count: number, score: number, kind: string}} one */
  #question({ id, text, count, score, kind }) {
    const about = node("span", `${kind} · ${count}× · ${score}`);
    about.className = "dim";
    return item([text, about], [button("Drop", () => this.#act("drop", String(id)))]);
  }
}

/**
 * @param {string} tag
 * @param {string} text
 */
function node(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}

/**
 * @param {string} text
 * @param {() => void} onClick
 */
function button(text, onClick) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: t(text) });
  made.addEventListener("click", onClick);
  return made;
}

/**
 * @param {(Node | string)[]} parts
 * @param {HTMLElement[]} [buttons]
 * @param {{status?: string, class?: string}} [about]
 */
function item(parts, buttons = [], about = {}) {
  const li = document.createElement("li");
  if (about.status) [li.dataset.status, li.title] = [about.status, t(about.status)];
  if (about.class) li.className = about.class;
  li.append(...parts);
  if (buttons.length > 0) {
    const row = Object.assign(document.createElement("div"), { className: "row" });
    row.append(...buttons);
    li.append(row);
  }
  return li;
}

function editing() {
  return document.activeElement instanceof HTMLTextAreaElement;
}

translatePage();
new Desk();
