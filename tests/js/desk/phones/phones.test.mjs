import assert from "node:assert/strict";
import { test } from "node:test";
import { refusal } from "../../../../static/js/desk/words.js";
import { arrived, greeted, phoneName, readiness, resendable, together } from "../../../../static/js/desk/phones/phones.js";
import { START } from "../../../../static/js/watching/session.js";
import { Refused } from "../../../../static/js/lib/socket.js";

const session = (id, state, more = {}) => ({
  id, state, station: "1601", moved: [], number: null, invitations: [], offer: null,
  link: { call: null }, caller: { online: true, hidden: false }, ...more,
});
const away = { caller: { online: false, hidden: false } };
const linked = (call) => ({ link: { call } });
const view = (sessions, more = {}) => ({ ...START, server: { sessions, calls: [], station: { extension: "1601" }, site: {}, me: { name: "Dr Moi" } }, ...more });
const ids = (sessions) => sessions.map((one) => one.id);

/** What stands open, what arrived → what is shown by itself, what is told. */
const CASES = [
  ["nothing is open", null, [["b", "tapped"]], {}, "b", []],
  ["an invitation is open, another phone was tapped", ["a", "invited"], [["b", "tapped"]], {}, "b", []],
  ["a link that was read is open, another phone connects", ["a", "opened"], [["b", "connecting"]], {}, "b", []],
  ["the phone that is open waits for its permission, another has its picture", ["a", "tapped"], [["b", "connecting"]], {}, "b", []],
  ["both wait for their permission", ["a", "tapped"], [["b", "tapped"]], {}, null, ["b"]],
  ["a picture comes", ["a", "connecting"], [["b", "connecting"]], {}, null, ["b"]],
  ["a picture is live", ["a", "live"], [["b", "live"]], {}, null, ["b"]],
  ["a picture is live, the phone's socket is cut", ["a", "live", away], [["b", "connecting"]], {}, null, ["b"]],
  ["a picture is interrupted, its phone is there", ["a", "interrupted"], [["b", "connecting"]], {}, null, ["b"]],
  ["a picture is interrupted, its phone is gone", ["a", "interrupted", away], [["b", "connecting"]], {}, "b", []],
  ["a frozen picture is looked at", ["a", "interrupted", away], [["b", "connecting"]], { seen: true }, null, ["b"]],
  ["a dialog speaks of the session that is open", ["a", "invited"], [["b", "tapped"]], { asked: true }, null, ["b"]],
  ["the station is held by another desk", ["a", "invited"], [["b", "tapped"]], { taken: "Dr Autre" }, null, []],
  ["two phones: the one farther on, the other is told", ["a", "invited"], [["b", "tapped"], ["c", "connecting"]], {}, "c", ["b"]],
  ["two phones as far: the one that has waited longer", ["a", "invited"], [["c", "tapped"], ["b", "tapped"]], {}, "b", ["c"]],
  ["the phone went away again", ["a", "invited"], [["b", "connecting", away]], {}, null, []],
  ["its session is at another station now", ["a", "invited"], [["b", "connecting", { moved: ["1602"] }]], {}, null, []],
  ["its session is only offered to this station", ["a", "invited"], [["b", "connecting", { offer: { to: "1601" } }]], {}, null, []],
  ["its session has ended", ["a", "invited"], [["b", "ended"]], {}, null, []],
];

for (const [what, open, others, { seen = false, asked = false, taken = null }, take, tell] of CASES) {
  test(`a phone is ready: ${what}`, () => {
    const all = [...others, ...(open ? [open] : [])].map((one) => session(...one));
    const now = view(all, { watch: open?.[0] ?? null, taken });
    const found = greeted(now, new Set(others.map(([id]) => id)), seen, asked);
    assert.equal(found.take?.id ?? null, take);
    assert.deepEqual(ids(found.tell), tell);
  });
}

test("a phone that was looked at before is no news: one may go back to an invitation", () => {
  const now = view([session("b", "live"), session("a", "invited")], { watch: "a" });
  assert.deepEqual(greeted(now, new Set(), false, false), { take: null, tell: [] });
});

test("a phone whose camera gives nothing is not called ready", () => {
  assert.equal(readiness(session("a", "connecting")), "prêt");
  assert.equal(readiness(session("a", "connecting", { caller: { online: true, hidden: false, camera: "live" } })), "prêt");
  assert.equal(readiness(session("a", "interrupted", { caller: { online: true, hidden: false, camera: "busy" } })), "relié, sans image");
});

