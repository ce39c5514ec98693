/** What the self-test tries in this browser: its parts, the relay alone by one address, and a picture through it. */
import { connects, registry } from "../rtc/peer.js";
import { silent } from "../rtc/sdp.js";

/** @typedef {import("./verdict.js").Facts} Facts */
/** @typedef {{url: string, username?: string, credential?: string}} One */

/** Milliseconds given to a server to answer, and to a picture to pass: a browser gives UDP up after 9.5 s. */
const ANSWER = 11_000;
const PASS = 8_000;
/** Frames that prove that a picture passes. */
const FRAMES = 5;

/** @returns {Facts} */
export function browser() {
  const { name, version } = called(navigator.userAgent);
  const missing = [
    [isSecureContext, "une adresse https"],
    [typeof WebSocket === "function", "WebSocket"],
    [connects(), "WebRTC"],
  ].filter(([there]) => !there).map(([, words]) => words);
  const codecs = (globalThis.RTCRtpReceiver?.getCapabilities?.("video")?.codecs ?? []).map((codec) => codec.mimeType.toLowerCase());
  return { name, version, missing, h264: codecs.includes("video/h264"), vp8: codecs.includes("video/vp8") };
}

/** @param {string} agent @returns {{name: string, version: string}} */
export function called(agent) {
  for (const [name, pattern] of /** @type {[string, RegExp][]} */ ([
    ["Edge", /\bEdg\/(\d+)/],
    ["Firefox", /\bFirefox\/(\d+)/],
    ["Chrome", /\b(?:Headless)?Chrom(?:e|ium)\/(\d+)/],
    ["Safari", /\bVersion\/(\d+[.\d]*).* Safari\//],
  ])) {
    const found = pattern.exec(agent);
    if (found) return { name, version: found[1] ?? "" };
  }
  return { name: "Navigateur inconnu", version: "" };
}

/** @returns {Facts} */
export const display = () => ({ width: screen.width, height: screen.height, ratio: devicePixelRatio });

/** The camera, on a click only, and let go: never a microphone.
 * @param {HTMLVideoElement} video @param {Promise<void>} enough @returns {Promise<Facts>} */
export async function camera(video, enough) {
  /** @type {MediaStream | null} */
  let stream = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { width: { ideal: 1280 }, height: { ideal: 720 } } });
    video.srcObject = stream;
    await video.play().catch(() => undefined); // what is tested is the camera
    const { width = video.videoWidth, height = video.videoHeight } = stream.getVideoTracks()[0]?.getSettings() ?? {};
    await enough;
    return { tested: true, width, height };
  } catch (error) {
    return { tested: true, error: error instanceof Error ? error.name : "unknown" };
  } finally {
    for (const track of stream?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  }
}

/** @param {One[]} servers @param {RTCIceTransportPolicy} policy @returns {RTCPeerConnection} one more that a test can look at */
function connection(servers, policy) {
  const iceServers = servers.map(({ url, username, credential }) => (username ? { urls: url, username, credential } : { urls: url }));
  const made = new RTCPeerConnection({ iceServers, iceTransportPolicy: policy, bundlePolicy: "max-bundle" });
  registry().add(made);
  return made;
}

/** @param {...RTCPeerConnection} peers */
function drop(...peers) {
  for (const peer of peers) {
    peer.close();
    registry().delete(peer);
  }
}

/** Gather with one server until a candidate of this type comes, the server refuses, or nobody answers.
 * @param {One} one @param {"srflx" | "relay"} wanted @returns {Promise<Facts>} */
async function gather(one, wanted) {
  const peer = connection([one], wanted === "relay" ? "relay" : "all");
  try {
    return await new Promise((resolve) => {
      /** @type {number | null} */
      let error = null;
      const end = (/** @type {boolean} */ candidate) => resolve({ url: one.url, candidate, error });
      peer.onicecandidate = ({ candidate }) => {
        if (candidate?.candidate && / typ (\w+)/.exec(candidate.candidate)?.[1] === wanted) end(true);
        else if (!candidate) end(false);
      };
      peer.onicecandidateerror = (event) => {
        error = event.errorCode;
        if (error === 401) end(false);
      };
      setTimeout(() => end(false), ANSWER);
      peer.addTransceiver("video", { direction: "recvonly" });
      void peer.setLocalDescription().then(() => silent(peer.localDescription?.sdp ?? ""));
    });
  } finally {
    drop(peer);
  }
}

