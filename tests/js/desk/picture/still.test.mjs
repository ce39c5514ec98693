import assert from "node:assert/strict";
import { test } from "node:test";
import { FROZEN, label, standsIn, unpack } from "../../../../static/js/desk/picture/still.js";

const frame = (head, picture = [1, 2, 3]) => {
  const text = new TextEncoder().encode(JSON.stringify(head));
  return new Uint8Array([text.length >> 8, text.length & 255, ...text, ...picture]).buffer;
};
const HEAD = { type: "still", session: "s1", seq: 4, taken: "2026-03-01T04:12:31+00:00" };

test("a binary frame is a head and a picture, and anything else is nothing", () => {
  const found = unpack(frame(HEAD));
  assert.deepEqual(found.head, { session: "s1", seq: 4, taken: Date.parse(HEAD.taken) });
  assert.deepEqual([...found.picture], [1, 2, 3]);
  for (const other of [{ ...HEAD, type: "photo" }, { ...HEAD, taken: "now" }, {}]) assert.equal(unpack(frame(other)), null);
  for (const bytes of [[], [0], [255, 255, 1], [0, 3, 91, 93]]) assert.equal(unpack(new Uint8Array(bytes).buffer), null);
});

test("a still stands in while the phone says so and one came, unless the video flows and no still comes", () => {
  assert.ok(standsIn({ rung: "stills", age: 500, flowing: false }));
  assert.ok(standsIn({ rung: "photo", age: 90_000, flowing: false }), "an old one is frozen, and marked so");
  assert.ok(standsIn({ rung: "stills", age: 2_900, flowing: true }), "a try of the video does not flicker");
  assert.ok(!standsIn({ rung: "stills", age: FROZEN + 1, flowing: true }));
  assert.ok(!standsIn({ rung: "stills", age: null, flowing: false }));
  assert.ok(!standsIn({ rung: "video", age: 100, flowing: false }));
});

test("a still never looks younger than it is, nor like a video", () => {
  assert.equal(label(1_101, "04:12:31", false), "IMAGE FIXE · il y a 1,2 s · 04:12:31");
  assert.equal(label(0, "04:12:31", false), "IMAGE FIXE · il y a 0,0 s · 04:12:31");
  assert.match(label(FROZEN + 1, "x", false), /^IMAGE FIGÉE · il y a 4,1 s/);
  assert.match(label(65_001, "x", false), /01:06/);
  assert.match(label(100, "x", true), /^IMAGE FIGÉE, page masquée/);
});
