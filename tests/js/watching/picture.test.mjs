import assert from "node:assert/strict";
import { test } from "node:test";
import { luma } from "../../../static/js/rtc/darkness.js";
import { FROZEN, LOST, NOTHING, age, judge, learn } from "../../../static/js/watching/picture.js";

const from = (...facts) => facts.reduce(learn, { ...NOTHING });
const shown = (at = 0) => from({ type: "connection", state: "connected" }, { type: "frame", at, received: true });

test("nothing is said before the first frame", () => {
  assert.equal(judge(NOTHING, 99_999), "none");
  assert.equal(age(NOTHING, 5), null);
});

test("a still is called frozen within one second, and lost later", () => {
  assert.equal(judge(shown(), 100), "flowing");
  assert.ok(FROZEN + 100 < 1000);
  assert.equal(judge(shown(), FROZEN + 1), "frozen");
  assert.equal(judge(shown(), LOST + 1), "lost");
});

test("a new frame brings it back", () => {
  assert.equal(judge(learn(shown(), { type: "frame", at: LOST + 10, received: true }), LOST + 20), "flowing");
});

test("a hidden page is named before the freeze it causes", () => {
  const hidden = learn(shown(), { type: "hidden", hidden: true });
  assert.equal(judge(hidden, FROZEN), "hidden");
  assert.equal(judge(hidden, LOST * 10), "hidden");
  assert.equal(judge(learn(hidden, { type: "frame", at: 5000, received: true }), 5010), "flowing", "frames that come are frames");
});

test("a camera that gives nothing is never flowing: some phones repeat the last frame", () => {
  for (const camera of ["muted", "ended", "busy", "refused", "gone", "still"]) assert.equal(judge(learn(shown(), { type: "camera", camera }), 10), "frozen", camera);
  for (const camera of ["live", null]) assert.equal(judge(learn(shown(), { type: "camera", camera }), 10), "flowing");
});

test("a failed or closed connection is lost at once", () => {
  for (const state of ["failed", "closed"]) assert.equal(judge(learn(shown(), { type: "connection", state }), 10), "lost");
});

test("a decoder behind a stuck element does not refresh the picture", () => {
  const decoding = learn(shown(), { type: "decoded", at: 5000, count: 150, counts: false });
  assert.equal(judge(decoding, 5001), "lost");
  const counted = learn(shown(), { type: "decoded", at: 5000, count: 150, counts: true });
  assert.equal(judge(counted, 5001), "flowing");
  assert.equal(judge(learn(counted, { type: "decoded", at: 9000, count: 150, counts: true }), 9001), "lost", "the same count is no new frame");
});

test("a frame that the phone did not send is no picture", () => {
  const black = { type: "frame", at: 100, received: false };
  assert.equal(judge(from(black), 100), "none");
  assert.equal(judge(from(black, { type: "decoded", at: 110, count: 0, counts: false }), 110), "none");
  const proven = from(black, { type: "decoded", at: 110, count: 1, counts: false });
  assert.equal(judge(proven, 110), "flowing", "browsers that do not tell where a frame is from: the decoder does");
  assert.equal(age(proven, 110), 10);
  assert.equal(judge(from(black, { type: "decoded", at: 100 + FROZEN, count: 1, counts: false }), 100 + FROZEN), "none", "it was another frame");
  const live = learn(proven, { type: "frame", at: 150, received: false });
  assert.equal(age(live, 150), 0);
  const again = [{ type: "source" }, { type: "frame", at: 9_000, received: false }].reduce(learn, live);
  assert.equal(judge(again, 9_000), "lost", "nor on the connection after");
  assert.equal(judge(learn(again, { type: "frame", at: 9_010, received: true }), 9_010), "flowing");
});

test("time never runs backwards", () => {
  assert.equal(age(learn(shown(100), { type: "frame", at: 50, received: true }), 100), 0);
  assert.equal(age(shown(100), 50), 0);
});

test("another connection starts from nothing", () => {
  assert.equal(judge(learn(shown(), { type: "restart" }), 1), "none");
});

test("black is dark, white is not", () => {
  assert.equal(luma([0, 0, 0, 255, 0, 0, 0, 255]), 0);
  assert.ok(luma([255, 255, 255, 255]) > 250);
  assert.equal(luma([]), 0);
});
