// One conversation with the host: signalling, peer connection, messages, reconnection. No DOM; see `start()`.

import { asFault, Fault } from "./faults.js";
import { GrantMemory } from "./memory.js";
import { PeerLink } from "./peer.js";
import { Pause, whenThereIsRoom } from "./queueing.js";
import { DEFAULTS } from "./session_options.js";
import { Signalling } from "./signalling.js";
import * as wire from "./wire.js";

/** @typedef {"idle"|"connecting"|"connected"|"reconnecting"|"closed"|"failed"} SessionState */
/** @typedef {import("./signalling.js").Grant} Grant */
/** @typedef {import("./session_options.js").SessionOptions} SessionOptions */

/**
 * Events, all `CustomEvent`: `state` {state, attempt, restarting}, `error` (a `Fault`: the one funnel), `message` (an
 * `Envelope`), `track` (a `MediaStreamTrack` to play), `granted` (a `Grant`), `queued` {waitS}: no room, asked again then.
 *
 * `start()` may be called again after `closed` or `failed`. `resume()` goes back into the session that this tab was in
 * before it was reloaded; `suspend()` leaves the connection, not the session, which waits for a while.
 */
export class AnimaSession extends EventTarget {
  /** @type {SessionState} */
  #state = "idle";
  /** @type {Grant | null} */
  #grant = null;
  /** @type {PeerLink | null} */
  #link = null;
  /** Attempts to reconnect since the connection last stood. */
  #attempts = 0;
  /** Counts what was begun, so that what answers late knows that nobody waits for it. */
  #turn = 0;
  /** What the viewer says, or null while the microphone is off. @type {MediaStreamTrack | null} */
  #voice = null;
  #pause = new Pause();
  /** Whether we are on our way back into a remembered session. */
  #resuming = false;
  #restarting = false;

  /** @param {SessionOptions} [options] */
  constructor(options = {}) {
    super();
    this.options = { ...DEFAULTS, ...options };
    this.memory = options.memory ?? new GrantMemory();
    this.signalling = new Signalling(this.options.base, options.fetch ?? ((input, init) => fetch(input, init)));
  }

  get state() {
    return this.#state;
  }

