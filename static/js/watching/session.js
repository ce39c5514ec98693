/**
 * What the desk knows, and what it must show: pure, so that the whole of it is tested without a browser.
 * The server always sends everything; the page adds what only it can know.
 */
import { ofCamera } from "./camera_words.js";

/** @typedef {import("../lib/socket.js").Message} Message */
/** @typedef {{type: string, value: string}} Alias */
/** @typedef {{extension: string, name: string, who?: string | null, since?: string | null, live?: boolean}} Station who sits there, since when, whether a video is on */
/** @typedef {{call: string | null, mobile: string | null, station: string | null, foreign: boolean}} Proposed what an unsigned launch asks for; foreign: from a page of another site */
/**
 * @typedef {object} Call
 * @property {string} id
 * @property {string | null} number
 * @property {boolean} mobile
 * @property {"ringing" | "talking" | "held" | "ended" | "asserted"} state as this station has it; asserted: named by a launch or by hand, not seen by a feed yet
 * @property {boolean} certain
 * @property {boolean} [confirmed] false: not heard of since a restart, or since its feed was lost
 * @property {string | null} started
 * @property {string | null} answered
 * @property {string | null} ended
 * @property {string[]} stations where it is, or was last
 * @property {string[]} [ringing] those of them where it only rings now
 * @property {Alias[]} aliases
 */
/**
 * @typedef {object} Invitation
 * @property {string} id
 * @property {"sms" | "email" | "code"} channel
 * @property {string | null} to null once erased, and for a code
 * @property {string} state
 * @property {string} label
 * @property {string | null} expires
 * @property {("resend" | "revoke" | "move")[]} can
 */
/**
 * @typedef {object} Step
 * @property {string} key
 * @property {string} label
 * @property {"done" | "current" | "todo" | "failed"} state
 * @property {string | null} [since] when it was its turn
 * @property {string | null} at
 * @property {number | null} seconds from the acceptance
 * @property {number | null} [spent] seconds in it
 */
/**
 * @typedef {object} Abilities what the phone's camera can do now
 * @property {number} cameras how many there are
 * @property {import("../rtc/lenses.js").LensWord | null} lens which one is on, where that is known
 * @property {number | null} place in the order in which they come in turn, from 1
 * @property {"environment" | "user"} facing
 * @property {number | null} width
 * @property {number | null} height
 * @property {number | null} fps
 * @property {boolean | null} torch null: the browser does not tell
 * @property {boolean} lit
 * @property {{min: number, max: number, step: number, value: number} | null} zoom
 * @property {"balanced" | "detail" | "motion"} prefer
 */
/** @typedef {{language: string, text: string, rtl?: boolean} | null} Translation */
/** @typedef {{text: string, cause: string | null, stalled?: boolean, translation?: Translation}} Say to be read aloud, and why */
/** @typedef {Say & {at: string}} SayLater from that time on */
/** @typedef {{call: string | null, certainty: "certain" | "inferred" | "unlinked", evidence: string | null, label: string, pick: boolean, number: string | null, ended: string | null}} CallLink the call's number, and when it ended */
/**
 * @typedef {object} Session
 * @property {string} id
 * @property {"invited" | "opened" | "tapped" | "connecting" | "live" | "interrupted" | "ended"} state
 * @property {string} created
 * @property {string | null} ended
 * @property {string | null} end_reason
 * @property {string | null} number
 * @property {string | null} station where it was invited from
 * @property {string[]} moved where its call went on to, when it left this station
 * @property {{to: string, from: string | null, by: string} | null} [offer] offered to a station by hand
 * @property {import("./people.js").Participant[]} [participants] who sees the picture, or may
 * @property {CallLink} link
 * @property {Invitation[]} invitations
 * @property {Step[]} steps
 * @property {Say | null} say
 * @property {SayLater[]} [say_later]
 * @property {Say | null} [say_weak]
 * @property {{online: boolean, hidden: boolean, camera: string | null, abilities: Readonly<Abilities> | null, language?: {code: string, name: string} | null, transport?: "socket" | "requests" | null}} caller
 * @property {"video" | "stills" | "photo"} rung how pictures come, by the phone's word
 */
