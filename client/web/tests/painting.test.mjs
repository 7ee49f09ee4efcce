// What can be painted, what was ordered, how far it is; and that every state has words.

import assert from "node:assert/strict";
import test from "node:test";

import { cueOf, Painting } from "../painting.js";
import { languages, word } from "../words.js";

const REGIONS = ["background", "outfit", "product"];
const BARE = { name: "", strength: 1 };
const wish = (change = {}) => ({ region: "background", prompt: "", avoid: "", style: "", strength: 1, ...change });
const message = (type, data, id = "s1") => ({ label: "rtvi-ai", id, type, data });
const ready = (painting) => message("bot-ready", { about: { painting } });
const told = (d) => message("server-message", { t: "paint", d: { region: "background", tiles_done: 0, tiles: 8, ...d } });

function begun() {
  const painting = new Painting();
  assert.equal(painting.receive(ready({ regions: REGIONS, why: "", style: "ink", painted: {} })), true);
  return painting;
}

test("a server that says nothing of painting leaves it unknown, one that cannot says why", () => {
  const painting = new Painting();
  assert.equal(painting.receive(message("bot-ready", { about: {} })), false);
  assert.equal(painting.why, null);
  painting.receive(ready({ regions: [], why: "off" }));
  assert.deepEqual([painting.why, painting.regions], ["off", []]);
});

test("an order goes from being checked to being painted", () => {
  const painting = begun();
  assert.equal(painting.style.name, "ink");
  painting.sent("w1", { paint: { region: "background", prompt: "a wood" } });
  assert.equal(painting.report.state, "checking");
  assert.equal(painting.receive(message("server-response", { t: "cue", d: {} }, "w9")), false);
  painting.receive(message("server-response", { t: "cue", d: {} }, "w1"));
  assert.equal(painting.report.state, "waiting");
  for (const [state, done] of [["waiting", 0], ["painting", 3], ["done", 8]]) {
    assert.equal(painting.receive(told({ state, order: "a", tiles_done: done })), true);
    assert.deepEqual([painting.report.state, painting.report.done, painting.report.tiles], [state, done, 8]);
  }
});

test("what is told of an order that was replaced is not shown", () => {
  const painting = begun();
  painting.receive(told({ state: "waiting", order: "a" }));
  painting.receive(told({ state: "waiting", order: "b" }));
  assert.equal(painting.receive(told({ state: "cancelled", order: "a" })), false);
  assert.equal(painting.report.state, "waiting");
  painting.receive(told({ state: "cancelled", order: "b" }));
  assert.equal(painting.report.state, "cancelled");
  assert.equal(painting.receive(told({ region: "product", state: "failed", message: "cut short" })), true);
  assert.equal(painting.report.message, "cut short");
});

test("what is behind the host looks other once tiles of it are painted", () => {
  const painting = begun();
  assert.equal(painting.repaints(told({ state: "waiting" })), false);
  assert.equal(painting.repaints(told({ state: "painting", tiles_done: 2 })), true);
  assert.equal(painting.repaints(told({ state: "done", region: "product", tiles_done: 8 })), false);
  assert.equal(painting.repaints(ready({ regions: REGIONS, why: "", painted: { background: "a wood" } })), true);
  assert.equal(painting.repaints(ready({ regions: REGIONS, why: "", painted: {} })), false);
});

test("a refusal keeps the style that is on, an order that was taken changes it", () => {
  const painting = begun();
  painting.sent("w1", { style: "oil", style_strength: 0.5 });
  painting.receive(message("error-response", { error: "no" }, "w1"));
  assert.deepEqual([painting.report.state, painting.style.name], ["refused", "ink"]);
  painting.sent("w2", { style: "oil", style_strength: 0.5 });
  painting.receive(message("server-response", { t: "cue" }, "w2"));
  assert.deepEqual([painting.report, painting.style], [null, { name: "oil", strength: 0.5 }]);
  painting.clear();
  assert.deepEqual([painting.why, painting.style], [null, BARE]);
});

test("only what is wished and changes something is sent", () => {
  assert.equal(cueOf(wish(), BARE), null);
  assert.deepEqual(cueOf(wish({ prompt: " a wood " }), BARE), { paint: { region: "background", prompt: "a wood" } });
  const whole = wish({ region: "product", prompt: "a lamp", avoid: "text ", style: "ink", strength: 0.6 });
  assert.deepEqual(cueOf(whole, BARE), {
    paint: { region: "product", prompt: "a lamp", negative_prompt: "text" }, style: "ink", style_strength: 0.6,
  });
  assert.deepEqual(cueOf(wish({ style: "ink", strength: 0.4 }), { name: "ink", strength: 1 }), { style: "ink", style_strength: 0.4 });
  assert.equal(cueOf(wish({ style: "ink", strength: 1 }), { name: "ink", strength: 1 }), null);
  assert.deepEqual(cueOf(wish(), { name: "ink", strength: 1 }), { style: "", style_strength: 1 });
});

test("regions, states and reasons have words in every language", () => {
  const states = ["checking", "refused", "waiting", "painting", "done", "cancelled", "failed"];
  const keys = [
    ...REGIONS.flatMap((name) => [`region_${name}`, `paintHint_${name}`]), ...states.map((name) => `painting_${name}`),
    ...["off", "broken", "transparent"].map((name) => `paintOff_${name}`),
  ];
  for (const language of languages()) {
    for (const key of keys) assert.notEqual(word(language, key), key.replace(/^[a-z]+_/, ""), `${language}: ${key}`);
  }
});
