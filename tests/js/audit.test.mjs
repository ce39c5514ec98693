import assert from "node:assert/strict";
import { test } from "node:test";
import { lay, ticking } from "../../static/js/audit.js";
import { soundLanes } from "../../static/js/audit_recordings.js";

test("the audit's clock has few ticks, and an unknown end stays open", () => {
  for (const span of [900, 60_000, 3_600_000, 86_400_000]) assert.ok(span / ticking(span) <= 8);
  const plan = lay({ call: { started: "2026-01-01T00:00:00Z", answered: "2026-01-01T00:00:05Z", ended: null }, stations: [{ station: "1601", start: "2026-01-01T00:00:05Z", end: "2026-01-01T00:01:00Z" }], sessions: [], events: [] });
  assert.deepEqual(plan.lanes.map((lane) => lane.name), ["ligne 15", "poste 1601"]);
  assert.equal(plan.lanes[0].bars.at(-1).open, true);
  assert.equal(lay({ call: null, sessions: [], events: [] }).lanes.length, 0);
});

test("a recording has a lane, from its first sound to its end, open when nobody told it", () => {
  const one = { begins: "2026-01-01T00:00:05Z", stopped: "2026-01-01T00:01:00Z", seconds: 50, status: "present", erased: false, sureness: "certain" };
  const [lane, other] = soundLanes({ recordings: [one, { ...one, stopped: null, seconds: null, status: "missing" }], call: { ended: null } });
  assert.equal(lane.bars[0].to - lane.bars[0].from, 50_000);
  assert.deepEqual([lane.name, lane.bars[0].kind, lane.bars[0].open], ["son 1", "sound", false]);
  assert.deepEqual([other.bars[0].kind, other.bars[0].open, other.bars[0].to], ["silent", true, other.bars[0].from]);
  const plan = lay({ call: null, sessions: [], events: [], recordings: [one] });
  assert.equal(plan.to - plan.from, 50_000);
  assert.equal(lay({ call: null, sessions: [], events: [] }).lanes.length, 0);
});
