// What the address says of the session to join. Pure.

/**
 * A session that an integrator's backend has created comes in the fragment, which no server log sees:
 * `#session=…&token=…`.
 * @param {string} [hash]  Of the address.
 * @returns {import("./signalling.js").Grant | undefined}
 */
export function grantInAddress(hash = location.hash) {
  const given = new URLSearchParams(hash.slice(1));
  const [id, token] = [given.get("session"), given.get("token")];
  if (!id || !token) return undefined;
  return { id, token, offer_url: given.get("offer_url") ?? "/api/offer" };
}
