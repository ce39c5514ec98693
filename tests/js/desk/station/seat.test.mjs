import assert from "node:assert/strict";
import { test } from "node:test";
import { proposalText } from "../../../../static/js/desk/calls/launch.js";
import { heldText, pushedText, stationLabel } from "../../../../static/js/desk/station/seat.js";
import { waitingLine } from "../../../../static/js/desk/words.js";

const SINCE = "2026-03-01T08:12:00+00:00";
const clock = new Date(SINCE).toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" });

test("a station says who sits there, since when, and whether a video is on", () => {
  const station = { extension: "201", name: "Bureau", who: null, since: null, live: false };
  assert.equal(stationLabel(station), "201 · Bureau");
  assert.equal(stationLabel({ ...station, who: "Dr A", since: SINCE }), `201 · Bureau — Dr A depuis ${clock}`);
  assert.equal(stationLabel({ ...station, live: true }), "201 · Bureau · vidéo en cours");
  assert.equal(heldText({ by: "Dr A", since: SINCE, live: true }), `Dr A y est depuis ${clock}. Une vidéo y est en cours.`);
  assert.match(heldText({}), /^Une autre personne y est\. Aucune/);
});

test("who was pushed out reads by whom, and not that the server is away", () => {
  assert.ok(pushedText("Dr A", SINCE).startsWith(`Ce poste est tenu par Dr A depuis ${clock}.`));
  assert.ok(pushedText("Dr A", undefined).startsWith("Ce poste est tenu par Dr A."));
  assert.equal(waitingLine(null, "connected", "serveur déconnecté"), "ligne 15 connectée · serveur déconnecté");
  assert.equal(waitingLine(null, "connected", "serveur déconnecté", "Dr A"), "ligne 15 connectée · poste tenu par Dr A");
});

test("a proposal says what it asks for and where it comes from", () => {
  const asked = { call: "id@pbx", mobile: "06 12 34 56 78", station: "201", foreign: true };
  assert.ok(proposalText(asked).startsWith("Une page d’un autre site demande : 06 12 34 56 78, appel id@pbx, poste 201."));
  assert.ok(proposalText({ ...asked, call: null, station: null, foreign: false }).startsWith("Un lien sans signature demande : 06 12 34 56 78."));
});
