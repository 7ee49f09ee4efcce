// One WebRTC connection to the host: media in, one data channel, from the offer to its end. It is never reopened.

import { asFault, Fault } from "./faults.js";
import { LABEL } from "./wire.js";

/**
 * @typedef {object} LinkOptions
 * @property {typeof RTCPeerConnection} PeerConnection
 * @property {import("./signalling.js").Signalling} signalling
 * @property {import("./signalling.js").Grant} grant
 * @property {number} joinTimeoutMs
 * @property {number} graceMs  How long a broken path may mend by itself.
 * @property {MediaStreamTrack | null} voice  What the viewer says, if the microphone is on already.
 * @property {(track: MediaStreamTrack) => void} onTrack
 * @property {(raw: unknown) => void} onMessage
 * @property {(fault: Fault) => void} onLost  After it was joined: the connection is over. Called once, not after `close()`.
 * @property {(fault: Fault) => void} onHiccup  Something failed that need not end the connection.
 */

/** `join()` once, `send()` while it lasts, `close()` whenever. */
export class PeerLink {
  /** Aborted, with a `Fault`, when the connection is over. */
  #over = new AbortController();
  #joined = false;
  /** The connection's name on the server; null while an offer of ours is unanswered. @type {string | null} */
  #pcId = null;
  /** Candidates found before the answer. @type {RTCIceCandidateInit[]} */
  #waiting = [];
  #mending = false;
  /** @type {RTCDataChannel} */
  #channel;
  /** @type {LinkOptions} */
  #options;
  /** @type {RTCRtpSender} */
  #voice;

  /** @param {LinkOptions} options */
  constructor(options) {
    this.#options = options;
    const { PeerConnection, grant } = options;
    this.connection = new PeerConnection({ iceServers: grant.ice_servers ?? [], bundlePolicy: "max-bundle" });
    // both ways from the start: switching the microphone on later then needs no new negotiation
    this.#voice = this.connection.addTransceiver(options.voice ?? "audio", { direction: "sendrecv" }).sender;
    this.connection.addTransceiver("video", { direction: "recvonly" });
    this.connection.ontrack = ({ track }) => options.onTrack(track);
    this.connection.onconnectionstatechange = () => this.#pathChanged();
    this.#channel = this.connection.createDataChannel(LABEL, { ordered: true });
    this.#channel.onmessage = ({ data }) => options.onMessage(data);
    this.#channel.onclose = () => this.#fail(new Fault("lost", "the data channel closed"));
  }

  /** Resolves when the host can hear us; rejects with a `Fault`, and the connection is closed then. */
  async join() {
    const { joinTimeoutMs } = this.#options;
    const late = new Fault("no-path", `nothing arrived within ${joinTimeoutMs / 1000} s`);
    const timer = setTimeout(() => this.#fail(late), joinTimeoutMs);
    try {
      await Promise.race([Promise.all([this.#opened(), this.#exchange()]), this.#ended()]);
      this.#joined = true;
    } catch (error) {
      const fault = asFault(error);
      this.close(fault);
      throw fault;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * @param {string} text
   * @returns {boolean} Whether it could be sent.
   */
  send(text) {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(text);
    return true;
  }

  /**
   * Send this, or nothing.
   * @param {MediaStreamTrack | null} track
   */
  async speak(track) {
    try {
      await this.#voice.replaceTrack(track);
    } catch (error) {
      // a connection that is closed meanwhile takes no track; the next one is given it when it is made
      if (!this.#over.signal.aborted) this.#options.onHiccup(asFault(error));
    }
  }

  /** @param {Fault} reason */
  close(reason) {
    this.#over.abort(reason);
    this.connection.close();
  }

  /** @returns {Promise<void>} */
  #opened() {
    return new Promise((resolve) => {
      this.#channel.onopen = () => resolve();
    });
  }

  /** @returns {Promise<never>} */
  #ended() {
    const { signal } = this.#over;
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  /** Offer and answer; candidates found before the answer wait for its `pc_id`. */
  async #exchange() {
    this.connection.onicecandidate = ({ candidate }) => {
      // an mDNS name means nothing to the server, which learns our address from our own checks (RFC 8445, 7.3.1.3)
      if (candidate?.candidate.includes(".local ")) return;
      this.#waiting.push(candidate ? candidate.toJSON() : { candidate: "" });
      this.#flush();
    };
    await this.#negotiate(await this.connection.createOffer());
  }

  /**
   * @param {RTCSessionDescriptionInit} offer
   * @param {string} [pcId]  Of the connection, if it stands already.
   */
  async #negotiate(offer, pcId) {
    const { signalling, grant } = this.#options;
    this.#pcId = null;
    await this.connection.setLocalDescription(offer);
    const local = /** @type {RTCSessionDescription} */ (this.connection.localDescription);
    const answer = await signalling.offer(grant, local, this.#over.signal, pcId);
    await this.connection.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
    this.#pcId = answer.pc_id;
    this.#flush();
  }

  #flush() {
    if (this.#pcId !== null && this.#waiting.length > 0) this.#trickle(this.#pcId, this.#waiting.splice(0));
  }

  /** Look for another path under the same connection (an ICE restart): the network may have changed under us. */
  async #mend() {
    const pcId = this.#pcId;
    if (this.#mending || pcId === null) return;
    this.#mending = true;
    try {
      await this.#negotiate(await this.connection.createOffer({ iceRestart: true }), pcId);
    } catch (error) {
      this.#pcId = pcId;
      const fault = asFault(error);
      // no answer at all: the way to the server is broken too, and may mend within the grace time
      if (fault.kind !== "unreachable" && !this.#over.signal.aborted) this.#fail(new Fault("lost", fault.message));
    } finally {
      this.#mending = false;
    }
  }

  /**
   * @param {string} pcId
   * @param {RTCIceCandidateInit[]} candidates
   */
  async #trickle(pcId, candidates) {
    const { signalling, grant, onHiccup } = this.#options;
    try {
      await signalling.trickle(grant, pcId, candidates, this.#over.signal);
    } catch (error) {
      // our own checks may still find the path
      if (!this.#over.signal.aborted) onHiccup(asFault(error));
    }
  }

  #pathChanged() {
    const { connection } = this;
    const kind = this.#joined ? "lost" : "no-path";
    if (connection.connectionState === "failed") this.#fail(new Fault(kind, "the media path failed"));
    if (connection.connectionState !== "disconnected") return;
    if (this.#joined) this.#mend();
    const timer = setTimeout(() => {
      if (connection.connectionState !== "connected") this.#fail(new Fault(kind, "the media path went silent"));
    }, this.#options.graceMs);
    this.#over.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  /** @param {Fault} fault */
  #fail(fault) {
    if (this.#over.signal.aborted) return;
    this.close(fault);
    if (this.#joined) this.#options.onLost(fault);
  }
}
