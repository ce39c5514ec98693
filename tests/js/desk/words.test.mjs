import assert from "node:assert/strict";
import { test } from "node:test";
import { callNumber, callState, callTail, cameraRefused, refusedField, sessionState, waitingLine, waitingTitle } from "../../../static/js/desk/words.js";
import { absence } from "../../../static/js/watching/words.js";

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

const CAMERAS = ["muted", "ended", "busy", "refused", "gone", "still"];
const STATES = ["invited", "opened", "tapped", "connecting", "live", "interrupted", "ended"];
const waits = (state, caller = {}, more = {}) => ({ state, end_reason: null, caller: { online: true, hidden: false, camera: null, ...caller }, ...more });

test("a camera that gives nothing is named wherever its picture is missing, and the network is not", () => {
  const titles = new Set();
  for (const state of ["tapped", "connecting", "live", "interrupted"]) {
    for (const camera of CAMERAS) {
      const session = waits(state, { camera });
      titles.add(waitingTitle(session));
      assert.match(waitingTitle(session), /^Caméra /, `${state} ${camera}`);
      assert.doesNotMatch(`${waitingTitle(session)} ${waitingLine(session, "none", "serveur connecté")}`, /réseau|arrive/i);
    }
  }
  assert.equal(titles.size, CAMERAS.length, "each has its own");
  assert.equal(waitingTitle(waits("connecting", { camera: "live" })), "L’image arrive…");
  assert.equal(waitingLine(waits("connecting", { camera: "busy" }), "connected", "serveur connecté"), "Le correspondant doit fermer cette application. ligne 15 connectée · serveur connecté");
});

test("a picture is said to arrive only while nothing is known that keeps it away", () => {
  assert.equal(waitingTitle(waits("connecting", { hidden: true })), "Page masquée");
  assert.equal(waitingTitle(waits("connecting", { online: false, camera: "muted" })), "Téléphone non relié");
  assert.equal(waitingTitle(waits("interrupted")), "Image interrompue");
  assert.equal(waitingTitle(waits("tapped", { online: false })), "Invitation en cours", "the socket comes after the tap");
  assert.equal(absence(waits("connecting", { camera: "muted" }, { rung: "photo" })), null, "where photos come the film is stopped on purpose");
  for (const state of STATES) assert.equal(absence(waits(state, { camera: "muted" })) === null, ["invited", "opened", "ended"].includes(state), state);
  assert.equal(absence(null), null);
});

test("waiting says for what, and the state of both lines", () => {
  assert.equal(waitingTitle(null), "En attente");
  assert.equal(waitingTitle({ state: "ended" }), "En attente");
  assert.equal(waitingTitle(waits("opened")), "Invitation en cours");
  assert.equal(waitingTitle(waits("live")), "L’image arrive…");
  assert.equal(waitingLine(null, "connected", "serveur connecté"), "ligne 15 connectée · serveur connecté");
  assert.equal(waitingLine({ state: "ended", end_reason: null }, "down", "serveur injoignable"), "dernière vidéo terminée · ligne 15 coupée · serveur injoignable");
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
