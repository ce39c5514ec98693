import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CONTROLS } from "../../../../static/js/desk/help/toolbar.js";
import { MESSAGES, digit, done, lens, reason, refused } from "../../../../static/js/desk/help/words.js";

const ABLE = { cameras: 2, lens: "main", place: 1, facing: "environment", width: 1280, height: 720, fps: 30, torch: true, lit: false, zoom: { min: 1, max: 8, step: 0.1, value: 1 }, prefer: "balanced" };
const facts = (more = {}) => ({ on: true, readonly: false, connected: true, online: true, hidden: false, picture: "flowing", frozen: false, abilities: ABLE, policy: "store", ...more });
const able = (more) => facts({ abilities: { ...ABLE, ...more } });
const ALL = Object.keys(CONTROLS);

test("with a live picture of a phone that can, everything works", () => {
  for (const control of ALL) assert.equal(reason(control, facts()), "", control);
});

test("without a video nothing does, and each says so", () => {
  for (const control of ALL) assert.match(reason(control, facts({ on: false })), /Aucune vidéo/, control);
});

test("what the camera cannot do is said of the camera", () => {
  assert.match(reason("torch", able({ torch: false })), /n’a pas de lampe/);
  assert.match(reason("torch", able({ torch: false, facing: "user" })), /avant n’a pas de lampe/);
  assert.match(reason("torch", able({ torch: null })), /navigateur/);
  assert.match(reason("zoom", able({ zoom: null })), /n’a pas de zoom/);
  assert.match(reason("zoom", able({ zoom: null, torch: null })), /navigateur/);
  assert.match(reason("camera", able({ cameras: 1 })), /qu’une caméra/);
  assert.match(reason("torch", facts({ abilities: null })), /n’a pas encore dit/);
});

test("what needs the phone waits for it; what is local does not", () => {
  for (const control of ["camera", "torch", "zoom", "prefer", "say", "point"]) {
    assert.match(reason(control, facts({ online: false })), /pas relié/, control);
    assert.match(reason(control, facts({ connected: false })), /serveur/, control);
    assert.match(reason(control, facts({ readonly: true })), /lecture seule/, control);
  }
  for (const control of ["turn", "freeze"]) assert.equal(reason(control, facts({ online: false, connected: false, readonly: true })), "", control);
});

test("a still is neither frozen, stored nor pointed at as if it were live", () => {
  for (const picture of ["frozen", "lost", "hidden"]) {
    assert.notEqual(reason("freeze", facts({ picture })), "");
    assert.notEqual(reason("snapshot", facts({ picture })), "");
    assert.equal(reason("freeze", facts({ picture, frozen: true })), "", "what is frozen can always be given back");
  }
  assert.match(reason("point", facts({ frozen: true })), /figée/);
  assert.match(reason("say", facts({ hidden: true })), /quitté la page/);
});

test("a site that stores nothing says so", () => {
  assert.match(reason("snapshot", facts({ policy: "none" })), /ne conserve pas/);
});

test("the messages of the desk are those of the protocol and those the phone has words for", () => {
  const file = (path) => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
  const server = [...file("server/protocol/desk.py").matchAll(/^ {8}"(message_\w+)",$/gm)].map((match) => match[1]);
  assert.deepEqual(MESSAGES.map(([key]) => key), server);
  const phone = [...file("templates/caller/words.html").matchAll(/"(message_\w+)": _\(/g)].map((match) => match[1]);
  assert.deepEqual(phone, server);
  const icons = [...file("static/js/caller/help.js").matchAll(/\b(message_\w+): "([\w-]+)"/g)];
  assert.deepEqual(icons.map((match) => match[1]).sort(), [...server].sort());
  const sprite = file("static/vendor/lucide/sprite.svg");
  for (const [, , icon] of icons) assert.ok(sprite.includes(`id="${icon}"`), icon);
  assert.equal(new Set(MESSAGES.map((_, index) => digit(index))).size, MESSAGES.length);
});

test("an answer of the phone is a French sentence", () => {
  assert.match(done("message", "message_face", ABLE), /Montrez le visage/);
  assert.equal(done("torch", true, ABLE), "Lampe allumée");
  assert.equal(done("zoom", 2, ABLE), "");
  for (const why of ["none", "failed", "busy", "off", "hidden", "anything", null]) {
    for (const control of ["camera", "torch", "zoom", "prefer", "message"]) assert.match(refused(control, why), /^[A-Z].{10,}/);
  }
});

test("which camera is on is told in words, as far as the phone knows", () => {
  const words = { main: "principale", rear: "arrière", wide: "grand-angle", tele: "télé", front: "avant", other: "autre" };
  for (const [key, word] of Object.entries(words)) assert.equal(lens({ ...ABLE, cameras: 5, lens: key, place: 4 }), `${word} · 4 sur 5`);
  for (const able of [null, { ...ABLE, cameras: 1 }, { ...ABLE, lens: null, place: null }]) assert.equal(lens(able), "");
  assert.equal(done("camera", null, { ...ABLE, cameras: 3, lens: "wide", place: 3 }), "Caméra changée : grand-angle · 3 sur 3");
  assert.equal(done("camera", null, null), "Caméra changée");
  assert.match(refused("camera", "hidden"), /quitté la page/);
});

test("each lens that a phone may name has a word on the desk, and in the protocol", () => {
  const file = (path) => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
  const [, list] = /lens: Literal\[([^\]]+)\]/.exec(file("server/protocol/caller.py"));
  const named = [...list.matchAll(/"(\w+)"/g)].map(([, word]) => word);
  assert.deepEqual(named, [...file("static/js/rtc/lenses.js").matchAll(/@typedef \{(.+)\} LensWord/g)].flatMap(([, words]) => [...words.matchAll(/"(\w+)"/g)].map(([, word]) => word)));
  for (const word of named) {
    assert.notEqual(lens({ ...ABLE, lens: word }), `undefined · 1 sur 2`);
    assert.match(file("docs/protocol.md"), new RegExp(`"${word}"`));
  }
});
