// The session's states against a fake server and fake connections.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { AnimaSession } from "../session.js";
import { FakePeer, FakeServer, until } from "./fakes.mjs";

let server;

beforeEach(() => {
  FakePeer.made = [];
  FakePeer.next = { open: true };
  server = new FakeServer();
});

function open(options = {}) {
  const session = new AnimaSession({
    fetch: server.fetch, PeerConnection: FakePeer, wish: { language: "zh" }, joinTimeoutMs: 60, graceMs: 1, queueMs: 0, backOffMs: [1, 1, 1], ...options,
  });
  const seen = { states: [], faults: [], messages: [], tracks: [] };
  session.addEventListener("state", ({ detail }) => seen.states.push(detail.state));
  session.addEventListener("error", ({ detail }) => seen.faults.push(detail));
  session.addEventListener("message", ({ detail }) => seen.messages.push(detail.type));
  session.addEventListener("track", ({ detail }) => seen.tracks.push(detail));
  return { session, seen };
}

test("start: create, offer with the token, channel, client-ready", async () => {
  const { session, seen } = open();
  assert.equal(session.state, "idle");
  await session.start();
  assert.deepEqual(seen.states, ["connecting", "connected"]);
  assert.deepEqual(server.keys, ["POST /v1/sessions", "POST /api/offer"]);
  assert.deepEqual(server.calls[0].body, { language: "zh" });
  assert.deepEqual(server.calls[1].body, { sdp: "v=0 offer", type: "offer", session: "abc" });
  assert.equal(server.calls[1].headers.Authorization, "Bearer secret");
  const [peer] = FakePeer.made;
  assert.deepEqual(peer.transceivers, [["audio", "sendrecv"], ["video", "recvonly"]]);
  assert.deepEqual([peer.channel.label, peer.channel.options], ["rtvi-ai", { ordered: true }]);
  assert.equal(peer.channel.sent[0].type, "client-ready");
  assert.equal(session.id, "abc");
  session.close();
});

test("candidates wait for the answer, go in SmallWebRTC's spelling, and mDNS names stay here", async () => {
  const candidate = (text) => ({ candidate: text, toJSON: () => ({ candidate: text, sdpMid: "0", sdpMLineIndex: 0 }) });
  FakePeer.next = { open: true, candidates: [candidate("candidate:1 1 udp 1 x.local 9 typ host"), candidate("candidate:2 1 udp 1 10.0.0.1 9 typ host"), null] };
  const { session } = open();
  await session.start();
  const patch = server.calls.find((call) => call.key.startsWith("PATCH"));
  assert.deepEqual(patch.body, {
    pc_id: "pc7",
    candidates: [
      { candidate: "candidate:2 1 udp 1 10.0.0.1 9 typ host", sdp_mid: "0", sdp_mline_index: 0 },
      { candidate: "", sdp_mid: "0", sdp_mline_index: 0 },
    ],
  });
  session.close();
});

test("a failed trickle is reported and ends nothing", async () => {
  FakePeer.next = { open: true, candidates: [null] };
  server.routes["PATCH /api/offer"] = [422, { error: { message: "no" } }];
  const { session, seen } = open();
  await session.start();
  await until(() => seen.faults.length === 1);
  assert.equal(session.state, "connected");
  session.close();
});

test("say, chat, interrupt, cue and stats have their message", async () => {
  const { session } = open();
  assert.equal(session.chat("too early"), null);
  await session.start();
  const id = session.chat("hello");
  session.say("Welcome", { emotion: "happy", intensity: 0.5, interrupt: true });
  session.interrupt();
  session.cue({ gesture: "wave" });
  session.reportStats({ fps: 25 });
  const sent = FakePeer.made[0].channel.sent.slice(1);
  assert.equal(sent[0].id, id);
  assert.deepEqual(sent.map((m) => [m.type, m.data]), [
    ["send-text", { content: "hello", options: { run_immediately: true, audio_response: true } }],
    ["client-message", { t: "say", d: { text: "Welcome", emotion: "happy", intensity: 0.5, interrupt: true } }],
    ["client-message", { t: "interrupt", d: {} }],
    ["client-message", { t: "cue", d: { gesture: "wave" } }],
    ["client-message", { t: "stats", d: { fps: 25 } }],
  ]);
  session.close();
});

