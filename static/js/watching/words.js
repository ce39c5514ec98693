/** What is said of a picture that is watched, to the desk and to observers: pure. */
import { blind } from "./camera_words.js";
import { duration } from "./session.js";

/** @typedef {import("./session.js").Session} Session */

const AWAY = { text: "Page masquée", more: "Le correspondant a quitté la page : demandez-lui d’y revenir." };

/** Why there is no picture, as far as the phone or the server said: never a guess.
 * @param {{state: Session["state"], caller: Pick<Session["caller"], "online" | "hidden" | "camera">, rung?: string} | null} session
 * @returns {{text: string, more: string} | null} null: it is on its way, or nothing is known */
export function absence(session) {
  if (!session || !["tapped", "connecting", "live", "interrupted"].includes(session.state)) return null;
  const { state, caller, rung = "video" } = session;
  if (!caller.online) return state === "tapped" ? null : { text: "Téléphone non relié", more: "La page du correspondant ne répond pas." };
  if (caller.hidden) return AWAY;
  const camera = rung === "video" ? blind(caller.camera) : null;
  return camera ?? (state === "interrupted" ? { text: "Image interrompue", more: "" } : null);
}

/** Age of a picture.
 * @param {number} ms @returns {string} */
export function seconds(ms) {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1).replace(".", ",")} s` : duration(ms);
}

/** What must lie over the picture, so that a still is never taken for live.
 * @param {Readonly<import("./picture.js").Picture>} facts @param {string} state @param {number | null} age
 * @returns {{icon: string, text: string, more: string} | null} */
export function covering(facts, state, age) {
  if (state === "none") return null;
  const since = age === null ? "" : `Dernière image il y a ${seconds(age)}`;
  if (state === "hidden") return { icon: "eye-off", ...AWAY };
  const camera = blind(facts.camera);
  if (camera && state !== "flowing") return { icon: "video-off", text: camera.text, more: [camera.more, since].filter(Boolean).join(" ") };
  if (state === "lost") return { icon: "wifi-off", text: "Image interrompue", more: since };
  if (state === "frozen") return { icon: "snowflake", text: "Image figée", more: since };
  if (facts.dark) return { icon: "moon", text: "Image noire", more: "Caméra couverte ou lieu très sombre." };
  return null;
}
