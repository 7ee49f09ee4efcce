import assert from "node:assert/strict";
import { test } from "node:test";

import { settingsOf } from "../obs/settings.js";
import { alphaOf, unpack } from "../packed.js";

test("an empty address asks for a transparent host of its own, with sound", () => {
  const settings = settingsOf("", "");
  assert.deepEqual(settings.wish, { background: "transparent" });
  assert.equal(settings.grant, undefined);
  assert.deepEqual([settings.sound, settings.fit, settings.mirror, settings.webgl], [true, "contain", false, true]);
});

test("the query names the host, the fragment the session and its token", () => {
  const settings = settingsOf("?avatar=kofi&scene=commerce&fit=cover&sound=off&mirror=1&x=y", "#session=s1&token=t1");
  assert.deepEqual(settings.wish, { background: "transparent", avatar: "kofi", scene: "commerce" });
  assert.deepEqual(settings.grant, { id: "s1", token: "t1", offer_url: "/api/offer" });
  assert.deepEqual([settings.sound, settings.fit, settings.mirror], [false, "cover", true]);
});

test("a colour may come without its hash, which would begin the fragment", () => {
  assert.equal(settingsOf("?background=00b140", "").wish.background, "#00b140");
  assert.equal(settingsOf("?background=%2300b140", "").wish.background, "#00b140");
  assert.equal(settingsOf("?background=loft", "").wish.background, "loft");
});

test("a session of an open server needs no token", () => {
  assert.deepEqual(settingsOf("?session=s9", "").grant, { id: "s9", token: "", offer_url: "/api/offer" });
});

test("alpha is nothing at the bottom and opaque at the top of what codecs leave", () => {
  assert.equal(alphaOf(0), 0);
  assert.equal(alphaOf(5), 0);
  assert.equal(alphaOf(250), 1);
  assert.ok(Math.abs(alphaOf(128) - 0.5) < 0.01);
});

test("unpacking divides the colours by their alpha", () => {
  // two pixels: an opaque one, and one half there
  const packed = new Uint8ClampedArray([200, 100, 50, 255, 60, 30, 0, 255, 255, 255, 255, 255, 128, 128, 128, 255]);
  const out = unpack(packed, 2, 1);
  assert.deepEqual([...out.slice(0, 4)], [200, 100, 50, 255]);
  assert.ok(Math.abs(out[4] - 119) <= 2 && Math.abs(out[5] - 60) <= 1 && out[6] === 0);
  assert.ok(Math.abs(out[7] - 128) <= 1);
});

test("what is not there has no colour either", () => {
  const packed = new Uint8ClampedArray([9, 9, 9, 255, 2, 2, 2, 255]);
  assert.deepEqual([...unpack(packed, 1, 1)], [0, 0, 0, 0]);
});
