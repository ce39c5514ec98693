import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FIRST as DELAYS, MOST, act } from "../../../static/js/caller/camera/again.js";
import { FIRST, advance } from "../../../static/js/caller/phase.js";
import { UNKNOWN, connection, learn, sees, sentence, showing, word } from "../../../static/js/caller/truth.js";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/adr/0028-what-the-phone-says-of-its-picture.md", root), "utf8");
/** The sentences the page knows. */
const KEYS = new Set([...readFileSync(new URL("templates/caller/words.html", root), "utf8").matchAll(/^ {2}"(\w+)":/gm)].map(([, key]) => key));

/** The rows of the table under a heading, by their first cell. */
function table(heading) {
  const part = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = part.split("\n").filter((line) => line.startsWith("|")).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")));
  const [head = [], , ...body] = rows;
  return new Map(body.map((row) => [row[0], Object.fromEntries(row.map((cell, i) => [head[i], cell]))]));
}

const CAMERA = table("The camera");
const PICTURE = table("The connection and the picture");
const TRACKS = ["none", "asking", "live", "still", "muted", "ended", "busy", "refused", "gone"];
const CONNECTIONS = ["none", "connecting", "up", "deaf", "offline"];
const SHOWN = ["never", "now", "before"];
const REACHED = {
  none: {}, connecting: { socket: true }, up: { socket: true, peers: { a: "up" } }, deaf: { socket: true, peers: { a: "deaf" } }, offline: { online: false, peers: { a: "deaf" } },
};
const state = (track, at, shown) => ({
  ...UNKNOWN, track, granted: track !== "none" && track !== "asking", ...REACHED[at], ever: shown !== "never", shown: shown === "now" ? ["a"] : [],
});

test("the tables name every state once", () => {
  assert.deepEqual([...CAMERA.keys()], TRACKS);
  assert.deepEqual([...PICTURE.keys()], CONNECTIONS);
  for (const row of PICTURE.values()) assert.deepEqual(Object.keys(row).slice(1), SHOWN);
});

for (const track of TRACKS) {
  for (const at of CONNECTIONS) {
    for (const shown of SHOWN) {
      test(`${track}, ${at}, ${shown}: as the table says`, () => {
        const truth = state(track, at, shown);
        assert.equal(connection(truth), at);
        assert.equal(showing(truth), shown);
        const row = CAMERA.get(track);
        const expected = row.sentence === "(below)" ? PICTURE.get(at)[shown] : row.sentence;
        assert.equal(sentence(truth), expected);
        assert.equal(sees(truth), expected === "seen");
        assert.ok(KEYS.has(expected), `${expected} is no sentence of the page`);
        assert.equal(word(truth), row.word === "(none)" ? "" : row.word);
        const { again, hand } = act({ ...truth, late: true });
        const next = hand ? "hand" : again === null ? "nothing" : `${again / 1000} s`;
        assert.equal(next, row.next);
        if (row.granted !== "–") assert.equal(`${act({ ...truth, late: true, permission: "granted" }).again / 1000} s`, row.granted);
      });
    }
  }
}

test("the table names the longest pause", () => {
  assert.ok(page.includes(`${MOST / 1000} s`));
  assert.equal(DELAYS.ended, 0);
});

const filmed = [{ type: "tap" }, { type: "granted", track: "live" }, { type: "socket", open: true }, { type: "peers", peers: { a: "up" } }];
const after = (...events) => events.reduce(learn, UNKNOWN);

test("a connection is not a picture", () => {
  assert.equal(sentence(after(...filmed)), "wait");
  assert.equal(sentence(after(...filmed, { type: "shown", peer: "a", on: true })), "seen");
  assert.equal(sentence(after(...filmed, { type: "shown", peer: "a", on: true }, { type: "shown", peer: "a", on: false })), "unshown");
});

