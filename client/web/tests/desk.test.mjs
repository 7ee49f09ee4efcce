// The desk's stream of events, its document, and the cards' files.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { events } from "../desk/events.js";
import { languages, suggestions } from "../words.js";

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf-8");

/** @param {string[]} chunks */
function streamed(chunks) {
  const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk));
  return new ReadableStream({
    start(controller) {
      for (const chunk of bytes) controller.enqueue(chunk);
      controller.close();
    },
  });
}

test("events are whole, however the stream is cut", async () => {
  const text = 'event: state\ndata: {"a": "é"}\n\nevent: end\ndata: {}\n\n';
  for (const size of [1, 7, 1000]) {
    const chunks = text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g"));
    const found = [];
    for await (const one of events(streamed(chunks))) found.push(one);
    assert.deepEqual(found, [{ event: "state", data: '{"a": "é"}' }, { event: "end", data: "{}" }]);
  }
});

test("an unfinished event is not given out", async () => {
  const found = [];
  for await (const one of events(streamed(["event: state\ndata: 1\n"]))) found.push(one);
  assert.deepEqual(found, []);
});

test("every part the desk asks for is in its document, and nothing is inline", () => {
  const html = read("director.html");
  const parts = new Set([...html.matchAll(/data-part="([\w-]+)"/g)].map((match) => match[1]));
  const asked = [...read("desk/desk.js").matchAll(/part\("([\w-]+)"\)/g)].map((match) => match[1]);
  assert.ok(asked.length > 10);
  for (const name of asked) assert.ok(parts.has(name), name);
  assert.doesNotMatch(html, /<style|style=|\son\w+=|<script(?![^>]*src=)|https?:/);
});

test("each scene has suggestions in every language", () => {
  for (const language of languages()) {
    const scenes = ["", "commerce", "tutor", "npc"].map((scene) => suggestions(language, scene));
    assert.equal(new Set(scenes.map(String)).size, 4);
    for (const three of scenes) assert.equal(three.length, 3);
  }
});
