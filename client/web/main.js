// The page's wiring: what the viewer does goes to the session, what the session reports goes to the screen.

import { grantInAddress } from "./address.js";
import { CaptionTrack, MediaClock } from "./captions.js";
import { Conversation } from "./conversation.js";
import { FrameReports } from "./frames.js";
import { Microphone } from "./microphone.js";
import { AnimaSession } from "./session.js";
import { numbersOf, ResponseTimer, StatsMonitor } from "./stats.js";
import { glassView, traceView } from "./trace.js";
import { Cards } from "./ui/cards.js";
import { Cast, posterOf } from "./ui/cast.js";
import { Chat } from "./ui/chat.js";
import { ConnectionPanel } from "./ui/connection.js";
import { Curtain } from "./ui/curtain.js";
import { Direct } from "./ui/direct.js";
import { on } from "./ui/dom.js";
import { Locale } from "./ui/locale.js";
import { DebugOverlay } from "./ui/overlay.js";
import { MicButton } from "./ui/mic.js";
import { MotionField } from "./ui/motion.js";
import { OwnPhoto } from "./ui/own_photo.js";
import { PaintRow } from "./ui/paint.js";
import { ScenePicker } from "./ui/scenes.js";
import { liftSheet } from "./ui/sheet.js";
import { Stage } from "./ui/stage.js";
import { followTheme } from "./ui/theme.js";

const STATS_EVERY_MS = 1_000;
/** Without a new frame for this long the viewer is told that the picture has stopped. */
const FROZEN_MS = 1_500;

