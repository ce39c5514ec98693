import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { LEVELS, MINUTE, columns, facts, judge, measure, remember, sample, told, tooSoon } from "../../../static/js/rtc/quality.js";

// Recorded on a desk of the lab, in Chromium, with the phone's network as the name says; addresses left out.
const read = (name) => JSON.parse(readFileSync(new URL(`stats/${name}.json`, import.meta.url), "utf8"));
const recorded = read("good");
const report = (rows) => rows.map((row) => [row.id, row]);
const played_of = (record) => {
  const all = record.map(({ at, rows }) => sample(report(rows), at));
  return all.slice(1).reduce((minute, now, place) => remember(minute, measure(all[place], now)), []);
};
const samples = recorded.map(({ at, rows }) => sample(report(rows), at));
const played = played_of(recorded);

/** The recorded minute, each measure changed. */
const with_ = (change) => played.map((one) => ({ ...one, height: 480, width: 640, kbits: 600, delay: 10, fps: 24, ...change }));
const says = (change) => judge(with_(change));

/** A recorded report, rows of a type changed. */
const altered = (type, change) => sample(report(recorded[3].rows.map((row) => (row.type === type ? { ...row, ...change } : row))), 0);

test("a recorded picture is read: frames, bits, size, way", () => {
  assert.ok(played.length >= 5);
  const last = played.at(-1);
  assert.ok(last.fps > 25 && last.fps < 35, String(last.fps));
  assert.ok(last.kbits > 50, String(last.kbits));
  assert.equal(last.loss, 0);
  assert.equal(last.path, "direct");
  assert.match(facts(last), /^\d\d i\/s · \d+×\d+ · direct$/);
});

test("a good picture has no cause", () => {
  assert.deepEqual(says({}), { level: 4, cause: null });
  assert.equal(judge([]), null);
});

test("what was recorded on bad networks is named for what it was", () => {
  const heard = (name) => judge(played_of(read(name)));
  assert.match(heard("loss-10").cause, /^perte de paquets ([7-9]|1[0-3]) %$/);
  assert.equal(heard("loss-10").level, 2);
  assert.match(heard("delay-300").cause, /^réseau lent : 6\d\d ms aller-retour$/);
  assert.equal(heard("delay-300").level, 2);
  assert.match(heard("rate-50k").cause, /^débit du correspondant faible : [2-6]0 kbit\/s$/);
  assert.equal(heard("rate-50k").level, 1);
});

test("the cause of a stutter is what makes it stutter", () => {
  assert.deepEqual(says({ loss: 0.02, freezes: 1 }), { level: 2, cause: "perte de paquets 2 %" });
  assert.deepEqual(says({ height: 135, kbits: 40, loss: 0.13 }), { level: 1, cause: "débit du correspondant faible : 40 kbit/s" });
});

test("each fault has its level and its cause", () => {
  assert.deepEqual(says({ loss: 0.02 }), { level: 3, cause: "perte de paquets 2 %" });
  assert.deepEqual(says({ loss: 0.08 }), { level: 2, cause: "perte de paquets 8 %" });
  assert.deepEqual(says({ loss: 0.25 }), { level: 1, cause: "perte de paquets 25 %" });
  assert.deepEqual(says({ roundTrip: 700 }), { level: 2, cause: "réseau lent : 700 ms aller-retour" });
  assert.deepEqual(says({ roundTrip: null }), { level: 4, cause: null });
  assert.deepEqual(says({ delay: 620 }), { level: 2, cause: "réseau irrégulier : image en retard de 0,6 s" });
  assert.deepEqual(says({ freezes: 1 }), { level: 2, cause: "image saccadée" });
  assert.deepEqual(says({ fps: 8 }), { level: 2, cause: "8 images par seconde : téléphone lent ou lieu sombre" });
  assert.deepEqual(says({ fps: 6, kbits: 80 }), { level: 2, cause: "débit du correspondant faible : 80 kbit/s" });
  assert.deepEqual(says({ height: 180, kbits: 40 }), { level: 1, cause: "débit du correspondant faible : 40 kbit/s" });
  assert.deepEqual(says({ path: "relais TCP" }), { level: 3, cause: "relais TCP : réseau qui bloque l’UDP" });
});

test("a sharp and fluid picture of a still room is not blamed for its few bits", () => {
  assert.equal(says({ kbits: 40 }).level, 4);
});

test("a picture that does not move is no picture, whatever else is wrong", () => {
  const still = with_({}).map((one, place, all) => (place >= all.length - 2 ? { ...one, fps: 0, loss: 1 } : one));
  assert.deepEqual(judge(still), { level: 0, cause: "image fixe" });
  assert.equal(LEVELS[0], "image fixe");
});

test("the relay is named, with what it runs on", () => {
  const relayed = (relayProtocol) => altered("local-candidate", { candidateType: "relay", relayProtocol }).path;
  assert.equal(relayed("udp"), "relais");
  assert.equal(relayed("tcp"), "relais TCP");
  assert.equal(relayed("tls"), "relais TLS");
  assert.equal(altered("remote-candidate", { candidateType: "relay" }).path, "relais");
  assert.equal(altered("local-candidate", { protocol: "tcp" }).path, "direct TCP");
});

test("a browser without a transport row, as Firefox was, has its pair all the same", () => {
  const rows = recorded[3].rows.filter(({ type }) => type !== "transport");
  assert.equal(sample(report(rows), 0).path, "direct");
  const none = rows.filter(({ type }) => type !== "candidate-pair");
  assert.equal(sample(report(none), 0).path, "");
});

test("what is missing or runs backwards is not measured", () => {
  assert.equal(sample([], 0), null);
  assert.equal(measure(samples[3], samples[2]), null, "another connection, or a clock put back");
  const bare = sample([["a", { type: "inbound-rtp", kind: "video" }]], 0);
  assert.equal(measure(bare, { ...bare, at: 1000 }).fps, 0);
  assert.equal(facts(measure(bare, { ...bare, at: 1000 })), "0 i/s");
});

test("a busy page that looks twice in a row waits for the next second", () => {
  const [one] = samples;
  assert.equal(tooSoon(one, { ...one, at: one.at + 120 }), true);
  assert.equal(tooSoon(one, { ...one, at: one.at + 990 }), false);
  assert.equal(tooSoon(one, { ...one, at: one.at - 990 }), false, "a new connection");
  assert.equal(samples[0].at, recorded[0].rows.find(({ type }) => type === "inbound-rtp").timestamp, "dated by the browser");
});

test("a minute is kept, no more; a gap is a column of its own", () => {
  const one = played.at(-1);
  let minute = [];
  for (let second = 0; second < 90; second += 1) minute = remember(minute, { ...one, at: second * 1000, fps: second === 88 ? 0 : 24 });
  assert.equal(minute.length, MINUTE);
  const found = columns(minute);
  assert.equal(found.length, MINUTE);
  assert.equal(found.at(-2), 0);
  assert.equal(found.at(-1), 24);
  assert.deepEqual(columns(minute.slice(-1)).slice(0, 2), [null, null]);
});

test("the graph is told in one sentence", () => {
  assert.equal(told([]), "Aucune mesure.");
  assert.equal(told(with_({})), "Dernière minute : 24 images par seconde en moyenne, sans interruption.");
  assert.match(told(with_({ fps: 0 })), /0 images par seconde en moyenne, \d s sans image\.$/);
});
