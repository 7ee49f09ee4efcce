// Which path media takes, and whether a server works from this browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { checkServer, checkServers, pathInUse, pathWord } from "../paths.js";
import { hasWord, languages } from "../words.js";

const ROWS = [
  { type: "transport", id: "t", selectedCandidatePairId: "p2" },
  { type: "candidate-pair", id: "p1", nominated: true, localCandidateId: "l1", remoteCandidateId: "r" },
  { type: "candidate-pair", id: "p2", localCandidateId: "l2", remoteCandidateId: "r", currentRoundTripTime: 0.0216 },
  { type: "local-candidate", id: "l1", candidateType: "host", protocol: "udp" },
  { type: "local-candidate", id: "l2", candidateType: "relay", protocol: "udp", relayProtocol: "tls" },
  { type: "remote-candidate", id: "r", address: "192.0.2.7", port: 5000 },
];

test("the selected pair is told, and how the relay is reached", () => {
  assert.deepEqual(pathInUse(ROWS), { kind: "relay", protocol: "tls", remote: "192.0.2.7:5000", roundTripMs: 22 });
});

test("where no transport says which, the nominated pair is taken; without one there is no path", () => {
  const path = pathInUse(ROWS.slice(1));
  assert.deepEqual([path?.kind, path?.protocol, path?.roundTripMs], ["host", "udp", null]);
  assert.equal(pathInUse([]), null);
});

/** Gathers what it is told to. */
function peerThat(gathers) {
  return class {
    constructor(configuration) {
      this.configuration = configuration;
      gathers.made?.push(this);
      if (gathers.throws) throw new SyntaxError(gathers.throws);
    }

    createDataChannel() {}

    async createOffer() {
      return {};
    }

    async setLocalDescription() {
      if (gathers.error) this.onicecandidateerror(gathers.error);
      for (const candidate of gathers.candidates ?? []) this.onicecandidate({ candidate });
    }

    close() {
      this.closed = true;
    }
  };
}

test("a relay that gives an address works; it alone is asked", async () => {
  const made = [];
  const candidates = [{ type: "relay", address: "192.0.2.9", port: 4000 }, null];
  const found = await checkServer({ urls: ["x", "y"], username: "u" }, "turn:h:1", peerThat({ candidates, made }));
  assert.deepEqual(found, { url: "turn:h:1", result: "ok", detail: "192.0.2.9:4000" });
  assert.deepEqual(made[0].configuration, { iceServers: [{ urls: ["turn:h:1"], username: "u" }], iceTransportPolicy: "relay" });
  assert.ok(made[0].closed);
});

test("what a server says is told; silence ends", async () => {
  const refused = peerThat({ error: { errorCode: 401, errorText: "Unauthorized" }, candidates: [null] });
  assert.deepEqual(await checkServer({}, "turns:h:1", refused), { url: "turns:h:1", result: "failure", detail: "401 Unauthorized" });
  assert.equal((await checkServer({}, "stun:h:1", peerThat({}), 1)).result, "failure");
  const unreadable = await checkServer({}, "turn:?", peerThat({ throws: "not a URL" }));
  assert.deepEqual(unreadable, { url: "turn:?", result: "failure", detail: "not a URL" });
});

test("every address of every server", async () => {
  const candidates = [{ type: "srflx", address: "192.0.2.1", port: 1 }, null];
  const servers = [{ urls: "stun:a:1" }, { urls: ["stun:b:1", "stun:c:1"] }];
  const found = await checkServers(servers, peerThat({ candidates }));
  assert.deepEqual(found.map(({ url, result }) => [url, result]), [["stun:a:1", "ok"], ["stun:b:1", "ok"], ["stun:c:1", "ok"]]);
});

test("every path that the server names has a word in each language", () => {
  const source = readFileSync(new URL("../../../server/connectivity.py", import.meta.url), "utf8");
  const names = [...source.matchAll(/(?:Check\(|name = f?)"([^"]+)"/g)].map(([, name]) => name.replace("{port}", "8443"));
  assert.ok(names.includes("addresses") && names.includes("media over TCP, port 8443"));
  for (const language of languages())
    for (const name of names) assert.ok(hasWord(language, pathWord(name).key), `${language}: ${name}`);
});

test("a path's port is told beside its word; a server's address has none", () => {
  assert.deepEqual(pathWord("media over TCP, port 8443"), { key: "path_at_media_over_tcp", port: "8443" });
  assert.equal(hasWord("zh", pathWord("turn:h:3478?transport=udp").key), false);
});
