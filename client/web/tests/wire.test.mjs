// Envelopes: what is sent has RTVI's shape, what arrives is read or ignored, never thrown over.

import assert from "node:assert/strict";
import test from "node:test";

import { clientMessage, clientReady, decode, envelope, sendText } from "../wire.js";

test("every envelope has the label, a new id, a type and data", () => {
  const [a, b] = [envelope("x"), envelope("x")];
  assert.deepEqual({ ...a, id: "" }, { label: "rtvi-ai", id: "", type: "x", data: {} });
  assert.notEqual(a.id, b.id);
});

test("client-ready names protocol and library", () => {
  const { type, data } = clientReady();
  assert.equal(type, "client-ready");
  assert.equal(data.version, "2.1.0");
  assert.equal(data.about.library, "anima-web");
});

test("send-text carries the wish to interrupt", () => {
  assert.deepEqual(sendText("hi", true).data, { content: "hi", options: { run_immediately: true, audio_response: true } });
  assert.equal(sendText("hi", false).data.options.run_immediately, false);
});

test("client-message nests its kind and data", () => {
  assert.deepEqual(clientMessage("cue", { gesture: "nod" }).data, { t: "cue", d: { gesture: "nod" } });
  assert.deepEqual(clientMessage("interrupt").data, { t: "interrupt", d: {} });
});

test("decode reads envelopes", () => {
  const text = JSON.stringify({ label: "rtvi-ai", id: 7, type: "bot-ready", data: { version: "2.1.0" } });
  assert.deepEqual(decode(text), { label: "rtvi-ai", id: "7", type: "bot-ready", data: { version: "2.1.0" } });
});

for (const raw of [
  "ping: 12", "", "{", "null", "[]", "7", '"text"', '{"label":"other","type":"x"}', '{"label":"rtvi-ai"}',
  '{"label":"rtvi-ai","type":7}', new ArrayBuffer(4), undefined,
]) {
  test(`decode ignores ${typeof raw === "string" ? raw || "nothing" : Object.prototype.toString.call(raw)}`, () => {
    assert.equal(decode(raw), null);
  });
}

test("decode replaces data that is no object", () => {
  for (const data of ["7", "null", '"x"']) {
    assert.deepEqual(decode(`{"label":"rtvi-ai","id":"1","type":"x","data":${data}}`)?.data, {});
  }
});
