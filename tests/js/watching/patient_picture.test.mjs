import assert from "node:assert/strict";
import { test } from "node:test";
import { reported } from "../../../static/js/watching/patient_picture.js";

test("a live picture that never comes is lost, in time", () => {
  assert.equal(reported("none", true, 5_000), "none");
  assert.equal(reported("none", true, 5_001), "lost");
  assert.equal(reported("none", false, 60_000), "none", "nobody said that there is one");
});

test("a picture that came is reported as it is seen", () => {
  for (const state of ["flowing", "frozen", "hidden", "lost"]) assert.equal(reported(state, true, 60_000), state);
});

test("a picture that this browser holds back, or cannot show, is told as lost at once", () => {
  assert.equal(reported("none", true, 0, true), "lost");
  assert.equal(reported("none", false, 60_000, true), "none", "nobody thinks that it is seen");
});