/** @param {One[]} servers @returns {Promise<Facts>} */
export async function stun(servers) {
  const begun = performance.now();
  /** @type {Facts} */
  let last = { configured: servers.length > 0 };
  for (const one of servers) {
    const { candidate, error, url } = await gather(one, "srflx");
    // Without translation of addresses the browser keeps the answer to itself: it only tells when there was none.
    const found = candidate ? "srflx" : error === null ? "direct" : null;
    last = { configured: true, found, error, url, ms: performance.now() - begun };
    if (found) return last;
  }
  return last;
}

/** The relay by each address of one protocol, until a picture passed.
 * @param {One[]} servers @returns {Promise<Facts>} */
export async function relay(servers) {
  const begun = performance.now();
  /** @type {Facts} */
  let last = { configured: servers.length > 0 };
  for (const one of servers) {
    const gathered = await gather(one, "relay");
    const passed = gathered.candidate ? await through(one) : { passed: false };
    last = { configured: true, ...gathered, ...passed, ms: performance.now() - begun };
    if (last.passed) return last;
  }
  return last;
}

/** A drawn picture from one end of this page to another, by this relay alone.
 * @param {One} one @returns {Promise<Facts>} */
async function through(one) {
  const near = connection([one], "relay");
  const far = connection([one], "relay");
  const drawn = picture();
  try {
    near.onicecandidate = ({ candidate }) => void far.addIceCandidate(candidate ?? undefined).catch(() => undefined);
    far.onicecandidate = ({ candidate }) => void near.addIceCandidate(candidate ?? undefined).catch(() => undefined);
    near.addTransceiver(drawn.track, { direction: "sendonly" });
    await near.setLocalDescription();
    const offer = silent(near.localDescription?.sdp ?? "");
    await far.setRemoteDescription({ type: "offer", sdp: offer });
    await far.setLocalDescription();
    await near.setRemoteDescription({ type: "answer", sdp: silent(far.localDescription?.sdp ?? "") });
    const until = performance.now() + PASS;
    let frames = 0;
    while (frames < FRAMES && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      for (const row of (await far.getStats()).values()) if (row.type === "inbound-rtp") frames = row.framesDecoded ?? 0;
    }
    return { passed: frames >= FRAMES, frames, ...(await pair(far)) };
  } catch (error) {
    return { passed: false, error: error instanceof Error ? error.name : "unknown" };
  } finally {
    drawn.stop();
    drop(near, far);
  }
}

/** What is used of the chosen pair: kinds and protocols, never an address.
 * @param {RTCPeerConnection} peer @returns {Promise<Facts>} */
async function pair(peer) {
  const stats = await peer.getStats();
  const rows = [...stats.values()];
  const chosen = rows.find((row) => row.type === "transport")?.selectedCandidatePairId;
  const used = rows.find((row) => row.type === "candidate-pair" && (chosen ? row.id === chosen : row.selected || (row.nominated && row.state === "succeeded")));
  const local = rows.find((row) => row.id === used?.localCandidateId);
  return local ? { type: local.candidateType, protocol: local.protocol, relay_protocol: local.relayProtocol ?? null } : {};
}

/** @returns {{track: MediaStreamTrack, stop: () => void}} a small picture that moves */
function picture() {
  const canvas = document.createElement("canvas");
  canvas.width = 160;
  canvas.height = 120;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let drawn = 0;
  const draw = () => {
    drawn += 1;
    pen.fillStyle = `hsl(${(drawn * 23) % 360} 80% 50%)`;
    pen.fillRect(0, 0, canvas.width, canvas.height);
  };
  draw();
  const timer = setInterval(draw, 50);
  const track = /** @type {MediaStreamTrack} */ (canvas.captureStream(20).getVideoTracks()[0]);
  return {
    track,
    stop: () => {
      clearInterval(timer);
      track.stop();
    },
  };
}
