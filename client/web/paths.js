// How media reaches this browser: the path that is in use, and whether each STUN and TURN server works from here.

const PATIENCE_MS = 5_000;

/**
 * @typedef {object} PathInUse
 * @property {"host"|"srflx"|"prflx"|"relay"} kind  Of our own candidate.
 * @property {"udp"|"tcp"|"tls"} protocol  Towards the relay, if there is one.
 * @property {string} remote  Address and port of the server's side.
 * @property {number | null} roundTripMs
 */

/**
 * @typedef {object} ServerCheck
 * @property {string} url
 * @property {"ok"|"failure"} result
 * @property {string} detail  The address it gave us, or what it said.
 */

/**
 * @param {Iterable<Record<string, any>>} rows  Of `getStats()`.
 * @returns {PathInUse | null}
 */
export function pathInUse(rows) {
  const all = [...rows];
  const transport = all.find(({ type }) => type === "transport");
  const chosen = (/** @type {Record<string, any>} */ row) =>
    row.type === "candidate-pair" && (transport?.selectedCandidatePairId ? row.id === transport.selectedCandidatePairId : row.nominated);
  const pair = all.find(chosen);
  const local = all.find(({ id }) => id === pair?.localCandidateId);
  const remote = all.find(({ id }) => id === pair?.remoteCandidateId);
  if (!pair || !local || !remote) return null;
  const seconds = pair.currentRoundTripTime;
  return {
    kind: local.candidateType,
    protocol: local.relayProtocol ?? local.protocol,
    remote: `${remote.address ?? remote.ip}:${remote.port}`,
    roundTripMs: typeof seconds === "number" ? Math.round(seconds * 1000) : null,
  };
}

/**
 * The key of the word for a path that the server names, such as `media over TCP, port 8443`, and the port, if it has one.
 * @param {string} name
 * @returns {{key: string, port: string}}
 */
export function pathWord(name) {
  const [, what, port = ""] = /^(.*?)(?:, port (\d+))?$/s.exec(name) ?? ["", name];
  return { key: `path_at_${what.toLowerCase().replaceAll(" ", "_")}`, port };
}

/**
 * Ask one server for an address, as a connection would.
 * @param {RTCIceServer} server
 * @param {string} url  The one of its addresses that is asked.
 * @param {typeof RTCPeerConnection} PeerConnection
 * @param {number} [patienceMs]
 * @returns {Promise<ServerCheck>}
 */
export async function checkServer(server, url, PeerConnection, patienceMs = PATIENCE_MS) {
  const relay = /^turns?:/.test(url);
  let peer;
  try {
    peer = new PeerConnection({ iceServers: [{ ...server, urls: [url] }], iceTransportPolicy: relay ? "relay" : "all" });
  } catch (error) {
    return { url, result: "failure", detail: error instanceof Error ? error.message : String(error) };
  }
  try {
    return { url, ...(await asked(peer, relay ? "relay" : "srflx", patienceMs)) };
  } finally {
    peer.close();
  }
}

/**
 * @param {RTCPeerConnection} peer
 * @param {string} wanted  The type of candidate that proves it.
 * @param {number} patienceMs
 * @returns {Promise<Omit<ServerCheck, "url">>}
 */
async function asked(peer, wanted, patienceMs) {
  let said = "";
  /** @type {Promise<Omit<ServerCheck, "url">>} */
  const outcome = new Promise((resolve) => {
    const none = () => resolve({ result: "failure", detail: said });
    setTimeout(none, patienceMs);
    peer.onicecandidateerror = ({ errorCode, errorText }) => (said = `${errorCode} ${errorText}`.trim());
    peer.onicecandidate = ({ candidate }) => {
      if (candidate?.type === wanted) resolve({ result: "ok", detail: `${candidate.address}:${candidate.port}` });
      if (candidate === null) none();
    };
  });
  peer.createDataChannel("path");
  await peer.setLocalDescription(await peer.createOffer());
  return outcome;
}

/**
 * Every address of every server, all at once.
 * @param {readonly RTCIceServer[]} servers
 * @param {typeof RTCPeerConnection} PeerConnection
 * @returns {Promise<ServerCheck[]>}
 */
export function checkServers(servers, PeerConnection) {
  const wanted = servers.flatMap((server) => [server.urls].flat().map((url) => ({ server, url })));
  return Promise.all(wanted.map(({ server, url }) => checkServer(server, url, PeerConnection)));
}
