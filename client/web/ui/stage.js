// The host on the page: video and its sound, the still picture, captions, what she is doing.

import { Compositor } from "./compositor.js";
import { byId, element, setIcon } from "./dom.js";

/** Where the default host's still picture lives; without it a gradient stands in. */
const STILL = "poster.jpg";

/** The stage. `onFrame` hears of every frame shown. */
export class Stage {
  #video = byId("video", HTMLVideoElement);
  #held = byId("held", HTMLCanvasElement);
  #cutout = byId("cutout", HTMLCanvasElement);
  #compositor = new Compositor(this.#cutout);
  /** Whether the video carries a matte beneath its colours. */
  #packed = false;
  #captions = byId("captions", HTMLElement);
  #tapForSound = byId("tap-for-sound", HTMLButtonElement);
  #sound = byId("sound", HTMLButtonElement);
  #captionsToggle = byId("captions-toggle", HTMLButtonElement);
  #activityWords = byId("activity-words", HTMLElement);
  #notice = byId("notice", HTMLElement);
  #captionsWanted = true;
  /** Whether what the video shows is a leftover: a track that ends shows a black frame last. */
  #holding = false;
  #shownCaption = "";
  /** @type {import("./locale.js").Locale} */
  #locale;

  /** @type {(nowMs: number, metadata: VideoFrameCallbackMetadata) => void} */
  onFrame = () => undefined;

  /** @param {import("./locale.js").Locale} locale */
  constructor(locale) {
    this.#locale = locale;
    this.#loadStill();
    this.#sound.addEventListener("click", () => this.#setMuted(!this.#video.muted));
    this.#tapForSound.addEventListener("click", () => this.#setMuted(false));
    this.#captionsToggle.addEventListener("click", () => this.#wantCaptions(!this.#captionsWanted));
    byId("fullscreen", HTMLButtonElement).addEventListener("click", toggleFullscreen);
    this.#video.addEventListener("transitionend", () => (this.#held.hidden = true));
    this.#watchFrames();
  }

  /** @param {MediaStreamTrack} track */
  addTrack(track) {
    this.#holding = false;
    const stream = this.#video.srcObject instanceof MediaStream ? this.#video.srcObject : new MediaStream();
    for (const old of stream.getTracks()) if (old.kind === track.kind) stream.removeTrack(old);
    stream.addTrack(track);
    if (this.#video.srcObject !== stream) this.#video.srcObject = stream;
    this.play();
  }

  /** Play, with sound if the browser lets us; otherwise silent, with a button that asks for a tap. */
  async play() {
    try {
      await this.#video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      this.#setMuted(true);
      await this.#video.play().catch(() => undefined);
    }
    this.#tapForSound.hidden = !this.#video.muted;
  }

  /** Begin silent: nobody has touched the page, so no browser would play sound. */
  startMuted() {
    this.#setMuted(true);
  }

  /** The connection is being restored: keep the last picture, which the browser drops with its track. */
  hold() {
    const shown = this.#packed ? this.#cutout : this.#video;
    const { videoWidth: width, videoHeight } = this.#video;
    if (!this.#video.classList.contains("live") || width === 0) return;
    Object.assign(this.#held, { width, height: this.#packed ? videoHeight >> 1 : videoHeight });
    this.#held.getContext("2d")?.drawImage(shown, 0, 0);
    this.#held.hidden = false;
    this.#holding = true;
    this.#video.classList.remove("live");
  }

  /** The connection is over: back to the still picture. */
  clear() {
    this.#held.hidden = true;
    this.#video.srcObject = null;
    this.#video.classList.remove("live");
    this.#tapForSound.hidden = true;
    this.showCaption(null);
    this.notice(null);
  }

  /** @param {import("../conversation.js").Activity} activity */
  showActivity(activity) {
    document.body.dataset.activity = activity;
    this.#locale.put(this.#activityWords, "data-word", `doing_${activity}`);
  }

  /** @param {string | null} text  A line over the picture, such as "Reconnecting"; null takes it away. */
  notice(text) {
    this.#notice.hidden = text === null;
    this.#notice.textContent = text ?? "";
  }

  /** @param {import("../captions.js").CaptionView | null} view */
  showCaption(view) {
    const shown = this.#captionsWanted ? view : null;
    const key = shown ? `${shown.begin}:${shown.end}:${shown.text}` : "";
    if (key === this.#shownCaption) return;
    this.#shownCaption = key;
    this.#captions.hidden = shown === null;
    if (shown) this.#captions.replaceChildren(...captionParts(shown));
  }

  /** @param {string} url  Of the still picture that is shown before the host moves. */
  showStill(url) {
    byId("still", HTMLImageElement).src = url;
  }

  get packed() {
    return this.#packed;
  }

  /** @param {boolean} packed  Whether the video that comes carries a matte (`packed.js`). */
  setPacked(packed) {
    this.#packed = packed;
    document.body.toggleAttribute("data-packed", packed);
    if (!packed) this.#compositor.clear();
  }

  #loadStill() {
    const img = byId("still", HTMLImageElement);
    img.addEventListener("load", () => {
      img.hidden = false;
      byId("backdrop", HTMLElement).style.setProperty("--still", `url("${img.src}")`);
    });
    img.src = STILL;
  }

  /** @param {boolean} muted */
  #setMuted(muted) {
    this.#video.muted = muted;
    this.#locale.put(this.#sound, "data-word-label", muted ? "unmute" : "mute");
    setIcon(this.#sound, muted ? "mute" : "sound");
    if (!muted) this.#tapForSound.hidden = true;
  }

  /** @param {boolean} wanted */
  #wantCaptions(wanted) {
    this.#captionsWanted = wanted;
    this.#captionsToggle.setAttribute("aria-pressed", String(wanted));
    this.#locale.put(this.#captionsToggle, "data-word-label", wanted ? "captionsOff" : "captionsOn");
    if (!wanted) this.showCaption(null);
  }

  #watchFrames() {
    const video = this.#video;
    /** @type {VideoFrameRequestCallback} */
    const shown = (nowMs, metadata) => {
      if (this.#packed && !this.#holding) this.#compositor.draw(video);
      video.classList.toggle("live", !this.#holding);
      this.onFrame(nowMs, metadata);
      video.requestVideoFrameCallback(shown);
    };
    // Firefox before 132 has no frame callback: the picture then appears when it plays, and figures stay unknown
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(shown);
    else /** @type {HTMLVideoElement} */ (video).addEventListener("playing", () => this.#video.classList.add("live"));
  }
}

/**
 * @param {import("../captions.js").CaptionView} view
 * @returns {HTMLElement[]}
 */
function captionParts({ text, begin, end }) {
  return [
    element("span", { class: "said" }, text.slice(0, begin)),
    element("span", { class: "now" }, text.slice(begin, end)),
    element("span", { class: "to-come" }, text.slice(end)),
  ];
}

function toggleFullscreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("stage", HTMLElement).requestFullscreen?.().catch(() => undefined);
}
