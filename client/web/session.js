// One conversation with the host: signalling, peer connection, messages, reconnection. No DOM; see `start()`.

import { asFault, Fault } from "./faults.js";
import { Signalling } from "./signalling.js";
import * as wire from "./wire.js";

/** @typedef {"idle"|"connecting"|"connected"|"reconnecting"|"closed"|"failed"} SessionState */
/** @typedef {import("./signalling.js").Grant} Grant */

/**
 * @typedef {object} SessionOptions
 * @property {string} [base]  Where the server is; "" is the page's own origin.
 * @property {Record<string, any>} [wish]  Body of POST /v1/sessions: `language`, `avatar`, `voice` ...
 * @property {Grant} [grant]  Join a session that your own backend created, instead of creating one.
 * @property {number} [joinTimeoutMs]  From the offer to an open data channel.
 * @property {number} [graceMs]  How long a broken path may mend by itself.
 * @property {readonly number[]} [backOffMs]  Waiting times between attempts to reconnect; their number is the limit.
 * @property {typeof fetch} [fetch]
 * @property {typeof RTCPeerConnection} [PeerConnection]
 */

const DEFAULTS = Object.freeze({
  base: "",
  wish: {},
  joinTimeoutMs: 10_000,
  graceMs: 2_000,
  backOffMs: Object.freeze([250, 500, 1_000, 2_000, 4_000, 8_000]),
});

/**
 * Events, all `CustomEvent`: `state` {state, attempt}, `error` (a `Fault`: the one funnel), `message` (an `Envelope`),
 * `track` (a `MediaStreamTrack` to play), `granted` (a `Grant`).
 *
 * `start()` may be called again after `closed` or `failed`.
 */
export class AnimaSession extends EventTarget {
  /** @type {SessionState} */
  #state = "idle";
  /** @type {Grant | null} */
  #grant = null;
  /** @type {RTCPeerConnection | null} */
  #peer = null;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  /** Aborted when the current attempt is over, whichever way. */
  #attempt = new AbortController();
  #attempts = 0;

  /** @param {SessionOptions} [options] */
  constructor(options = {}) {
    super();
    this.options = { ...DEFAULTS, ...options };
    const fetchFn = options.fetch ?? ((input, init) => fetch(input, init));
    this.signalling = new Signalling(this.options.base, fetchFn);
  }

  get state() {
    return this.#state;
  }

  /** The session's id on the server, once it is created. */
  get id() {
    return this.#grant?.id ?? null;
  }

  /** For statistics; null while there is no connection. */
  get peer() {
    return this.#peer;
  }

