// The viewer's microphone: off until asked for, and truly off, device released, when switched off again. No DOM.

/** @typedef {"off"|"asking"|"on"|"denied"|"missing"} MicrophoneState */

/** What the browser does to the sound before it is sent: her own voice from the loudspeaker must not come back. */
export const CONSTRAINTS = Object.freeze({
  echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1,
});

/**
 * Events, `CustomEvent`: `state` (a `MicrophoneState`), `track` (a `MediaStreamTrack` to send, or null to send
 * nothing).
 */
export class Microphone extends EventTarget {
  /** @type {MicrophoneState} */
  state = "off";
  /** @type {MediaStream | null} */
  #stream = null;
  /** Counts switching, so that a permission given too late is not used. */
  #turn = 0;
  /** @type {Pick<MediaDevices, "getUserMedia"> | undefined} */
  #devices;

  /** @param {Pick<MediaDevices, "getUserMedia">} [devices]  Missing where the page is not served securely. */
  constructor(devices = globalThis.navigator?.mediaDevices) {
    super();
    this.#devices = devices;
  }

  /** What is being recorded, for a level meter. */
  get stream() {
    return this.#stream;
  }

  toggle() {
    return this.state === "on" || this.state === "asking" ? this.off() : this.on();
  }

  /** Ask for the device and begin to send. Resolves when that is decided; never rejects. */
  async on() {
    if (this.state === "on" || this.state === "asking") return;
    this.#turn += 1;
    const turn = this.#turn;
    if (!this.#devices) return this.#become("missing");
    this.#become("asking");
    try {
      const stream = await this.#devices.getUserMedia({ audio: CONSTRAINTS });
      if (turn !== this.#turn) return release(stream);
      this.#use(stream);
    } catch (error) {
      const denied = error instanceof DOMException && ["NotAllowedError", "SecurityError"].includes(error.name);
      if (turn === this.#turn) this.#become(denied ? "denied" : "missing");
    }
  }

  off() {
    this.#turn += 1;
    if (this.#stream) {
      this.#emit("track", null);
      release(this.#stream);
      this.#stream = null;
    }
    this.#become("off");
  }

  /** @param {MediaStream} stream */
  #use(stream) {
    const [track] = stream.getAudioTracks();
    this.#stream = stream;
    track.addEventListener("ended", () => this.#stream === stream && this.off());
    this.#emit("track", track);
    this.#become("on");
  }

  /** @param {MicrophoneState} state */
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.#emit("state", state);
  }

  /**
   * @param {string} type
   * @param {any} detail
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * How loud a piece of sound is, 0 for a quiet room to 1 for a raised voice; the ear counts in decibels.
 * @param {Float32Array} samples
 */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, (db + 55) / 45));
}

/** @param {MediaStream} stream */
function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}
