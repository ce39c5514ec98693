import assert from "node:assert/strict";
import { test } from "node:test";
import { elapsed, lay, ticking } from "../../../static/js/audit/lanes.js";

const at = (/** @type {number} */ second) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
const call = { id: "c", state: "ended", started: at(0), answered: at(1), ended: at(23), end_certain: true };
const transfer = {
  call,
  stations: [{ station: "1501", start: at(0), end: at(9), earlier: [] }, { station: "1601", start: at(5), end: at(23), earlier: [at(6)] }],
  moves: [{ origin: "1501", target: "1601", at: at(9) }],
  holds: [{ start: at(4), end: at(9), earlier: [] }],
  recordings: [{ begins: at(0), stopped: null, seconds: null, status: "present" }],
  related: [],
  sessions: [{ created: at(10), ended: at(40), links: [{ at: at(10), certainty: "certain" }], phases: [
    { state: "invited", start: at(10), end: at(15) }, { state: "live", start: at(15), end: at(20) },
    { state: "interrupted", start: at(20), end: at(22) }, { state: "live", start: at(22), end: at(40) }] }],
};

test("a recording begun in mid-call says that its beginning is not known", () => {
  const { lanes } = lay({ ...transfer, recordings: [{ begins: at(0), begin_known: false, stopped: at(30), seconds: 12, status: "present" }] });
  const lane = lanes.find(({ kind }) => kind === "recording");
  assert.deepEqual(lane?.bars.map(({ label }) => label), ["son, début inconnu"]);
  assert.deepEqual(lane?.bars.map(({ from, to }) => [from, to]), [[Date.parse(at(0)), Date.parse(at(30))]]);
});

test("a transfer goes from lane to lane, a hold lies on the caller, recordings and videos beneath", () => {
  const plan = lay(transfer);
  assert.deepEqual(plan.lanes.map((lane) => lane.name), ["Correspondant", "Poste 1501", "Poste 1601", "Enregistrement 1", "Vidéo 1"]);
  assert.deepEqual(plan.lanes[0].bars.map((bar) => bar.kind), ["ring", "talk", "hold"]);
  assert.deepEqual(plan.arrows.map((arrow) => [arrow.lane, arrow.target, arrow.at]), [[1, 2, Date.parse(at(9))]]);
  assert.deepEqual(plan.lanes[4].bars.map((bar) => bar.kind), ["wait", "live", "lost", "live"]);
  assert.deepEqual(plan.lanes[4].marks.map((mark) => mark.kind), ["link", "stop"]);
  assert.equal(plan.lanes[3].bars[0].label, "son");
  assert.deepEqual([plan.zero, plan.from, plan.to], [Date.parse(at(0)), Date.parse(at(0)), Date.parse(at(40))]);
});

test("a station that only rings is drawn and named otherwise than one that has the call", () => {
  const group = [
    { station: "1501", state: "ringing", start: at(0), end: at(5), earlier: [] },
    { station: "1601", state: "ringing", start: at(0), end: at(5), earlier: [] },
    { station: "1601", state: "talking", start: at(5), end: at(23), earlier: [] },
    { station: "1602", state: null, start: at(6), end: at(23), earlier: [] },
  ];
  const lanes = lay({ call, stations: group }).lanes.filter((lane) => lane.kind === "station");
  assert.deepEqual(lanes.map((lane) => lane.bars.map((bar) => [bar.kind, bar.text])), [
    [["ring", "poste 1501, sonne"]],
    [["ring", "poste 1601, sonne"], ["station", "poste 1601"]],
    [["station", "poste 1602"]],
  ]);
});

test("an end says how it is known, and an earlier reading stays to be seen", () => {
  const plan = lay(transfer);
  assert.equal(plan.lanes[3].bars[0].end, "unknown");
  assert.deepEqual(plan.lanes[2].bars[0].earlier, [Date.parse(at(6))]);
  const deduced = lay({ call: { ...call, end_certain: false } });
  assert.deepEqual(deduced.lanes[0].bars.map((bar) => bar.end), ["told", "deduced"]);
  const missed = lay({ call: { ...call, answered: null, end_certain: false } });
  assert.deepEqual(missed.lanes[0].bars.map((bar) => bar.end), ["deduced"]);
  const live = lay({ call: { ...call, ended: null }, stations: [{ station: "1501", start: at(0), end: null }] }, Date.parse(at(60)));
  assert.deepEqual(live.lanes.flatMap((lane) => lane.bars.map((bar) => bar.end)), ["told", "running", "running"]);
  assert.equal(live.to, Date.parse(at(60)));
});

test("related calls are marks that lead there, before, during or after this one", () => {
  const related = [
    { call: "b", why: "same number again", began: at(-600), start: null, end: null },
    { call: "d", why: "in conference", began: at(3), start: at(4), end: at(6) },
    { call: "e", why: "call-back to the same number", began: at(600), start: null, end: null },
  ];
  const plan = lay({ call, related });
  const lanes = plan.lanes.filter((lane) => lane.name === "Appel lié");
  assert.deepEqual(lanes.map((lane) => lane.marks.map((mark) => [mark.href, mark.side, mark.at])), [
    [["/audit/calls/b", "before", plan.from]], [["/audit/calls/d", undefined, Date.parse(at(4))]], [["/audit/calls/e", "after", plan.to]]]);
  assert.deepEqual(lanes.flatMap((lane) => lane.bars.map((bar) => [bar.from, bar.to])), [[Date.parse(at(4)), Date.parse(at(6))]]);
  assert.equal(lanes[2]?.marks[0]?.text, "rappel du même numéro");
});

test("the clock has few ticks and counts from the start of the call", () => {
  for (const span of [900, 60_000, 3_600_000, 86_400_000, 90 * 86_400_000]) assert.ok(span / ticking(span) <= 8);
  assert.deepEqual([0, 65_000, 3_725_000, -30_000].map(elapsed), ["+0:00", "+1:05", "+1:02:05", "−0:30"]);
  assert.equal(lay({ call: null, sessions: [], events: [] }).lanes.length, 0);
});
