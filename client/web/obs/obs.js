// The /obs page: one host on nothing, with sound, for as long as the page is open; whatever fails is begun again.

import { Pause } from "../queueing.js";
import { AnimaSession } from "../session.js";
import { Compositor } from "../ui/compositor.js";
import { byId } from "../ui/dom.js";
import { settingsOf } from "./settings.js";

/** Waiting times before a new beginning; the last one goes on for ever. */
const AGAIN_MS = [1_000, 2_000, 4_000, 8_000, 15_000];
/** A connection that shows no new frame for this long is begun anew. */
const FROZEN_MS = 8_000;
const WATCH_EVERY_MS = 2_000;
/** A fault is put on the picture only when it lasts: a stream should not show every hiccup. */
const TELL_AFTER = 3;

/** The page. `window.anima` is its only instance. */
class ObsPage {
  #video = byId("video", HTMLVideoElement);
  #fault = byId("fault", HTMLElement);
  #settings = settingsOf(location.search, location.hash);
  #compositor = new Compositor(byId("cutout", HTMLCanvasElement), { webgl: this.#settings.webgl });
  #packed = false;
  #failures = 0;
  #pause = new Pause();
  #shownMs = 0;
  frames = 0;

  constructor() {
    const { wish, grant, fit, mirror, sound } = this.#settings;
    document.body.dataset.fit = fit;
    document.body.toggleAttribute("data-mirror", mirror);
    this.#video.muted = !sound;
    this.session = new AnimaSession({ wish, grant });
    on(this.session, "track", (track) => this.#play(track));
    on(this.session, "message", (message) => this.#received(message));
    on(this.session, "error", (fault) => this.#told(fault));
    on(this.session, "state", ({ state }) => this.#stateChanged(state));
    window.addEventListener("pagehide", () => this.session.close());
    window.addEventListener("online", () => this.session.reconnectNow());
    setInterval(() => this.#watch(), WATCH_EVERY_MS);
    this.#video.requestVideoFrameCallback(() => this.#shown());
    this.session.start();
  }

  /** How the picture is composed: webgl or 2d. */
  get way() {
    return this.#compositor.way;
  }

  /** @param {import("../session.js").SessionState} state */
  #stateChanged(state) {
    document.body.dataset.state = state;
    if (state === "connected") {
      this.#shownMs = performance.now();
      this.#failures = 0;
      this.#fault.hidden = true;
    }
    if (state === "failed" || state === "closed") this.#again();
  }

  #again() {
    const waitMs = AGAIN_MS[Math.min(this.#failures, AGAIN_MS.length - 1)];
    this.#failures += 1;
    this.#pause.after(waitMs, () => this.session.start());
  }

  /** @param {import("../wire.js").Envelope} message */
  #received({ type, data }) {
    if (type !== "bot-ready") return;
    this.#packed = data.about?.background === "transparent";
    document.body.dataset.shows = this.#packed ? "cutout" : "video";
  }

  /** @param {MediaStreamTrack} track */
  #play(track) {
    const video = this.#video;
    const stream = video.srcObject instanceof MediaStream ? video.srcObject : new MediaStream();
    for (const old of stream.getTracks()) if (old.kind === track.kind) stream.removeTrack(old);
    stream.addTrack(track);
    if (video.srcObject !== stream) video.srcObject = stream;
    video.play().catch((error) => this.#silenced(error));
  }

  /** A browser that plays no sound unasked is no streaming program: silent until somebody clicks. */
  #silenced(/** @type {unknown} */ error) {
    if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
    this.#video.muted = true;
    this.#video.play().catch(() => undefined);
    addEventListener("pointerdown", () => (this.#video.muted = !this.#settings.sound), { once: true });
  }

  #shown() {
    this.#shownMs = performance.now();
    this.frames += 1;
    if (this.#packed) this.#compositor.draw(this.#video);
    this.#video.requestVideoFrameCallback(() => this.#shown());
  }

  /** A hidden browser source is not drawn, so silence means something only while the page is seen. */
  #watch() {
    const frozen = performance.now() - this.#shownMs > FROZEN_MS;
    if (document.hidden) this.#shownMs = performance.now();
    else if (frozen && this.session.state === "connected") this.session.close();
  }

  /** @param {import("../faults.js").Fault} fault */
  #told(fault) {
    if (this.session.state === "connected" || !this.#settings.faults || this.#failures < TELL_AFTER) return;
    this.#fault.hidden = false;
    this.#fault.textContent = `${fault.message}${fault.field ? ` (${fault.field})` : ""}`;
  }
}

/**
 * @param {EventTarget} target
 * @param {string} type
 * @param {(detail: any) => void} listener
 */
function on(target, type, listener) {
  target.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
}

Object.assign(window, { anima: new ObsPage() });
