// A host made of the viewer's photo: its name, what is sent, how far it is, what is wrong with it. No DOM.

import { Fault } from "./faults.js";
import { whenThereIsRoom } from "./queueing.js";

/** Longer pictures are made smaller before they are sent: a face has far fewer pixels in the avatar. */
export const LONGEST_SIDE_PX = 2048;
/** A picture that the server reads is sent as it is up to this size. */
export const AS_IT_IS_BYTES = 6 * 2 ** 20;
export const JPEG_QUALITY = 0.92;
const READABLE = ["image/jpeg", "image/png", "image/webp"];
const NAME_CHARS = 40;
const SUFFIXES = 36 ** 4;
const POLL_MS = 500;
/** Answers that may fail in a row while the server works, before it counts as gone. */
const LOST_MOST = 20;
const NAMES_TRIED = 4;

/** @typedef {"photo"|"title"|"consent"|""} Field  Where a complaint stands; "" beneath all of them. */
/** @typedef {{field: Field, key: string, detail: string}} Complaint  `key` names the words, `detail` is the server's. */
/** @typedef {{what: string, part: number | null}} Progress  `part` is 0..1, null while that is not known. */
/** @typedef {{photo: Blob | null, title: string, agreed: boolean}} Entered */

/**
 * @typedef {object} Task  What the server tells of a portrait on its way.
 * @property {string} id
 * @property {string} name
 * @property {"running"|"done"|"failed"} state
 * @property {string} what
 * @property {number} done
 * @property {number} total
 * @property {string | null} error
 * @property {string | null} field
 * @property {string | null} [reason]
 */

/** A photo, a name or a statement that cannot be used; its complaint says which and why. */
export class Refusal extends Error {
  /** @param {Complaint} complaint */
  constructor(complaint) {
    super(complaint.detail || complaint.key);
    this.name = "Refusal";
    /** @readonly */
    this.complaint = complaint;
  }
}

/**
 * The size in which a picture is sent, its shape kept.
 * @param {number} width
 * @param {number} height
 * @returns {{width: number, height: number}}
 */
export function fitted(width, height) {
  const shrink = Math.min(1, LONGEST_SIDE_PX / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * shrink)), height: Math.max(1, Math.round(height * shrink)) };
}

/**
 * Whether a picture is drawn anew as a JPEG: it is large, or of a kind that this browser reads and the server does not.
 * @param {{type: string, size: number}} file
 * @param {number} width
 * @param {number} height
 */
export function isRedrawn(file, width, height) {
  return !READABLE.includes(file.type) || file.size > AS_IT_IS_BYTES || Math.max(width, height) > LONGEST_SIDE_PX;
}

/**
 * A name for the server, of a title that may be in any script. It ends in something of its own, so that a portrait made
 * after another was removed is never taken for it.
 * @param {string} title
 * @param {readonly string[]} taken
 * @param {() => number} [random]  0..1
 */
export function nameOf(title, taken, random = Math.random) {
  const plain = title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const base = plain.slice(0, NAME_CHARS).replace(/^-+|-+$/g, "") || "portrait";
  for (let n = Math.floor(random() * SUFFIXES); ; n += 1) {
    const name = `${base}-${(n % SUFFIXES).toString(36).padStart(4, "0")}`;
    if (!taken.includes(name)) return name;
  }
}

/**
 * What keeps this from being sent.
 * @param {Entered} entered
 * @param {readonly string[]} titles  Of the hosts there are.
 * @returns {Complaint[]}
 */
export function missing({ photo, title, agreed }, titles) {
  /** @type {[boolean, Field, string][]} */
  const checks = [
    [!photo, "photo", "ownNo_photo"],
    [!title.trim(), "title", "ownNo_title"],
    [titles.some((one) => alike(one, title) || alike(shortTitle(one), title)), "title", "ownNo_taken"],
    [!agreed, "consent", "ownNo_consent"],
  ];
  return checks.filter(([wrong]) => wrong).map(([, field, key]) => ({ field, key, detail: "" }));
}

