// The dialog that makes a host of the viewer's own photo, and its card in the row of hosts.

import { asFault } from "../faults.js";
import { makePortrait, missing, Refusal, stageKey } from "../portrait.js";
import { byId, element, icon } from "./dom.js";
import { faultWords } from "./fault_words.js";
import { OwnList } from "./own_list.js";
import { readyToSend } from "./photo.js";

/** @typedef {import("../portrait.js").Complaint} Complaint */
/** @typedef {import("../portrait.js").Progress} Progress */

/** @type {readonly import("../portrait.js").Field[]} */
const FIELDS = ["photo", "title", "consent", ""];

/** Work goes on while the dialog is closed; what was entered stays until a host was made of it. */
export class OwnPhoto {
  #dialog = byId("own", HTMLDialogElement);
  #form = byId("own-form", HTMLFormElement);
  #fields = byId("own-fields", HTMLFieldSetElement);
  #file = byId("own-file", HTMLInputElement);
  #drop = byId("own-drop", HTMLElement);
  #seen = byId("own-seen", HTMLImageElement);
  #pick = byId("own-pick", HTMLElement);
  #name = byId("own-name", HTMLInputElement);
  #agreed = byId("own-consent", HTMLInputElement);
  #far = byId("own-far", HTMLElement);
  #bar = byId("own-bar", HTMLProgressElement);
  #what = byId("own-what", HTMLElement);
  #why = byId("own-why", HTMLElement);
  /** Where complaints stand. */
  #wrong = {
    photo: byId("own-wrong-photo", HTMLElement),
    title: byId("own-wrong-title", HTMLElement),
    consent: byId("own-wrong-consent", HTMLElement),
    "": byId("own-wrong", HTMLElement),
  };
  /** @type {File | null} */
  #photo = null;
  /** The latest of the portrait being made. @type {Progress | null} */
  #progress = null;
  /** Seconds until this server is asked again, while it makes somebody else's. */
  #queuedS = 0;
  /** Whether the last attempt failed while nobody looked. */
  #unread = false;
  /** @type {import("./locale.js").Locale} */
  #locale;
  /** @type {import("../session.js").AnimaSession} */
  #session;
  /** @type {import("./cast.js").Cast} */
  #cast;
  /** @type {OwnList} */
  #mine;

  /**
   * @param {import("./locale.js").Locale} locale
   * @param {import("../session.js").AnimaSession} session
   * @param {import("./cast.js").Cast} cast
   */
  constructor(locale, session, cast) {
    [this.#locale, this.#session, this.#cast] = [locale, session, cast];
    this.#mine = new OwnList(locale, session, cast);
    cast.further = () => this.#card();
    byId("own-close", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#make();
    });
    this.#file.addEventListener("change", () => this.#choose(this.#file.files?.[0]));
    this.#dialog.addEventListener("dragover", (event) => this.#dragged(event));
    this.#dialog.addEventListener("dragleave", () => this.#drop.classList.remove("over"));
    this.#dialog.addEventListener("drop", (event) => this.#dropped(event));
    this.#name.addEventListener("input", () => this.#complain("title", null));
    this.#agreed.addEventListener("change", () => this.#complain("consent", null));
    locale.addEventListener("change", () => this.#draw());
  }

  open() {
    this.#unread = false;
    this.#mine.reset();
    this.#draw();
    this.#cast.refresh().then(() => this.#draw());
    this.#dialog.showModal();
  }

  // -- the photo ----------------------------------------------------------------------------------------------------

  /** @param {File | undefined} file */
  #choose(file) {
    this.#file.value = "";
    if (!file || this.#progress) return;
    this.#photo = file;
    this.#complain("photo", null);
    URL.revokeObjectURL(this.#seen.src);
    this.#seen.src = URL.createObjectURL(file);
    this.#seen.onerror = () => this.#unseen({ field: "photo", key: "ownNo_unreadable", detail: "" });
    this.#draw();
  }

  /** A picture that even the browser cannot show. @param {Complaint | null} [complaint] */
  #unseen(complaint = null) {
    this.#photo = null;
    URL.revokeObjectURL(this.#seen.src);
    this.#seen.onerror = null;
    this.#seen.removeAttribute("src");
    this.#complain("photo", complaint);
    this.#draw();
  }

  /** @param {DragEvent} event */
  #dragged(event) {
    event.preventDefault();
    this.#drop.classList.toggle("over", !this.#progress);
  }

  /** @param {DragEvent} event */
  #dropped(event) {
    event.preventDefault();
    this.#drop.classList.remove("over");
    this.#choose(event.dataTransfer?.files[0]);
  }

  // -- the making ---------------------------------------------------------------------------------------------------

  async #make() {
    const [photo, title] = [this.#photo, this.#name.value.trim()];
    this.#clear();
    const wrong = missing({ photo, title, agreed: this.#agreed.checked }, this.#cast.avatars.map((one) => one.title));
    for (const one of wrong.toReversed()) this.#refuse(one);
    if (wrong.length > 0 || !photo || this.#progress) return;
    const consent = this.#locale.word("ownConsent");
    this.#tell({ what: "sending", part: null });
    try {
      const wish = { photo: await readyToSend(photo), title, consent };
      const how = { told: (/** @type {Progress} */ now) => this.#tell(now), queued: (/** @type {number} */ waitS) => this.#queue(waitS) };
      const name = await makePortrait(this.#session.signalling, wish, this.#cast.avatars.map((one) => one.name), how);
      await this.#made(name, title);
    } catch (error) {
      this.#failed(error);
    }
  }

  /**
   * Who waited for the host gets it; who went on talking to another one is not torn away.
   * @param {string} name
   * @param {string} title
   */
  async #made(name, title) {
    const [watched, talking] = [this.#dialog.open, this.#session.running];
    this.#progress = null;
    this.#form.reset();
    this.#unseen();
    await this.#cast.refresh();
    if (watched || !talking) this.#cast.adopt(name);
    this.#cast.say(this.#locale.word("ownReady", { name: title }));
    if (!watched) return;
    this.#dialog.close();
    byId("start", HTMLButtonElement).focus();
  }

  /** @param {unknown} error */
  #failed(error) {
    this.#progress = null;
    this.#unread = !this.#dialog.open;
    if (this.#unread) this.#cast.say(this.#locale.word("ownFailed"));
    this.#draw();
    if (error instanceof Refusal) return this.#refuse(error.complaint);
    this.#wrong[""].replaceChildren(...faultWords(asFault(error), this.#locale));
    this.#wrong[""].hidden = false;
  }

  /** @param {Progress} progress */
  #tell(progress) {
    [this.#progress, this.#queuedS] = [progress, 0];
    this.#draw();
  }

  /** @param {number} waitS */
  #queue(waitS) {
    this.#queuedS = waitS;
    this.#draw();
  }

  // -- complaints ---------------------------------------------------------------------------------------------------

  #clear() {
    for (const field of FIELDS) this.#complain(field, null);
  }

  /** Say it, and lead there. @param {Complaint} complaint */
  #refuse(complaint) {
    this.#complain(complaint.field, complaint);
    const at = { photo: this.#file, title: this.#name, consent: this.#agreed, "": null }[complaint.field];
    at?.focus();
  }

  /**
   * @param {import("../portrait.js").Field} field
   * @param {Complaint | null} complaint  Null takes it back.
   */
  #complain(field, complaint) {
    const holder = this.#wrong[field];
    holder.hidden = !complaint;
    holder.replaceChildren();
    if (!complaint) return;
    const { key, detail } = complaint;
    const known = this.#locale.wordOr(key, this.#locale.word("ownNo_failed"));
    holder.append(element("span", { "data-word": this.#locale.wordOr(key, "") ? key : "ownNo_failed" }, known));
    if (detail) holder.setAttribute("title", detail);
    if (detail && key === "ownNo_failed") holder.append(element("span", { class: "fault-detail" }, detail));
  }

  // -- drawing ------------------------------------------------------------------------------------------------------

  #draw() {
    const { possible, why } = this.#cast.portraits;
    this.#form.hidden = !possible;
    this.#why.hidden = possible;
    this.#why.replaceChildren(element("p", {}, this.#locale.word("ownCannot")), element("p", { class: "dim" }, why));
    this.#fields.disabled = this.#progress !== null;
    this.#seen.hidden = this.#photo === null;
    const touch = matchMedia("(pointer: coarse)").matches;
    this.#locale.put(this.#pick, "data-word", this.#photo ? "ownPickAgain" : touch ? "ownPickTouch" : "ownPick");
    this.#drawProgress();
    this.#mine.draw();
    this.#showOnCard(document.querySelector("[data-own]"));
  }

  #drawProgress() {
    this.#far.hidden = this.#progress === null;
    if (!this.#progress) return;
    const { what, part } = this.#progress;
    if (part === null) this.#bar.removeAttribute("value");
    else this.#bar.value = part;
    const words = this.#queuedS ? this.#locale.word("ownQueued", { n: this.#queuedS }) : this.#locale.wordOr(stageKey(what), what);
    // said aloud once for each stage, not for each step
    if (this.#what.textContent !== words) this.#what.textContent = words;
  }

  /** The card at the end of the row; none where this caller may not know. @returns {HTMLElement | null} */
  #card() {
    const { possible, why } = this.#cast.portraits;
    if (!possible && !why) return null;
    const card = element(
      "button", { type: "button", class: "member own-card", "data-own": true, "aria-haspopup": "dialog" },
      element("span", { class: "own-round" }, icon("plus"), element("span", { class: "own-part", "aria-hidden": "true" })),
      element("span", { class: "member-name" }, this.#locale.word("own")),
    );
    card.addEventListener("click", () => this.open());
    this.#showOnCard(card);
    return card;
  }

  /** @param {Element | null} card */
  #showOnCard(card) {
    const round = card?.querySelector(".own-part");
    if (!card || !round) return;
    card.setAttribute("data-state", this.#progress ? "making" : this.#unread ? "failed" : "");
    const percent = this.#progress?.part == null ? "…" : `${Math.round(100 * this.#progress.part)} %`;
    round.textContent = this.#progress ? percent : this.#unread ? "!" : "";
  }
}
