/**
 * The two ends of one picture. The phone always offers exactly one video line, both ways, and nothing
 * else; the desk answers. Pictures change by `replaceTrack`, never by renegotiation; only an ICE restart
 * makes a second offer.
 */
import { silent } from "./sdp.js";

/** @typedef {RTCIceServer[] | RTCConfiguration | null | undefined} Ice servers alone, or a whole configuration */
/** @typedef {import("../lib/socket.js").Message} Message */

/** @type {boolean | undefined} */
let able;

/** Whether this browser makes connections at all: some, iPhones in Lockdown Mode, and PCs whose rules forbid it, do not. */
export const connects = () => (able ??= made());

function made() {
  try {
    new RTCPeerConnection().close();
    return true;
  } catch {
    return false;
  }
}

/** Every open connection of this page, so that a test can prove that none of them carries sound.
 * @returns {Set<RTCPeerConnection>} */
export function registry() {
  const page = /** @type {any} */ (globalThis);
  page.__visio15 ??= {};
  page.__visio15.peers ??= new Set();
  return page.__visio15.peers;
}

/** @param {Ice} ice @returns {RTCConfiguration} */
export function configuration(ice) {
  if (Array.isArray(ice)) return { iceServers: ice, bundlePolicy: "max-bundle" };
  return { iceServers: [], ...(ice ?? {}), bundlePolicy: "max-bundle" };
}

/**
 * @typedef {object} PeerOptions
 * @property {Ice} ice
 * @property {(message: Message) => void} send signalling, without the address of the far end
 * @property {(state: RTCPeerConnectionState) => void} [onState]
 * @property {(stream: MediaStream) => void} [onStream]
 * @property {() => void} [onDead] every remedy failed: make another one
 */

/** What both ends share: one operation at a time, early candidates kept, one place that closes. */
export class Peer {
  /** @param {PeerOptions} options */
  constructor(options) {
    this.options = options;
    this.closed = false;
    /** @type {Promise<void>} */
    this.queue = Promise.resolve();
    /** @type {(RTCIceCandidateInit | null)[]} */
    this.early = [];
    this.pc = new RTCPeerConnection(configuration(options.ice));
    registry().add(this.pc);
    // Some browsers end with an empty candidate before the null one: both say the same.
    this.pc.onicecandidate = ({ candidate }) =>
      options.send({ type: "signal.candidate", candidate: candidate?.candidate ? candidate.toJSON() : null });
    this.pc.onconnectionstatechange = () => this.changed(this.pc.connectionState);
    this.pc.ontrack = ({ track }) => options.onStream?.(new MediaStream([track]));
  }

  /** @param {RTCPeerConnectionState} state */
  changed(state) {
    this.options.onState?.(state);
  }

  /** Run after everything already asked; a closed connection does nothing more.
   * @param {() => Promise<void>} work @returns {Promise<void>} */
  enqueue(work) {
    this.queue = this.queue.then(async () => {
      if (this.closed) return;
      try {
        await work();
      } catch (error) {
        if (!this.closed) console.warn("visio15: signalling", error);
      }
    });
    return this.queue;
  }

  /** Candidates often arrive before the description they belong to.
   * @param {RTCIceCandidateInit | null} candidate */
  candidate(candidate) {
    return this.enqueue(async () => {
      if (this.pc.remoteDescription) await this.#add(candidate);
      else this.early.push(candidate);
    });
  }

  /** @param {RTCSessionDescriptionInit} description */
  async remote(description) {
    silent(description.sdp ?? "");
    await this.pc.setRemoteDescription(description);
    const early = this.early;
    this.early = [];
    for (const candidate of early) await this.#add(candidate);
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async #add(candidate) {
    // A candidate of the generation before an ICE restart is refused by the browser: it is of no use any more.
    await this.pc.addIceCandidate(candidate ?? undefined).catch(() => undefined);
  }

  /** The picture this end sends; `null` sends none.
   * @param {MediaStreamTrack | null} track */
  show(track) {
    return this.enqueue(async () => {
      await this.pc.getTransceivers()[0]?.sender.replaceTrack(track);
    });
  }

  /** @param {Ice} ice */
  configure(ice) {
    this.options.ice = ice;
    if (!this.closed) this.pc.setConfiguration(configuration(ice));
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.pc.onicecandidate = this.pc.onconnectionstatechange = this.pc.ontrack = null;
    this.pc.close();
    registry().delete(this.pc);
  }
}
