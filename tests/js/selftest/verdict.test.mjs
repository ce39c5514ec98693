import assert from "node:assert/strict";
import { test } from "node:test";

import { report, text } from "../../../static/js/selftest/report.js";
import { RELAYS, STEPS, jitter, judge, judgeAll, median, offset, plan, server, verdict } from "../../../static/js/selftest/verdict.js";

const TURN = "turn:turn.chu.example:3478?transport=udp";
const TLS = "turns:turn.chu.example:443?transport=tcp";
const passed = (url) => ({ configured: true, url, candidate: true, error: null, passed: true });
const silentOne = (url, error = 701) => ({ configured: true, url, candidate: false, error, passed: false });
const GOOD = {
  browser: { name: "Chrome", version: "140", missing: [], h264: true, vp8: true },
  screen: { width: 1920, height: 1080, ratio: 1 },
  camera: { tested: false },
  socket: { host: "visio15.chu.example", secure: true, rtts: [10, 12, 11] },
  clock: { offset_ms: 120 },
  bandwidth: { down_kbps: 40_000, up_kbps: 12_000 },
  stun: { configured: true, found: "srflx", url: "stun:turn.chu.example" },
  turn_udp: passed(TURN),
  turn_tcp: passed(TURN.replace("udp", "tcp")),
  turn_tls: passed(TLS),
};
const said = (changes) => verdict(judgeAll({ ...GOOD, ...changes }));
const one = (key, facts, more = {}) => judge(key, facts, { ...GOOD, ...more, [key]: facts });

test("a PC where everything passes is ready", () => {
  assert.deepEqual(said({}), { level: "ok", title: "Ce poste est prêt.", line: "prêt" });
});

test("UDP blocked and TLS open: ready but for that, with the way to open", () => {
  const changes = { turn_udp: silentOne(TURN), stun: { configured: true, found: null, error: 701, url: "stun:turn.chu.example" } };
  const { level, title, line } = said(changes);
  assert.equal(level, "watch");
  assert.match(title, /^Ce poste est prêt, sauf : .*relais vidéo en UDP/);
  assert.match(line, /turn_udp=watch/);
  const judged = one("turn_udp", changes.turn_udp, changes);
  assert.match(judged.advice, /passera en TCP ou TLS, moins fluide/);
  assert.match(judged.it, /^UDP sortant de ce poste vers turn\.chu\.example:3478 : erreur 701/);
});

test("no relay at all is to be corrected", () => {
  const changes = { turn_udp: silentOne(TURN), turn_tcp: silentOne(TURN), turn_tls: silentOne(TLS, null) };
  assert.equal(said(changes).level, "bad");
  assert.match(one("turn_tls", changes.turn_tls, changes).it, /TLS \(TCP\) sortant de ce poste vers turn\.chu\.example:443 : aucune réponse/);
  assert.equal(one("stun", { configured: true, found: null, error: 701, url: "stun:x" }, changes).level, "bad");
});

test("a wrong secret is named, even when another relay works", () => {
  const judged = one("turn_udp", silentOne(TURN, 401));
  assert.equal(judged.level, "bad");
  assert.match(judged.words, /401/);
  assert.match(judged.it, /static-auth-secret.*turn_secret/);
});

test("a relay that answers and passes nothing is told apart", () => {
  const judged = one("turn_udp", { configured: true, url: TURN, candidate: true, passed: false, error: null });
  assert.match(judged.words, /répond, mais aucune image/);
  assert.match(judged.it, /denied-peer-ip/);
});

test("the pair that carried the picture is named, without an address", () => {
  const facts = { ...passed(TLS), type: "relay", protocol: "udp", relay_protocol: "tls", address: "192.0.2.7" };
  assert.equal(one("turn_tls", facts).words, "Une image est passée par ce relais (paire relay, udp, tls jusqu’au relais).");
});

test("a server without relays says so and is no failure of the PC", () => {
  const none = { configured: false };
  assert.match(said({ turn_udp: none, turn_tcp: none, turn_tls: none, stun: none }).title, /aucun relais/);
});

