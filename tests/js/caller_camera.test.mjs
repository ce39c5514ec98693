import assert from "node:assert/strict";
import { test } from "node:test";
import { flowing } from "../../static/js/caller_camera.js";

const START = { counts: "", since: 0, hangs: false };
const look = (now, more = {}) => ({ sent: [], shown: 0, idle: false, now, ...more });
const after = (...looks) => looks.reduce(flowing, START);

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
  assert.equal(after(look(0, { sent: [30, 4] }), look(2500, { sent: [30, 5] })).hangs, false);
  assert.equal(after(look(0, { sent: [null], shown: 1 }), look(2500, { sent: [null], shown: 60 })).hangs, false, "a browser that does not tell");
});

test("no frame is expected while the camera is off, muted or behind", () => {
  assert.equal(after(look(0), look(9000, { idle: true }), look(10_000)).hangs, false);
});
