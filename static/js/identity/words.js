/** What a page says of its sign-in, and when it asks again: pure. The server judges, the page only counts the time. */

/** @typedef {"active" | "idle_soon" | "absolute_soon" | "over" | "ended"} Stage over: a video may be finished; ended: nothing may */
/** @typedef {{stage: Stage, why: "idle" | "absolute", ends_in: number, changes_in: number | null}} Standing in seconds from when it was read */
/** @typedef {{text: string, verb: string, act: "stay" | "renew"}} Banner */

const SECOND = 1_000;
/** Milliseconds before a server that did not answer, or a sign-in that is over, is asked about again. */
export const AGAIN = 15 * SECOND;
/** Milliseconds between two reports that somebody is there; when the end is near, at once. */
export const REPORT = Object.freeze({ calm: 60 * SECOND, near: 2 * SECOND });
/** What `setTimeout` can hold. */
const LONGEST = 2 ** 31 - 1;

/** @param {Readonly<Standing>} standing @returns {number} milliseconds until the page looks again */
export function wait({ stage, changes_in }) {
  if (changes_in === null || stage === "over" || stage === "ended") return AGAIN;
  return Math.min(LONGEST, changes_in * SECOND + SECOND / 2);
}

/** @param {number} at milliseconds since 1970 @returns {string} */
function clock(at) {
  return new Date(at).toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" });
}

/** What is true of the video that a sign-in may finish.
 * @param {boolean} flows its picture flows on this page @returns {string} */
function video(flows) {
  return flows ? "La vidéo en cours continue" : "La vidéo commencée reste ouverte";
}

/** @param {Readonly<Standing>} standing @param {number} now @param {boolean} [flows] a picture flows on this page
 * @returns {Banner | null} nothing to say while it is far from its end */
export function banner({ stage, ends_in }, now, flows = false) {
  const end = clock(now + ends_in * SECOND);
  switch (stage) {
    case "idle_soon":
      return { text: `Sans activité de votre part, votre connexion se termine à ${end}.`, verb: "Je suis là", act: "stay" };
    case "absolute_soon":
      return { text: `Votre connexion se termine à ${end} : renouvelez-la ici, sans quitter la page.`, verb: "Renouveler", act: "renew" };
    case "over":
      return { text: `Votre connexion est terminée. ${video(flows)} ; reconnectez-vous pour inviter.`, verb: "Se reconnecter", act: "renew" };
    case "ended":
      return { text: "Votre connexion est terminée.", verb: "Se reconnecter", act: "renew" };
    default:
      return null;
  }
}

/** @param {Readonly<Standing>} standing @param {boolean} [flows] a picture flows on this page @returns {string} what the sheet says above its fields */
export function sheetText({ stage, why }, flows = false) {
  if (stage !== "over" && stage !== "ended") return `La page${flows ? ", la vidéo" : ""} et la saisie en cours restent.`;
  const reason = why === "idle" ? "Personne n’a utilisé cette page depuis longtemps" : "Votre connexion est arrivée à sa durée maximale";
  return stage === "over" ? `${reason}. ${video(flows)}.` : `${reason}. Reconnectez-vous : cette page revient telle quelle.`;
}
