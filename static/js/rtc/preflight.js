/**
 * What this phone's network lets through, found out while the caller reads the page: nothing is asked of anybody, no
 * camera, no address is kept. One short-lived connection a way, each told of one way only.
 */
import { configuration } from "./peer.js";

/** @typedef {number | false | null} Reached milliseconds; false: tried in vain; null: there is nothing to try */
/** @typedef {{socket: Reached, stun: Reached, udp: Reached, tcp: Reached, tls: Reached}} Preflight */
/** @typedef {"stun" | "udp" | "tcp" | "tls"} Way */

/** Milliseconds given to a way. */
const PATIENCE = 5_000;
/** @type {readonly Way[]} */
export const WAYS = ["stun", "udp", "tcp", "tls"];

/** Which way an ICE URL goes. Pure.
 * @param {string} url @returns {Way} */
export function way(url) {
  if (/^stuns?:/i.test(url)) return "stun";
  if (/^turns:/i.test(url)) return "tls";
  return /[?&]transport=tcp\b/i.test(url) ? "tcp" : "udp";
}

/** The same servers, with the URLs of some ways only. Pure.
 * @param {RTCConfiguration | null | undefined} ice @param {(way: Way) => boolean} wanted @returns {RTCIceServer[]} */
export function servers(ice, wanted) {
  return (ice?.iceServers ?? [])
    .map((server) => ({ ...server, urls: [server.urls].flat().filter((url) => wanted(way(url))) }))
    .filter((server) => server.urls.length > 0);
}

/** What the connections are to be told: where no UDP passes and the relay is reached otherwise, that and nothing else,
 * so that no time goes into ways known to be shut. Pure.
 * @param {any} ice @param {Readonly<Preflight> | null} found @returns {any} */
export function prepared(ice, found) {
  if (!found || Array.isArray(ice) || !ice) return ice;
  const shut = found.udp === false && typeof found.stun !== "number";
  const others = servers(ice, (one) => (one === "tcp" || one === "tls") && typeof found[one] === "number");
  return shut && others.length ? { ...ice, iceServers: others, iceTransportPolicy: "relay" } : ice;
}

/** Try every way there is, all at once.
 * @param {RTCConfiguration} ice @param {Reached} socket
 * @returns {Promise<Preflight>} */
export async function preflight(ice, socket) {
  const reached = await Promise.all(WAYS.map((one) => reach(servers(ice, (each) => each === one), one)));
  const [stun = null, udp = null, tcp = null, tls = null] = reached;
  return { socket, stun, udp, tcp, tls };
}

/** @param {RTCIceServer[]} iceServers @param {Way} one @returns {Promise<Reached>} */
async function reach(iceServers, one) {
  if (!iceServers.length) return null;
  const begun = performance.now();
  const wanted = one === "stun" ? "srflx" : "relay";
  /** @type {RTCPeerConnection | null} */
  let pc = null;
  try {
    const made = new RTCPeerConnection({ ...configuration(iceServers), iceTransportPolicy: one === "stun" ? "all" : "relay" });
    pc = made;
    made.addTransceiver("video", { direction: "recvonly" });
    return await new Promise((resolve) => {
      // A phone without a translation of addresses has no second one to learn: no error is then an answer.
      let errors = 0;
      const late = () => resolve(false);
      const timer = setTimeout(late, PATIENCE);
      /** @param {Reached} answer */
      const done = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      made.onicecandidateerror = () => {
        errors += 1;
      };
      made.onicecandidate = ({ candidate }) => {
        if (candidate?.type === wanted) done(Math.round(performance.now() - begun));
        else if (!candidate) done(one === "stun" && errors === 0 ? Math.round(performance.now() - begun) : false);
      };
      made.setLocalDescription().catch(late);
    });
  } catch {
    return false;
  } finally {
    if (pc) {
      pc.onicecandidate = pc.onicecandidateerror = null;
      pc.close();
    }
  }
}