/**
 * What stands under a small picture, of a title such as "Kofi, trainer".
 * @param {string} title
 */
export function shortTitle(title) {
  return title.split(/[,，]/)[0];
}

/**
 * @param {string} one
 * @param {string} other
 */
function alike(one, other) {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}

/**
 * A task that failed, in the page's own words where it has any.
 * @param {Task} task
 * @returns {Complaint}
 */
export function complaintOf({ error, field, reason }) {
  const where = /** @type {Field} */ ({ photo: "photo", name: "title", title: "title", consent: "consent" }[field ?? ""] ?? "");
  return { field: where, key: reason ? `ownNo_${reason}` : "ownNo_failed", detail: error ?? "" };
}

/**
 * @param {Task} task
 * @returns {Progress}
 */
export function progressOf({ what, done, total }) {
  return { what, part: total > 0 ? Math.min(1, done / total) : null };
}

/**
 * What the server is doing, as the name of its words.
 * @param {string} what
 */
export function stageKey(what) {
  return `ownAt_${what.toLowerCase().replace(/[^a-z0-9]+/g, "_")}`;
}

/**
 * Have a portrait made, and wait for it.
 * @param {import("./signalling.js").Signalling} signalling
 * @param {{photo: Blob, title: string, consent: string}} wish  `consent` is what whoever sends this has stated.
 * @param {readonly string[]} taken  Names of the avatars there are.
 * @param {{told: (progress: Progress) => void, queued?: (waitS: number) => void, pause?: () => Promise<void>}} how
 * @returns {Promise<string>} The avatar's name. Rejects with a `Refusal` or a `Fault`.
 */
export async function makePortrait(signalling, wish, taken, { told, queued = () => undefined, pause = pausing }) {
  told({ what: "sending", part: null });
  let task = await ordered(signalling, wish, taken, queued);
  const path = `/v1/avatars/tasks/${encodeURIComponent(task.id)}`;
  for (let lost = 0; task.state === "running"; ) {
    told(progressOf(task));
    await pause();
    try {
      task = await signalling.get(path);
      lost = 0;
    } catch (error) {
      // it works on; only a server that knows nothing of it any more, or stays away, ends the waiting
      const passes = error instanceof Fault && (error.kind === "unreachable" || error.kind === "full");
      lost += 1;
      if (!passes || lost > LOST_MOST) throw error;
    }
  }
  if (task.state === "failed") throw new Refusal(complaintOf(task));
  return task.name;
}

/**
 * @param {import("./signalling.js").Signalling} signalling
 * @param {{photo: Blob, title: string, consent: string}} wish
 * @param {readonly string[]} taken
 * @param {(waitS: number) => void} queued
 * @returns {Promise<Task>}
 */
async function ordered(signalling, { photo, title, consent }, taken, queued) {
  const known = [...taken];
  const ask = async () => {
    for (let tried = 1; ; tried += 1) {
      const name = nameOf(title, known);
      const form = new FormData();
      for (const [field, value] of Object.entries({ name, title: title.trim(), consent })) form.append(field, value);
      form.append("photo", photo, "photo");
      try {
        return /** @type {Task} */ (await signalling.upload("/v1/avatars", form));
      } catch (error) {
        // somebody else took the name meanwhile
        if (!(error instanceof Fault) || error.status !== 409 || tried >= NAMES_TRIED) throw refused(error);
        known.push(name);
      }
    }
  };
  const queueMs = 10 * 60_000;
  const task = await whenThereIsRoom(ask, { queueMs, waited: () => true, onFull: queued });
  if (!task) throw new Fault("full", "");
  return task;
}

/** An answer about a field belongs beside that field. @param {unknown} error */
function refused(error) {
  if (!(error instanceof Fault) || error.status === null || ![413, 422].includes(error.status)) return error;
  const { message, field } = error;
  const reason = error.status === 413 ? "too_large" : null;
  return new Refusal(complaintOf({ id: "", name: "", state: "failed", what: "", done: 0, total: 0, error: message, field, reason }));
}

/** @returns {Promise<void>} */
function pausing() {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
