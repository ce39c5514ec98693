import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTHING } from "../../../static/js/watching/picture.js";
import { covering, seconds } from "../../../static/js/watching/words.js";

const CAMERAS = ["muted", "ended", "busy", "refused", "gone", "still"];

test("whatever is not a fresh picture is covered", () => {
  const cover = (state, more = {}, age = 1200) => covering({ ...NOTHING, ...more }, state, age)?.icon ?? "";
  assert.equal(cover("none"), "");
  assert.equal(cover("flowing"), "");
  assert.equal(cover("flowing", { dark: true }), "moon");
  assert.equal(cover("frozen"), "snowflake");
  for (const camera of CAMERAS) {
    for (const state of ["frozen", "lost"]) {
      assert.equal(cover(state, { camera }), "video-off");
      assert.match(covering({ ...NOTHING, camera }, state, 1200)?.text ?? "", /^Caméra /);
      assert.match(covering({ ...NOTHING, camera }, state, 1200)?.more ?? "", /Dernière image il y a 1,2 s$/);
    }
    assert.equal(cover("hidden", { camera }), "eye-off");
    assert.equal(cover("flowing", { camera }), "");
  }
  assert.equal(cover("lost", { camera: "live" }), "wifi-off");
  assert.equal(covering(NOTHING, "lost", 65_000)?.more, "Dernière image il y a 01:05");
  assert.equal(covering(NOTHING, "lost", null)?.more, "");
});

test("the age of a picture has tenths as long as they matter", () => {
  assert.equal(seconds(120), "0,1 s");
  assert.equal(seconds(9_900), "9,9 s");
  assert.equal(seconds(12_000), "00:12");
});
