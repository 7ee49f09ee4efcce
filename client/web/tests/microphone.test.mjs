// The microphone is off until asked for, released when switched off, and says what went wrong.

import assert from "node:assert/strict";
import test from "node:test";

import { Conversation } from "../conversation.js";
import { CONSTRAINTS, loudness, Microphone } from "../microphone.js";
import { AnimaSession } from "../session.js";
import { FakePeer, FakeServer, until } from "./fakes.mjs";

class FakeTrack extends EventTarget {
  stopped = false;
  stop() {
    this.stopped = true;
  }
}

class FakeStream {
  track = new FakeTrack();
  getTracks = () => [this.track];
  getAudioTracks = () => [this.track];
}

function rig(answer) {
  const asked = [];
  const getUserMedia = async (wanted) => {
    asked.push(wanted);
    return answer ? answer() : new FakeStream();
  };
  const microphone = new Microphone({ getUserMedia });
  const seen = [];
  microphone.addEventListener("state", ({ detail }) => seen.push(detail));
  microphone.addEventListener("track", ({ detail }) => seen.push(detail));
  return { microphone, seen, asked };
}

test("nothing is asked for until it is switched on; off releases the device", async () => {
  const { microphone, seen, asked } = rig();
  assert.equal(asked.length, 0);
  await microphone.toggle();
  assert.deepEqual(asked, [{ audio: CONSTRAINTS }]);
  assert.equal(CONSTRAINTS.echoCancellation, true);
  const { track } = microphone.stream;
  assert.deepEqual(seen, ["asking", track, "on"]);
  microphone.toggle();
  assert.deepEqual(seen.slice(3), [null, "off"]);
  assert.ok(track.stopped);
  assert.equal(microphone.stream, null);
});

test("a refusal and a missing device are told apart; both may be tried again", async () => {
  for (const [name, state] of [["NotAllowedError", "denied"], ["NotFoundError", "missing"]]) {
    const { microphone, seen } = rig(() => {
      throw new DOMException("no", name);
    });
    await microphone.on();
    await microphone.on();
    assert.deepEqual(seen, ["asking", state, "asking", state]);
  }
  const insecure = new Microphone(undefined);
  await insecure.on();
  assert.equal(insecure.state, "missing");
});

test("a permission that comes after it was switched off is not used", async () => {
  const stream = new FakeStream();
  let give;
  const { microphone, seen } = rig(() => new Promise((resolve) => (give = () => resolve(stream))));
  const asking = microphone.on();
  await until(() => give);
  microphone.off();
  give();
  await asking;
  assert.deepEqual(seen, ["asking", "off"]);
  assert.ok(stream.track.stopped);
});

test("a device that is unplugged switches it off", async () => {
  const { microphone, seen } = rig();
  await microphone.on();
  microphone.stream.track.dispatchEvent(new Event("ended"));
  assert.deepEqual(seen.slice(-2), [null, "off"]);
});

test("loudness runs from a quiet room to a raised voice", () => {
  const tone = (amplitude) => Float32Array.from({ length: 512 }, (_, i) => amplitude * Math.sin(i / 3));
  assert.equal(loudness(new Float32Array(512)), 0);
  assert.ok(loudness(tone(0.02)) > 0.2 && loudness(tone(0.02)) < 0.6);
  assert.equal(loudness(tone(0.9)), 1);
});

test("the voice goes over this connection and every one to come", async () => {
  const server = new FakeServer();
  FakePeer.made = [];
  const session = new AnimaSession({ fetch: server.fetch, PeerConnection: FakePeer, backOffMs: [1] });
  await session.start();
  const track = new FakeTrack();
  session.speak(track);
  assert.equal(FakePeer.made[0].voice, track);
  FakePeer.made[0].become("failed");
  await until(() => FakePeer.made.length === 2);
  assert.equal(FakePeer.made[1].transceivers[0][0], track);
  await until(() => session.state === "connected");
  session.speak(null);
  assert.equal(FakePeer.made[1].voice, null);
  session.close();
});

test("what is still being said is one turn that changes until it is final", () => {
  const conversation = new Conversation();
  const say = (text, final) => conversation.receive({ type: "user-transcription", id: "1", data: { text, final } });
  say("What does", false);
  say("What does it cost", false);
  say("What does it cost?", true);
  say("And now?", true);
  assert.deepEqual(conversation.turns.map((turn) => [turn.who, turn.text]), [["user", "What does it cost?"], ["user", "And now?"]]);
});
