/** What is true of the picture: camera × connection × who shows it. Pure; docs/adr/0028 has the table. */

/** @typedef {"none" | "asking" | "live" | "still" | "muted" | "ended" | "busy" | "refused" | "gone"} Track */
/** @typedef {"none" | "connecting" | "up" | "deaf" | "offline"} Connection */
/**
 * @typedef {object} Truth
 * @property {Track} track
 * @property {boolean} granted the camera was given on this page
 * @property {number} tries to get it back
 * @property {boolean} back a return to the page was used to ask
 * @property {boolean} late the question is open for long
 * @property {string} permission
 * @property {boolean} online
 * @property {boolean} socket the server is reached
 * @property {string} path `requests`: reached by requests; `none`: not reached for long
 * @property {Readonly<Record<string, "connecting" | "up" | "deaf">>} peers the connections, by desk
 * @property {readonly string[]} shown desks that show it, by their word
 * @property {boolean} ever one has shown it
 */
/** @typedef {{type: "tap", again?: boolean} | {type: "granted", track: Track} | {type: "track", track: Track} | {type: "frames", still: boolean} | {type: "fresh"}
 *   | {type: "trouble", why: string, instant?: boolean} | {type: "tried"} | {type: "back"} | {type: "permission", state: string} | {type: "stopped"} | {type: "online", online: boolean}
 *   | {type: "socket", open?: boolean, path?: string} | {type: "peers", peers: Truth["peers"]} | {type: "shown", peer: string, on: boolean} | {type: "showing", peers: string[] | null, known: string[]}} TruthEvent */

/** @type {Readonly<Truth>} */
export const UNKNOWN = Object.freeze({
  track: "none", granted: false, tries: 0, back: false, late: false, permission: "", online: true, socket: false, path: "", peers: {}, shown: [], ever: false,
});

/** What a refusal makes of the camera; where none can be asked for, nothing. @type {Readonly<Record<string, Track>>} */
const REFUSED = { denied: "refused", system: "refused", dismissed: "refused", none: "gone", busy: "busy" };

/** @param {Readonly<Truth>} truth @param {TruthEvent | {type: string}} event @returns {Truth} */
export function learn(truth, event) {
  const after = change(truth, /** @type {any} */ (event));
  return { ...after, ever: after.ever || sees(after) };
}

/** @param {Readonly<Truth>} truth @param {any} event @returns {Truth} */
function change(truth, event) {
  switch (event.type) {
    case "tap":
      return { ...truth, track: truth.granted ? truth.track : "asking", late: false, path: event.again ? truth.path : "" };
    case "granted":
      return { ...truth, track: again(truth, event.track), granted: true, back: false, late: false };
    case "track":
      return truth.granted ? { ...truth, track: read(truth, event.track) } : { ...truth };
    case "frames":
      return { ...truth, track: truth.track === "live" || truth.track === "still" ? (event.still ? "still" : "live") : truth.track };
    case "fresh":
      return { ...truth, tries: 0 };
    case "trouble":
      return { ...truth, track: REFUSED[event.why] ?? truth.track, late: event.why === "timeout" };
    case "tried":
      return { ...truth, tries: truth.tries + 1 };
    case "back":
      return { ...truth, back: true };
    case "permission":
      return { ...truth, permission: event.state };
    case "stopped":
      return { ...truth, track: "none", granted: false, late: false };
    case "online":
      return { ...truth, online: event.online };
    case "socket":
      return { ...truth, socket: event.open === true, path: event.path ?? truth.path };
    case "peers":
      return { ...truth, peers: event.peers };
    case "shown":
      return { ...truth, shown: [...truth.shown.filter((peer) => peer !== event.peer), ...(event.on ? [event.peer] : [])] };
    case "showing":
      // A restarted server has heard no desk yet, or not all: what one showed it shows.
      return { ...truth, shown: event.peers === null ? truth.shown : [...event.peers, ...truth.shown.filter((peer) => !event.known.includes(peer) && !event.peers.includes(peer))] };
    default:
      return { ...truth };
  }
}

/** A camera that hung does until frames move, however often it is opened.
 * @param {Readonly<Truth>} truth @param {Track} track @returns {Track} */
const again = (truth, track) => (truth.track === "still" && track === "live" ? "still" : track);

/** What is left of a camera that was asked for in vain says nothing, unless it is back.
 * @param {Readonly<Truth>} truth @param {Track} track @returns {Track} */
const read = (truth, track) => (track !== "live" && Object.values(REFUSED).includes(truth.track) ? truth.track : again(truth, track));

/** The best there is.
 * @param {Readonly<Truth>} truth @returns {Connection} */
export function connection({ peers, online, socket }) {
  const each = Object.values(peers);
  if (each.includes("up")) return "up";
  if (!online) return "offline";
  if (each.includes("deaf")) return "deaf";
  return socket || each.length > 0 ? "connecting" : "none";
}

/** Whether a desk shows the picture: one that is connected, where any is.
 * @param {Readonly<Truth>} truth @returns {"never" | "now" | "before"} */
export function showing(truth) {
  const { peers, shown, ever } = truth;
  const up = connection(truth) === "up";
  if (shown.some((peer) => !up || peers[peer] === "up")) return "now";
  return ever ? "before" : "never";
}

/** Whether the doctor sees the caller.
 * @param {Readonly<Truth>} truth @returns {boolean} */
export function sees(truth) {
  return truth.track === "live" && connection(truth) === "up" && showing(truth) === "now";
}

/** Sentences of a camera that gives nothing. @type {Readonly<Partial<Record<Track, string>>>} */
const CAMERA = { none: "starting", asking: "starting", muted: "muted", ended: "reopens", still: "reopens", busy: "taken", gone: "none_title", refused: "denied_title" };

/** The sentence over the caller's own picture.
 * @param {Readonly<Truth>} truth @returns {string} */
export function sentence(truth) {
  const camera = CAMERA[truth.track];
  if (camera) return camera;
  if (sees(truth)) return "seen";
  const at = connection(truth);
  if (at === "offline") return "offline";
  if (showing(truth) === "never") return waiting(truth, at);
  return at === "up" ? "unshown" : "cut";
}

/** Before anybody has shown the picture: which way it takes, or that there is none.
 * @param {Readonly<Truth>} truth @param {Connection} at @returns {string} */
function waiting({ socket, path }, at) {
  if (socket && path === "requests") return "around";
  if (!socket && path === "none" && at !== "up") return "unreached";
  return at === "none" ? "starting" : "wait";
}

/** What the desks are told of the camera.
 * @param {Readonly<Truth>} truth @returns {string} */
export const word = ({ granted, track }) => (granted && track !== "none" && track !== "asking" ? track : "");
