// The HTTP side of a session: create it, exchange SDP, trickle candidates, end it.

import { Fault, faultOf } from "./faults.js";

/**
 * @typedef {object} Grant  What the server gives for a session.
 * @property {string} id
 * @property {string} token
 * @property {string} offer_url
 * @property {string} [expires_at]
 * @property {RTCIceServer[]} [ice_servers]
 */

/**
 * @typedef {object} Answer
 * @property {string} sdp
 * @property {RTCSdpType} type
 * @property {string} pc_id
 */

/** One session's HTTP calls. Every failure is a `Fault`. */
export class Signalling {
  /** @type {typeof fetch} */
  #fetch;
  /** @type {string} */
  #base;

  /**
   * @param {string} base  Prefix of every path, "" for the page's own origin.
   * @param {typeof fetch} fetchFn
   */
  constructor(base, fetchFn) {
    this.#base = base;
    this.#fetch = fetchFn;
  }

  /**
   * @param {Record<string, any>} wish  Body of POST /v1/sessions: language, avatar, voice ...
   * @param {AbortSignal} signal
   * @returns {Promise<Grant>}
   */
  async create(wish, signal) {
    const response = await this.#send("POST", "/v1/sessions", { body: wish, signal });
    return response.json();
  }

  /**
   * @param {Grant} grant
   * @param {RTCSessionDescriptionInit} description
   * @param {AbortSignal} signal
   * @param {string} [pcId]  Of the connection that this offer gives other paths, instead of making a new one.
   * @returns {Promise<Answer>}
   */
  async offer(grant, description, signal, pcId) {
    const body = { sdp: description.sdp, type: description.type, session: grant.id, pc_id: pcId };
    const response = await this.#send("POST", grant.offer_url, { body, signal, token: grant.token });
    return response.json();
  }

  /**
   * Hand over candidates in SmallWebRTC's spelling; an empty candidate says there are no more.
   * @param {Grant} grant
   * @param {string} pcId
   * @param {RTCIceCandidateInit[]} candidates
   * @param {AbortSignal} signal
   */
  async trickle(grant, pcId, candidates, signal) {
    const body = {
      pc_id: pcId,
      candidates: candidates.map((c) => ({
        candidate: c.candidate ?? "",
        sdp_mid: c.sdpMid ?? "0",
        sdp_mline_index: c.sdpMLineIndex ?? 0,
      })),
    };
    await this.#send("PATCH", grant.offer_url, { body, signal, token: grant.token });
  }

  /**
   * End the session. It outlives the page (`keepalive`), and nobody is left to hear of a failure.
   * @param {Grant} grant
   */
  leave(grant) {
    const path = `/v1/sessions/${encodeURIComponent(grant.id)}`;
    this.#send("DELETE", path, { token: grant.token, keepalive: true }).catch(() => undefined);
  }

  /**
   * The page goes away, perhaps to come back at once. It outlives the page; a beacon could not carry the token.
   * @param {Grant} grant
   */
  part(grant) {
    const path = `/v1/sessions/${encodeURIComponent(grant.id)}/bye`;
    this.#send("POST", path, { token: grant.token, keepalive: true }).catch(() => undefined);
  }

  /**
   * Hand over a file as it is, or a form.
   * @param {string} path
   * @param {Blob | FormData} file
   * @returns {Promise<any>}
   */
  async upload(path, file) {
    const response = await this.#send("POST", path, { body: file });
    return response.json();
  }

  /**
   * Have something removed.
   * @param {string} path
   */
  async remove(path) {
    await this.#send("DELETE", path, {});
  }

  /**
   * @param {string} path
   * @param {string} [token]
   * @returns {Promise<any>}
   */
  async get(path, token) {
    const response = await this.#send("GET", path, { token });
    return response.json();
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{body?: object, token?: string, signal?: AbortSignal, keepalive?: boolean}} options
   * @returns {Promise<Response>}
   */
  async #send(method, path, { body, token, signal, keepalive }) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    const isForm = typeof FormData !== "undefined" && body instanceof FormData;
    const isFile = typeof Blob !== "undefined" && body instanceof Blob;
    // a form's own type names where its parts end, which only the browser knows
    if (body !== undefined && !isForm) headers["Content-Type"] = isFile ? body.type : "application/json";
    const content = isForm || isFile ? body : body && JSON.stringify(body);
    if (token) headers.Authorization = `Bearer ${token}`;
    const url = /^https?:/.test(path) ? path : this.#base + path;
    let response;
    try {
      response = await this.#fetch(url, { method, headers, body: content, signal, keepalive });
    } catch (error) {
      if (signal?.aborted && signal.reason instanceof Fault) throw signal.reason;
      throw new Fault("unreachable", error instanceof Error ? error.message : String(error));
    }
    if (!response.ok) throw await faultOf(response);
    return response;
  }
}
