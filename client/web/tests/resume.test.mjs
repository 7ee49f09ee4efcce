// Coming back: after a reload, over another path, and when the server restarts.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Conversation } from "../conversation.js";
import { GrantMemory } from "../memory.js";
import { AnimaSession } from "../session.js";
import { FakePeer, FakeServer, until } from "./fakes.mjs";

let server;
let storage;

beforeEach(() => {
  FakePeer.made = [];
  FakePeer.next = { open: true };
  server = new FakeServer();
  const held = new Map();
  storage = { getItem: (k) => held.get(k) ?? null, setItem: (k, v) => held.set(k, v), removeItem: (k) => held.delete(k) };
});

function page(options = {}) {
  const session = new AnimaSession({
    fetch: server.fetch, PeerConnection: FakePeer, joinTimeoutMs: 60, graceMs: 20, backOffMs: [1, 1, 1],
    memory: new GrantMemory(storage), ...options,
  });
  const seen = { states: [], faults: [] };
  session.addEventListener("state", ({ detail }) => seen.states.push(detail));
  session.addEventListener("error", ({ detail }) => seen.faults.push(detail.kind));
  return { session, seen };
}

const posts = (path) => server.calls.filter((call) => call.key === `POST ${path}`);

test("a reloaded page goes back into its session", async () => {
  const before = page();
  await before.session.start();
  before.session.suspend();
  assert.ok(!server.keys.some((key) => key.startsWith("DELETE")), "the session is kept");
  const [bye] = server.calls.filter(({ key }) => key === "POST /v1/sessions/abc/bye");
  assert.ok(bye, "but not for long, should nobody come");
  const { session, seen } = page();
  await session.resume();
  assert.deepEqual(seen.states.map(({ state }) => state), ["reconnecting", "connected"]);
  assert.equal(posts("/v1/sessions").length, 1);
  assert.equal(posts("/api/offer")[1].body.session, "abc");
  session.close();
  assert.equal(page().session.remembered, null, "who leaves does not come back by a reload");
});

test("a session that is over is not begun anew by a reload", async () => {
  const before = page();
  await before.session.start();
  before.session.suspend();
  server.routes["POST /api/offer"] = [404, { error: { message: "no such session" } }];
  const { session } = page();
  await session.resume();
  assert.equal(session.state, "closed");
  assert.equal(posts("/v1/sessions").length, 1);
  assert.equal(session.remembered, null);
});

test("who was given a session does not speak for its owner", async () => {
  const { session } = page({ grant: { id: "abc", token: "secret", offer_url: "/api/offer" } });
  await session.start();
  session.suspend();
  assert.ok(!server.keys.some((key) => key.endsWith("/bye")));
});

test("a given session is not mistaken for a remembered one", async () => {
  new GrantMemory(storage).keep({ id: "other", token: "t", offer_url: "/api/offer" });
  const grant = { id: "abc", token: "secret", offer_url: "/api/offer" };
  assert.equal(page({ grant }).session.remembered, null);
  new GrantMemory(storage).keep(grant);
  assert.equal(page({ grant }).session.remembered.id, "abc");
});

test("memory takes nothing but whole grants, and lives without storage", () => {
  for (const text of ["{", "null", "7", JSON.stringify({ id: "abc", token: 5, offer_url: "/" })]) {
    storage.setItem("anima.session", text);
    assert.equal(new GrantMemory(storage).load(), null, text);
  }
  const none = new GrantMemory(null);
  none.keep({ id: "abc", token: "t", offer_url: "/" });
  assert.equal(none.load(), null);
  none.forget();
});

test("a broken path is first mended under the same connection", async () => {
  const { session, seen } = page();
  await session.start();
  const [peer] = FakePeer.made;
  peer.become("disconnected");
  await until(() => posts("/api/offer").length === 2);
  assert.equal(posts("/api/offer")[1].body.pc_id, "pc7");
  assert.deepEqual(peer.offers, [undefined, { iceRestart: true }]);
  peer.become("connected");
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.deepEqual([session.state, FakePeer.made.length, seen.faults], ["connected", 1, []]);
  session.close();
});

