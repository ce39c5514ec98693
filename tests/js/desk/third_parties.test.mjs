import assert from "node:assert/strict";
import { test } from "node:test";
import { pending } from "../../../static/js/desk/session/handover.js";
import { contact } from "../../../static/js/desk/session/observers.js";
import { tabState } from "../../../static/js/desk/phones/second.js";
import { together } from "../../../static/js/desk/phones/phones.js";
import { codable, groups, letters } from "../../../static/js/desk/invite/spoken.js";
import { sessionState } from "../../../static/js/desk/words.js";
import { told } from "../../../static/js/watching/people.js";
import { START, offered, wanted } from "../../../static/js/watching/session.js";

const session = (id, more = {}) => ({
  id, state: "live", station: "1601", moved: [], number: null, invitations: [], steps: [], participants: [], offer: null,
  link: { call: "c1" }, caller: { online: true, hidden: false }, ...more,
});
const view = (sessions, more = {}) => ({ ...START, server: { sessions, calls: [], station: { extension: "1601" }, site: {} }, ...more });

test("a code is shown in two groups and its address spelt", () => {
  assert.equal(groups("482915"), "482 915");
  assert.equal(groups("x"), "x");
  assert.equal(letters("samu-37.fr/c"), "samu tiret 37 point fr, barre oblique, c");
});

test("a session may have a code until somebody taps", () => {
  assert.equal(codable(view([session("a", { state: "opened" })], { watch: "a" })), true);
  assert.equal(codable(view([session("a", { state: "tapped" })], { watch: "a" })), false);
  assert.equal(codable(view([session("a", { state: "opened" })], { watch: "a", taken: "X" })), false);
  assert.equal(codable(view([])), false);
});

test("what was typed is a number or an address", () => {
  assert.deepEqual(contact("a@b.fr"), { email: "a@b.fr" });
  assert.deepEqual(contact("06 12"), { mobile: "06 12" });
});

test("a session that is offered is not watched before it is taken", () => {
  const theirs = session("a", { station: "1501", offer: { to: "1601", from: "1501", by: "Dr Arm" } });
  const mine = session("b", { offer: { to: "1501", from: "1601", by: "Moi" } });
  assert.equal(offered(view([theirs]), theirs), true);
  assert.equal(wanted(view([theirs])), null);
  assert.equal(wanted(view([mine])), "b");
  assert.deepEqual(pending(view([mine, theirs])), { session: theirs, mine: false, text: "Session proposée par Dr Arm (poste 1501)." });
  assert.equal(pending(view([mine]))?.mine, true);
  assert.equal(pending(view([session("c")])), null);
  assert.equal(sessionState(theirs, "1601"), "en direct · proposée par le poste 1501");
});

test("the live videos of one call are tabs, and only the one looked at is said to be live", () => {
  const two = [session("b", { state: "tapped" }), session("a"), session("old", { state: "ended" }), session("x", { link: { call: "c2" } })];
  assert.deepEqual(together(view(two, { watch: "a" })).map((one) => one.id), ["a", "b"]);
  assert.deepEqual(together(view(two, { watch: "x" })), []);
  assert.deepEqual(together(view([two[1]], { watch: "a" })), []);
  assert.equal(tabState(two[1], true, "1601"), "en direct");
  assert.equal(tabState(two[1], false, "1601"), "téléphone prêt");
  assert.equal(tabState(session("a", { caller: { online: false } }), false, "1601"), "téléphone absent");
  assert.equal(tabState(two[0], false, "1601"), "lien touché");
  const says = (caller) => tabState(session("a", { caller: { online: true, hidden: false, camera: null, ...caller } }), false, "1601");
  assert.equal(says({ camera: "live" }), "téléphone prêt");
  assert.equal(says({ camera: "busy" }), "caméra prise par une autre application");
  assert.equal(says({ hidden: true, camera: "busy" }), "page masquée");
});

test("nobody is said to see a picture that is not there", () => {
  const person = { id: "p", name: "X", kind: "observer", since: "", state: "watching", can: [] };
  assert.equal(told(person, true), "observateur · voit l’image");
  assert.equal(told(person, false), "observateur · attend l’image");
  assert.equal(told({ ...person, state: "failed" }, true), "observateur · message non parti");
});
