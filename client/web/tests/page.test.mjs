// The page's files fit together: words, ids, icons; nothing inline, nothing from elsewhere.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

import { languageOf, languages, suggestions, word } from "../words.js";
import { EMOTIONS } from "../wire.js";

const root = new URL("../", import.meta.url);
const read = (path) => readFileSync(new URL(path, root), "utf-8");
const scripts = [...readdirSync(root), ...readdirSync(new URL("ui/", root)).map((name) => `ui/${name}`)].filter((name) => name.endsWith(".js"));
const html = read("index.html");
const matches = (text, pattern) => [...text.matchAll(pattern)].map((match) => match[1]);

test("every word the document names exists in every language", () => {
  const keys = new Set(matches(html, /data-word(?:-label|-title|-aria)?="(\w+)"/g));
  assert.ok(keys.size > 20);
  for (const language of languages()) for (const key of keys) assert.notEqual(word(language, key), key, `${language}: ${key}`);
});

test("every word the code names exists", () => {
  for (const file of scripts) {
    for (const key of matches(read(file), /\.word\("(\w+)"/g)) assert.notEqual(word("zh", key), key, `${file}: ${key}`);
  }
});

test("faults, states, activities and emotions have words", () => {
  const keys = [
    ...matches(read("faults.js").match(/@typedef \{.*\} FaultKind/)[0], /"([\w-]+)"/g).map((kind) => `fault_${kind}`),
    ...matches(read("session.js").match(/@typedef \{.*\} SessionState/)[0], /"(\w+)"/g).map((state) => `state_${state}`),
    ...matches(read("microphone.js").match(/@typedef \{.*\} MicrophoneState/)[0], /"(\w+)"/g).map((state) => `mic_${state}`),
    ...["listening", "thinking", "speaking"].map((activity) => `doing_${activity}`),
    ...EMOTIONS.map((emotion) => `emotion_${emotion}`),
  ];
  for (const language of languages()) {
    for (const key of keys) assert.notEqual(word(language, key), key.replace(/^[a-z]+_/, ""), `${language}: ${key}`);
    assert.equal(suggestions(language).length, 3);
  }
});

test("an unknown gesture is named by its own name, values are put in their places", () => {
  assert.equal(word("en", "gesture_bow"), "bow");
  assert.match(word("en", "fault_full", { n: 7 }), /7 seconds/);
  assert.deepEqual(["zh-TW", "ZH", "en-GB", "fr", null].map(languageOf), ["zh", "zh", "en", "en", "en"]);
});

test("every element the code asks for is in the document", () => {
  const ids = new Set(matches(html, /\bid="([\w-]+)"/g));
  for (const file of scripts) for (const id of matches(read(file), /byId\("([\w-]+)"/g)) assert.ok(ids.has(id), `${file}: #${id}`);
});

test("every icon used is drawn", () => {
  const drawn = new Set(matches(read("icons.svg"), /<symbol id="(\w+)"/g));
  const used = [...matches(html, /icons\.svg#(\w+)/g), ...EMOTIONS];
  for (const file of scripts) used.push(...matches(read(file), /\bicon\("(\w+)"/g));
  for (const name of used) assert.ok(drawn.has(name), name);
});

test("a strict content policy is kept: nothing inline, nothing from another origin", () => {
  assert.doesNotMatch(html, /<style|style=|\son\w+=|<script(?![^>]*src=)/);
  for (const file of ["index.html", "style.css", "paint.css", ...scripts]) {
    assert.doesNotMatch(read(file).replaceAll("http://www.w3.org/", ""), /https?:\/\/[a-z]|@import|url\((?!"\$\{img\.src\}")/, file);
    assert.doesNotMatch(read(file), /innerHTML|insertAdjacentHTML|document\.write|\beval\(/, file);
  }
});

test("only ui/ and main.js touch the document", () => {
  for (const file of scripts.filter((name) => !name.startsWith("ui/") && name !== "main.js")) {
    assert.doesNotMatch(read(file), /\bdocument\b|\bwindow\b/, file);
  }
});

test("no module is longer than 350 lines", () => {
  for (const file of scripts) assert.ok(read(file).split("\n").length <= 350, file);
});
