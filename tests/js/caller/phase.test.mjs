import assert from "node:assert/strict";
import { test } from "node:test";
import { FIRST, advance, ending, prompt, refused } from "../../../static/js/caller/phase.js";

const after = (...events) => events.reduce(advance, { ...FIRST });
const live = [{ type: "tap" }, { type: "granted", track: "live" }];

test("one tap, one permission, live", () => {
  assert.equal(after({ type: "tap" }).screen, "asking");
  assert.equal(after(...live).screen, "live");
});

test("trouble can be retried, and an answer that comes late is taken", () => {
  const stuck = after({ type: "tap" }, { type: "trouble", why: "timeout" });
  assert.equal(stuck.screen, "trouble");
  assert.equal(advance(stuck, { type: "tap" }).screen, "asking");
  assert.equal(advance(stuck, { type: "granted", track: "live" }).screen, "live");
});

test("a camera that is taken in mid-call leaves the caller where he is; one that is refused needs his hand", () => {
  const lost = [...live, { type: "track", track: "ended" }];
  for (const why of ["busy", "none"]) assert.equal(after(...lost, { type: "trouble", why }).screen, "live", why);
  for (const why of ["denied", "system", "dismissed"]) assert.equal(after(...lost, { type: "trouble", why }).screen, "trouble", why);
  const refused = after(...lost, { type: "trouble", why: "denied" });
  assert.equal(advance(refused, { type: "tap" }).screen, "asking");
  assert.equal(advance(refused, { type: "granted", track: "live" }).screen, "live");
  assert.equal(advance(refused, { type: "track", track: "live" }).screen, "live", "the system gave it back by itself");
  assert.equal(advance(refused, { type: "track", track: "muted" }).screen, "trouble");
});

test("before the camera came once, each trouble has its screen", () => {
  for (const why of ["busy", "none", "denied", "timeout"]) assert.equal(after({ type: "tap" }, { type: "trouble", why }).screen, "trouble", why);
});

test("the end is the end", () => {
  const over = after(...live, { type: "ended" });
  for (const event of [{ type: "tap" }, { type: "granted", track: "live" }, { type: "shown", peer: "a", on: true }, { type: "trouble", why: "busy" }]) {
    assert.equal(advance(over, event).screen, "ended");
  }
  assert.equal(over.truth.track, "none");
});

test("the end says who ended it", () => {
  assert.equal(ending("desk", "quit"), "over_doctor");
  assert.equal(ending("phone", "left"), "over_you");
  assert.equal(ending("server", "expired"), "expired");
  assert.equal(ending("server", "lost"), "lost");
  assert.equal(ending("desk", "revoked"), "closed");
  assert.equal(ending("server", ""), "");
});

test("the question is drawn as this browser asks it", () => {
  assert.equal(prompt("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"), "ios");
  assert.equal(prompt("Mozilla/5.0 (Linux; Android 15) Chrome/140 Mobile"), "android");
  assert.equal(prompt("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Firefox/140.0"), "other");
});

test("a refused tap says what to do", () => {
  assert.equal(refused(409, "open_elsewhere"), "elsewhere");
  assert.equal(refused(409, "link_expired"), "closed");
  assert.equal(refused(409, "session_ended"), "");
  assert.equal(refused(404, "not_found"), "closed");
  // Never that a link is dead, for want of a cookie or by somebody on the way.
  assert.equal(refused(403, "cookies_missing"), "cookies");
  assert.equal(refused(403, "xsrf_refused"), "cookies");
  assert.equal(refused(403, ""), "network");
  assert.equal(refused(0, ""), "network");
  assert.equal(refused(503, "unavailable"), "network");
});