/**
 * @typedef {object} ServerView
 * @property {string} now
 * @property {{name: string, role: string}} me
 * @property {{name: string, snapshots: "none" | "store", observers?: string[]}} site
 * @property {{extension: string, name: string, webcam: boolean} | null} station
 * @property {{state: "connected" | "quiet" | "down" | "none"}} line15
 * @property {{call: string | null, mobile: string | null, notice: string | null, code?: string | null, proposed?: Proposed | null} | null} launch code: why the context was refused
 * @property {Call[]} calls
 * @property {Session[]} sessions
 * @property {string | null} watching
 */
/**
 * @typedef {object} View
 * @property {ServerView | null} server the last whole view
 * @property {number} offset milliseconds to add to this PC's clock to read the server's
 * @property {string | null} watch the session this page shows, live
 * @property {string | null} look an ended session whose steps are looked at
 * @property {string | null} camera how the caller's camera fares, by its own word
 * @property {boolean} hidden the caller's page is in the background, by its own word
 * @property {boolean} online the caller's phone has a network, by its own word
 * @property {string | null} taken who works at this station now, on another desk
 * @property {boolean} launched an invitation has been sent since the page was launched from a call
 */

/** @type {Readonly<View>} */
export const START = Object.freeze({
  server: null, offset: 0, watch: null, look: null, camera: null, hidden: false, online: true, taken: null, launched: false,
});

/** Next view after a server message, or after an event of the page itself (`page.*`, with the time in `at`).
 * @param {Readonly<View>} view @param {Message} message @returns {View} */
export function next(view, message) {
  switch (message.type) {
    case "view":
      return received(view, /** @type {any} */ (message));
    case "tick":
      return { ...view, offset: offset(message.now, message.at, view.offset) };
    case "caller.state":
      return message.session === view.watch ? { ...view, ...said(message.state) } : { ...view };
    case "taken_over":
      return { ...view, taken: message.own ? "une autre de vos fenêtres" : String(message.by ?? "") || "une autre page" };
    case "page.watch":
      return { ...view, watch: message.session, look: null, camera: null, hidden: false, online: true };
    case "page.look":
      return { ...view, look: message.session };
    case "page.invited":
      return { ...view, launched: true };
    case "page.hello":
      return { ...view, taken: null };
    case "page.proposal":
      return { ...view, server: view.server && { ...view.server, launch: null } };
    default:
      return { ...view };
  }
}

/** @param {Readonly<View>} view @param {ServerView & {at?: number}} server @returns {View} */
function received(view, server) {
  const watched = server.sessions.find((session) => session.id === view.watch);
  const over = watched?.state === "ended";
  return {
    ...view,
    server,
    offset: offset(server.now, server.at, view.offset),
    watch: over ? null : view.watch,
    look: over ? view.watch : view.look,
    hidden: watched && !over ? watched.caller.hidden : false,
    camera: watched && !over ? watched.caller.camera : null,
  };
}

/** @param {string} now @param {number | undefined} at @param {number} former @returns {number} */
function offset(now, at, former) {
  const server = Date.parse(now);
  return at === undefined || Number.isNaN(server) ? former : server - at;
}

/** @param {string} state @returns {Partial<View>} */
function said(state) {
  switch (state) {
    case "hidden": return { hidden: true };
    case "visible": return { hidden: false };
    case "online": return { online: true };
    case "offline": return { online: false };
    default: return ofCamera(state) ? { camera: state } : {};
  }
}

/** Refusals that mean that what was named is not there, however often one asks. */
const GONE = new Set(["not_found", "message_malformed"]);

/** Whether a refusal means that what was asked for is gone; anything else may be granted in a moment.
 * @param {string} code @returns {boolean} */
export function gone(code) {
  return GONE.has(code);
}

/** What a refused hello named that is no longer there, to be left out of the next one; null: nothing.
 * @param {string} code @param {{station: boolean, watch: boolean, launch: boolean}} named @returns {"station" | "watch" | "all" | null} */
export function leftOut(code, named) {
  if (code === "station_unknown") return named.station ? "station" : null;
  if (code === "not_found" && named.watch) return "watch";
  return gone(code) && (named.watch || named.launch) ? "all" : null;
}

/** The session shown in the middle and on the right.
 * @param {Readonly<View>} view @returns {Session | null} */
export function shown(view) {
  const id = view.watch ?? view.look;
  return view.server?.sessions.find((session) => session.id === id) ?? null;
}

