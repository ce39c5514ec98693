import assert from "node:assert/strict";
import { test } from "node:test";
import { START, candidates, duration, gone, lapse, leftOut, next, proposed, shown, wanted } from "../../../static/js/watching/session.js";

const call = (id, state, more = {}) => ({ id, number: "06 12 34 56 78", mobile: true, state, certain: true, started: null, answered: null, ended: null, aliases: [], ...more });
const session = (id, state, more = {}) => ({
  id, state, created: "2026-01-01T00:00:00Z", ended: null, end_reason: null, number: null, station: null, moved: [],
  link: { call: null, certainty: "unlinked", evidence: null, label: "", pick: false },
  invitations: [], steps: [], say: null, caller: { online: true, hidden: false }, ...more,
});
const server = (more = {}) => ({
  type: "view", now: "2026-01-01T00:00:10Z", at: Date.parse("2026-01-01T00:00:00Z"),
  me: { name: "", role: "regulator" }, site: { name: "" }, station: null, line15: { state: "connected" },
  launch: null, calls: [], sessions: [], watching: null, ...more,
});
const seeing = (more) => next(START, server(more));
const freeze = (value) => {
  Object.values(value).forEach((one) => one && typeof one === "object" && freeze(one));
  return Object.freeze(value);
};

test("next never changes what it is given, whatever the message", () => {
  const before = freeze(structuredClone({ ...seeing({ sessions: [session("s", "live")] }), watch: "s" }));
  for (const message of [server(), { type: "tick", now: "x", at: 1 }, { type: "caller.state", session: "s", state: "hidden" }, { type: "taken_over", by: "b" }, { type: "unheard.of" }]) {
    assert.notEqual(next(before, message), before);
  }
});

test("the server's clock is followed", () => {
  assert.equal(seeing({}).offset, 10_000);
  assert.equal(next(seeing({}), { type: "tick", now: "2026-01-01T00:00:20Z", at: Date.parse("2026-01-01T00:00:00Z") }).offset, 20_000);
  assert.equal(next(seeing({}), { type: "tick", now: "never", at: 5 }).offset, 10_000);
});

test("the session whose phone is farthest on is wanted, the newest of several, when none is watched", () => {
  const view = seeing({ sessions: [session("c", "ended"), session("b", "invited"), session("a", "live")] });
  assert.equal(wanted(view), "a");
  assert.equal(wanted(seeing({ sessions: [session("c", "ended"), session("b", "invited"), session("a", "opened")] })), "b");
  assert.equal(wanted(seeing({ sessions: [session("b", "live", { moved: ["2"] }), session("a", "tapped")] })), "a");
  assert.equal(wanted(seeing({ sessions: [session("b", "live"), session("a", "live")] })), "b", "the newest");
  assert.equal(wanted(seeing({ sessions: [session("b", "connecting"), session("a", "live")] })), "a", "the live picture first");
  assert.equal(wanted({ ...view, watch: "a" }), null);
  assert.equal(wanted({ ...view, taken: "Dr Autre" }), null);
  assert.equal(wanted(START), null);
});

test("the end of the watched session returns to waiting, its steps stay in sight", () => {
  const live = next({ ...START, watch: "a" }, server({ sessions: [session("a", "live")] }));
  assert.equal(shown(live)?.id, "a");
  const over = next(live, server({ sessions: [session("a", "ended")] }));
  assert.equal(over.watch, null);
  assert.equal(shown(over)?.id, "a");
  assert.equal(wanted(over), null);
});

test("the phone's own words count for the session shown only", () => {
  const view = next({ ...START, watch: "a" }, server({ sessions: [session("a", "live")] }));
  assert.equal(next(view, { type: "caller.state", session: "a", state: "hidden" }).hidden, true);
  assert.equal(next(view, { type: "caller.state", session: "b", state: "hidden" }).hidden, false);
  assert.equal(next(view, { type: "caller.state", session: "a", state: "muted" }).camera, "muted");
  assert.equal(next({ ...view, camera: "muted" }, { type: "caller.state", session: "a", state: "environment" }).camera, "muted");
  assert.equal(next({ ...view, camera: "muted" }, { type: "caller.state", session: "a", state: "live" }).camera, "live");
});

test("a desk that comes later reads in its view what the phone said of its camera, and of another phone nothing", () => {
  const muted = session("a", "connecting", { caller: { online: true, hidden: false, camera: "muted" } });
  const view = next({ ...START, watch: "a" }, server({ sessions: [muted] }));
  assert.equal(view.camera, "muted");
  assert.equal(next(view, { type: "page.watch", session: "b" }).camera, null);
  assert.equal(next(view, server({ sessions: [{ ...muted, state: "ended" }] })).camera, null);
});

