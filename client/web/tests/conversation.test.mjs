// Turns and activity, folded from messages.

import assert from "node:assert/strict";
import test from "node:test";

import { Conversation } from "../conversation.js";

function talk() {
  const changes = [];
  const conversation = new Conversation({ onActivity: (activity) => changes.push(activity) });
  const hear = (type, data = {}, id = "") => conversation.receive({ label: "rtvi-ai", id, type, data });
  return { conversation, changes, hear };
}

test("a question, its echo and its answer make two turns", () => {
  const { conversation, changes, hear } = talk();
  conversation.asked("Who are you?", "w1");
  hear("user-transcription", { text: "Who are you?" });
  hear("bot-llm-text", { text: "I am.", source: "host.md" });
  hear("bot-started-speaking", { media_s: 1 });
  hear("bot-transcription", { text: "I am the host." });
  hear("bot-transcription", { text: "And you?" });
  hear("bot-stopped-speaking");
  assert.deepEqual(conversation.turns.map(({ who, text, open, source }) => ({ who, text, open, source })), [
    { who: "user", text: "Who are you?", open: false, source: null },
    { who: "host", text: "I am the host. And you?", open: false, source: "host.md" },
  ]);
  assert.deepEqual(changes, ["thinking", "speaking", "listening"]);
});

test("Chinese sentences join without a space", () => {
  const { conversation, hear } = talk();
  hear("bot-transcription", { text: "你好。" });
  hear("bot-transcription", { text: "再见。" });
  assert.equal(conversation.turns[0].text, "你好。再见。");
});

test("another client's question is shown too", () => {
  const { conversation, hear } = talk();
  hear("user-transcription", { text: "from elsewhere" });
  assert.equal(conversation.turns[0].who, "user");
  assert.equal(conversation.activity, "thinking");
});

test("asking while she speaks marks her turn as stopped and begins another", () => {
  const { conversation, hear } = talk();
  hear("bot-started-speaking");
  hear("bot-transcription", { text: "A long story." });
  conversation.asked("Stop, what?", "w1");
  hear("bot-interrupted", { epoch: 1 });
  hear("user-transcription", { text: "Stop, what?" });
  assert.equal(conversation.activity, "thinking");
  hear("bot-started-speaking");
  hear("bot-transcription", { text: "Sorry." });
  assert.deepEqual(conversation.turns.map((t) => [t.text, t.stopped]), [
    ["A long story.", true], ["Stop, what?", false], ["Sorry.", false],
  ]);
});

test("a refused question is marked, an unrelated refusal is not its business", () => {
  const { conversation, hear } = talk();
  conversation.asked("x".repeat(9000), "w1");
  hear("error-response", { error: "no such gesture" }, "w0");
  assert.equal(conversation.turns[0].refused, false);
  hear("error-response", { error: "too long" }, "w1");
  assert.equal(conversation.turns[0].refused, true);
  assert.equal(conversation.activity, "listening");
});

test("a lost connection closes what was open", () => {
  const { conversation, hear } = talk();
  hear("bot-started-speaking");
  hear("bot-transcription", { text: "Half a" });
  conversation.broken();
  assert.equal(conversation.turns[0].open, false);
  assert.equal(conversation.activity, "listening");
});
