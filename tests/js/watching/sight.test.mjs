import assert from "node:assert/strict";
import { test } from "node:test";
import { PATIENCE, PATIENT, UNTRIED, WAYLESS, phoneFirst, see, trouble, words } from "../../../static/js/watching/sight.js";

/** A second of a desk, ten times: what comes, what is decoded, what is drawn, whether the page is.
 * @returns what is said of it at each beat */
function live(seconds, { receives = 25, decodes = receives, draws = true, paints = true, loses = 0, start = UNTRIED, from = 0, base = 0 } = {}) {
  let sight = start;
  const said = [];
  for (let beat = 1; beat <= seconds * 10; beat += 1) {
    const at = from + beat * 100;
    sight = see(sight, { type: "counted", at, received: base + Math.floor((beat * receives) / 10), decoded: base + Math.floor((beat * decodes) / 10), lost: Math.floor((beat * loses) / 10) });
    if (draws && decodes) sight = see(sight, { type: "drawn", at });
    if (paints) sight = see(sight, { type: "painted", at });
    said.push(trouble(sight, at, "connected"));
  }
  return { sight, said };
}
const first = (said) => said.findIndex((one) => one !== null) * 100;

test("a picture that comes, is decoded and shown is no trouble", () => {
  assert.deepEqual(new Set(live(20).said), new Set([null]));
  assert.deepEqual(new Set(live(20, { receives: 2 }).said), new Set([null]), "nor one of two frames a second");
});

test("nothing comes: that is never laid on this desk", () => {
  assert.deepEqual(new Set(live(20, { receives: 0 }).said), new Set([null]));
});

test("frames that come and are not decoded are named within three seconds", () => {
  const { said } = live(4, { decodes: 0 });
  assert.equal(said.at(-1), "undecoded");
  assert.ok(first(said) >= PATIENCE - 100 && first(said) < 3_000, String(first(said)));
});

test("a few frames accuse nobody: they may be the end of a picture", () => {
  assert.deepEqual(new Set(live(3, { receives: 2, decodes: 0 }).said), new Set([null]));
});

test("a decoder that stops in mid-call is named too, and a remedy that works takes it back", () => {
  const good = live(5);
  const broken = live(4, { decodes: 0, start: good.sight, from: 5_000, base: 125 });
  assert.equal(broken.said.at(-1), "undecoded");
  let sight = broken.sight;
  for (let beat = 1; beat < 5; beat += 1) sight = see(sight, { type: "counted", at: 9_000 + beat * 100, received: 300 + beat, decoded: 200 + beat, lost: 0 });
  assert.equal(trouble(see(sight, { type: "drawn", at: 9_400 }), 9_400, "connected"), null);
});

test("a picture with lost packets is given time: it may only wait for a whole frame", () => {
  const { said } = live(12, { decodes: 0, loses: 3 });
  assert.ok(first(said) >= PATIENT - 100, String(first(said)));
});

test("a phone that stops and goes on is no broken decoder", () => {
  const good = live(5);
  const again = see(good.sight, { type: "counted", at: 30_000, received: 140, decoded: 125, lost: 0 });
  assert.equal(trouble(again, 30_050, "connected"), null);
});

test("decoded and not drawn is named, unless the page itself is not drawn", () => {
  const { said } = live(4, { draws: false });
  assert.equal(said.at(-1), "undrawn");
  assert.ok(first(said) < 3_000);
  assert.deepEqual(new Set(live(10, { draws: false, paints: false }).said), new Set([null]));
});

test("a page that comes back to the front is given time to draw", () => {
  const behind = live(10, { draws: false, paints: false });
  const front = live(1, { draws: false, start: behind.sight, from: 10_000, base: 250 });
  assert.deepEqual(new Set(front.said), new Set([null]));
});

test("a picture held back, and a browser that cannot, are named at once", () => {
  assert.equal(trouble(see(UNTRIED, { type: "held", held: true }), 0, "new"), "held");
  assert.equal(trouble({ ...UNTRIED, blind: true }, 0, ""), "blind");
  const none = see(UNTRIED, { type: "paths", at: 0, none: true });
  assert.equal(trouble(none, WAYLESS - 1, "connecting"), null, "the far end may find it by what it sends");
  assert.equal(trouble(none, WAYLESS, "connecting"), "pathless");
  assert.equal(trouble(none, WAYLESS, "connected"), null, "it did");
  assert.equal(trouble(see(none, { type: "source" }), WAYLESS, "new"), null, "another connection looks again");
});

test("a phone that says it gives no picture is named before this browser", () => {
  const there = { hidden: false, camera: "live", online: true };
  for (const what of ["blind", "pathless", "held", "undecoded", "undrawn"]) {
    assert.equal(phoneFirst(what, there), false, what);
    assert.equal(phoneFirst(what, { ...there, camera: null }), false, `${what}: nothing is known of the camera`);
    assert.equal(phoneFirst(what, { ...there, hidden: true }), true, `${what}: the caller left his page`);
    assert.equal(phoneFirst(what, { ...there, camera: "refused" }), true, `${what}: the camera is refused`);
  }
  assert.equal(phoneFirst("blind", { ...there, online: false }), true, "stills cannot be asked for");
  assert.equal(phoneFirst("held", { ...there, online: false }), false, "the picture comes without the server");
});

test("no word blames the caller or his network, each names what helps", () => {
  for (const what of ["blind", "pathless", "held", "undecoded", "undrawn"]) {
    for (const trying of [false, true]) {
      const said = words(what, trying);
      assert.match(said.say, /Cela vient de ce poste, ni du correspondant ni de son réseau/);
      assert.doesNotMatch(said.text + said.more, /Wi-Fi|correspondant|téléphone/);
      assert.equal(Boolean(said.verb), said.act !== null);
      assert.ok(said.act !== null || trying, what);
    }
  }
});

/** Numbers that look random and are the same each time. */
const dice = (seed) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
};

test("whatever happens, a picture that is drawn or does not come is never this desk's trouble", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const roll = dice(seed);
    let sight = UNTRIED;
    let [received, decoded, lost, at, drawn, came] = [0, 0, 0, 0, -Infinity, -Infinity];
    for (let step = 0; step < 300; step += 1) {
      at += 50 + Math.floor(roll() * 400);
      if (roll() < 0.5) {
        received += Math.floor(roll() * 10);
        came = at;
      }
      if (roll() < 0.4) decoded = Math.min(received, decoded + Math.floor(roll() * 10));
      if (roll() < 0.1) lost += 1;
      if (roll() < 0.02) {
        received = decoded = 0;
        sight = see(sight, { type: "source" });
      }
      sight = see(sight, { type: "counted", at, received, decoded, lost });
      if (roll() < 0.3) {
        drawn = at;
        sight = see(sight, { type: "drawn", at });
      }
      if (roll() < 0.9) sight = see(sight, { type: "painted", at });
      const said = trouble(sight, at, "connected");
      if (said === "undrawn") assert.ok(at - drawn > PATIENCE, `seed ${seed}, step ${step}`);
      if (said === "undecoded") assert.ok(at - came < 1_000, `seed ${seed}, step ${step}`);
      assert.ok([null, "undrawn", "undecoded"].includes(said), `seed ${seed}, step ${step}: ${said}`);
    }
  }
});
