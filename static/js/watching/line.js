/**
 * Why this page has no line to the server: pure. "Serveur injoignable" is said of a server that does not answer, never of a
 * network that lets pages through and stops the socket, nor of a PC without a network.
 */

/** Milliseconds a socket is given to come up, or to say a first word, before pages are asked for beside it. */
export const SLOW = 1_500;
/** Milliseconds it is given beside pages that come: within five seconds in all the desk says what it is. */
export const HANGING = 2_000;
/** Shortest time between two questions, in milliseconds. */
export const EVERY = 3_000;

/** @typedef {"passed" | "refused" | "away" | "offline"} Answer of a page: it came; this sign-in is over; the server is in trouble or not there; this PC has no network */
/**
 * @typedef {object} Line
 * @property {import("../lib/socket.js").SocketState} socket
 * @property {number} since when it is so
 * @property {boolean} heard the server answered on it
 * @property {Answer | null} answer of the last question
 * @property {number} passed since when pages come, though the socket does not; -Infinity: they do not, or it is not known
 * @property {boolean} failed a socket tried beside pages that come was refused or cut
 * @property {number} asked
 */
/** @typedef {{type: "socket", at: number, state: import("../lib/socket.js").SocketState} | {type: "heard"} | {type: "asked", at: number} | {type: "answer", at: number, answer: Answer}} Fact */
/** @typedef {"connecting" | "open" | "stopped" | "lost" | "away" | "offline" | "blocked"} Standing lost: cut, and not known yet why */

/** @type {Readonly<Line>} */
export const UNTRIED = Object.freeze({ socket: "stopped", since: 0, heard: false, answer: null, passed: -Infinity, failed: false, asked: -Infinity });

/** @param {Readonly<Line>} line @param {Fact} fact @returns {Line} */
export function learn(line, fact) {
  switch (fact.type) {
    case "socket": {
      // What ends was tried since pages come: a socket that was begun before proves nothing.
      const failed = fact.state === "waiting" && line.socket !== "waiting" && !line.heard && Number.isFinite(line.passed) && line.since >= line.passed;
      return { ...line, socket: fact.state, since: fact.at, heard: false, failed: line.failed || failed };
    }
    case "heard":
      return line.heard && line.answer === null ? line : { ...line, heard: true, answer: null, passed: -Infinity, failed: false };
    case "asked":
      return { ...line, asked: fact.at };
    case "answer": {
      if (line.heard && line.socket === "open") return line;
      const passes = fact.answer === "passed";
      const passed = passes ? (Number.isFinite(line.passed) ? line.passed : fact.at) : -Infinity;
      return { ...line, answer: fact.answer, passed, failed: passes && line.failed };
    }
  }
}

/** Whether to ask for a page now, to learn what stands in the way.
 * @param {Readonly<Line>} line @param {number} now @returns {boolean} */
export function asks({ socket, since, heard, asked }, now) {
  if (socket === "stopped" || (socket === "open" && heard) || now - asked < EVERY) return false;
  return socket === "waiting" || now - since >= SLOW;
}

/** @param {Readonly<Line>} line @param {number} now @returns {Standing} */
export function standing({ socket, since, heard, answer, passed, failed }, now) {
  if (socket === "stopped") return "stopped";
  if (socket === "open" && heard) return "open";
  if (answer === "offline" || answer === "away") return answer;
  const hangs = socket !== "waiting" && Number.isFinite(passed) && now - Math.max(since, passed) >= HANGING;
  if (failed || hangs) return "blocked";
  return socket === "waiting" ? "lost" : socket;
}

/** @type {Readonly<Record<Standing, string>>} */
export const SERVER = Object.freeze({
  connecting: "connexion au serveur…", open: "serveur connecté", stopped: "serveur déconnecté", lost: "liaison perdue, nouvel essai…",
  away: "serveur injoignable", offline: "pas de réseau sur ce poste", blocked: "liaison bloquée",
});

/** What to do about it; "" where waiting is all there is.
 * @param {Standing} what @returns {string} */
export function advice(what) {
  if (what === "offline") return "Ce poste n’a plus de réseau : vérifiez le câble ou le Wi-Fi. La page se reconnecte seule.";
  if (what !== "blocked") return "";
  return "Le réseau de ce poste bloque la liaison avec le serveur (WebSocket), alors que les pages passent : prévenez l’informatique.";
}

/** What the answer to a page means.
 * @param {number} status 0: none came @param {boolean} online as the browser says @returns {Answer} */
export function answered(status, online) {
  if (status === 0) return online ? "away" : "offline";
  if (status === 401) return "refused";
  return status >= 500 ? "away" : "passed";
}
