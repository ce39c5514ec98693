import assert from "node:assert/strict";
import { test } from "node:test";
import { AGAIN, banner, sheetText, wait } from "../../../static/js/identity/words.js";

const NOW = Date.parse("2026-03-01T12:00:00Z");
/** @param {Partial<import("../../../static/js/identity/words.js").Standing>} what */
const standing = (what) => ({ stage: "active", why: "idle", ends_in: 3600, changes_in: 3000, ...what });
const clock = (/** @type {number} */ at) => new Date(at).toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" });

test("nothing is said while the end is far", () => {
  assert.equal(banner(standing({}), NOW), null);
});

test("an idle page is told when it ends, and one click keeps it", () => {
  const said = banner(standing({ stage: "idle_soon", ends_in: 600 }), NOW);
  assert.ok(said?.text.includes(clock(NOW + 600_000)));
  assert.equal(said?.act, "stay");
});

test("the end of a shift, and of a sign-in, is renewed with password and code", () => {
  for (const stage of /** @type {const} */ (["absolute_soon", "over", "ended"])) {
    assert.equal(banner(standing({ stage }), NOW)?.act, "renew");
  }
  assert.match(banner(standing({ stage: "over" }), NOW, true)?.text ?? "", /La vidéo en cours continue/);
});

test("the sheet says why it is there", () => {
  assert.match(sheetText(standing({})), /restent/);
  assert.match(sheetText(standing({ stage: "ended", why: "idle" })), /depuis longtemps/);
  assert.match(sheetText(standing({ stage: "over", why: "absolute" }), true), /durée maximale.*continue/);
});

test("the page looks again when the stage changes by itself, whatever a timer can hold", () => {
  assert.equal(wait(standing({ changes_in: 60 })), 60_500);
  assert.equal(wait(standing({ changes_in: 60 * 86_400 })), 2 ** 31 - 1);
  assert.equal(wait(standing({ stage: "over", changes_in: null })), AGAIN);
});

test("the sheet of a sign-in that has ended names the page that comes back", () => {
  for (const why of ["idle", "absolute"]) {
    assert.match(sheetText({ stage: "ended", why, ends_in: 0, changes_in: null }), /Reconnectez-vous : cette page revient telle quelle\.$/);
  }
});

test("a video is said to go on only while its picture flows", () => {
  for (const stage of ["over", "ended", "active", "idle_soon", "absolute_soon"]) {
    const said = `${banner(standing({ stage }), NOW)?.text ?? ""} ${sheetText(standing({ stage }))}`;
    assert.doesNotMatch(said, /continue|vidéo (et|en cours)/, stage);
  }
  assert.match(sheetText(standing({ stage: "over" })), /La vidéo commencée reste ouverte/);
  assert.match(sheetText(standing({ stage: "over" }), true), /La vidéo en cours continue/);
});