  /** Connect. Resolves when the host can hear us, or when it has failed for good (see `state`). */
  async start() {
    if (this.#state !== "idle" && this.#state !== "closed" && this.#state !== "failed") return;
    this.#attempts = 0;
    this.#setState("connecting");
    await this.#connect();
  }

  /** Leave, and end the session on the server. */
  close() {
    if (this.#state === "closed") return;
    this.#dropPeer(new Fault("gone", "closed"));
    if (this.#grant) this.signalling.leave(this.#grant);
    this.#grant = null;
    this.#setState("closed");
  }

  /**
   * The host speaks exactly this; tags such as `[happy]` and `[wave]` are allowed.
   * @param {string} text
   * @param {import("./wire.js").SayOptions} [options]
   * @returns {boolean} Whether it could be sent.
   */
  say(text, options = {}) {
    return this.#send(wire.clientMessage("say", { text, ...options }));
  }

  /**
   * The host answers this.
   * @param {string} text
   * @param {{interrupt?: boolean}} [options]
   * @returns {boolean} Whether it could be sent.
   */
  chat(text, { interrupt = true } = {}) {
    return this.#send(wire.sendText(text, interrupt));
  }

  /** Silence, at once. */
  interrupt() {
    return this.#send(wire.clientMessage("interrupt"));
  }

  /** @param {import("./wire.js").Cue} cue */
  cue(cue) {
    return this.#send(wire.clientMessage("cue", cue));
  }

  /** @param {Record<string, any>} figures  What the viewer measured; the server joins it to its own. */
  reportStats(figures) {
    return this.#send(wire.clientMessage("stats", figures));
  }

  /**
   * Read something of the server with the session's own token, such as `/v1/primitives`.
   * @param {string} path
   * @returns {Promise<any>}
   */
  get(path) {
    return this.signalling.get(path, this.#grant?.token);
  }

  /** Try now instead of waiting out the back-off, as when the network has come back. */
  reconnectNow() {
    if (this.#state === "reconnecting") this.#wake?.();
  }

  // -- connecting -----------------------------------------------------------------------------------------------

  async #connect() {
    const attempt = this.#newAttempt();
    try {
      if (!this.#peerType()) throw new Fault("unsupported", "RTCPeerConnection is missing");
      const grant = await this.#obtainGrant(attempt);
      const peer = this.#openPeer(grant);
      const channel = this.#openChannel(peer, attempt);
      const joined = this.#untilOpen(channel, attempt);
      await Promise.all([joined, this.#exchange(peer, grant, attempt)]);
      channel.send(JSON.stringify(wire.clientReady()));
      this.#attempts = 0;
      this.#setState("connected");
    } catch (error) {
      if (!attempt.signal.aborted || error === attempt.signal.reason) this.#failed(asFault(error), attempt);
    }
  }

  /**
   * @param {AbortController} attempt
   * @returns {Promise<Grant>}
   */
  async #obtainGrant(attempt) {
    const known = this.#grant ?? this.options.grant;
    // creation is not cancelled with the attempt: a session that nobody learnt of could not be ended
    const grant = known ?? (await this.signalling.create(this.options.wish, AbortSignal.timeout(this.options.joinTimeoutMs)));
    if (attempt.signal.aborted) {
      this.signalling.leave(grant);
      throw attempt.signal.reason;
    }
    this.#grant = grant;
    this.#emit("granted", grant);
    return grant;
  }

  #newAttempt() {
    this.#dropPeer(new Fault("lost", "superseded"));
    this.#attempt = new AbortController();
    return this.#attempt;
  }

  /** @returns {typeof RTCPeerConnection | undefined} */
  #peerType() {
    return this.options.PeerConnection ?? globalThis.RTCPeerConnection;
  }

  /**
   * @param {Grant} grant
   * @returns {RTCPeerConnection}
   */
  #openPeer(grant) {
    const Peer = /** @type {typeof RTCPeerConnection} */ (this.#peerType());
    const peer = new Peer({ iceServers: grant.ice_servers ?? [], bundlePolicy: "max-bundle" });
    this.#peer = peer;
    peer.addTransceiver("audio", { direction: "recvonly" });
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = ({ track }) => {
      if (this.#peer === peer) this.#emit("track", track);
    };
    peer.onconnectionstatechange = () => this.#pathChanged(peer);
    return peer;
  }

  /**
   * @param {RTCPeerConnection} peer
   * @param {AbortController} attempt
   * @returns {RTCDataChannel}
   */
  #openChannel(peer, attempt) {
    const channel = peer.createDataChannel(wire.LABEL, { ordered: true });
    this.#channel = channel;
    channel.onmessage = ({ data }) => this.#received(data);
    channel.onclose = () => {
      if (!attempt.signal.aborted) this.#failed(new Fault("lost", "the data channel closed"), attempt);
    };
    return channel;
  }

  /**
   * @param {RTCDataChannel} channel
   * @param {AbortController} attempt
   * @returns {Promise<void>}
   */
  #untilOpen(channel, attempt) {
    const { promise, resolve } = withResolvers();
    const timer = setTimeout(
      () => attempt.abort(new Fault("no-path", `nothing arrived within ${this.options.joinTimeoutMs / 1000} s`)),
      this.options.joinTimeoutMs,
    );
    channel.onopen = () => resolve(undefined);
    return Promise.race([promise, rejection(attempt.signal)]).finally(() => clearTimeout(timer));
  }

  /**
   * Offer and answer; candidates found before the answer wait for its `pc_id`.
   * @param {RTCPeerConnection} peer
   * @param {Grant} grant
   * @param {AbortController} attempt
   */
  async #exchange(peer, grant, attempt) {
    /** @type {RTCIceCandidateInit[]} */
    const waiting = [];
    /** @type {string | null} */
    let pcId = null;
    const flush = () => {
      if (pcId === null || waiting.length === 0) return;
      const batch = waiting.splice(0);
      this.signalling.trickle(grant, pcId, batch, attempt.signal).catch((error) => {
        // the path may still be found from our side, so this ends nothing
        if (!attempt.signal.aborted) this.#emit("error", asFault(error));
      });
    };
    peer.onicecandidate = ({ candidate }) => {
      // an mDNS name means nothing to the server, which learns our address from our own checks (RFC 8445, 7.3.1.3)
      if (candidate?.candidate.includes(".local ")) return;
      waiting.push(candidate ? candidate.toJSON() : { candidate: "" });
      flush();
    };
    await peer.setLocalDescription(await peer.createOffer());
    const offer = /** @type {RTCSessionDescription} */ (peer.localDescription);
    const answer = await this.signalling.offer(grant, offer, attempt.signal);
    await peer.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
    pcId = answer.pc_id;
    flush();
  }

  // -- connected ------------------------------------------------------------------------------------------------

  /** @param {unknown} raw */
  #received(raw) {
    const message = wire.decode(raw);
    if (!message) return;
    if (message.type === "error-response" || message.type === "error") this.#refused(message);
    this.#emit("message", message);
  }

  /** @param {import("./wire.js").Envelope} message */
  #refused({ data }) {
    const words = String(data.error ?? data.message ?? "");
    this.#emit("error", new Fault("rejected", words, { field: data.field ?? null, limit: data.limit ?? null }));
    if (data.fatal) this.close();
  }

