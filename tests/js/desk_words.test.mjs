import assert from "node:assert/strict";
import { test } from "node:test";
import { callNumber, callState, callTail, cameraRefused, covering, refusedField, seconds, sessionState, waitingLine, waitingTitle } from "../../static/js/desk_words.js";
import { NOTHING } from "../../static/js/picture.js";

const call = (more = {}) => ({ id: "c-1", number: "06 12 34 56 78", mobile: true, state: "talking", certain: true, started: null, answered: null, ended: null, aliases: [], ...more });

test("a call says what is known of it, and no more", () => {
  assert.equal(callNumber(call()), "06 12 34 56 78");
  assert.equal(callNumber(call({ number: null })), "numéro masqué");
  assert.equal(callNumber(call({ number: null, state: "asserted" })), "numéro non connu");
  assert.equal(callState(call(), false), "en cours");
  assert.equal(callState(call(), false, ["1601"]), "en cours · au poste 1601");
  assert.equal(callState(call({ ringing: ["1601"] }), false, ["1601"]), "en cours · sonne au poste 1601");
  assert.equal(callState(call({ state: "held", certain: false }), true), "en attente · à confirmer · vidéo liée");
});

test("the end of a call's id is what tells two calls apart", () => {
  const tail = (value) => callTail(call({ aliases: [{ type: "x", value }] }));
  assert.equal(tail("8f3a91c2@ipbx.example"), "ID …91c2");
  assert.equal(tail("urn:emergency:uid:callid:abcdef12:sbc.example"), "ID …ef12");
  assert.equal(callTail(call({ id: "4711" })), "ID …4711", "without an alias, ours");
});

test("an ended session says why, one that lives does not", () => {
  assert.equal(sessionState({ state: "ended", end_reason: "left", station: "1501", moved: [] }, "1501"), "terminée · quittée par le correspondant");
  assert.equal(sessionState({ state: "ended", end_reason: "unheard_of", station: "1501", moved: [] }, "1501"), "terminée · unheard_of");
  assert.equal(sessionState({ state: "ended", end_reason: null, station: "1501", moved: [] }, "1501"), "terminée");
  assert.equal(sessionState({ state: "live", end_reason: null, station: "1501", moved: [] }, "1501"), "en direct");
  assert.equal(sessionState({ state: "live", end_reason: null, station: "1501", moved: [] }, "1601"), "en direct · ouverte au poste 1501");
  assert.equal(sessionState({ state: "live", end_reason: null, station: "1501", moved: ["1601"] }, "1501"), "en direct · passée au poste 1601");
});

test("waiting says for what, and the state of both lines", () => {
  assert.equal(waitingTitle(null), "En attente");
  assert.equal(waitingTitle({ state: "ended" }), "En attente");
  assert.equal(waitingTitle({ state: "opened" }), "Invitation en cours");
  assert.equal(waitingTitle({ state: "live" }), "L’image arrive…");
  assert.equal(waitingLine(null, "connected", "serveur connecté"), "ligne 15 connectée · serveur connecté");
  assert.equal(waitingLine({ state: "ended", end_reason: null }, "down", "serveur injoignable"), "dernière vidéo terminée · ligne 15 coupée · serveur injoignable");
});

test("whatever is not a fresh picture is covered", () => {
  const cover = (state, more = {}, age = 1200) => covering({ ...NOTHING, ...more }, state, age)?.icon ?? "";
  assert.equal(cover("none"), "");
  assert.equal(cover("flowing"), "");
  assert.equal(cover("flowing", { dark: true }), "moon");
  assert.equal(cover("frozen"), "snowflake");
  assert.equal(cover("frozen", { muted: true }), "video-off");
  assert.equal(cover("lost", { muted: true }), "wifi-off");
  assert.equal(cover("hidden", { muted: true }), "eye-off");
  assert.equal(covering(NOTHING, "lost", 65_000)?.more, "Dernière image il y a 01:05");
  assert.equal(covering(NOTHING, "lost", null)?.more, "");
});

test("the age of a picture has tenths as long as they matter", () => {
  assert.equal(seconds(120), "0,1 s");
  assert.equal(seconds(9_900), "9,9 s");
  assert.equal(seconds(12_000), "00:12");
});

test("a refusal goes to the field it is about", () => {
  for (const code of ["number_landline", "mobile", "phone_invalid", "contact_missing", "carrier_down"]) assert.equal(refusedField(code), "mobile");
  for (const code of ["email", "e-mail", "address_invalid"]) assert.equal(refusedField(code), "email");
  for (const code of ["", "too_many", "unavailable"]) assert.equal(refusedField(code), "invite");
});

test("this PC's own camera: each refusal has its own way out", () => {
  const said = ["NotAllowedError", "NotFoundError", "NotReadableError", "TypeError", "Whatever"].map(cameraRefused);
  assert.equal(new Set(said).size, 5);
  assert.match(cameraRefused("NotAllowedError"), /autorisez-la/);
  assert.match(cameraRefused("NotReadableError"), /autre programme/);
  assert.match(cameraRefused("NotFoundError"), /pas de caméra/);
});
