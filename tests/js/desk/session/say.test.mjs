import assert from "node:assert/strict";
import { test } from "node:test";
import { direction, sayChange, sayNow } from "../../../../static/js/desk/session/say.js";

const at = (seconds) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
const now = (seconds) => Date.parse(at(seconds));
const session = {
  say: { text: "Je vous envoie un SMS.", cause: "", stalled: false },
  say_later: [{ at: at(20), text: "Avez-vous reçu mon SMS ?", cause: "réseau", stalled: true }, { at: at(45), text: "Le SMS n'arrive pas.", cause: "numéro", stalled: true }],
};

test("the sentence changes at its second, without another view", () => {
  assert.equal(sayNow(session, now(19.999)).text, "Je vous envoie un SMS.");
  assert.equal(sayNow(session, now(20)).text, "Avez-vous reçu mon SMS ?");
  assert.equal(sayNow(session, now(44)).stalled, true);
  assert.equal(sayNow(session, now(3600)).text, "Le SMS n'arrive pas.");
});

test("the page knows when to look again", () => {
  assert.equal(sayChange(session, now(0)), 20_000);
  assert.equal(sayChange(session, now(20)), 25_000);
  assert.equal(sayChange(session, now(45)), null);
});

test("a view of a server that says nothing of later is taken as it is", () => {
  assert.equal(sayNow({ say: session.say }, now(99)), session.say);
  assert.equal(sayNow({ say: null }, now(0)), null);
  assert.equal(sayChange({ say: null }, now(0)), null);
  assert.equal(sayNow({ say: session.say, say_later: [{ at: "never", text: "x", cause: "" }] }, now(99)), session.say);
});

test("a translation is written in its own direction", () => {
  assert.equal(direction("ar"), "rtl");
  assert.equal(direction("ar-MA"), "rtl");
  assert.equal(direction("pl"), "ltr");
});

test("what this desk measures is said in a live video, with its cause, unless something worse is", () => {
  const live = { say: { text: "Je vous vois.", cause: "", stalled: false }, say_later: [], say_weak: { text: "L'image passe mal.", cause: "Réseau faible.", stalled: true } };
  assert.deepEqual(sayNow(live, now(0), "perte de paquets 12 %"), { text: "L'image passe mal.", cause: "Perte de paquets 12 %.", stalled: true });
  assert.equal(sayNow(live, now(0), null).text, "Je vous vois.");
  assert.equal(sayNow({ ...live, say_weak: null }, now(0), "x").text, "Je vous vois.");
  assert.equal(sayNow({ ...live, say: { text: "Revenez.", cause: "", stalled: true } }, now(0), "x").text, "Revenez.");
});
