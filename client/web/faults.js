// What can go wrong between the page and the server, as one error type that the UI can put into words.

/**
 * @typedef {"unsupported"|"unreachable"|"unauthorised"|"full"|"gone"|"refused"|"no-path"|"lost"|"restarting"|"rejected"|"trouble"} FaultKind
 * - unsupported: this browser has no WebRTC
 * - unreachable: no HTTP answer from the server
 * - unauthorised: 401 or 403
 * - full: 503 or 429, come back later
 * - gone: the session does not exist any more
 * - refused: any other failing HTTP answer
 * - no-path: HTTP works but no media arrives within the join time
 * - lost: the connection broke and could not be restored
 * - restarting: the server goes down and said that it comes back
 * - rejected: a message of ours was answered with an error; the session goes on
 * - trouble: something failed on the server meanwhile; the session goes on
 */

/** A failure with its kind and, where the server said so, the field and limit it is about. */
export class Fault extends Error {
  /**
   * @param {FaultKind} kind
   * @param {string} message
   * @param {{status?: number, field?: string | null, limit?: string | null, retryAfterS?: number | null}} [detail]
   */
  constructor(kind, message, detail = {}) {
    super(message);
    this.name = "Fault";
    /** @readonly */
    this.kind = kind;
    /** @readonly */
    this.status = detail.status ?? null;
    /** @readonly */
    this.field = detail.field ?? null;
    /** @readonly */
    this.limit = detail.limit ?? null;
    /** @readonly */
    this.retryAfterS = detail.retryAfterS ?? null;
  }
}

/**
 * @param {number} status
 * @returns {FaultKind}
 */
export function kindOfStatus(status) {
  if (status === 401 || status === 403) return "unauthorised";
  if (status === 404 || status === 410) return "gone";
  if (status === 429 || status === 503) return "full";
  return "refused";
}

/**
 * Read a failing response: the server answers `{error: {message, field, limit}}` or the same three at the top.
 * @param {Response} response
 * @returns {Promise<Fault>}
 */
export async function faultOf(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    // a proxy's HTML page or an empty body says nothing beyond the status
  }
  const told = body?.error && typeof body.error === "object" ? body.error : body ?? {};
  const retryAfter = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const words = [told.message, body?.error, response.statusText].find((v) => typeof v === "string" && v !== "");
  return new Fault(kindOfStatus(response.status), words ?? "", {
    status: response.status,
    field: told.field ?? null,
    limit: told.limit ?? null,
    retryAfterS: Number.isFinite(retryAfter) ? retryAfter : null,
  });
}

/**
 * @param {unknown} error
 * @returns {Fault}
 */
export function asFault(error) {
  if (error instanceof Fault) return error;
  return new Fault("refused", error instanceof Error ? error.message : String(error));
}
