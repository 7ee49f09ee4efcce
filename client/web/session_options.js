// What a session may be told, and what it does untold.

/**
 * @typedef {object} SessionOptions
 * @property {string} [base]  Where the server is; "" is the page's own origin.
 * @property {Record<string, any>} [wish]  Body of POST /v1/sessions: `language`, `avatar`, `voice` ...
 * @property {import("./signalling.js").Grant} [grant]  Join a session that your own backend created, instead of creating one.
 * @property {number} [createTimeoutMs]  For the session to be made: an avatar that was never drawn is drawn first.
 * @property {number} [queueMs]  How long to wait for a place on a server that has no room now.
 * @property {number} [joinTimeoutMs]  From the offer to an open data channel.
 * @property {number} [graceMs]  How long a broken path may mend by itself.
 * @property {readonly number[]} [backOffMs]  Waiting times between attempts to reconnect; their number is the limit.
 * @property {typeof fetch} [fetch]
 * @property {typeof RTCPeerConnection} [PeerConnection]
 * @property {import("./memory.js").GrantMemory} [memory]  Where the session is remembered for `resume()`.
 */

export const DEFAULTS = Object.freeze({
  base: "",
  wish: {},
  createTimeoutMs: 60_000,
  queueMs: 120_000,
  joinTimeoutMs: 10_000,
  graceMs: 4_000,
  // a server waits a minute for a viewer that was cut off; its own restart takes about as long at most
  backOffMs: Object.freeze([250, 500, 1_000, ...Array(10).fill(2_000), ...Array(12).fill(4_000)]),
});