test("it does not go on connecting when nothing answers, and says when it goes another way", () => {
  const none = [...filmed.slice(0, 2), { type: "socket", path: "none" }];
  assert.equal(sentence(after(...none)), "unreached");
  assert.equal(sentence(after(...none, { type: "socket", open: true, path: "requests" })), "around");
  assert.equal(sentence(after(...none, { type: "socket", open: true, path: "" })), "wait");
  assert.equal(sentence(after(...none, { type: "peers", peers: { a: "up" } }, { type: "shown", peer: "a", on: true })), "seen");
  assert.equal(sentence(after(...none, { type: "tap" })), "starting", "a new try");
  assert.equal(sentence(after(...none, { type: "tap", again: true })), "unreached", "the camera is asked for again, nothing else");
});

test("the desk that shows it must be the one that is connected", () => {
  const two = [...filmed, { type: "shown", peer: "a", on: true }, { type: "peers", peers: { a: "deaf", b: "up" } }];
  assert.equal(sees(after(...two)), false);
  assert.equal(sentence(after(...two)), "unshown");
  assert.equal(sees(after(...two, { type: "shown", peer: "b", on: true })), true);
});

test("a greeting of the server says anew who shows it", () => {
  const seen = [...filmed, { type: "shown", peer: "a", on: true }];
  assert.equal(sees(after(...seen, { type: "showing", peers: [], known: ["a"] })), false);
  assert.equal(sees(after(...filmed, { type: "showing", peers: ["a"], known: ["a"] })), true);
  assert.equal(sees(after(...seen, { type: "showing", peers: [], known: [] })), true, "a server that was restarted does not know the desk yet: the picture goes on");
  assert.equal(sees(after(...seen, { type: "showing", peers: null, known: ["a"] })), true, "it knows the desk again, which has not said yet what it shows");
  assert.equal(sees(after(...filmed, { type: "showing", peers: null, known: ["a"] })), false);
});

test("a camera that is muted or over when it is given is not live", () => {
  for (const track of ["muted", "ended"]) {
    const truth = after({ type: "tap" }, { type: "granted", track });
    assert.equal(word(truth), track);
    assert.equal(act(truth).hand, false);
    assert.notEqual(act(truth).again, null);
  }
});

test("a camera that hung is still until frames move, however often it is opened again", () => {
  const hung = [...filmed, { type: "frames", still: true }];
  assert.equal(word(after(...hung, { type: "granted", track: "live" })), "still");
  assert.equal(word(after(...hung, { type: "track", track: "live" }, { type: "frames", still: false })), "live");
});

test("what is left of a camera that another application has says nothing new, unless it is back", () => {
  const busy = [...filmed, { type: "track", track: "muted" }, { type: "trouble", why: "busy" }];
  assert.equal(word(after(...busy, { type: "track", track: "muted" })), "busy");
  assert.equal(word(after(...busy, { type: "track", track: "ended" })), "busy");
  assert.equal(word(after(...busy, { type: "track", track: "live" })), "live");
  assert.equal(word(after(...busy, { type: "granted", track: "muted" })), "muted");
});

test("the tries before are forgotten when frames come for a while, and by a return to the page", () => {
  const tried = [...filmed, { type: "track", track: "ended" }, { type: "tried" }, { type: "trouble", why: "busy" }, { type: "tried" }];
  assert.equal(after(...tried).tries, 2);
  assert.equal(after(...tried, { type: "fresh" }).tries, 0);
});

test("before the first yes the desks are told nothing of the camera", () => {
  for (const why of ["busy", "none", "denied", "timeout"]) assert.equal(word(after({ type: "tap" }, { type: "trouble", why })), "");
});

/* ---------------------------------------------------------------- random walks */

