import assert from "node:assert/strict";
import { test } from "node:test";
import { lay, ticking } from "../../static/js/audit.js";

test("the audit's clock has few ticks, and an unknown end stays open", () => {
  for (const span of [900, 60_000, 3_600_000, 86_400_000]) assert.ok(span / ticking(span) <= 8);
  const plan = lay({ call: { started: "2026-01-01T00:00:00Z", answered: "2026-01-01T00:00:05Z", ended: null }, stations: [{ station: "1601", start: "2026-01-01T00:00:05Z", end: "2026-01-01T00:01:00Z" }], sessions: [], events: [] });
  assert.deepEqual(plan.lanes.map((lane) => lane.name), ["ligne 15", "poste 1601"]);
  assert.equal(plan.lanes[0].bars.at(-1).open, true);
  assert.equal(lay({ call: null, sessions: [], events: [] }).lanes.length, 0);
});
