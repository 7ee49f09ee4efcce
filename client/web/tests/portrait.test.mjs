// A host from the viewer's photo: its name, what is sent, how it is waited for, what goes wrong and where that is said.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { Fault } from "../faults.js";
import { complaintOf, fitted, isRedrawn, makePortrait, missing, nameOf, progressOf, Refusal, stageKey } from "../portrait.js";
import { Signalling } from "../signalling.js";
import { hasWord, languages, word } from "../words.js";

const PHOTO = new Blob(["pixels"], { type: "image/jpeg" });
const WISH = { photo: PHOTO, title: " Eileen ", consent: "I am the person shown" };
const task = (change = {}) => ({ id: "t1", name: "eileen-0001", state: "running", what: "", done: 0, total: 0, error: null, field: null, reason: null, ...change });
const json = (status, body, headers = {}) => new Response(status === 204 ? null : JSON.stringify(body), { status, headers });
const failing = (status, error, headers) => json(status, { error }, headers);

/** A server that gives these answers in turn, an Error as an unreachable one, and notes what it was asked. */
function server(...answers) {
  const calls = [];
  const fetch = async (url, init) => {
    calls.push({ url, ...init });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { calls, signalling: new Signalling("", fetch) };
}

const how = (told = []) => ({ told: (progress) => told.push(progress), pause: async () => undefined });

test("a large picture is sent smaller in its shape, a small one as it is", () => {
  assert.deepEqual(fitted(4000, 3000), { width: 2048, height: 1536 });
  assert.deepEqual(fitted(3000, 4000), { width: 1536, height: 2048 });
  assert.deepEqual(fitted(640, 480), { width: 640, height: 480 });
  assert.deepEqual(fitted(90_000, 3), { width: 2048, height: 1 });
  const file = { type: "image/jpeg", size: 500_000 };
  assert.equal(isRedrawn(file, 2048, 1000), false);
  assert.equal(isRedrawn(file, 2049, 1000), true);
  assert.equal(isRedrawn({ ...file, size: 12e6 }, 2000, 1000), true);
  for (const type of ["image/heic", "image/gif", ""]) assert.equal(isRedrawn({ ...file, type }, 640, 480), true, type);
});

test("a name is what the server takes, whatever the title, and nobody else's", () => {
  const at = (title, taken = []) => nameOf(title, taken, () => 0);
  assert.equal(at("Zoë  Müller"), "zoe-muller-0000");
  assert.equal(at("小美"), "portrait-0000");
  assert.equal(at("--- !"), "portrait-0000");
  assert.equal(at("Eve", ["eve-0000", "eve-0001"]), "eve-0002");
  assert.equal(nameOf("Eve", ["eve-zzzz"], () => 0.9999999), "eve-0000", "it goes on from the beginning");
  for (const title of ["x".repeat(200), "a ".repeat(100), "Ünï çødé 2", "-"]) assert.match(nameOf(title, []), /^[a-z0-9][a-z0-9-]{0,63}$/);
});

test("what is missing is said by field", () => {
  const fields = (entered, titles = []) => missing(entered, titles).map(({ field, key }) => `${field} ${key}`);
  assert.deepEqual(fields({ photo: PHOTO, title: "Eve", agreed: true }, ["Mei"]), []);
  assert.deepEqual(fields({ photo: null, title: "  ", agreed: false }), ["photo ownNo_photo", "title ownNo_title", "consent ownNo_consent"]);
  assert.deepEqual(fields({ photo: PHOTO, title: " kofi", agreed: true }, ["Mei", "Kofi, trainer"]), ["title ownNo_taken"]);
});

test("a portrait is ordered with all its fields and followed to its end", async () => {
  const { calls, signalling } = server(
    json(202, task()), json(200, task({ what: "painting", done: 1, total: 4 })), json(200, task({ state: "done", done: 4, total: 4 })),
  );
  const told = [];
  assert.equal(await makePortrait(signalling, WISH, ["mei"], how(told)), "eileen-0001");
  const { url, method, body, headers } = calls[0];
  assert.deepEqual([url, method, headers["Content-Type"]], ["/v1/avatars", "POST", undefined], "the browser names the form's own type");
  assert.match(body.get("name"), /^eileen-[a-z0-9]{4}$/);
  assert.deepEqual([body.get("title"), body.get("consent"), body.get("photo").size], ["Eileen", WISH.consent, PHOTO.size]);
  assert.equal(calls[1].url, "/v1/avatars/tasks/t1");
  assert.deepEqual(told.map(({ part }) => part), [null, null, 0.25]);
  assert.equal(told[2].what, "painting");
});

test("a name that is taken is another one", async () => {
  const taken = () => failing(409, { message: "there is an avatar", field: "name" });
  const { calls, signalling } = server(taken(), taken(), json(202, task({ state: "done" })));
  await makePortrait(signalling, WISH, [], how());
  assert.equal(new Set(calls.map(({ body }) => body.get("name"))).size, 3);
});

test("names are not tried for ever", async () => {
  const { calls, signalling } = server(...Array.from({ length: 9 }, () => failing(409, { message: "there is", field: "name" })));
  await assert.rejects(makePortrait(signalling, WISH, [], how()), (error) => error instanceof Fault && error.status === 409);
  assert.equal(calls.length, 4);
});

test("who comes second waits", async () => {
  const { signalling } = server(failing(503, { message: "another portrait is being made" }, { "Retry-After": "0" }), json(202, task({ state: "done" })));
  const waits = [];
  await makePortrait(signalling, WISH, [], { ...how(), queued: (waitS) => waits.push(waitS) });
  assert.deepEqual(waits, [0]);
});

test("a server that is away for a moment is asked again, one that forgot the task is not", async () => {
  const away = server(json(202, task()), new TypeError("network"), failing(429, { message: "slowly" }), json(200, task({ state: "done" })));
  assert.equal(await makePortrait(away.signalling, WISH, [], how()), "eileen-0001");
  const forgot = server(json(202, task()), failing(404, { message: "no such task" }));
  await assert.rejects(makePortrait(forgot.signalling, WISH, [], how()), (error) => error instanceof Fault && error.kind === "gone");
  const gone = server(json(202, task()), ...Array.from({ length: 40 }, () => new TypeError("network")));
  await assert.rejects(makePortrait(gone.signalling, WISH, [], how()), (error) => error instanceof Fault && error.kind === "unreachable");
  assert.ok(gone.calls.length < 30);
});

test("what the server refuses is said beside the field that it is about", async () => {
  const found = async (...answers) => {
    try {
      await makePortrait(server(...answers).signalling, WISH, [], how());
    } catch (error) {
      return error instanceof Refusal ? [error.complaint.field, error.complaint.key] : error;
    }
    return null;
  };
  const ended = (change) => [json(202, task()), json(200, task({ state: "failed", ...change }))];
  assert.deepEqual(await found(...ended({ error: "no face", field: "photo", reason: "no_face" })), ["photo", "ownNo_no_face"]);
  assert.deepEqual(await found(...ended({ error: "the work was broken off" })), ["", "ownNo_failed"]);
  assert.deepEqual(await found(failing(422, { message: "a statement", field: "consent" })), ["consent", "ownNo_failed"]);
  assert.deepEqual(await found(failing(413, { message: "too large", field: "photo" })), ["photo", "ownNo_too_large"]);
  assert.equal((await found(failing(401, { message: "the key" }))).kind, "unauthorised");
  assert.deepEqual(complaintOf(task({ error: "e", field: "licence" })), { field: "", key: "ownNo_failed", detail: "e" });
});

test("progress is a part of the whole, unknown before the whole is", () => {
  assert.deepEqual(progressOf(task({ what: "painting", done: 3, total: 4 })), { what: "painting", part: 0.75 });
  assert.equal(progressOf(task()).part, null);
  assert.equal(progressOf(task({ done: 9, total: 4 })).part, 1);
});

test("stages and reasons of the server have words in every language", () => {
  const portrait = (name) => readFileSync(new URL(`../../../models/avatar/portrait/${name}.py`, import.meta.url), "utf-8");
  const quoted = (text) => [...text.matchAll(/"([a-z_ ]+)"/g)].map((match) => match[1]);
  const reasons = quoted(portrait("detect").match(/Reason = Literal\[(.*)\]/)[1]);
  const stages = [...quoted(portrait("build").match(/STAGES: Final = \((.*)\)/)[1]), "drawing base frames", "sending"];
  assert.ok(reasons.length >= 7 && stages.length >= 7);
  assert.ok(portrait("pack").includes('"drawing base frames"'));
  for (const language of languages()) {
    for (const reason of reasons) assert.ok(hasWord(language, `ownNo_${reason}`), `${language}: ${reason}`);
    for (const stage of stages) assert.ok(hasWord(language, stageKey(stage)), `${language}: ${stage}`);
    assert.ok(word(language, "ownConsent").length >= 12, "what the server takes for a statement");
  }
});