test("messages and tracks are handed on; what is no envelope is not", async () => {
  const { session, seen } = open();
  await session.start();
  const [peer] = FakePeer.made;
  peer.hear("bot-ready", { version: "2.1.0" });
  peer.channel.onmessage({ data: "ping" });
  peer.ontrack({ track: { kind: "video" } });
  assert.deepEqual([seen.messages, seen.tracks], [["bot-ready"], [{ kind: "video" }]]);
  session.close();
});

test("an error-response goes through the one funnel with field and limit", async () => {
  const { session, seen } = open();
  await session.start();
  FakePeer.made[0].hear("error-response", { error: "too long", status: 413, field: "data.content", limit: "2000 characters" });
  const { kind, message, status, field, limit } = seen.faults[0];
  assert.deepEqual([kind, message, status, field, limit], ["rejected", "too long", 413, "data.content", "2000 characters"]);
  assert.equal(session.state, "connected");
  session.close();
});

for (const [name, answer, kind, detail] of [
  ["no server", null, "unreachable", {}],
  ["no key", [401, { error: { message: "a key is needed", field: "Authorization", limit: null } }], "unauthorised", { field: "Authorization" }],
  ["full", [503, { error: { message: "full" } }, { "Retry-After": "7" }], "full", { retryAfterS: 7 }],
  ["a proxy's page", [502, "<html>"], "refused", { status: 502 }],
  ["a bad wish", [422, { error: { message: "no such language", field: "language", limit: "en, zh" } }], "refused", { limit: "en, zh" }],
]) {
  test(`creation fails: ${name}`, async () => {
    server.routes["POST /v1/sessions"] = answer;
    const { session, seen } = open();
    await session.start();
    assert.equal(session.state, "failed");
    assert.equal(seen.faults.length, 1);
    assert.equal(seen.faults[0].kind, kind);
    for (const [key, value] of Object.entries(detail)) assert.equal(seen.faults[0][key], value);
  });
}

test("without room: asked again after the time that the server names, until there is room", async () => {
  let full = 2;
  const created = server.routes["POST /v1/sessions"];
  server.routes["POST /v1/sessions"] = () => (full-- > 0 ? [503, { error: { message: "full" } }, { "Retry-After": "0.001" }] : created);
  const { session, seen } = open({ queueMs: 60_000 });
  const waits = [];
  session.addEventListener("queued", ({ detail }) => waits.push(detail.waitS));
  await session.start();
  assert.deepEqual([waits, seen.states, seen.faults], [[1, 1], ["connecting", "connected"], []]);
  session.close();
});

test("without room: who leaves is waited for no more", async () => {
  server.routes["POST /v1/sessions"] = [503, { error: { message: "full" } }, { "Retry-After": "0.01" }];
  const { session, seen } = open({ queueMs: 60_000 });
  session.addEventListener("queued", () => session.close());
  await session.start();
  assert.deepEqual([seen.states, seen.faults, server.keys.length], [["connecting", "closed"], [], 1]);
});

test("without room: the patience ends", async () => {
  server.routes["POST /v1/sessions"] = [503, { error: { message: "full" } }, { "Retry-After": "0.002" }];
  const { session, seen } = open({ queueMs: 4 });
  await session.start();
  assert.deepEqual([session.state, seen.faults.map((fault) => fault.kind)], ["failed", ["full"]]);
  assert.ok(server.keys.length >= 3, String(server.keys.length));
});

test("no WebRTC in this browser", async () => {
  const { session, seen } = open({ PeerConnection: undefined });
  await session.start();
  assert.deepEqual([session.state, seen.faults[0].kind, server.keys], ["failed", "unsupported", []]);
});

test("nothing arrives within the join time; a later start works", async () => {
  FakePeer.next = { open: false };
  const { session, seen } = open({ joinTimeoutMs: 5 });
  await session.start();
  assert.deepEqual([session.state, seen.faults[0].kind, FakePeer.made[0].closed], ["failed", "no-path", true]);
  FakePeer.next = { open: true };
  await session.start();
  assert.equal(session.state, "connected");
  session.close();
});

test("a lost connection is restored with the same session", async () => {
  const { session, seen } = open();
  await session.start();
  FakePeer.made[0].become("failed");
  assert.equal(session.state, "reconnecting");
  await until(() => session.state === "connected");
  assert.equal(server.keys.filter((key) => key === "POST /v1/sessions").length, 1);
  assert.equal(FakePeer.made.length, 2);
  assert.deepEqual(seen.faults, []);
  session.close();
});

