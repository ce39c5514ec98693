/**
 * The caller's page, decided without a browser: which screen, which sentence. One screen at a time,
 * each with one thing to do.
 */

/** @typedef {"invite" | "asking" | "live" | "trouble" | "ended"} Screen */
/** @typedef {"denied" | "system" | "dismissed" | "none" | "busy" | "insecure" | "in_app" | "unable" | "timeout"} CameraTrouble */
/**
 * @typedef {object} Phase
 * @property {Screen} screen
 * @property {string} trouble what went wrong, when `screen` is "trouble" or when the video ended for a reason
 * @property {boolean} instant the camera was refused before anybody was asked
 * @property {boolean} camera the camera is on
 * @property {boolean} muted the camera gives nothing
 * @property {boolean} seen a desk has the picture
 * @property {boolean} wasSeen a desk has had the picture
 * @property {boolean} socket the server is reachable
 */

/** @type {Readonly<Phase>} */
export const FIRST = Object.freeze({
  screen: "invite", trouble: "", instant: false, camera: false, muted: false, seen: false, wasSeen: false, socket: false,
});

/** `none`: the words changed, nothing else. @typedef {{type: "none"} | {type: "tap"} | {type: "granted"} | {type: "trouble", why: string, instant?: boolean} | {type: "muted", muted: boolean}
 *   | {type: "seen", seen: boolean} | {type: "socket", open: boolean} | {type: "ended", why?: string}} PhaseEvent */

/** @param {Readonly<Phase>} phase @param {PhaseEvent} event @returns {Phase} */
export function advance(phase, event) {
  if (phase.screen === "ended") return { ...phase };
  switch (event.type) {
    case "none":
      return { ...phase };
    case "tap":
      return { ...phase, screen: phase.camera ? "live" : "asking", trouble: "" };
    case "granted":
      return { ...phase, screen: "live", trouble: "", camera: true, muted: false };
    case "trouble":
      return { ...phase, screen: "trouble", trouble: event.why, instant: event.instant ?? false, camera: false, seen: false };
    case "muted":
      return { ...phase, muted: event.muted };
    case "seen":
      return { ...phase, seen: event.seen, wasSeen: phase.wasSeen || event.seen };
    case "socket":
      return { ...phase, socket: event.open };
    case "ended":
      return { ...phase, screen: "ended", trouble: event.why ?? "", camera: false, seen: false };
  }
}

/** The key of the sentence over the live picture; never "sees you" unless a desk has the picture.
 * @param {Readonly<Phase>} phase @returns {"muted" | "seen" | "cut" | "starting" | "wait"} */
export function sentence(phase) {
  if (phase.muted) return "muted";
  if (phase.seen) return "seen";
  if (phase.wasSeen) return "cut";
  return phase.socket ? "wait" : "starting";
}

/** Which picture of the permission question this browser shows.
 * @param {string} agent @returns {"android" | "ios" | "other"} */
export function prompt(agent) {
  if (/iPhone|iPad|iPod/.test(agent)) return "ios";
  return /Android/.test(agent) && !/Firefox/.test(agent) ? "android" : "other";
}

/** How the video ended, as the caller is told it.
 * @param {string} by `desk`, `phone` or `server` @param {string} reason
 * @returns {"over_doctor" | "over_you" | "expired" | "lost" | "closed" | ""} */
export function ending(by, reason) {
  if (reason === "expired" || reason === "lost") return reason;
  if (reason === "revoked") return "closed";
  if (by === "phone") return "over_you";
  return by === "desk" ? "over_doctor" : "";
}

/** What a refusal means to the caller; "" is a plain end. The stable code decides, else the status (0: no answer).
 * @param {number} status @param {string} code @returns {"elsewhere" | "closed" | "network" | ""} */
export function refused(status, code) {
  if (code === "session_ended") return "";
  if (code === "open_elsewhere") return "elsewhere";
  return status >= 500 || status === 429 || status === 0 ? "network" : "closed";
}
