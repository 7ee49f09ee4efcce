// What goes on beyond the square picture: the still's edges, or those of the picture since it was painted anew.

import { byId } from "./dom.js";

/** So long after news of tiles they are on the screen. */
const SEEN_AFTER_MS = 800;

/** Takes the still's place with what is seen now. */
export class Surroundings {
  #still = byId("still", HTMLImageElement);
  #video = byId("video", HTMLVideoElement);
  /** The still that was there before. */
  #before = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** Take up the picture as it is in a moment. */
  follow() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#take(), SEEN_AFTER_MS);
  }

  /** The painted picture is gone. */
  restore() {
    clearTimeout(this.#timer);
    if (this.#before) this.#still.src = this.#before;
    this.#before = "";
  }

  #take() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!width || this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return this.follow();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d")?.drawImage(this.#video, 0, 0);
    this.#before ||= this.#still.src;
    this.#still.src = canvas.toDataURL("image/jpeg");
  }
}
