/**
 * What this desk's own browser does with the picture that reaches it: pure. A trouble of the desk is named as such, and is
 * never laid on the caller or on his network. Facts in, one trouble or none out; then its words and the one click that helps.
 */
import { blind } from "./camera_words.js";

/** Milliseconds between two frames after which they are no longer one stream. */
const GAP = 1_000;
/** Milliseconds of a stream that comes in on one side and does not come out on the other before that is said. */
export const PATIENCE = 2_000;
/** The same where packets were lost lately: the decoder may only wait for a whole picture. */
export const PATIENT = 8_000;
/** Fewest frames of such a stream. */
const FEWEST = 8;
/** Milliseconds a connection without an address of its own is given all the same: the far end may find it by what it sends. */
export const WAYLESS = 5_000;
/** Milliseconds a remedy is given before it is said to have failed. */
export const REMEDY = 6_000;

/**
 * blind: no WebRTC here; pathless: the browser has no address of its own to give, and is not found without; held: it wants a gesture before it
 * plays; undecoded: frames come and are not decoded; undrawn: they are decoded and not shown.
 * @typedef {"blind" | "pathless" | "held" | "undecoded" | "undrawn"} Trouble
 */
/** @typedef {{count: number, since: number, last: number, first: number}} Stream frames, since when without a gap, the last of them, and their count then */
/**
 * @typedef {object} Sight
 * @property {boolean} blind
 * @property {number | null} pathless since when the browser has looked for its addresses, and found none
 * @property {boolean} held
 * @property {Stream} received
 * @property {Stream} decoded
 * @property {number} drawn when a frame of the phone was last shown
 * @property {Stream} painted the page itself
 * @property {Stream} lost packets
 */
/**
 * @typedef {{type: "counted", at: number, received: number, decoded: number, lost: number}
 *   | {type: "drawn", at: number}
 *   | {type: "painted", at: number}
 *   | {type: "held", held: boolean}
 *   | {type: "paths", at: number, none: boolean}
 *   | {type: "source"}} Fact `paths`: the browser has looked for its addresses; `source`: another connection
 */

/** @type {Readonly<Stream>} */
const NONE = Object.freeze({ count: 0, since: -Infinity, last: -Infinity, first: 0 });
/** @type {Readonly<Sight>} */
export const UNTRIED = Object.freeze({ blind: false, pathless: null, held: false, received: NONE, decoded: NONE, drawn: -Infinity, painted: NONE, lost: NONE });

/** @param {Readonly<Stream>} stream @param {number} count @param {number} at @returns {Readonly<Stream>} */
function flow(stream, count, at) {
  if (count === stream.count) return stream;
  if (at - stream.last > GAP || count < stream.count) return { count, since: at, last: at, first: count };
  return { ...stream, count, last: at };
}

/** @param {Readonly<Sight>} sight @param {Fact} fact @returns {Sight} */
export function see(sight, fact) {
  switch (fact.type) {
    case "counted":
      return {
        ...sight,
        received: flow(sight.received, fact.received, fact.at),
        decoded: flow(sight.decoded, fact.decoded, fact.at),
        lost: flow(sight.lost, fact.lost, fact.at),
      };
    case "drawn":
      return { ...sight, drawn: Math.max(sight.drawn, fact.at) };
    case "painted":
      return { ...sight, painted: flow(sight.painted, sight.painted.count + 1, fact.at) };
    case "held":
      return { ...sight, held: fact.held };
    case "paths":
      return { ...sight, pathless: fact.none ? fact.at : null };
    case "source":
      return { ...sight, pathless: null, received: NONE, decoded: NONE, lost: NONE };
  }
}

/** What this browser's own trouble is now.
 * @param {Readonly<Sight>} sight @param {number} now @param {string} connection RTCPeerConnectionState @returns {Trouble | null} */
export function trouble(sight, now, connection) {
  if (sight.blind) return "blind";
  if (sight.held) return "held";
  if (sight.pathless !== null && connection !== "connected" && now - sight.pathless >= WAYLESS) return "pathless";
  const { received, decoded, painted, lost } = sight;
  if (runs(received, now) && received.count - received.first >= FEWEST) {
    const patience = now - lost.last < PATIENT ? PATIENT : PATIENCE;
    if (now - Math.max(received.since, decoded.last) > patience) return "undecoded";
  }
  if (runs(decoded, now) && runs(painted, now) && now - Math.max(decoded.since, painted.since, sight.drawn) > PATIENCE) return "undrawn";
  return null;
}

/** Whether what the phone says of itself comes before this browser's trouble: nothing done here would show a picture that is not given.
 * @param {Trouble} what @param {{hidden: boolean, camera: string | null, online: boolean}} phone @returns {boolean} */
export function phoneFirst(what, { hidden, camera, online }) {
  return hidden || blind(camera) !== null || (!online && (what === "blind" || what === "pathless"));
}

/** @param {Readonly<Stream>} stream @param {number} now @returns {boolean} */
function runs(stream, now) {
  return now - stream.last < GAP;
}

/** @typedef {"play" | "stills" | "reload"} Act */
/** @typedef {{icon: string, text: string, more: string, also: string, say: string, verb: string, act: Act | null}} Words `also`: what a regulator can do instead; `say`: for the regulator, in the place of what to read aloud */

const OURS = "Cela vient de ce poste, ni du correspondant ni de son réseau.";
const INSTEAD = "Les images fixes et les photos passent.";
const ELSEWHERE = "Rechargez la page ; si rien ne change, ouvrez-la dans un autre navigateur.";

/** What is said over the picture.
 * @param {Trouble} what @param {boolean} trying this page tries its remedy @returns {Words} */
export function words(what, trying) {
  switch (what) {
    case "held":
      return { icon: "video-off", text: "Ce navigateur retient la vidéo", more: "Cliquez n’importe où, ou appuyez sur une lettre du clavier.", also: "",
        say: `${OURS} Cliquez sur « Afficher l’image ».`, verb: "Afficher l’image", act: "play" };
    case "blind":
      return { icon: "video-off", text: "Ce navigateur ne peut pas montrer la vidéo", more: "Ouvrez cette page dans Chrome, Firefox ou Safari.", also: INSTEAD,
        say: `${OURS} Demandez des images fixes ou une photo.`, verb: "Images fixes", act: "stills" };
    case "pathless":
      return { icon: "wifi-off", text: "Ce poste n’a aucun chemin pour la vidéo", more: "Une règle de ce navigateur ou du réseau de ce poste le ferme : prévenez l’informatique.", also: INSTEAD,
        say: `${OURS} Demandez des images fixes ou une photo.`, verb: "Images fixes", act: "stills" };
    case "undecoded":
      return { icon: "video-off", text: "Ce poste ne décode pas la vidéo", more: trying ? "L’image arrive ; un autre format est essayé…" : ELSEWHERE, also: "",
        say: trying ? OURS : `${OURS} Rechargez la page.`, verb: trying ? "" : "Recharger la page", act: trying ? null : "reload" };
    case "undrawn":
      return { icon: "video-off", text: "Ce poste n’affiche pas la vidéo", more: trying ? "L’image arrive ; l’affichage est repris…" : ELSEWHERE, also: "",
        say: trying ? OURS : `${OURS} Rechargez la page.`, verb: trying ? "" : "Recharger la page", act: trying ? null : "reload" };
  }
}
