/** What the desk calls things, and the sentences it makes of them: pure. */
import { Refused } from "../lib/socket.js";
import { absence } from "../watching/words.js";

/** @typedef {import("../watching/session.js").Call} Call */
/** @typedef {import("../watching/session.js").Session} Session */

export const LINE = { connected: "ligne 15 connectée", quiet: "ligne 15 silencieuse", down: "ligne 15 coupée", none: "ligne 15 non reliée" };
const CALL = { ringing: "sonne", talking: "en cours", held: "en attente", ended: "terminé", asserted: "déclaré" };
const SESSION = {
  invited: "invitation", opened: "lien ouvert", tapped: "lien touché", connecting: "connexion",
  live: "en direct", interrupted: "interrompue", ended: "terminée",
};
/** @type {Record<string, string>} */
const REASONS = {
  quit: "quittée par le poste", left: "quittée par le correspondant", expired: "expirée, lien non touché",
  revoked: "annulée par le poste", lost: "perdue, sans nouvelles du téléphone",
};

/** @param {string} code @returns {string} */
function reason(code) {
  return REASONS[code] ?? code;
}

/** @param {Call} call @returns {string} */
export function callNumber(call) {
  return call.number ?? (call.state === "asserted" ? "numéro non connu" : "numéro masqué");
}

/** @param {Call} call @param {boolean} linked the video shown is linked to it
 * @param {string[]} moved the stations it went on to @returns {string} */
export function callState(call, linked, moved = []) {
  const rings = moved.every((station) => call.ringing?.includes(station));
  const gone = moved.length > 0 ? `${rings ? "sonne au poste" : "au poste"} ${moved.join(", ")}` : "";
  return [CALL[call.state], gone, call.certain ? "" : "à confirmer", linked ? "vidéo liée" : ""].filter(Boolean).join(" · ");
}

/** What tells two calls apart: not the host name that ends a Call-ID or a NENA urn.
 * @param {Call} call @returns {string} */
export function callTail(call) {
  const id = call.aliases[0]?.value ?? call.id;
  return `ID …${id.replace(/^urn:emergency:uid:callid:([^:]+):.*$/, "$1").split("@")[0]?.slice(-4) ?? ""}`;
}

/** @param {Pick<Session, "state" | "end_reason" | "station" | "moved"> & {rung?: string, offer?: Session["offer"]}} session @param {string | null} here this desk's station @returns {string} */
export function sessionState(session, here) {
  if (session.state === "ended") return SESSION.ended + (session.end_reason ? ` · ${reason(session.end_reason)}` : "");
  if (session.offer && session.offer.to === here) return `${SESSION[session.state]} · proposée par le poste ${session.offer.from ?? "—"}`;
  const from = session.station && session.station !== here ? `ouverte au poste ${session.station}` : "";
  const gone = session.moved.length > 0 ? `passée au poste ${session.moved.join(", ")}` : "";
  const still = session.rung === "stills" && (session.state === "interrupted" || session.state === "live");
  const pictures = still ? "images fixes" : SESSION[session.state];
  return [pictures, from, gone].filter(Boolean).join(" · ");
}

/** @param {Session | null} session @returns {string} */
export function waitingTitle(session) {
  if (!session || session.state === "ended") return "En attente";
  const why = absence(session);
  if (why) return why.text;
  return session.state === "connecting" || session.state === "live" ? "L’image arrive…" : "Invitation en cours";
}

/** @param {Session | null} session @param {keyof typeof LINE} line15 @param {string} server what is said of the line to it
 * @param {string | null} [taken] who sits at this station now, on another page @returns {string} */
export function waitingLine(session, line15, server, taken = null) {
  const last = session?.state === "ended" ? `dernière vidéo ${reason(session.end_reason ?? "") || "terminée"} · ` : "";
  const why = absence(session)?.more;
  const begins = why ? `${why} ` : last;
  const here = taken === null ? server : `poste tenu par ${taken}`;
  return `${begins}${LINE[line15]} · ${here}`;
}

/** Who invited this contact already, when that is why an invitation was refused.
 * @param {unknown} error @param {import("../watching/session.js").ServerView | null} server @returns {string} "" for another refusal */
export function refusal(error, server) {
  if (!(error instanceof Refused) || error.code !== "already_invited") return "";
  const { by, station } = error.answer;
  const here = station && station === server?.station?.extension ? " à ce poste" : station ? `, poste ${station}` : "";
  const who = by && by === server?.me.name && here === " à ce poste" ? "par vous" : `par ${by}`;
  return `Déjà invité ${who}${here} : cette session n’est pas terminée.`;
}

/** Why this PC's own camera does not film, and what to do.
 * @param {string} name of the error of getUserMedia @returns {string} */
export function cameraRefused(name) {
  switch (name) {
    case "NotAllowedError":
      return "Ce navigateur refuse votre caméra : autorisez-la par le cadenas à gauche de l’adresse.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "Ce poste n’a pas de caméra : branchez-en une, puis réessayez.";
    case "NotReadableError":
    case "AbortError":
      return "Votre caméra est prise par un autre programme : fermez-le, puis réessayez.";
    case "TypeError":
    case "SecurityError":
      return "Ce navigateur ne donne aucune caméra à cette page : prévenez l’informatique.";
    default:
      return "Votre caméra ne répond pas : vérifiez qu’elle est branchée, autorisée, et libre.";
  }
}

/** Which field of the invitation a refusal is about; "invite" for the whole.
 * @param {string} code @returns {"mobile" | "email" | "invite"} */
export function refusedField(code) {
  if (/^(number|mobile|phone|contact|carrier)/.test(code)) return "mobile";
  return /^(e-?mail|address)/.test(code) ? "email" : "invite";
}
