/** What remote help can do now, and why not what it cannot: pure, in the words of the desk. */

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../watching/session.js").Abilities} Abilities */
/** @typedef {"camera" | "torch" | "zoom" | "prefer" | "turn" | "freeze" | "snapshot" | "point" | "say"} Control */
/**
 * @typedef {object} Facts
 * @property {boolean} on a video is watched, and not over
 * @property {boolean} readonly another desk works at this station
 * @property {boolean} connected the server is there
 * @property {boolean} online the phone's page is there
 * @property {boolean} hidden the caller does not look at it
 * @property {string} picture state of the picture on this desk
 * @property {boolean} frozen the regulator has frozen it
 * @property {Readonly<Abilities> | null} abilities what the phone's camera can do, once it has told
 * @property {string} policy of the site for snapshots
 */

/** The sentences a caller can be shown, in the order of their digits. @type {readonly (readonly [key: string, label: string])[]} */
export const MESSAGES = Object.freeze([
  ["message_closer", "Approchez-vous"],
  ["message_back", "Reculez un peu"],
  ["message_still", "Ne bougez plus"],
  ["message_light", "Allumez la lumière"],
  ["message_face", "Montrez le visage"],
  ["message_breathing", "Montrez la poitrine : respiration"],
  ["message_wound", "Montrez la blessure"],
  ["message_turn_phone", "Tournez le téléphone"],
  ["message_loudspeaker", "Mettez le haut-parleur"],
  ["message_wait", "Attendez, restez en ligne"],
  ["message_waiting_help", "Les secours arrivent"],
  ["message_thanks", "C’est bien, continuez"],
]);

/** The key that chooses a message: 1 to 9, 0, then letters.
 * @param {number} index @returns {string} */
export function digit(index) {
  return "1234567890AB"[index] ?? "";
}

const NO_VIDEO = "Aucune vidéo en cours";
const READ_ONLY = "Ce poste est tenu ailleurs : lecture seule";
const NO_SERVER = "Pas de liaison avec le serveur";
const AWAY = "Le téléphone n’est pas relié en ce moment";
const UNTOLD = "Le téléphone n’a pas encore dit ce que sa caméra sait faire";
const NO_PICTURE = "Pas encore d’image";

/** Why a control cannot work now; "" when it can.
 * @param {Control} control @param {Readonly<Facts>} facts @returns {string} */
export function reason(control, facts) {
  if (!facts.on) return NO_VIDEO;
  if (control === "turn") return facts.picture === "none" ? NO_PICTURE : "";
  if (control === "freeze") return unfrozen(facts);
  if (facts.readonly) return READ_ONLY;
  if (!facts.connected) return NO_SERVER;
  if (control === "snapshot") return unstored(facts);
  if (!facts.online) return AWAY;
  if (control === "say") return facts.hidden ? "Le correspondant a quitté la page : il ne verrait rien" : "";
  if (control === "point") return unpointed(facts);
  return unable(control, facts.abilities);
}

/** @param {Readonly<Facts>} facts @returns {string} */
function unfrozen({ frozen, picture }) {
  if (frozen || picture === "flowing") return "";
  return picture === "none" ? NO_PICTURE : "L’image n’est pas en direct : il n’y a rien à figer";
}

/** @param {Readonly<Facts>} facts @returns {string} */
function unstored({ policy, frozen, picture }) {
  if (policy !== "store") return "Ce site ne conserve pas de photo";
  if (frozen || picture === "flowing") return "";
  return picture === "none" ? NO_PICTURE : "L’image n’est pas en direct";
}

/** @param {Readonly<Facts>} facts @returns {string} */
function unpointed({ picture, frozen, hidden }) {
  if (picture === "none") return NO_PICTURE;
  if (hidden) return "Le correspondant a quitté la page : il ne verrait rien";
  return frozen ? "Image figée : reprenez le direct pour pointer" : "";
}

/** What the phone's camera cannot do.
 * @param {Control} control @param {Readonly<Abilities> | null} able @returns {string} */
function unable(control, able) {
  if (!able) return UNTOLD;
  if (control === "camera") return able.cameras === 1 ? "Ce téléphone n’a qu’une caméra" : "";
  if (control === "torch") return darkness(able);
  if (control !== "zoom" || able.zoom) return "";
  return able.torch === null ? "Le navigateur de ce téléphone ne commande pas le zoom" : "La caméra de ce téléphone n’a pas de zoom";
}

/** @param {Readonly<Abilities>} able @returns {string} */
function darkness({ torch, facing }) {
  if (torch) return "";
  if (torch === null) return "Le navigateur de ce téléphone ne commande pas la lampe";
  return facing === "user" ? "La caméra avant n’a pas de lampe : changez de caméra" : "La caméra de ce téléphone n’a pas de lampe";
}

/** @type {Record<string, Record<string, string>>} */
const REFUSED = {
  camera: {
    none: "Ce téléphone n’a pas d’autre caméra qui marche", failed: "L’autre caméra ne s’ouvre pas",
    hidden: "Le correspondant a quitté la page : sa caméra ne peut pas être changée",
  },
  torch: { none: "La caméra de ce téléphone n’a pas de lampe", failed: "Le téléphone a refusé d’allumer sa lampe" },
  zoom: { none: "La caméra de ce téléphone n’a pas de zoom", failed: "Le téléphone a refusé ce zoom" },
  prefer: { failed: "Le téléphone a refusé ce réglage" },
};
/** @type {Record<string, string>} */
const REFUSED_ALL = {
  busy: "Le téléphone y travaille déjà", off: "La caméra du téléphone est éteinte",
  hidden: "Le correspondant a quitté la page : il n’a rien vu", failed: "Le téléphone a refusé", none: "Le téléphone ne sait pas le faire",
};

/** Why the phone did not do it.
 * @param {string} control @param {string | null} why @returns {string} */
export function refused(control, why) {
  return REFUSED[control]?.[why ?? ""] ?? REFUSED_ALL[why ?? ""] ?? "Le téléphone a refusé";
}

/** @type {Record<string, string>} */
const LENSES = { main: "principale", rear: "arrière", wide: "grand-angle", tele: "télé", front: "avant", other: "autre" };

/** Which of the phone's cameras is on, and how many there are; "" where the phone does not tell, or has one only.
 * @param {Readonly<Abilities> | null} able @returns {string} */
export function lens(able) {
  if (!able?.lens || !able.place || able.cameras < 2) return "";
  return `${LENSES[able.lens]} · ${able.place} sur ${able.cameras}`;
}

/** What the phone did.
 * @param {string} control @param {unknown} value @param {Readonly<Abilities> | null} able what its camera can do now
 * @returns {string} "" for what shows by itself */
export function done(control, value, able) {
  switch (control) {
    case "camera":
      return ["Caméra changée", lens(able)].filter(Boolean).join(" : ");
    case "torch":
      return value ? "Lampe allumée" : "Lampe éteinte";
    case "prefer":
      return value === "detail" ? "Détail d’abord : l’image peut être plus lente" : "Mouvement d’abord : l’image peut être moins fine";
    case "message":
      return `Affiché sur le téléphone : « ${MESSAGES.find(([key]) => key === value)?.[1] ?? ""} »`;
    default:
      return "";
  }
}
