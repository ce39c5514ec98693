/** What the phone says of a camera that was granted (docs/protocol.md, media.report), and what the desks call it: pure. */

/** Why it gives nothing. @type {ReadonlyMap<string, {text: string, more: string}>} */
const BLIND = new Map([
  ["muted", { text: "Caméra coupée", more: "Le téléphone a coupé sa caméra : autre appel, ou autre application." }],
  ["ended", { text: "Caméra arrêtée", more: "Le téléphone redemande sa caméra." }],
  ["busy", { text: "Caméra prise par une autre application", more: "Le correspondant doit fermer cette application." }],
  ["refused", { text: "Caméra refusée", more: "Le téléphone n’autorise plus la caméra." }],
  ["gone", { text: "Caméra introuvable", more: "Elle est débranchée, ou le téléphone ne la trouve plus." }],
  ["still", { text: "Caméra sans image", more: "La caméra est ouverte et ne donne aucune image." }],
]);

/** Whether this is a word of a camera, among all that a phone says of itself.
 * @param {string} word @returns {boolean} */
export function ofCamera(word) {
  return word === "live" || BLIND.has(word);
}

/** What is wrong with the camera; null when it films, or has not said anything.
 * @param {string | null | undefined} word @returns {{text: string, more: string} | null} */
export function blind(word) {
  return BLIND.get(word ?? "") ?? null;
}
