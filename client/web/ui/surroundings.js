// What goes on beyond the square picture: the still's edges, or those of the picture since it was painted anew.

import { byId } from "./dom.js";

/** So long after news of tiles it is looked whether they are on the screen: soon, and when a busy machine shows them. */
const LOOKS_MS = [800, 2_500, 6_000];

/** Takes the still's place with what is seen now. */
export class Surroundings {
  #still = byId("still", HTMLImageElement);
  #video = byId("video", HTMLVideoElement);
  /** The still that was there before. */
  #before = "";
  /** @type {ReturnType<typeof setTimeout>[]} */
  #timers = [];

  /** Take up the picture as it is in a moment. */
  follow() {
    this.#timers.forEach(clearTimeout);
    this.#timers = LOOKS_MS.map((waitMs) => setTimeout(() => this.#take(), waitMs));
  }

  /** The painted picture is gone. */
  restore() {
    this.#timers.forEach(clearTimeout);
    if (this.#before) this.#still.src = this.#before;
    this.#before = "";
  }

  #take() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!width || this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d")?.drawImage(this.#video, 0, 0);
    this.#before ||= this.#still.src;
    this.#still.src = canvas.toDataURL("image/jpeg");
  }
}