  /** Whether there is a conversation, or one is on its way. */
  get running() {
    return !["idle", "closed", "failed"].includes(this.#state);
  }

  /** The session's id on the server, once it is created. */
  get id() {
    return this.#grant?.id ?? null;
  }

  get iceServers() {
    return this.#grant?.ice_servers ?? [];
  }

  /** Null while there is no connection. */
  get peer() {
    return this.#link?.connection ?? null;
  }

  /** Connect. Resolves when the host can hear us, or when it has failed for good (see `state`). */
  async start() {
    if (this.running) return;
    this.#attempts = 0;
    this.#restarting = false;
    this.#setState("connecting");
    await this.#connect();
  }

  /** The session this tab was in before it was reloaded, if it can be gone back to. */
  get remembered() {
    const [known, given] = [this.memory.load(), this.options.grant];
    return given && known && given.id !== known.id ? null : known;
  }

  /** Go back into the remembered session: `closed` follows if it is over, as after `close()`. */
  async resume() {
    const known = this.remembered;
    if (!known || this.running) return;
    [this.#grant, this.#attempts, this.#restarting, this.#resuming] = [known, 0, false, true];
    this.#setState("reconnecting");
    await this.#connect();
  }

  /** The page goes away, perhaps to come back: leave the connection, say so; the session is kept for a little while. */
  suspend() {
    if (this.#state === "connecting") return this.close();
    if (this.#state !== "connected" && this.#state !== "reconnecting") return;
    this.#turn += 1;
    this.#drop();
    if (this.#grant && !this.options.grant) this.signalling.part(this.#grant);
    this.#setState("idle");
  }

  /** Leave, and end the session on the server if it is ours; a given one may have other viewers. */
  close() {
    if (this.#state === "idle" || this.#state === "closed") return;
    this.#turn += 1;
    this.#setState("closed");
    this.#drop();
    if (this.#grant && !this.options.grant) this.signalling.leave(this.#grant);
    this.#forget();
  }

  /**
   * The host speaks exactly this; tags such as `[happy]` and `[wave]` are allowed.
   * @param {string} text
   * @param {import("./wire.js").SayOptions} [options]
   * @returns {string | null} The message's id, or null if it could not be sent.
   */
  say(text, options = {}) {
    return this.#send(wire.clientMessage("say", { text, ...options }));
  }

  /**
   * The host answers this; returns as `say` does.
   * @param {string} text
   * @param {{interrupt?: boolean}} [options]
   */
  chat(text, { interrupt = true } = {}) {
    return this.#send(wire.sendText(text, interrupt));
  }

  /**
   * Send the viewer's voice, now and over every connection to come; null sends nothing.
   * @param {MediaStreamTrack | null} track
   */
  speak(track) {
    this.#voice = track;
    this.#link?.speak(track);
  }

  interrupt() {
    return this.#send(wire.clientMessage("interrupt"));
  }

  /** @param {import("./wire.js").Cue} cue */
  cue(cue) {
    return this.#send(wire.clientMessage("cue", cue));
  }

  /** @param {Record<string, any>} figures  What the viewer measured; the server joins it to its own. */
  reportStats(figures, t = /** @type {"stats"|"frames"} */ ("stats")) {
    return this.#send(wire.clientMessage(t, figures));
  }

  /**
   * Read something of the server with the session's own token, such as `/v1/primitives`.
   * @param {string} path
   * @returns {Promise<any>}
   */
  get(path) {
    return this.signalling.get(path, this.#grant?.token);
  }

  /**
   * Give the server a file of the viewer's, such as a background.
   * @param {string} path
   * @param {Blob} file
   * @returns {Promise<any>}
   */
  upload(path, file) {
    return this.signalling.upload(path, file);
  }

  /** Try now instead of waiting out the back-off, as when the network has come back. */
  reconnectNow() {
    if (this.#state === "reconnecting") this.#pause.end();
  }

  // -- connecting -----------------------------------------------------------------------------------------------

  async #connect() {
    this.#turn += 1;
    const turn = this.#turn;
    try {
      const grant = await this.#obtainGrant(turn);
      if (!grant) return;
      const link = this.#newLink(grant);
      await link.join();
      link.send(JSON.stringify(wire.clientReady()));
      [this.#attempts, this.#resuming, this.#restarting] = [0, false, false];
      this.#setState("connected");
    } catch (error) {
      if (turn === this.#turn) this.#failed(asFault(error));
    }
  }

  /**
   * @param {number} turn
   * @returns {Promise<Grant | null>} Null if nobody waits for it any more.
   */
  async #obtainGrant(turn) {
    if (!this.#peerType()) throw new Fault("unsupported", "RTCPeerConnection is missing");
    const known = this.#grant ?? this.options.grant;
    const grant = known ?? (await this.#create(turn));
    if (!grant || turn !== this.#turn) {
      if (grant && !known) this.signalling.leave(grant);
      return null;
    }
    this.#grant = grant;
    this.memory.keep(grant);
    this.#emit("granted", grant);
    return grant;
  }

  /** @param {number} turn */
  #create(turn) {
    const { wish, createTimeoutMs, queueMs } = this.options;
    // creation is not cancelled when we close: a session that nobody learnt of could not be ended
    const ask = () => this.signalling.create(wish, AbortSignal.timeout(createTimeoutMs));
    return whenThereIsRoom(ask, { queueMs, waited: () => turn === this.#turn, onFull: (waitS) => this.#emit("queued", { waitS }) });
  }

  /** @returns {typeof RTCPeerConnection | undefined} */
  #peerType() {
    return this.options.PeerConnection ?? globalThis.RTCPeerConnection;
  }

  /**
   * @param {Grant} grant
   * @returns {PeerLink}
   */
  #newLink(grant) {
    const { joinTimeoutMs, graceMs } = this.options;
    /** @type {PeerLink} */
    const link = new PeerLink({
      PeerConnection: /** @type {typeof RTCPeerConnection} */ (this.#peerType()),
      signalling: this.signalling,
      grant,
      joinTimeoutMs,
      graceMs,
      voice: this.#voice,
      onTrack: (track) => link === this.#link && this.#emit("track", track),
      onMessage: (raw) => link === this.#link && this.#received(raw),
      onLost: (fault) => link === this.#link && this.#failed(fault),
      onHiccup: (fault) => this.#emit("error", fault),
    });
    this.#link = link;
    return link;
  }

  // -- connected ------------------------------------------------------------------------------------------------

  /** @param {unknown} raw */
  #received(raw) {
    const message = wire.decode(raw);
    if (!message) return;
    if (message.type === "server-message" && message.data.t === "farewell") this.#dismissed(message.data.d ?? {});
    this.#emit("message", message);
    if (message.type === "error-response") this.#complain("rejected", message);
    if (message.type === "error") this.#complain("trouble", message);
  }

  /**
   * @param {"rejected"|"trouble"} kind
   * @param {import("./wire.js").Envelope} message
   */
  #complain(kind, { data }) {
    const { status, field, limit, retry_after_s: retryAfterS } = data;
    this.#emit("error", new Fault(kind, String(data.error ?? data.message ?? ""), { status, field, limit, retryAfterS }));
    if (data.fatal) this.close();
  }

  /**
   * The server ends this connection: for good, or because it restarts.
   * @param {Record<string, any>} words
   */
  #dismissed({ reason, returns }) {
    if ((this.#restarting = returns === true)) return this.#failed(new Fault("restarting", String(reason)));
    this.#turn += 1;
    this.#drop();
    this.#forget();
    this.#emit("error", new Fault("gone", String(reason)));
    this.#setState("closed");
  }

  #forget() {
    this.#grant = null;
    this.#resuming = false;
    this.memory.forget();
  }

  /**
   * @param {import("./wire.js").Envelope} message
   * @returns {string | null}
   */
  #send(message) {
    return this.#link?.send(JSON.stringify(message)) ? message.id : null;
  }

  // -- failing --------------------------------------------------------------------------------------------------

  /**
   * The one place where an attempt ends badly: decides between another attempt and giving up.
   * @param {Fault} fault
   */
  #failed(fault) {
    if (this.#state === "closed") return;
    const wasUp = this.#state === "connected" || this.#state === "reconnecting";
    this.#drop();
    if (fault.kind === "gone" || fault.kind === "unauthorised") {
      const resuming = this.#resuming;
      this.#forget();
      // who reloads a page hours later wants to be asked before something new begins
      if (resuming) return this.#setState("closed");
    }
    const waitMs = this.options.backOffMs[this.#attempts];
    const mayReturn = this.#grant !== null || !this.options.grant;
    if (!wasUp || waitMs === undefined || !mayReturn) {
      this.#emit("error", wasUp && mayReturn ? new Fault("lost", fault.message) : fault);
      return this.#setState("failed");
    }
    this.#attempts += 1;
    if (fault.kind === "restarting") this.#emit("error", fault);
    this.#setState("reconnecting");
    this.#pause.after(waitMs, () => this.#state === "reconnecting" && this.#connect());
  }

  #drop() {
    const link = this.#link;
    this.#link = null;
    link?.close(new Fault("gone", "closed"));
  }

  /** @param {SessionState} state */
  #setState(state) {
    this.#state = state;
    this.#emit("state", { state, attempt: this.#attempts, restarting: this.#restarting });
  }

  /**
   * @param {string} type
   * @param {any} detail
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