test("only the sole talking call proposes its number, and only a mobile", () => {
  assert.equal(proposed(seeing({ calls: [call("a", "talking")] })), "06 12 34 56 78");
  assert.equal(proposed(seeing({ calls: [call("a", "talking"), call("b", "talking")] })), "");
  assert.equal(proposed(seeing({ calls: [call("a", "talking"), call("b", "ringing", { number: "07" })] })), "06 12 34 56 78");
  assert.equal(proposed(seeing({ calls: [call("a", "talking", { mobile: false })] })), "");
  assert.equal(proposed(seeing({ calls: [call("a", "talking", { confirmed: false })] })), "", "it may be over");
  assert.equal(proposed(seeing({ calls: [call("a", "ringing"), call("b", "ended")] })), "");
});

test("the launch's number comes first, until it has served or its call is over", () => {
  const launch = { call: "a", mobile: "07 11 22 33 44", notice: null };
  const view = seeing({ launch, calls: [call("a", "held"), call("b", "talking")] });
  assert.equal(proposed(view), "07 11 22 33 44");
  assert.equal(proposed(next(view, { type: "page.invited" })), "06 12 34 56 78");
  assert.equal(proposed(seeing({ launch, calls: [call("a", "ended"), call("b", "talking")] })), "06 12 34 56 78");
  assert.equal(proposed(seeing({ launch: { ...launch, call: null } })), "07 11 22 33 44");
});

test("a number that was invited already is not proposed again until that session has ended", () => {
  const running = (state, more = {}) => session("s", state, { number: "06 12 34 56 78", ...more });
  const linked = (id) => ({ link: { call: id, certainty: "inferred", evidence: null, label: "", pick: false } });
  assert.equal(proposed(seeing({ calls: [call("a", "talking")], sessions: [running("invited", linked("a"))] })), "");
  assert.equal(proposed(seeing({ calls: [call("a", "talking")], sessions: [running("live")] })), "");
  assert.equal(proposed(seeing({ calls: [call("a", "talking")], sessions: [running("invited", linked("b"))] })), "06 12 34 56 78");
  assert.equal(proposed(seeing({ calls: [call("a", "talking")], sessions: [running("ended", linked("a"))] })), "06 12 34 56 78");
  const launch = { call: "a", mobile: "06 12 34 56 78", notice: null };
  assert.equal(proposed(seeing({ launch, sessions: [running("opened", linked("a"))] })), "");
});

test("talking calls are offered before ringing ones, ended ones last", () => {
  const view = seeing({ calls: [call("e", "ended"), call("r", "ringing"), call("h", "held"), call("t", "talking")] });
  assert.deepEqual(candidates(view).map((one) => one.id), ["t", "h", "r", "e"]);
  const ended = seeing({ calls: [call("old", "ended", { ended: "2026-01-01T00:00:00Z" }), call("new", "ended", { ended: "2026-01-01T00:00:05Z" })] });
  assert.deepEqual(candidates(ended).map((one) => one.id), ["new", "old"]);
});

test("a video whose call went on to another station is not taken, it is shown", () => {
  const gone = seeing({ sessions: [session("a", "live", { moved: ["1601"] })] });
  assert.equal(wanted(gone), null);
});

test("a call that went on elsewhere proposes no number here", () => {
  const station = { extension: "1501", name: "", webcam: false };
  const talking = { id: "c", number: "06 12 34 56 78", mobile: true, state: "talking", certain: true, started: null, answered: null, ended: null, aliases: [] };
  assert.equal(proposed(seeing({ station, calls: [{ ...talking, stations: ["1501"] }] })), "06 12 34 56 78");
  assert.equal(proposed(seeing({ station, calls: [{ ...talking, stations: ["1601"] }] })), "");
});

test("a desk that says hello again holds its station again", () => {
  const taken = next(seeing({}), { type: "taken_over", by: "Dr Autre" });
  assert.equal(taken.taken, "Dr Autre");
  assert.equal(next(taken, { type: "page.hello" }).taken, null);
  assert.equal(next(seeing({}), { type: "taken_over", by: "Dr Soi", own: true }).taken, "une autre de vos fenêtres");
});

test("times read as on a telephone", () => {
  assert.equal(duration(161_900), "02:41");
  assert.equal(duration(-5), "00:00");
  assert.equal(duration(3_761_000), "1:02:41");
  assert.equal(lapse(0.43), "0,4 s");
  assert.equal(lapse(11.2), "11 s");
  assert.equal(lapse(125), "2 min 05");
});

test("a desk drops what it names only when that is gone", () => {
  const all = { station: true, watch: true, launch: true };
  for (const code of ["storage_unavailable", "unavailable", "conflict", "forbidden", "message_out_of_order", "too_many", "link_changed"]) {
    assert.equal(gone(code), false, code);
    assert.equal(leftOut(code, all), null, code);
  }
  assert.equal(leftOut("station_unknown", all), "station");
  assert.equal(leftOut("station_unknown", { ...all, station: false }), null, "the station was not this page's word");
  assert.equal(leftOut("not_found", all), "watch", "only a session can be not found: the launch is kept");
  assert.equal(leftOut("not_found", { ...all, watch: false }), "all");
  assert.equal(leftOut("message_malformed", all), "all", "a hello that cannot be read would be refused for ever");
  assert.equal(leftOut("message_malformed", { station: true, watch: false, launch: false }), null);
});
