import assert from "node:assert/strict";
import { test } from "node:test";
import { TONES, changes, title } from "../../../../static/js/desk/status/changes.js";

const station = { extension: "1601", name: "", webcam: false };
const call = (id, state, stations = ["1601"]) => ({ id, state, stations });
const server = (calls, sessions) => ({ station, calls, sessions: Object.entries(sessions).map(([id, state]) => ({ id, state })) });

test("the first view is no news", () => {
  assert.deepEqual(changes(null, server([call("c", "ringing")], { a: "live" })), []);
});

test("a call that begins to ring here is told once", () => {
  const quiet = server([], {});
  const rings = server([call("c", "ringing")], {});
  assert.deepEqual(changes(quiet, rings), ["ringing"]);
  assert.deepEqual(changes(rings, rings), []);
  assert.deepEqual(changes(quiet, server([call("c", "ringing", ["1501"])], {})), [], "elsewhere");
});

test("what a session comes to is told, what lies between is not", () => {
  const at = (state) => server([], { a: state });
  assert.deepEqual(changes(at("invited"), at("opened")), ["opened"]);
  assert.deepEqual(changes(at("opened"), at("tapped")), []);
  assert.deepEqual(changes(at("connecting"), at("live")), ["live"]);
  assert.deepEqual(changes(at("live"), at("interrupted")), ["interrupted"]);
  assert.deepEqual(changes(at("interrupted"), at("ended")), ["ended"]);
  assert.deepEqual(changes(server([], {}), at("live")), [], "a session that came with its call is in the list anyway");
});

test("every change has its sound", () => {
  for (const change of ["ringing", "opened", "live", "interrupted", "ended"]) assert.ok(TONES[change].length > 0);
});

test("the title says the state and what one has not seen", () => {
  assert.equal(title(null, 0), "Visiorégulation – Visio15");
  assert.equal(title({ state: "live" }, 0), "En direct – Visio15");
  assert.equal(title({ state: "live" }, 1), "● (1) En direct – Visio15");
  assert.equal(title({ state: "ended" }, 2), "● (2) Visiorégulation – Visio15");
});