/** The whole page. `window.anima` is its only instance; see README.md for what may be relied on. */
class Page {
  #locale = new Locale();
  #stage = new Stage(this.#locale);
  #cards = new Cards();
  #scenes = new ScenePicker(this.#locale, () => this.#sceneChosen());
  /** @type {Cast} */
  #cast = new Cast(this.#locale, {
    onPick: (begin) => this.#castPicked(begin),
    onPreview: (avatar) => this.#stage.showStill(posterOf(avatar)),
    upload: (file) => this.session.upload("/v1/backgrounds", file),
  });
  #overlay = new DebugOverlay(this.#locale);
  #curtain = new Curtain(this.#locale, () => this.session.start());
  #direct = new Direct(this.#locale, (cue) => this.session.cue(cue));
  #chat = new Chat(this.#locale, { onSend: (text, mode) => this.send(text, mode), onStop: () => this.stop() });
  #conversation = new Conversation({
    onTurn: (turn) => this.#chat.show(turn),
    onReset: () => this.#chat.clear(),
    onActivity: (activity) => this.#stage.showActivity(activity),
  });
  #microphone = new Microphone();
  #mic = new MicButton(this.#locale, this.#microphone);
  #track = new CaptionTrack();
  #clock = new MediaClock();
  #monitor = new StatsMonitor();
  #timer = new ResponseTimer();
  #reports = new FrameReports();
  /** Sent as soon as the conversation stands. @type {{text: string, mode: import("./ui/chat.js").Mode}[]} */
  #waiting = [];
  /** Whether the viewer has been told that the picture stopped. */
  #frozen = false;
  /** The last text sent: if it is refused, it goes back to the composer. */
  #sent = { id: "", text: "" };
  /** @type {import("./faults.js").Fault | null} */
  #lastFault = null;

  constructor() {
    this.session = new AnimaSession({ wish: this.#wish(), grant: grantInAddress() });
    this.#scenes.load((path) => this.session.get(path));
    if (!this.session.options.grant) this.#offerCast();
    this.#listenToSession();
    this.#listenToViewer();
    for (const Part of [ConnectionPanel, MotionField, PaintRow]) new Part(this.#locale, this.session);
    new OwnPhoto(this.#locale, this.session, this.#cast);
    followTheme();
    liftSheet(this.#locale);
    setInterval(() => this.#measure(), STATS_EVERY_MS);
    this.#begin(new URLSearchParams(location.search).has("autostart"));
  }

  /** Figures of the last second, or null before there are any. */
  get stats() {
    return this.#monitor.figures;
  }

  /** Answer times of the last text sent, in milliseconds. */
  get response() {
    return this.#timer.last;
  }

  /** @returns {readonly import("./conversation.js").Turn[]} */
  get turns() {
    return this.#conversation.turns;
  }

  /** @returns {import("./conversation.js").Activity} */
  get activity() {
    return this.#conversation.activity;
  }

  /**
   * Ask or have spoken; starts the conversation if there is none yet.
   * @param {string} text
   * @param {import("./ui/chat.js").Mode} [mode]
   */
  send(text, mode = "ask") {
    if (this.session.state !== "connected") {
      this.#waiting.push({ text, mode });
      this.session.start();
      return;
    }
    this.#timer.sent(performance.now());
    const id = mode === "say" ? this.session.say(text, { interrupt: true }) : this.session.chat(text);
    if (id === null) return;
    this.#sent = { id, text };
    if (mode === "ask") this.#conversation.asked(text, id);
  }

  /** Silence, at once. */
  stop() {
    this.session.interrupt();
  }

  // -- session to screen ----------------------------------------------------------------------------------------

  #listenToSession() {
    on(this.session, "state", (change) => this.#stateChanged(change));
    on(this.session, "granted", ({ id }) => this.#conversation.begin(id));
    on(this.session, "error", (fault) => this.#failed(fault));
    on(this.session, "queued", ({ waitS }) => this.#curtain.queued(waitS));
    on(this.session, "track", (track) => this.#stage.addTrack(track));
    on(this.#microphone, "track", (track) => this.session.speak(track));
    on(this.session, "message", (message) => this.#received(message));
    this.#stage.onFrame = (nowMs, metadata) => this.#frameShown(nowMs, metadata);
  }

  /** @param {{state: import("./session.js").SessionState, attempt: number, restarting: boolean}} change */
  #stateChanged({ state, attempt, restarting }) {
    if (state === "connecting") this.#lastFault = null;
    this.#curtain.show(state, this.#lastFault);
    this.#cast.showState(state);
    const why = restarting ? "restartingWords" : attempt === 0 ? "returningWords" : "reconnectingWords";
    this.#stage.notice(state === "reconnecting" ? this.#locale.word(why, { n: attempt }) : null);
    if (state === "connected") this.#connected();
    else this.#disconnected(state);
  }

  #connected() {
    this.#stage.showActivity(this.#conversation.activity);
    this.#chat.focus();
    this.#reports.begin((batch) => this.session.reportStats(batch, "frames"));
    for (const { text, mode } of this.#waiting.splice(0)) this.send(text, mode);
    this.#learnGestures();
  }

  /** @param {import("./session.js").SessionState} state */
  #disconnected(state) {
    this.#conversation.broken();
    this.#track.clear();
    this.#clock.reset();
    this.#monitor.reset();
    this.#reports.reset();
    this.#overlay.reset();
    if (state === "reconnecting") this.#stage.hold();
    if (state === "closed" || state === "failed") {
      this.#microphone.off();
      this.#waiting = [];
      this.#stage.clear();
      this.#cards.clear();
    }
  }

  /** @param {import("./faults.js").Fault} fault */
  #failed(fault) {
    this.#lastFault = fault;
    if (fault.kind === "rejected" || this.session.state === "connected") this.#chat.complain(fault);
  }

  /** @param {import("./wire.js").Envelope} message */
  #received(message) {
    const { type, data, id } = message;
    const nowMs = performance.now();
    if (typeof data.media_s === "number") this.#clock.messageArrived(data.media_s, nowMs / 1000);
    switch (type) {
      case "bot-ready":
        this.#stage.setPacked(data.about?.background === "transparent");
        this.#mic.offer(data.about?.hearing === true);
        this.#cards.dress(data.about?.brand);
        this.#conversation.restore(data.about?.transcript ?? []);
        if (data.about?.card) this.#cards.show(data.about.card);
        if (typeof data.about?.video_rtp_origin === "number") this.#clock.setRtpOrigin(data.about.video_rtp_origin);
        break;
      case "user-started-speaking":
      case "user-stopped-speaking":
        this.#mic.showHeard(type === "user-started-speaking");
        break;
      case "bot-started-speaking":
        this.#timer.speakingStarted(data.media_s ?? null, nowMs);
        break;
      case "bot-tts-text":
        this.#track.addWord(data.segment_id, String(data.text), data.media_s);
        break;
      case "bot-interrupted":
        this.#track.cut(data.epoch);
        break;
      case "server-message":
        this.#told(data.t, data.d ?? {}, nowMs);
        break;
      case "server-response":
        if (data.t === "frames") this.#reports.clock.answered(id, data.d ?? {}, nowMs);
        if (data.t === "stats") this.#overlay.answered(data.d ?? {});
        if (data.t === "frames" && data.d?.stages_ms) this.#overlay.seen(glassView(data.d ?? {}));
        break;
      case "error-response":
        if (id === this.#sent.id) this.#chat.giveBack(this.#sent.text);
        break;
    }
    this.#conversation.receive(message);
  }

  /**
   * @param {string} t
   * @param {Record<string, any>} d
   * @param {number} nowMs
   */
  #told(t, d, nowMs) {
    if (t === "caption") this.#track.addSentence(d.segment_id, String(d.text), d.media_s, d.epoch);
    if (t === "emotion") this.#direct.showMood(d.emotion);
    if (t === "card") this.#cards.show(/** @type {import("./ui/cards.js").Card} */ (d));
    if (t === "brand") this.#cards.dress(/** @type {import("./ui/cards.js").Brand} */ (d));
    if (t === "shot") this.#cards.frame(d);
    if (t === "trace") this.#overlay.traced(traceView(d, this.#stage.packed), nowMs);
  }

  /**
   * @param {number} nowMs
   * @param {VideoFrameCallbackMetadata} metadata
   */
  #frameShown(nowMs, metadata) {
    this.#monitor.frameShown(nowMs, metadata);
    this.#reports.frameShown(metadata);
    if (this.#frozen) this.#showFrozen(false);
    const rtp = metadata.rtpTimestamp;
    if (rtp !== undefined) {
      this.#clock.frameShown(rtp, nowMs / 1000);
      this.#timer.frameShown(this.#clock.mediaOf(rtp), metadata.receiveTime, metadata.expectedDisplayTime);
    }
    this.#overlay.frameShown(nowMs);
    const mediaS = this.#clock.now(nowMs / 1000);
    this.#stage.showCaption(mediaS === null ? null : this.#track.at(mediaS));
  }

  async #measure() {
    const peer = this.session.peer;
    if (!peer || this.session.state !== "connected") return;
    const report = await peer.getStats();
    const figures = this.#monitor.sample(report.values(), performance.now());
    this.#overlay.measured(figures, this.#timer.last);
    this.#reports.tell((batch) => this.session.reportStats(batch, "frames"));
    this.session.reportStats(numbersOf({ ...figures, ...this.#timer.last }));
    const silentMs = performance.now() - (this.#monitor.lastFrameMs ?? performance.now());
    if (!document.hidden) this.#showFrozen(silentMs > FROZEN_MS);
  }

  /** @param {boolean} frozen */
  #showFrozen(frozen) {
    this.#frozen = frozen;
    this.#stage.notice(frozen ? this.#locale.word("frozenWords") : null);
  }

  async #learnGestures() {
    try {
      const { gestures } = await this.session.get("/v1/primitives");
      this.#direct.offerGestures(gestures);
    } catch {
      // the usual gestures stay on offer; a wrong one is answered with an error of its own
    }
  }

  // -- viewer to session ----------------------------------------------------------------------------------------

  #listenToViewer() {
    document.getElementById("leave")?.addEventListener("click", () => this.session.close());
    document.addEventListener("keydown", (event) => this.#key(event));
    window.addEventListener("pagehide", () => this.session.suspend());
    window.addEventListener("pageshow", ({ persisted }) => persisted && this.session.resume());
    window.addEventListener("online", () => this.session.reconnectNow());
    this.#locale.addEventListener("change", () => this.#languageChanged());
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Escape" && !event.isComposing) this.stop();
    const typing = event.target instanceof Element && event.target.matches("textarea, select, input[type=text]");
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key.toLowerCase() === "d" && plain && !typing) this.#overlay.toggle();
  }

  /** A session speaks one language: another one needs another session, unless it was given to us. */
  #languageChanged() {
    this.session.options.wish = this.#wish();
    this.#startAnew();
  }

  /** A choice is an act: it begins the conversation, or begins it anew with the other host. @param {boolean} begin */
  #castPicked(begin) {
    this.session.options.wish = this.#wish();
    this.#cast.open(false);
    if (this.session.running) this.#startAnew();
    else if (begin) this.session.start();
  }

  async #offerCast() {
    await this.#cast.load((path) => this.session.get(path));
    this.session.options.wish = this.#wish();
  }

  #startAnew() {
    if (!this.session.running || this.session.options.grant) return;
    this.session.close();
    this.session.start();
  }

  /** @returns {Record<string, any>} */
  #wish() {
    return { language: this.#locale.language, ...this.#scenes.wish, ...this.#cast.wish };
  }

  #sceneChosen() {
    this.session.options.wish = this.#wish();
    this.#chat.setScene(this.#scenes.scene);
  }

  /**
   * A page that was reloaded goes back into its conversation.
   * @param {boolean} autostart  Otherwise, and where that conversation is over, begin without being asked.
   */
  async #begin(autostart) {
    if (autostart) this.#stage.startMuted();
    if (this.session.remembered) await this.session.resume();
    if (autostart && this.session.state !== "reconnecting") this.session.start();
  }
}

Object.assign(window, { anima: new Page() });
