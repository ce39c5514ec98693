import assert from "node:assert/strict";
import { test } from "node:test";
import { UNSEEN, flowing } from "../../static/js/caller_camera.js";

const look = (now, more = {}) => ({ sent: [], shown: 0, idle: false, now, ...more });
const after = (...looks) => looks.reduce(flowing, UNSEEN);

test("frames that move never hang", () => {
  assert.equal(after(look(0, { shown: 1 }), look(5000, { shown: 2 }), look(10_000, { shown: 3 })).hangs, false);
});

test("frames that stand still for more than two seconds hang, and then get as long again", () => {
  const still = (now) => look(now, { shown: 7 });
  assert.equal(after(still(1000), still(3000)).hangs, false);
  assert.equal(after(still(1000), still(3001)).hangs, true);
  assert.equal(after(still(1000), still(3001), still(3500)).hangs, false);
  assert.equal(after(still(1000), still(3001), still(5002)).hangs, true);
});

test("a preview that moves does not hide a connection that gets nothing", () => {
  assert.equal(after(look(0, { sent: [30], shown: 1 }), look(2500, { sent: [30], shown: 60 })).hangs, true);
  assert.equal(after(look(0, { sent: [30, 4] }), look(2500, { sent: [30, 9] })).hangs, false);
  assert.equal(after(look(0, { sent: [null], shown: 1 }), look(2500, { sent: [null], shown: 60 })).hangs, false, "a browser that does not tell");
});

test("no frame is expected while the camera is off, muted or behind", () => {
  assert.equal(after(look(0), look(9000, { idle: true }), look(10_000)).hangs, false);
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
  assert.equal(after(...before, ...looks(2000, 4200, repeated)).hangs, true);
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

test("without a connection there is nobody to tell", () => {
  assert.equal(after(look(0, { shown: 3 }), look(1000, { shown: 3 })).still, false);
});