/** The session to watch without being asked, when nothing is watched: of those this desk takes by itself the live one,
 * else the one whose phone is farthest on, the newest of several.
 * @param {Readonly<View>} view @returns {string | null} */
export function wanted(view) {
  if (!view.server || view.watch || view.taken !== null) return null;
  const all = view.server.sessions.filter((one) => ours(view, one));
  const near = (/** @type {Session} */ one) => (one.state === "live" ? 3 : reach(one));
  return all.sort((a, b) => near(b) - near(a))[0]?.id ?? null;
}

/** Whether this desk takes a session by itself: not ended, not gone on to another station, not merely offered.
 * @param {Readonly<View>} view @param {Session} session @returns {boolean} */
export function ours(view, session) {
  return session.state !== "ended" && session.moved.length === 0 && !offered(view, session);
}

/** How far the phone of a session is: 0 nobody is there, 1 it was tapped, 2 it has a picture or is about to.
 * @param {Pick<Session, "state" | "caller">} session @returns {0 | 1 | 2} */
export function reach({ state, caller }) {
  if (state === "live") return 2;
  if (!caller.online) return 0;
  if (state === "tapped") return 1;
  return state === "connecting" || state === "interrupted" ? 2 : 0;
}

/** Whether a session is offered to this station by hand: it is not ours before we take it.
 * @param {Readonly<View>} view @param {Session} session @returns {boolean} */
export function offered(view, session) {
  const here = view.server?.station?.extension;
  return here !== undefined && session.state !== "ended" && session.offer?.to === here;
}

/** The calls of the station: talking, held, ringing, then ended; the newest first within each.
 * @param {Readonly<View>} view @returns {Call[]} */
export function candidates(view) {
  const order = { talking: 0, held: 1, ringing: 2, asserted: 3, ended: 4 };
  /** @param {Call} call */
  const since = (call) => Date.parse(call.ended ?? call.started ?? "") || 0;
  return [...(view.server?.calls ?? [])].sort((a, b) => order[a.state] - order[b.state] || since(b) - since(a));
}

/** Where a live call is, when that is not here.
 * @param {Call} call @param {ServerView["station"]} station @returns {string[]} */
export function away(call, station) {
  const gone = call.state !== "ended" && station !== null && !call.stations.includes(station.extension);
  return gone ? call.stations : [];
}

/** The mobile number to propose: the launch's until it has served or its call is over, else that of the sole
 * talking call. Nothing rather than a guess, and nothing that was invited already and has not ended.
 * @param {Readonly<View>} view @returns {string} */
export function proposed(view) {
  const server = view.server;
  if (!server) return "";
  const { launch } = server;
  if (launch?.mobile && !view.launched) {
    const call = server.calls.find((one) => one.id === launch.call);
    if (!call || call.state !== "ended") return invited(view, launch.mobile, launch.call) ? "" : launch.mobile;
  }
  const talking = server.calls.filter((call) => call.state === "talking" && call.confirmed !== false && away(call, server.station).length === 0);
  const sole = talking.length === 1 ? talking[0] : undefined;
  return sole?.mobile && sole.number && !invited(view, sole.number, sole.id) ? sole.number : "";
}

/** Whether a session for this number, of this call or of none that is known, has not ended.
 * @param {Readonly<View>} view @param {string} number @param {string | null} call @returns {boolean} */
function invited(view, number, call) {
  const same = (view.server?.sessions ?? []).filter((one) => one.state !== "ended" && digits(one.number) === digits(number));
  return same.some(({ link }) => link.call === null || call === null || link.call === call);
}

/** @param {string | null} number as people write it @returns {string} */
function digits(number) {
  return (number ?? "").replace(/^\+33/, "0").replace(/\D/g, "");
}

/** Duration as people read it on a telephone.
 * @param {number} ms @returns {string} "02:41", "1:02:41" */
export function duration(ms) {
  const total = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(total / 3600);
  const rest = `${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** Short time a step took.
 * @param {number} seconds @returns {string} "0,4 s", "11 s", "2 min 05" */
export function lapse(seconds) {
  if (seconds < 9.95) return `${seconds.toFixed(1).replace(".", ",")} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${two(Math.floor(seconds) % 60)}`;
}

/** @param {number} value @returns {string} */
function two(value) {
  return String(value).padStart(2, "0");
}
