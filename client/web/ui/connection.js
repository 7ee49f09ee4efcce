// The panel that says how media flows and, where it does not, why: from this browser, and as the server sees it.

import { checkServers, pathInUse, pathWord } from "../paths.js";
import { byId, element } from "./dom.js";

/** @typedef {{name: string, result: "ok"|"warning"|"failure", detail: string, remedy?: string}} Finding */

/** A dialog; everything in it is tried when it is opened. */
export class ConnectionPanel {
  #dialog = byId("connection", HTMLDialogElement);
  #list = byId("connection-list", HTMLElement);
  /** @type {import("./locale.js").Locale} */
  #locale;
  /** @type {import("../session.js").AnimaSession} */
  #session;

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {import("../session.js").AnimaSession} session
   */
  constructor(locale, session) {
    this.#locale = locale;
    this.#session = session;
    byId("connection-open", HTMLButtonElement).addEventListener("click", () => this.open());
    byId("connection-close", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
  }

  /** Show, and try every path. */
  async open() {
    this.#dialog.showModal();
    this.#list.replaceChildren(element("p", { role: "status" }, this.#locale.word("pathsTrying")));
    const [own, servers, theirs] = await Promise.all([this.#path(), this.#servers(), this.#server()]);
    this.#list.replaceChildren(
      ...[own, ...servers].map((finding) => this.#row(finding)),
      element("h3", {}, this.#locale.word("pathServer")),
      ...theirs.map((finding) => this.#row(finding)),
    );
  }

  /** @returns {Promise<Finding>} */
  async #path() {
    const name = this.#locale.word("pathName");
    const used = pathInUse((await this.#session.peer?.getStats())?.values() ?? []);
    if (!used) return { name, result: "warning", detail: this.#locale.word("pathNone") };
    const words = this.#locale.word(used.kind === "relay" ? "pathRelay" : "pathDirect", { protocol: used.protocol.toUpperCase() });
    const trip = used.roundTripMs === null ? "" : ` · ${used.roundTripMs} ms`;
    return { name, result: "ok", detail: `${words} · ${used.remote}${trip}` };
  }

  /** @returns {Promise<Finding[]>} */
  async #servers() {
    const found = await checkServers(this.#session.iceServers, RTCPeerConnection);
    return found.map(({ url, result, detail }) => ({
      name: url, result, detail,
      remedy: result === "ok" ? "" : this.#locale.word(/^turns?:/.test(url) ? "pathNoRelay" : "pathNoStun"),
    }));
  }

  /** What the server finds; where we may not ask, it is its operator's business. @returns {Promise<Finding[]>} */
  async #server() {
    try {
      const { paths } = await this.#session.get("/v1/connectivity");
      return paths.map((/** @type {Finding} */ finding) => ({ ...finding, name: this.#called(finding.name) }));
    } catch {
      return [{ name: this.#locale.word("paths"), result: "warning", detail: this.#locale.word("pathAskOperator") }];
    }
  }

  /** A path of the server in the page's language; addresses of STUN and TURN servers stay as they are. @param {string} name */
  #called(name) {
    const { key, port } = pathWord(name);
    const called = this.#locale.wordOr(key, "");
    if (!called) return name;
    return port ? this.#locale.word("pathPort", { name: called, port }) : called;
  }

  /** @param {Finding} finding */
  #row({ name, result, detail, remedy }) {
    const mark = element("span", { class: "mark", "data-result": result }, this.#locale.word(`path_${result}`));
    const parts = [element("strong", {}, name)];
    if (detail) parts.push(element("p", { class: "dim" }, detail));
    if (remedy) parts.push(element("p", {}, remedy));
    return element("div", { class: "finding" }, mark, element("div", {}, ...parts));
  }
}
