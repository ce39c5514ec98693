/** What a regulator who looks elsewhere must notice: pure. Two views of the server in, the changes that count out. */
import { away } from "../../watching/session.js";

/** @typedef {import("../../watching/session.js").ServerView} ServerView */
/** @typedef {"ringing" | "opened" | "live" | "interrupted" | "ended"} Change */

const TOLD = new Set(["opened", "live", "interrupted", "ended"]);

/** Each change as a few notes, in hertz: up is good news, down is not. */
export const TONES = Object.freeze({
  ringing: [880, 660, 880],
  opened: [660],
  live: [660, 880],
  interrupted: [440, 330],
  ended: [330],
});

const WORDS = Object.freeze({
  invited: "Invitation", opened: "Lien ouvert", tapped: "Lien touché", connecting: "Connexion",
  live: "En direct", interrupted: "Interrompue", ended: "Terminée",
});

/** @param {ServerView | null} before @param {ServerView | null} after @returns {Change[]} nothing for the first view: it is no news */
export function changes(before, after) {
  if (!before || !after) return [];
  const rang = new Set(before.calls.filter(({ state }) => state === "ringing").map(({ id }) => id));
  const rings = after.calls.some((call) => call.state === "ringing" && !rang.has(call.id) && away(call, after.station).length === 0);
  const states = new Map(before.sessions.map(({ id, state }) => [id, state]));
  const moved = after.sessions
    .filter(({ id, state }) => states.has(id) && states.get(id) !== state && TOLD.has(state))
    .map(({ state }) => /** @type {Change} */ (state));
  return [...(rings ? [/** @type {Change} */ ("ringing")] : []), ...new Set(moved)];
}

/** The title of the tab.
 * @param {import("../../watching/session.js").Session | null} session @param {number} unseen changes since one looked away
 * @returns {string} "● (1) En direct – Visio15" */
export function title(session, unseen) {
  const word = session && session.state !== "ended" ? WORDS[session.state] : "Visiorégulation";
  const news = unseen > 0 ? `● (${unseen}) ` : "";
  return `${news}${word} – Visio15`;
}