for (const [key, facts, level] of [
  ["browser", { ...GOOD.browser, missing: ["WebRTC"] }, "bad"],
  ["browser", { ...GOOD.browser, h264: false, vp8: false }, "bad"],
  ["browser", { ...GOOD.browser, h264: false }, "watch"],
  ["screen", { width: 1024, height: 768 }, "watch"],
  ["camera", { tested: true, error: "NotAllowedError" }, "watch"],
  ["camera", { tested: true, error: "Strange" }, "watch"],
  ["camera", { tested: true, width: 640, height: 480 }, "ok"],
  ["socket", { host: "h", error: "timeout" }, "bad"],
  ["socket", { host: "h", rtts: [400, 420] }, "watch"],
  ["socket", { host: "h", rtts: [10, 250, 10] }, "watch"],
  ["socket", { host: "h", rtts: [] }, "watch"],
  ["clock", { offset_ms: -6000 }, "watch"],
  ["bandwidth", { error: "selftest_spent" }, "watch"],
  ["bandwidth", { error: "timeout" }, "watch"],
  ["bandwidth", { down_kbps: 100, up_kbps: 100 }, "bad"],
  ["bandwidth", { down_kbps: 800, up_kbps: 800 }, "watch"],
  ["stun", { configured: true, found: "direct" }, "ok"],
]) {
  test(`${key} ${JSON.stringify(facts)} is ${level}`, () => {
    const judged = one(key, facts);
    assert.equal(judged.level, level);
    assert.ok(judged.words);
    if (level !== "ok") assert.ok(judged.it && judged.advice, "says what to do and whom to tell");
  });
}

test("every step is judged before it ran", () => {
  for (const judged of judgeAll({})) assert.equal(judged.level, "none");
  assert.deepEqual(judgeAll({}).map((each) => each.key), STEPS.map(([key]) => key));
});

test("addresses of servers are read as browsers do", () => {
  assert.deepEqual(server(TURN), { scheme: "turn", host: "turn.chu.example", port: 3478, transport: "udp", key: "turn_udp" });
  assert.deepEqual(server("turn:h?transport=TCP"), { scheme: "turn", host: "h", port: 3478, transport: "tcp", key: "turn_tcp" });
  assert.equal(server("turn:h")?.key, "turn_udp");
  assert.deepEqual(server("turns:[2001:db8::1]"), { scheme: "turns", host: "[2001:db8::1]", port: 5349, transport: "tls", key: "turn_tls" });
  assert.equal(server("stun:h:19302")?.key, "stun");
  for (const wrong of ["", "http://h", "turn:", "turn:h:x", "turn:h:1?x=y"]) assert.equal(server(wrong), null, wrong);
  const found = plan({ iceServers: [{ urls: "stun:h" }, { urls: [TURN, TLS, "nonsense"], username: "u", credential: "c" }] });
  assert.deepEqual(Object.keys(found).sort(), ["stun", "turn_tls", "turn_udp"]);
  assert.equal(found.turn_tls[0].credential, "c");
  assert.deepEqual(plan(null), {});
});

test("middle, jitter and the server's clock", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
  assert.equal(jitter([10, 20, 10]), 10);
  assert.equal(jitter([10]), 0);
  assert.equal(offset([{ sent: 1000, back: 1400, now: 9999 }, { sent: 2000, back: 2010, now: 7005 }]), 5000);
});

test("the report holds servers and measurements, and nothing of the PC or of a person", () => {
  const all = { ...GOOD, turn_udp: { ...silentOne(TURN), address: "192.0.2.7", username: "1:st", credential: "secret", candidate_line: "candidate:1" } };
  const judged = judgeAll(all);
  const about = { version: "1.2", site: "samu37", station: "1601", at: "2026-11-23T02:00:00.000Z" };
  const made = report(about, judged, all, verdict(judged));
  const parsed = JSON.parse(JSON.stringify(made));
  assert.equal(parsed.steps.length, STEPS.length);
  assert.equal(parsed.version, "1.2");
  assert.equal(parsed.steps.find((step) => step.key === "turn_udp").facts.error, 701);
  const words = text(made);
  for (const whole of [JSON.stringify(made), words]) for (const never of ["192.0.2.7", "secret", "1:st", "candidate:1"]) assert.ok(!whole.includes(never), never);
  assert.match(words, /Visio15 1\.2, test du poste/);
  assert.match(words, /Pour l’informatique : UDP sortant de ce poste vers turn\.chu\.example:3478/);
  assert.equal(RELAYS.length, 3);
});
