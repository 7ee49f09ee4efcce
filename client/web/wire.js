// RTVI 2.1 envelopes: what the page says to the host over the data channel and how it reads what comes back.

/** Every message carries it; anything else on the channel is not for us. */
export const LABEL = "rtvi-ai";
export const PROTOCOL_VERSION = "2.1.0";

/**
 * @typedef {object} Envelope
 * @property {"rtvi-ai"} label
 * @property {string} id
 * @property {string} type
 * @property {Record<string, any>} data
 */

/**
 * @typedef {"angry"|"disgust"|"fear"|"happy"|"sad"|"surprise"|"neutral"} Emotion
 * FER-2013 order, as the server counts them.
 */

/** @type {readonly Emotion[]} */
export const EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

/**
 * @typedef {object} PaintOrder  What is to be painted behind, on or before the host.
 * @property {"background"|"outfit"|"product"} region
 * @property {string} prompt
 * @property {string} [negative_prompt]
 * @property {number} [strength]  Above 0 up to 1.
 * @property {number} [seed]
 */

/**
 * @typedef {object} Cue  A direction to the host; at least one of emotion, gesture, motion, paint and style is set.
 * @property {Emotion} [emotion]
 * @property {number} [intensity]  0..1
 * @property {string} [gesture]
 * @property {string} [motion]  A gesture in free words.
 * @property {PaintOrder} [paint]
 * @property {string} [style]  A style pack's name; "" takes the style off.
 * @property {number} [style_strength]  0..2
 */

/**
 * @typedef {object} SayOptions
 * @property {Emotion} [emotion]
 * @property {number} [intensity]  0..1
 * @property {boolean} [interrupt]  Stop what is being said first.
 */

let counter = 0;

/** @returns {string} An id that is unique on this channel. */
export function nextId() {
  counter += 1;
  return `w${counter.toString(36)}`;
}

/**
 * @param {string} type
 * @param {Record<string, any>} [data]
 * @param {string} [id]
 * @returns {Envelope}
 */
export function envelope(type, data = {}, id = nextId()) {
  return { label: LABEL, id, type, data };
}

/** @returns {Envelope} The first message on an open channel. */
export function clientReady() {
  return envelope("client-ready", { version: PROTOCOL_VERSION, about: { library: "anima-web", platform: "browser" } });
}

/**
 * Ask; the host answers. `interrupt` stops what is being said.
 * @param {string} text
 * @param {boolean} interrupt
 * @returns {Envelope}
 */
export function sendText(text, interrupt) {
  return envelope("send-text", { content: text, options: { run_immediately: interrupt, audio_response: true } });
}

/**
 * @param {"say"|"interrupt"|"cue"|"stats"|"frames"} t
 * @param {Record<string, any>} [d]
 * @returns {Envelope}
 */
export function clientMessage(t, d = {}) {
  return envelope("client-message", { t, d });
}

/**
 * Read one message. Whatever is not an RTVI envelope yields null: the channel may carry other traffic (pings).
 * @param {unknown} raw
 * @returns {Envelope | null}
 */
export function decode(raw) {
  if (typeof raw !== "string") return null;
  let value;
  try {
    value = JSON.parse(raw);
  } catch {
    return null;
  }
  if (value === null || typeof value !== "object") return null;
  if (value.label !== LABEL || typeof value.type !== "string") return null;
  const data = value.data !== null && typeof value.data === "object" ? value.data : {};
  return { label: LABEL, id: String(value.id ?? ""), type: value.type, data };
}
