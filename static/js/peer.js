/**
 * The two ends of one picture. The phone always offers exactly one video line, both ways, and nothing
 * else; the desk answers. Pictures change by `replaceTrack`, never by renegotiation; only an ICE restart
 * makes a second offer.
 */
import { generation, origin, silent } from "./sdp.js";

/** @typedef {RTCIceServer[] | RTCConfiguration | null | undefined} Ice servers alone, or a whole configuration */
/** @typedef {{type: string, [field: string]: any}} Message */

/** Milliseconds before an unanswered offer is sent again by itself, and before it may be sent again on demand. */
const REPEAT = 4_000;
const RECENT = 1_000;
/** Repetitions after which nobody is there: the next word of the desk starts again. */
const REPEATS = 5;
/** Milliseconds given to a connection to come up, or back, before the next remedy. */
const PATIENCE = 9_000;
/** Milliseconds of "disconnected" before an ICE restart: it does not heal by itself. */
const DISCONNECTED = 1_500;

/** Whether this browser makes connections at all: some, and iPhones in Lockdown Mode, do not. */
export const connects = () => typeof RTCPeerConnection === "function";

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
class Peer {
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

/** The caller's end: offers, repeats what was not answered, restarts, and says when all failed. */
export class PhonePeer extends Peer {
  /** Without a track the connection is made while the caller still answers the permission; `show` fills it.
   * @param {PeerOptions & {track: MediaStreamTrack | null}} options */
  constructor(options) {
    super(options);
    this.pc.addTransceiver(options.track ?? "video", { direction: "sendrecv", streams: [new MediaStream()] });
    this.restarts = 0;
    this.again = false;
    this.said = 0;
    this.repeats = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.repeat = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.patience = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.grace = undefined;
    this.#offer(false);
  }

  /** Whether the far end answered the last offer. */
  get reached() {
    return this.pc.signalingState === "stable" && this.pc.remoteDescription !== null;
  }

  /** Whether a desk that asks for the picture already has it, or will have it shortly. */
  get alive() {
    return !this.closed && ["new", "connecting", "connected"].includes(this.pc.connectionState);
  }

  get connected() {
    return !this.closed && this.pc.connectionState === "connected";
  }

  /** How many frames the connection has taken from the camera; null when the browser does not tell.
   * @returns {Promise<number | null>} */
  async taken() {
    const stats = await this.pc.getStats().catch(() => null);
    for (const row of stats?.values() ?? []) if (row.type === "media-source" && row.kind === "video") return row.frames ?? null;
    return null;
  }

  /** @param {string} sdp */
  answer(sdp) {
    return this.enqueue(async () => {
      if (this.pc.signalingState !== "have-local-offer") return;
      clearTimeout(this.repeat);
      this.repeats = 0;
      await this.remote({ type: "answer", sdp });
      if (this.again) {
        this.again = false;
        this.#offer(true);
      }
    });
  }

  /** New paths for the same picture; the picture goes on while the old ones still work. */
  restart() {
    if (this.closed) return;
    if (this.pc.signalingState === "have-local-offer") {
      this.again = true;
      this.resend();
      return;
    }
    this.#offer(true);
  }

  /** The far end may have missed the offer: say it again, as it is now, unless it was said just before. */
  resend() {
    if (this.repeats > REPEATS) this.repeats = 0;
    const offer = this.pc.localDescription;
    if (this.closed || this.pc.signalingState !== "have-local-offer" || !offer) return;
    if (performance.now() - this.said < RECENT) return;
    this.said = performance.now();
    this.options.send({ type: "signal.offer", sdp: offer.sdp });
    clearTimeout(this.repeat);
    this.repeat = setTimeout(() => this.#repeat(), REPEAT);
  }

  #repeat() {
    this.repeats += 1;
    if (this.repeats <= REPEATS) this.resend();
    else if (!this.connected) this.options.onDead?.();
  }

  /** @param {boolean} restart */
  #offer(restart) {
    return this.enqueue(async () => {
      if (this.pc.signalingState !== "stable") return;
      if (restart) this.pc.restartIce();
      await this.pc.setLocalDescription(await this.pc.createOffer());
      silent(this.pc.localDescription?.sdp ?? "");
      this.said = -RECENT;
      this.resend();
      this.#wait();
    });
  }

  #wait() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      if (this.closed || this.connected) return;
      if (this.pc.signalingState === "have-local-offer") return this.#wait();
      this.restarts += 1;
      if (this.restarts <= 2) this.restart();
      else this.options.onDead?.();
    }, PATIENCE);
  }

  /** @param {RTCPeerConnectionState} state */
  changed(state) {
    super.changed(state);
    clearTimeout(this.grace);
    if (state === "connected") {
      this.restarts = 0;
      clearTimeout(this.patience);
    } else if (state === "disconnected") {
      this.grace = setTimeout(() => this.restart(), DISCONNECTED);
    } else if (state === "failed") {
      this.restart();
    }
  }

  close() {
    clearTimeout(this.repeat);
    clearTimeout(this.patience);
    clearTimeout(this.grace);
    super.close();
  }
}

/** The desk's end: answers, keeps the transceiver both ways so that a webcam needs no new offer. */
export class DeskPeer extends Peer {
  /** @param {PeerOptions} options */
  constructor(options) {
    super(options);
    this.origin = "";
    this.answered = "";
  }

  /** @param {string} sdp @returns {boolean} false when the phone made a new connection: this one cannot take it */
  accepts(sdp) {
    return !this.closed && (this.origin === "" || this.origin === origin(sdp));
  }

  /** An offer heard twice is answered twice the same: the first answer was lost.
   * @param {string} sdp @param {MediaStreamTrack | null} webcam */
  offer(sdp, webcam) {
    this.origin = origin(sdp);
    return this.enqueue(async () => {
      if (this.answered === generation(sdp) && this.pc.localDescription) {
        this.options.send({ type: "signal.answer", sdp: this.pc.localDescription.sdp });
        return;
      }
      await this.remote({ type: "offer", sdp });
      const transceiver = this.pc.getTransceivers()[0];
      if (transceiver) {
        transceiver.direction = "sendrecv";
        if (transceiver.sender.track !== webcam) await transceiver.sender.replaceTrack(webcam);
      }
      await this.pc.setLocalDescription(await this.pc.createAnswer());
      this.options.send({ type: "signal.answer", sdp: silent(this.pc.localDescription?.sdp ?? "") });
      this.answered = generation(sdp);
    });
  }
}
