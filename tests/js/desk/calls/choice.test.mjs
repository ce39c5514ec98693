import assert from "node:assert/strict";
import { test } from "node:test";
import { held, likeliest, ranked, remarks } from "../../../../static/js/desk/calls/choice.js";

const HERE = { extension: "1601", name: "Médecin", webcam: true };
const INVITED = "06 12 34 56 78";
const WANTED = { number: INVITED, station: HERE };
const call = (id, state = "talking", more = {}) => ({
  id, number: "07 11 22 33 44", mobile: true, state, certain: true, started: "2026-01-01T00:00:00Z", answered: null,
  ended: state === "ended" ? "2026-01-01T00:05:00Z" : null, stations: ["1601"], aliases: [], ...more,
});
const ids = (calls) => calls.map((one) => one.id ?? one.call.id);

test("live calls first, then the number invited, then who talks here, then the newest", () => {
  const calls = [
    call("ended-match", "ended", { number: INVITED }),
    call("old"),
    call("new", "talking", { started: "2026-01-01T00:01:00Z" }),
    call("held", "held", { started: "2026-01-01T00:03:00Z" }),
    call("elsewhere", "talking", { stations: ["1501"], started: "2026-01-01T00:04:00Z" }),
    call("ringing-match", "ringing", { number: INVITED }),
    call("ended", "ended", { started: "2026-01-01T00:09:00Z" }),
  ];
  const order = ["ringing-match", "new", "old", "elsewhere", "held", "ended-match", "ended"];
  assert.deepEqual(ids(ranked(calls, WANTED)), order);
  assert.deepEqual(ids(ranked([...calls].reverse(), WANTED)), order, "whatever the order they came in");
});

test("two calls that look the same keep one order, and a masked number is nobody's", () => {
  const twins = [call("b"), call("a")];
  assert.deepEqual(ids(ranked(twins, WANTED)), ["a", "b"]);
  const masked = call("masked", "talking", { number: null });
  assert.equal(likeliest(held([], [masked], { ...WANTED, number: null }), { ...WANTED, number: null }), null);
});

test("rows hold still while the list is open", () => {
  const first = held([], [call("a"), call("b", "ringing")], WANTED);
  assert.deepEqual(ids(first), ["a", "b"]);
  assert.ok(first.every((row) => !row.fresh && !row.gone));
  // One comes in that would be first, one is answered, one ends.
  const match = call("match", "talking", { number: INVITED });
  const second = held(first, [match, call("b", "talking"), call("a", "ended")], WANTED);
  assert.deepEqual(ids(second), ["a", "b", "match"]);
  assert.deepEqual(second.map((row) => row.call.state), ["ended", "talking", "talking"]);
  assert.deepEqual(second.map((row) => row.fresh), [false, false, true]);
  // Another one comes: below the first that came. One leaves the view: its row stays.
  const third = held(second, [call("b"), match, call("late", "ringing")], WANTED);
  assert.deepEqual(ids(third), ["a", "b", "match", "late"]);
  assert.deepEqual(third.map((row) => row.gone), [true, false, false, false]);
  assert.equal(third[0].call.state, "ended", "as it was last");
});

test("the first call that comes to an empty list is no newcomer", () => {
  assert.equal(held(held([], [], WANTED), [call("a")], WANTED)[0].fresh, false);
});

test("one key chooses only the one live call of the number invited", () => {
  const match = (id, state) => call(id, state, { number: INVITED });
  const propose = (...calls) => likeliest(held([], calls, WANTED), WANTED);
  assert.equal(propose(call("a"), match("m"), match("over", "ended")), "m");
  assert.equal(propose(match("m"), match("n", "ringing")), null, "two of them: a person decides");
  assert.equal(propose(call("a"), match("over", "ended")), null);
  assert.equal(propose(call("only")), null, "nobody is linked by a stray key");
});

test("what is said of a link is so at each moment", () => {
  const session = (link, more = {}) => ({ state: "live", number: INVITED, link: { call: "c", number: INVITED, ended: null, ...link }, ...more });
  const ended = "2026-01-01T00:05:00Z";
  assert.deepEqual(remarks(null), { ended: null, other: false });
  assert.deepEqual(remarks(session({})), { ended: null, other: false });
  assert.deepEqual(remarks(session({ ended })), { ended, other: false });
  assert.deepEqual(remarks(session({ ended }, { state: "ended" })), { ended: null, other: false }, "the video is over, too");
  assert.deepEqual(remarks(session({ number: "07 11 22 33 44" })), { ended: null, other: true });
  assert.deepEqual(remarks(session({ number: null })), { ended: null, other: false }, "a masked number is no other one");
  assert.deepEqual(remarks(session({ number: "07 11 22 33 44" }, { number: null })), { ended: null, other: false });
});
