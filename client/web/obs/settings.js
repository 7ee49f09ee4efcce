// What an address asks of the /obs page: which host, before what, whose session. Pure.

/**
 * @typedef {object} ObsSettings
 * @property {Record<string, string>} wish  Body of POST /v1/sessions.
 * @property {import("../signalling.js").Grant | undefined} grant  A session to view; none opens one of its own.
 * @property {"contain"|"cover"} fit
 * @property {boolean} mirror
 * @property {boolean} sound
 * @property {boolean} faults  Whether a fault is shown on the picture after it has lasted.
 * @property {boolean} webgl
 */

const WISHES = ["avatar", "scene", "content", "language", "voice"];

/**
 * A token belongs into the fragment, which no server's log sees.
 * @param {string} search  `location.search`
 * @param {string} hash  `location.hash`
 * @returns {ObsSettings}
 */
export function settingsOf(search, hash) {
  const [asked, secret] = [new URLSearchParams(search), new URLSearchParams(hash.slice(1))];
  /** @type {Record<string, string>} */
  const wish = { background: colourOf(asked.get("background") ?? "transparent") };
  for (const name of WISHES) {
    const value = asked.get(name);
    if (value) wish[name] = value;
  }
  const id = secret.get("session") ?? asked.get("session");
  const grant = id ? { id, token: secret.get("token") ?? "", offer_url: secret.get("offer_url") ?? "/api/offer" } : undefined;
  return {
    wish,
    grant,
    fit: asked.get("fit") === "cover" ? "cover" : "contain",
    mirror: isOn(asked.get("mirror"), false),
    sound: isOn(asked.get("sound"), true),
    faults: isOn(asked.get("faults"), true),
    webgl: isOn(asked.get("webgl"), true),
  };
}

/**
 * A `#` would begin the fragment, so a colour may come without it.
 * @param {string} text
 */
function colourOf(text) {
  return /^[0-9a-f]{6}$/i.test(text) ? `#${text}` : text;
}

/**
 * @param {string | null} value
 * @param {boolean} usual
 */
function isOn(value, usual) {
  return value === null ? usual : !["0", "off", "no", "false"].includes(value);
}
