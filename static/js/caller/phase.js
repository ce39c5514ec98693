/**
 * The caller's page, decided without a browser: which screen, which sentence. One screen at a time,
 * each with one thing to do. What is true of the picture is decided in truth.js.
 */
import { UNKNOWN, learn } from "./truth.js";

/** @typedef {"invite" | "asking" | "live" | "trouble" | "ended"} Screen */
/** @typedef {"denied" | "system" | "dismissed" | "none" | "busy" | "insecure" | "in_app" | "unable" | "cookies" | "timeout"} CameraTrouble */
/** @typedef {import("./truth.js").Truth} Truth */
/**
 * @typedef {object} Phase
 * @property {Screen} screen
 * @property {string} trouble what went wrong, when `screen` is "trouble" or when the video ended for a reason
 * @property {boolean} instant the camera was refused before anybody was asked
 * @property {Readonly<Truth>} truth
 */

/** @type {Readonly<Phase>} */
export const FIRST = Object.freeze({ screen: "invite", trouble: "", instant: false, truth: UNKNOWN });

/** `none`: the words changed, nothing else. @typedef {import("./truth.js").TruthEvent | {type: "none"} | {type: "ended", why?: string}} PhaseEvent */

/** @param {Readonly<Phase>} phase @param {PhaseEvent} event @returns {Phase} */
export function advance(phase, event) {
  if (phase.screen === "ended") return { ...phase };
  if (event.type === "ended") return { ...phase, screen: "ended", trouble: event.why ?? "", truth: learn(phase.truth, { type: "stopped" }) };
  const truth = learn(phase.truth, event);
  const live = { screen: /** @type {Screen} */ ("live"), trouble: "", truth };
  switch (event.type) {
    case "tap":
      return truth.track === "live" ? { ...phase, ...live } : { ...phase, screen: "asking", trouble: "", truth };
    case "granted":
      return { ...phase, ...live };
    case "trouble":
      // A camera that was on comes back by itself; only a refusal needs the caller's hand.
      if (truth.granted && (truth.track === "busy" || truth.track === "gone")) return { ...phase, ...live };
      return { ...phase, screen: "trouble", trouble: event.why, instant: event.instant ?? false, truth };
    default:
      // The system gave back what it had refused.
      if (phase.screen !== "invite" && truth.granted && truth.track === "live") return { ...phase, ...live };
      return { ...phase, truth };
  }
}

/** @typedef {"ios" | "android" | "desktop"} System */
/** @typedef {"safari" | "chrome" | "samsung" | "firefox" | "edge" | "opera" | "other"} Browser */
/** @typedef {{system: System, browser: Browser, inApp: boolean}} Place inApp: a page inside an application, not a browser */

/** Applications that show pages themselves, most of them without a camera or with a question nobody sees. */
const APPS = /FBAN|FBAV|FB_IAB|Instagram|\bLine\/|WhatsApp|musical_ly|BytedanceWebview|TikTok|Snapchat|Twitter|MicroMessenger|GSA\/|LinkedInApp|Pinterest|KAKAOTALK|Telegram|Viber/i;
const ANDROID_VIEW = /;\s*wv\)/;
/** A refusal this soon was decided before: nobody can read a question, let alone answer it. */
export const INSTANT = 400;

/** Where this page is shown.
 * @param {string} agent @param {number} [touches] an iPad calls itself a Mac, but it is touched @returns {Place} */
export function where(agent, touches = 0) {
  const apple = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touches > 1);
  const system = apple ? "ios" : /Android/.test(agent) ? "android" : "desktop";
  const view = system === "android" ? ANDROID_VIEW.test(agent) : system === "ios" && !/Safari\//.test(agent);
  return { system, browser: browser(agent), inApp: view || APPS.test(agent) };
}

/** @param {string} agent @returns {Browser} the rarer ones first: they also name those they stem from */
function browser(agent) {
  if (/EdgiOS|EdgA?\//.test(agent)) return "edge";
  if (/OPT\/|OPiOS|OPR\//.test(agent)) return "opera";
  if (/SamsungBrowser/.test(agent)) return "samsung";
  if (/FxiOS|Firefox/.test(agent)) return "firefox";
  if (/CriOS|Chrome|Chromium/.test(agent)) return "chrome";
  return /Safari/.test(agent) ? "safari" : "other";
}

/** What a refusal of getUserMedia means for the caller.
 * @param {string} name name of the DOMException @param {string} message
 * @returns {CameraTrouble} */
export function refusal(name, message) {
  // Chrome's own words; WebKit and Firefox call a system that forbids it a refusal like any other.
  if (/by system|system permission/i.test(message)) return "system";
  if (/dismissed/i.test(message)) return "dismissed";
  switch (name) {
    case "NotAllowedError":
    case "PermissionDeniedError":
      return "denied";
    case "SecurityError":
      return "insecure";
    case "NotFoundError":
    case "DevicesNotFoundError":
    case "OverconstrainedError":
      return "none";
    case "TimeoutError":
      return "timeout";
    default:
      return "busy";
  }
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
 * A 403 says nothing of the link: the browser sent no cookie, or something on the way refuses (no code of ours).
 * @param {number} status @param {string} code @returns {"elsewhere" | "closed" | "cookies" | "network" | ""} */
export function refused(status, code) {
  if (code === "session_ended") return "";
  if (code === "open_elsewhere") return "elsewhere";
  if (status === 403) return code ? "cookies" : "network";
  return status >= 500 || status === 429 || status === 0 ? "network" : "closed";
}