/** Numbers in [0, 1) that come again with their seed. */
function chance(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const PEERS = ["a", "b", "c"];
const WHY = ["denied", "system", "dismissed", "none", "busy", "timeout", "insecure"];

/** Any event, whenever: what browsers and networks do has no order. */
function event(random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const some = () => PEERS.filter(() => random() < 0.5);
  return pick([
    () => ({ type: "tap" }),
    () => ({ type: "granted", track: pick(["live", "muted", "ended"]) }),
    () => ({ type: "track", track: pick(["live", "muted", "ended"]) }),
    () => ({ type: "frames", still: random() < 0.5 }),
    () => ({ type: "trouble", why: pick(WHY) }),
    () => ({ type: "tried" }),
    () => ({ type: "back" }),
    () => ({ type: "fresh" }),
    () => ({ type: "permission", state: pick(["", "prompt", "granted", "denied"]) }),
    () => ({ type: "online", online: random() < 0.7 }),
    () => ({ type: "socket", open: random() < 0.7 }),
    () => ({ type: "socket", ...pick([{ open: true, path: "" }, { open: true, path: "requests" }, { path: "none" }]) }),
    () => ({ type: "peers", peers: Object.fromEntries(some().map((peer) => [peer, pick(["connecting", "up", "deaf"])])) }),
    () => ({ type: "shown", peer: pick(PEERS), on: random() < 0.6 }),
    () => ({ type: "showing", peers: random() < 0.2 ? null : some(), known: some() }),
    () => ({ type: "stopped" }),
  ])();
}

/** What must hold wherever a walk leads. */
function holds(phase) {
  const { truth } = phase;
  const seen = sentence(truth) === "seen";
  assert.equal(seen, truth.track === "live" && truth.shown.some((peer) => truth.peers[peer] === "up"), "seen");
  assert.ok(KEYS.has(sentence(truth)), `no sentence: ${sentence(truth)}`);
  if (phase.screen === "trouble") assert.ok(KEYS.has(`${phase.trouble}_title`), `no title: ${phase.trouble}`);
  const told = word(truth);
  assert.equal(told, truth.granted && truth.track !== "none" && truth.track !== "asking" ? truth.track : "", "word");
  if (truth.granted && phase.screen === "live") assert.notEqual(told, "", "a camera that came once has a word");
  const { again, hand, back } = act(truth);
  // No dead end: frames come, or a question is open, or something is done about it by a clock or by a hand that has a button.
  if (truth.granted && truth.track !== "live") {
    assert.ok(again !== null || hand, `given up: ${truth.track}`);
    if (again !== null) assert.ok(again <= MOST, `too long: ${again}`);
    if (hand) assert.ok(phase.screen === "trouble" || phase.screen === "asking", `no button: ${truth.track} on ${phase.screen}`);
  }
  if (back) assert.equal(truth.back, false, "a return asks once");
  if (!truth.granted && ["busy", "gone"].includes(truth.track)) assert.notEqual(again, null, "before the first yes");
}

/** @param {number} seed */
function walk(seed) {
  const random = chance(seed);
  let phase = { ...FIRST };
  const path = [];
  for (let i = 0; i < 60; i += 1) {
    const one = event(random);
    path.push(one);
    phase = advance(phase, one);
    try {
      holds(phase);
    } catch (error) {
      error.message += `\nseed ${seed}, after ${JSON.stringify(path.slice(-6))}\n${JSON.stringify(phase)}`;
      throw error;
    }
  }
  // Wherever it led, the camera, a connection and a desk make it seen; without any of the three it is not.
  for (const one of [{ type: "granted", track: "live" }, { type: "frames", still: false }, { type: "peers", peers: { a: "up" } }, { type: "showing", peers: ["a"], known: ["a"] }]) phase = advance(phase, one);
  assert.equal(phase.screen, "live", `seed ${seed}`);
  assert.equal(sentence(phase.truth), "seen", `seed ${seed}`);
  for (const one of [{ type: "track", track: "muted" }, { type: "peers", peers: { a: "deaf" } }, { type: "shown", peer: "a", on: false }]) {
    assert.notEqual(sentence(advance(phase, one).truth), "seen", `seed ${seed} ${one.type}`);
  }
  const over = advance(phase, { type: "ended", why: "over_doctor" });
  for (let i = 0; i < 5; i += 1) assert.deepEqual(advance(over, event(random)), over, `seed ${seed}: the end is the end`);
  assert.equal(word(over.truth), "");
}

test("wherever it leads: never a false sentence, never without one, never given up", () => {
  const begun = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  for (let i = 0; i < (process.env.SEED ? 1 : 1500); i += 1) walk(begun + i);
});