test("a phone arrives when it is farther on than before, or back", () => {
  const at = (...several) => view(several.map((one) => session(...one))).server;
  assert.deepEqual(arrived(at(["a", "invited"]), at(["a", "tapped"])), ["a"]);
  assert.deepEqual(arrived(at(["a", "tapped"]), at(["a", "connecting"])), ["a"]);
  assert.deepEqual(arrived(at(["a", "connecting"]), at(["a", "live"])), []);
  assert.deepEqual(arrived(at(["a", "live"]), at(["a", "interrupted"])), []);
  assert.deepEqual(arrived(at(["a", "interrupted", away]), at(["a", "interrupted"])), ["a"]);
  assert.deepEqual(arrived(at(), at(["a", "live"])), ["a"]);
  assert.deepEqual(arrived(null, at(["a", "live"], ["b", "invited"])), ["a"]);
  assert.deepEqual(arrived(at(["a", "live"]), null), []);
});

test("each phone of the event has its tab: of the call, of no known call, of the same number", () => {
  const open = session("a", "live", linked("c1"));
  const tabs = (others, shown = open) => ids(together(view([...others, shown], { watch: shown.id })));
  assert.deepEqual(tabs([session("b", "tapped", linked("c1"))]), ["a", "b"]);
  assert.deepEqual(tabs([session("b", "tapped", linked("c1")), session("z", "ended", linked("c1"))]), ["a", "b"]);
  assert.deepEqual(tabs([session("b", "tapped")]), ["a", "b"], "a second phone whose call is not known");
  assert.deepEqual(tabs([session("b", "tapped")], session("a", "live")), ["a", "b"], "of neither the call is known");
  assert.deepEqual(tabs([session("b", "tapped", linked("c2"))]), [], "another call is another event");
  const number = { number: "06 12 34 56 78" };
  assert.deepEqual(tabs([session("b", "tapped", { ...linked("c2"), ...number })], { ...open, ...number }), ["a", "b"], "one number, twice");
  assert.deepEqual(tabs([session("b", "tapped", { station: "1602" })]), [], "an unknown call of another station");
  assert.deepEqual(tabs([session("b", "tapped", { moved: ["1602"] })]), [], "gone on");
  assert.deepEqual(tabs([session("b", "tapped", { station: "1602", ...linked("c1") })]), ["a", "b"], "our call, from another station");
  assert.deepEqual(ids(together(view([open]))), []);
});

test("a link is sent again until it is tapped", () => {
  const invitations = [{ id: "i", can: ["resend", "revoke"] }, { id: "j", can: ["revoke"] }, { id: "k", can: ["resend"] }];
  assert.deepEqual(resendable(session("a", "invited", { invitations })), ["i", "k"]);
  assert.deepEqual(resendable(session("a", "opened", { invitations })), ["i", "k"]);
  for (const state of ["tapped", "connecting", "live", "interrupted", "ended"]) assert.deepEqual(resendable(session("a", state, { invitations })), []);
  assert.deepEqual(resendable(null), []);
});

test("a phone has its number's name, else its address's", () => {
  assert.equal(phoneName(session("a", "live", { number: "06" })), "06");
  assert.equal(phoneName(session("a", "live", { invitations: [{ to: "a@b.fr" }] })), "a@b.fr");
  assert.equal(phoneName(session("a", "live", { invitations: [{ to: null }] })), "code vocal");
});

test("who invited already is named", () => {
  const said = (by, station) => refusal(new Refused({ type: "error", code: "already_invited", session: "s", by, station }), view([]).server);
  assert.equal(said("Dr Moi", "1601"), "Déjà invité par vous à ce poste : cette session n’est pas terminée.");
  assert.equal(said("Dr Arm", "1601"), "Déjà invité par Dr Arm à ce poste : cette session n’est pas terminée.");
  assert.equal(said("Dr Arm", "1501"), "Déjà invité par Dr Arm, poste 1501 : cette session n’est pas terminée.");
  assert.equal(said("Dr Arm", null), "Déjà invité par Dr Arm : cette session n’est pas terminée.");
  assert.equal(refusal(new Refused({ type: "error", code: "unavailable" }), null), "");
  assert.equal(refusal(new Error("x"), null), "");
});
