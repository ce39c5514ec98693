import assert from "node:assert/strict";
import { test } from "node:test";
import { hint } from "../../../static/js/caller/hints.js";

test("the hint that helps most now", () => {
  const low = { level: 0.14, charging: false };
  assert.equal(hint({ dark: 0, battery: null }), "loud");
  assert.equal(hint({ dark: 1, battery: null }), "loud", "a hand before the camera is not the night");
  assert.equal(hint({ dark: 2, battery: low }), "dark");
  assert.equal(hint({ dark: 0, battery: low }), "battery");
  assert.equal(hint({ dark: 0, battery: { ...low, charging: true } }), "loud");
  assert.equal(hint({ held: true, dark: 2, battery: low }), "held", "a black picture says nothing by itself");
  assert.equal(hint({ dark: 0, battery: { level: 0.15, charging: false } }), "loud");
});
