// Captions: words find their sentence, the view follows media time, interruptions wipe what is stale.

import assert from "node:assert/strict";
import test from "node:test";

import { CaptionTrack, LINGER_S, MediaClock, part } from "../captions.js";

function spoken() {
  const track = new CaptionTrack();
  track.addSentence(1, "The cat saw the dog.", 10, 0);
  track.addWord(1, "The", 10);
  track.addWord(1, "cat", 10.3);
  track.addWord(1, "saw", 10.6);
  track.addWord(1, "the", 10.9);
  track.addWord(1, "dog", 11.1);
  return track;
}

const said = (view) => [view.text.slice(0, view.begin), view.text.slice(view.begin, view.end)];

test("nothing is shown before a sentence begins", () => {
  assert.equal(new CaptionTrack().at(0), null);
  assert.equal(spoken().at(9.99), null);
});

test("the word being said is split off, and a repeated word is the later one", () => {
  const track = spoken();
  assert.deepEqual(said(track.at(10.1)), ["", "The"]);
  assert.deepEqual(said(track.at(10.95)), ["The cat saw ", "the"]);
});

test("words of Chinese are placed without spaces", () => {
  const track = new CaptionTrack();
  track.addSentence(1, "你好，我是主播。", 0, 0);
  track.addWord(1, "你好", 0);
  track.addWord(1, "我是", 0.4);
  assert.deepEqual(said(track.at(0.5)), ["你好，", "我是"]);
});

test("a word that is not in its sentence, or of an unknown one, changes nothing", () => {
  const track = spoken();
  track.addWord(1, "horse", 11.2);
  track.addWord(9, "The", 11.2);
  assert.deepEqual(said(track.at(11.3)), ["The cat saw the ", "dog"]);
});

test("the next sentence takes over at its own time", () => {
  const track = spoken();
  track.addSentence(2, "Then it slept.", 11.5, 0);
  assert.equal(track.at(11.4).text, "The cat saw the dog.");
  assert.equal(track.at(11.5).text, "Then it slept.");
});

test("a caption lingers and goes", () => {
  const track = spoken();
  assert.notEqual(track.at(11.1 + LINGER_S), null);
  assert.equal(track.at(11.1 + LINGER_S + 0.5), null);
});

test("a sentence without word times stays as long as it may take", () => {
  const track = new CaptionTrack();
  track.addSentence(1, "x".repeat(100), 0, 0);
  assert.notEqual(track.at(8), null);
  assert.equal(track.at(12), null);
});

test("an interruption wipes older epochs, and what still arrives of them", () => {
  const track = spoken();
  track.cut(1);
  assert.equal(track.at(11), null);
  track.addSentence(2, "stale", 11, 0);
  assert.equal(track.at(11), null);
  track.addSentence(3, "fresh", 11, 1);
  assert.equal(track.at(11).text, "fresh");
});

test("the clock follows frames once it knows the origin, across the RTP wrap", () => {
  const clock = new MediaClock();
  assert.equal(clock.mediaOf(90_000), null);
  clock.setRtpOrigin(2 ** 32 - 90_000);
  assert.equal(clock.mediaOf(2 ** 32 - 90_000), 0);
  assert.equal(clock.mediaOf(90_000), 2);
  clock.frameShown(0, 100);
  assert.equal(clock.now(100.02).toFixed(3), "1.020");
});

test("without an origin the least delayed message tells the time", () => {
  const clock = new MediaClock();
  assert.equal(clock.now(0), null);
  clock.messageArrived(5, 100.3);
  clock.messageArrived(6, 101.01);
  clock.messageArrived(7, 102.4);
  assert.equal(clock.now(103).toFixed(2), "7.99");
});

test("a stalled picture hands over to the message clock", () => {
  const clock = new MediaClock();
  clock.setRtpOrigin(0);
  clock.frameShown(0, 10);
  clock.messageArrived(2, 12);
  assert.equal(clock.now(12), 2);
  clock.reset();
  assert.equal(clock.now(12), null);
});

const LONG = "Only the parts of the picture that change are drawn anew, so my answer reaches you in much less than a tenth of a second.";

test("a long sentence is shown in parts that break between words and lose nothing", () => {
  const first = part(LONG, 0, 4);
  const word = LONG.indexOf("tenth");
  const second = part(LONG, word, word + 5);
  assert.equal(`${first.text} ${second.text}`, LONG);
  assert.equal(second.text.slice(second.begin, second.end), "tenth");
  assert.ok(Math.abs(first.text.length - second.text.length) < 16);
  assert.deepEqual(part("Short.", 0, 6), { text: "Short.", begin: 0, end: 6 });
});

test("every word of a long sentence lies in the part shown for it", () => {
  for (const text of [LONG.repeat(3), "我们每年春天去福建挑选新茶，".repeat(9), "x".repeat(300)]) {
    for (let begin = 0; begin < text.length; begin += 7) {
      const view = part(text, begin, begin + 1);
      assert.equal(view.text[view.begin] ?? " ", text[begin]);
    }
  }
});

test("Chinese breaks anywhere but before punctuation", () => {
  const text = "我们每年春天去福建挑选新茶，每一罐茶都在从前的候车室里手工装罐，收入的百分之一用来种树，您也可以来看看我们的大钟。";
  const first = part(text, 0, 1);
  const second = part(text, text.length - 2, text.length - 1);
  assert.equal(first.text + second.text, text);
  assert.doesNotMatch(second.text, /^[，。]/);
});