test("where the server has given the path up, another connection takes over at once", async () => {
  const { session } = page({ graceMs: 60_000 });
  await session.start();
  server.routes["POST /api/offer"] = () =>
    posts("/api/offer").at(-1).body.pc_id ? [404, { error: { message: "no such connection" } }] : [200, { sdp: "v=0 answer", type: "answer", pc_id: "pc8" }];
  FakePeer.made[0].become("disconnected");
  await until(() => FakePeer.made.length === 2 && session.state === "connected");
  assert.equal(posts("/v1/sessions").length, 1);
  session.close();
});

test("no answer to the mending: the grace time decides", async () => {
  const { session } = page();
  await session.start();
  server.routes["POST /api/offer"] = null;
  FakePeer.made[0].become("disconnected");
  await until(() => session.state === "reconnecting");
  server.routes["POST /api/offer"] = [200, { sdp: "v=0 answer", type: "answer", pc_id: "pc8" }];
  await until(() => session.state === "connected");
  assert.equal(posts("/v1/sessions").length, 1);
  session.close();
});

test("a restart of the server is told, waited for, and ends in a session of the new one", async () => {
  const { session, seen } = page();
  await session.start();
  server.routes["POST /api/offer"] = [404, { error: { message: "no such session" } }];
  FakePeer.made[0].hear("server-message", { t: "farewell", d: { reason: "the server stops", returns: true } });
  assert.deepEqual(seen.faults, ["restarting"]);
  assert.deepEqual([seen.states.at(-1).state, seen.states.at(-1).restarting], ["reconnecting", true]);
  await until(() => posts("/api/offer").length === 2);
  server.routes["POST /api/offer"] = [200, { sdp: "v=0 answer", type: "answer", pc_id: "pc9" }];
  await until(() => session.state === "connected");
  assert.equal(posts("/v1/sessions").length, 2);
  assert.equal(seen.states.at(-1).restarting, false);
  session.close();
});

test("a session that the server ends is over", async () => {
  const { session, seen } = page();
  await session.start();
  FakePeer.made[0].hear("server-message", { t: "farewell", d: { reason: "ended by request", returns: false } });
  assert.deepEqual([session.state, seen.faults, session.remembered], ["closed", ["gone"], null]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(FakePeer.made.length, 1);
});

function talk() {
  const log = [];
  const conversation = new Conversation({ onReset: () => (log.length = 0), onTurn: (turn) => (log[turn.id] = turn.text) });
  const hear = (type, data = {}) => conversation.receive({ label: "rtvi-ai", id: "", type, data });
  return { conversation, hear, log };
}

const told = (who, text, more = {}) => ({ who, text, open: false, stopped: false, source: null, ...more });

test("an empty page takes the whole transcript, and an open turn goes on", () => {
  const { conversation, hear, log } = talk();
  conversation.begin("abc");
  conversation.restore([told("user", "Hi"), told("host", "Well.", { open: true, source: "host.md" })]);
  assert.equal(conversation.activity, "speaking");
  hear("bot-transcription", { text: "Hello." });
  assert.deepEqual(log, ["Hi", "Well. Hello."]);
  assert.equal(conversation.turns[1].source, "host.md");
});

test("what was missed is filled in, older turns than the server's stay", () => {
  const { conversation, log } = talk();
  conversation.begin("abc");
  conversation.restore([told("user", "one"), told("host", "two"), told("user", "three")]);
  conversation.begin("abc");
  conversation.restore([told("host", "two"), told("user", "three"), told("host", "four")]);
  assert.deepEqual(log, ["one", "two", "three", "four"]);
});

test("the log of a session before is kept when another begins", () => {
  const { conversation, log } = talk();
  conversation.begin("abc");
  conversation.restore([told("user", "Hi"), told("host", "Hello.")]);
  conversation.begin("def");
  conversation.restore([]);
  conversation.restore([told("host", "Here I am again.")]);
  assert.deepEqual(log, ["Hi", "Hello.", "Here I am again."]);
});

test("a transcript that says nothing new changes nothing", () => {
  const { conversation } = talk();
  conversation.begin("abc");
  conversation.restore([told("user", "Hi")]);
  const before = conversation.turns;
  conversation.restore([told("user", "Hi")]);
  assert.equal(conversation.turns, before);
});