test("a path that goes silent gets its grace, and mends or is given up", async () => {
  const { session } = open({ graceMs: 20 });
  await session.start();
  const [peer] = FakePeer.made;
  peer.become("disconnected");
  peer.become("connected");
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(session.state, "connected");
  peer.become("disconnected");
  await until(() => FakePeer.made.length === 2 && session.state === "connected");
  session.close();
});

test("a closed data channel is a lost connection", async () => {
  const { session } = open();
  await session.start();
  FakePeer.made[0].channel.onclose();
  assert.equal(session.state, "reconnecting");
  session.close();
});

test("a session that is gone is replaced by a new one", async () => {
  const { session } = open();
  await session.start();
  let refused = false;
  const answer = server.routes["POST /api/offer"];
  server.routes["POST /api/offer"] = () => {
    if (refused) return answer;
    refused = true;
    return [404, { error: { message: "no such session" } }];
  };
  FakePeer.made[0].become("failed");
  await until(() => session.state === "connected");
  assert.equal(server.keys.filter((key) => key === "POST /v1/sessions").length, 2);
  session.close();
});

test("a given session cannot be replaced", async () => {
  const { session, seen } = open({ grant: { id: "abc", token: "secret", offer_url: "/api/offer" } });
  await session.start();
  server.routes["POST /api/offer"] = [404, { error: { message: "no such session" } }];
  FakePeer.made[0].become("failed");
  await until(() => session.state === "failed");
  assert.equal(seen.faults[0].kind, "gone");
  assert.ok(!server.keys.includes("POST /v1/sessions"));
});

test("a given session is left, not ended: others may watch it", async () => {
  const { session } = open({ grant: { id: "abc", token: "secret", offer_url: "/api/offer" } });
  await session.start();
  session.close();
  assert.deepEqual([session.state, FakePeer.made[0].closed], ["closed", true]);
  assert.ok(!server.keys.some((key) => key.startsWith("DELETE")));
});

test("trouble on the server is told and ends nothing", async () => {
  const { session, seen } = open();
  await session.start();
  FakePeer.made[0].hear("error", { error: "the voice failed", message: "the voice failed", fatal: false });
  assert.deepEqual(seen.faults.map((f) => [f.kind, f.message]), [["trouble", "the voice failed"]]);
  assert.equal(session.state, "connected");
  session.close();
});

test("attempts are limited, and then it says that it was lost", async () => {
  const { session, seen } = open();
  await session.start();
  server.routes["POST /api/offer"] = null;
  FakePeer.made[0].become("failed");
  await until(() => session.state === "failed");
  assert.deepEqual(seen.states.filter((state) => state === "reconnecting").length, 3);
  assert.deepEqual(seen.faults.map((fault) => fault.kind), ["lost"]);
});

test("reconnectNow ends the waiting", async () => {
  const { session } = open({ backOffMs: [60_000] });
  await session.start();
  FakePeer.made[0].become("failed");
  session.reconnectNow();
  await until(() => session.state === "connected");
  session.close();
});

test("close ends the session on the server, beyond the page's life, and once", async () => {
  const { session, seen } = open();
  await session.start();
  session.close();
  session.close();
  const deletes = server.calls.filter((call) => call.key === "DELETE /v1/sessions/abc");
  assert.equal(deletes.length, 1);
  assert.equal(deletes[0].keepalive, true);
  assert.equal(FakePeer.made[0].closed, true);
  assert.deepEqual(seen.states.at(-1), "closed");
  assert.equal(session.chat("late"), null);
});

test("close while the session is being created ends it as soon as it exists", async () => {
  let answer;
  server.routes["POST /v1/sessions"] = () => new Promise((resolve) => (answer = resolve));
  const { session, seen } = open();
  const started = session.start();
  await until(() => answer);
  session.close();
  answer([201, { id: "abc", token: "secret", offer_url: "/api/offer" }]);
  await started;
  assert.equal(session.state, "closed");
  assert.ok(server.keys.includes("DELETE /v1/sessions/abc"));
  assert.deepEqual([FakePeer.made.length, seen.faults], [0, []]);
});

test("close while joining is not an error", async () => {
  FakePeer.next = { open: false };
  const { session, seen } = open();
  const started = session.start();
  await until(() => FakePeer.made[0]?.remoteDescription);
  session.close();
  await started;
  assert.deepEqual([session.state, seen.faults], ["closed", []]);
});

test("starting twice is one start", async () => {
  const { session } = open();
  await Promise.all([session.start(), session.start()]);
  assert.equal(FakePeer.made.length, 1);
  session.close();
});
