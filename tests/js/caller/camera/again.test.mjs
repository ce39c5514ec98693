import assert from "node:assert/strict";
import { test } from "node:test";
import { FIRST, LEAST, MOST, UNSEEN, act, flowing } from "../../../../static/js/caller/camera/again.js";
import { UNKNOWN } from "../../../../static/js/caller/truth.js";

const look = (now, more = {}) => ({ sent: [], shown: 0, idle: false, now, ...more });
const after = (...looks) => looks.reduce(flowing, UNSEEN);

test("frames that move are not still", () => {
  assert.equal(after(look(0, { shown: 1 }), look(5000, { shown: 2 }), look(10_000, { shown: 3 })).still, false);
});

test("a preview that stands for more than two seconds is still, until it moves", () => {
  const same = (now) => look(now, { shown: 7 });
  assert.equal(after(same(1000), same(3000)).still, false);
  assert.equal(after(same(1000), same(3001)).still, true);
  assert.equal(after(same(1000), same(3001), same(9000)).still, true);
  assert.equal(after(same(1000), same(3001), look(3200, { shown: 8 })).still, false);
});

test("a preview that moves does not hide a connection that gets nothing", () => {
  assert.equal(after(look(0, { sent: [30], shown: 1 }), look(701, { sent: [30], shown: 20 })).still, true);
  assert.equal(after(look(0, { sent: [30, 4] }), look(2500, { sent: [30, 9] })).still, false);
  assert.equal(after(look(0, { sent: [null], shown: 1 }), look(2500, { sent: [null], shown: 60 })).still, false, "a browser that does not tell");
});

test("no frame is expected while the camera is off, muted or behind", () => {
  assert.equal(after(look(0), look(9000, { idle: true }), look(10_000)).still, false);
});

/** Looks five times a second at a connection that takes frames at these times. */
const looks = (from, until, counts, more = {}) =>
  Array.from({ length: (until - from) / 200 }, (_, i) => from + 200 * (i + 1)).map((now) => look(now, { sent: [counts(now)], ...more }));
const before = looks(0, 2000, (now) => Math.floor((30 * now) / 1000));
/** The last frame once more, each second after the camera hung at 2 s. */
const repeated = (now) => 60 + Math.floor((now - 2000) / 1000);

test("a camera that hangs is told within a second, however often its last frame is sent once more", () => {
  for (let end = 2800; end <= 4000; end += 200) assert.equal(after(...before, ...looks(2000, end, repeated)).still, true, `${end}`);
  assert.equal(after(...before, ...looks(2000, 2600, repeated)).still, false);
});

test("it stays told while it is opened again, until frames move", () => {
  const hung = [...before, ...looks(2000, 4200, repeated)];
  assert.equal(after(...hung, ...looks(4200, 4800, repeated, { idle: true })).still, true);
  assert.equal(after(...hung, ...looks(4800, 5000, () => 0)).still, false, "another camera counts from its own beginning");
  assert.equal(after(...hung, look(4400, { sent: [62] }), look(4600, { sent: [68] })).still, false);
});

test("a slow camera in the dark is none that hangs", () => {
  for (const rate of [5, 7, 15]) {
    const seen = looks(0, 6000, (now) => Math.floor((rate * now) / 1000));
    assert.equal(seen.some((_, i) => after(...seen.slice(0, i + 1)).still), false, `${rate} frames a second`);
  }
});

const doing = (truth) => act({ ...UNKNOWN, granted: true, ...truth });

test("each try waits longer, none is the last", () => {
  for (const track of ["still", "muted", "ended", "busy", "gone"]) {
    const waits = Array.from({ length: 50 }, (_, tries) => doing({ track, tries }).again);
    assert.equal(waits[0], FIRST[track]);
    for (const [i, wait] of waits.entries()) {
      assert.ok(Number.isFinite(wait) && wait <= MOST, `${track} ${i}: ${wait}`);
      if (i > 0) assert.ok(wait >= LEAST && wait >= (waits[i - 1] ?? 0), `${track} ${i}: ${wait}`);
    }
    assert.equal(waits.at(-1), MOST);
  }
});

test("who refused is asked by a touch, by a permission that changes, and once on return; never by a timer", () => {
  const refused = doing({ track: "refused" });
  assert.deepEqual(refused, { again: null, hand: true, back: true });
  assert.equal(doing({ track: "refused", back: true }).back, false);
  assert.equal(doing({ track: "refused", permission: "prompt" }).again, null);
  assert.equal(doing({ track: "refused", permission: "denied" }).again, null);
  assert.ok(doing({ track: "refused", permission: "granted" }).again > 0, "the system forbids it: nobody is asked anything");
});

test("a question that is open is left alone until it takes long", () => {
  assert.deepEqual(act({ ...UNKNOWN, track: "asking" }), { again: null, hand: false, back: false });
  assert.equal(act({ ...UNKNOWN, track: "asking", late: true, permission: "prompt" }).hand, true);
  assert.ok(act({ ...UNKNOWN, track: "asking", late: true, permission: "granted" }).again > 0, "nobody is asked anything: the camera hangs");
});

test("nothing is done about a camera that is not wanted, or gives frames", () => {
  for (const track of ["none", "live"]) assert.deepEqual(doing({ track }), { again: null, hand: false, back: false });
});