  /**
   * @param {import("./wire.js").Envelope} message
   * @returns {boolean}
   */
  #send(message) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  /** @param {RTCPeerConnection} peer */
  #pathChanged(peer) {
    if (peer !== this.#peer) return;
    const attempt = this.#attempt;
    if (peer.connectionState === "failed") {
      const kind = this.#state === "connected" ? "lost" : "no-path";
      this.#failed(new Fault(kind, "the media path failed"), attempt);
    } else if (peer.connectionState === "disconnected") {
      setTimeout(() => {
        if (attempt.signal.aborted || peer.connectionState !== "disconnected") return;
        this.#failed(new Fault("lost", "the media path went silent"), attempt);
      }, this.options.graceMs);
    }
  }

  // -- failing --------------------------------------------------------------------------------------------------

  /**
   * The one place where an attempt ends badly: decides between another attempt and giving up.
   * @param {Fault} fault
   * @param {AbortController} attempt
   */
  #failed(fault, attempt) {
    if (attempt !== this.#attempt || this.#state === "closed") return;
    const wasUp = this.#state === "connected" || this.#state === "reconnecting";
    this.#dropPeer(fault);
    if (fault.kind === "gone" || fault.kind === "unauthorised") this.#grant = null;
    const wait = this.options.backOffMs[this.#attempts];
    const mayRetry = wasUp && wait !== undefined && !(this.#grant === null && this.options.grant);
    this.#emit("error", mayRetry ? new Fault("lost", fault.message) : fault);
    if (!mayRetry) return this.#setState("failed");
    this.#attempts += 1;
    this.#setState("reconnecting");
    this.#retryAfter(wait);
  }

  /** @type {(() => void) | null} */
  #wake = null;

  /** @param {number} waitMs */
  #retryAfter(waitMs) {
    const go = () => {
      clearTimeout(timer);
      this.#wake = null;
      if (this.#state === "reconnecting") this.#connect();
    };
    // a quarter of spread, so that all viewers of a restarted server do not return in the same moment
    const timer = setTimeout(go, waitMs * (0.875 + Math.random() * 0.25));
    this.#wake = go;
  }

  /** @param {Fault} reason */
  #dropPeer(reason) {
    this.#attempt.abort(reason);
    const [peer, channel] = [this.#peer, this.#channel];
    this.#peer = null;
    this.#channel = null;
    if (channel) channel.onclose = null;
    peer?.close();
  }

  /** @param {SessionState} state */
  #setState(state) {
    this.#state = state;
    this.#emit("state", { state, attempt: this.#attempts });
  }

  /**
   * @param {string} type
   * @param {any} detail
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @returns {{promise: Promise<void>, resolve: (value: undefined) => void}} */
function withResolvers() {
  /** @type {(value: undefined) => void} */
  let resolve = () => undefined;
  /** @type {Promise<void>} */
  const promise = new Promise((r) => {
    resolve = r;
  });
  return { promise, resolve };
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<never>} Rejects with the signal's reason.
 */
function rejection(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
