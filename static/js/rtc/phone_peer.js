/** The caller's end of one picture: what it sends follows the network, and no cut is the last word. */
import { adapt, begin, caps } from "./adapt.js";
import { Peer } from "./peer.js";
import { pictures, silent } from "./sdp.js";

/** @typedef {import("./peer.js").PeerOptions} PeerOptions */

/** Milliseconds before an unanswered offer is sent again by itself, and before it may be sent again on demand. */
const REPEAT = 4_000;
const RECENT = 1_000;
/** Repetitions after which nobody is there: the next word of the desk starts again. */
const REPEATS = 5;
/** Milliseconds given to a connection to come up, or back, before the next remedy. */
const PATIENCE = 9_000;
/** Milliseconds of "disconnected" before an ICE restart: it does not heal by itself. */
const DISCONNECTED = 1_500;

/** The caller's end: offers, repeats what was not answered, restarts, and says when all failed. */
export class PhonePeer extends Peer {
  /** Without a track the connection is made while the caller still answers the permission; `show` fills it.
   * @param {PeerOptions & {track: MediaStreamTrack | null, step?: number | undefined, preference?: import("./adapt.js").Preference}} options */
  constructor(options) {
    super(options);
    this.adapting = begin(performance.now(), options.step);
    /** @type {import("./adapt.js").Preference} */
    this.preference = options.preference ?? "balanced";
    const transceiver = this.pc.addTransceiver(options.track ?? "video", {
      direction: "sendrecv",
      streams: [new MediaStream()],
      sendEncodings: [caps(this.adapting, options.track?.getSettings() ?? null, this.preference)],
    });
    const codecs = pictures(globalThis.RTCRtpReceiver?.getCapabilities("video")?.codecs ?? []);
    if (codecs) transceiver.setCodecPreferences(codecs);
    /** Frames leave and nothing comes back: connected in name only. */
    this.deaf = false;
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

  /** Nothing can be negotiated on it any more: only a whole new connection helps. */
  get gone() {
    return this.closed || this.pc.connectionState === "closed";
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

  /** Keep size, frame rate and bitrate in proportion to the network.
   * @param {Readonly<import("./uplink.js").Reading>} read */
  adapt(read) {
    const { step } = this.adapting;
    this.adapting = adapt(this.adapting, read, this.preference);
    if (this.adapting.step !== step) void this.cap();
  }

  /** Rather a sharp picture, or one that moves well.
   * @param {import("./adapt.js").Preference} preference */
  prefer(preference) {
    this.preference = preference;
    return this.cap();
  }

  /** Tell the encoder what it may use now. */
  cap() {
    return this.enqueue(async () => {
      const sender = this.pc.getTransceivers()[0]?.sender;
      const parameters = sender?.getParameters();
      if (!sender || !parameters?.encodings?.[0]) return;
      Object.assign(parameters.encodings[0], caps(this.adapting, sender.track?.getSettings() ?? null, this.preference));
      await sender.setParameters(parameters);
    });
  }

  /** Another camera may give another size: the caps follow it.
   * @param {MediaStreamTrack | null} track */
  show(track) {
    void super.show(track);
    return this.cap();
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
