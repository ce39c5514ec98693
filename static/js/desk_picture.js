/** The patient's picture: the connection that brings it, what this desk reports of it, the remedies. */
import { blind } from "./camera_words.js";
import { DeskPeer, connects } from "./peer.js";
import { watch } from "./picture.js";
import { shown } from "./session.js";

/** Shortest time between two requests for an ICE restart, in milliseconds. */
const RESTART_EVERY = 5_000;
/** Age of the picture after which a restart is asked for, in milliseconds. */
const TOO_OLD = 2_000;
/** Longest wait for the ICE servers before answering without them. */
const ICE_WAIT = 3_000;
/** Longest wait for a picture that is said to be live, in milliseconds. */
const MISSING = 5_000;
/** Age beyond which ICE credentials are asked for again, in milliseconds. */
const ICE_FRESH = 600_000;
/** Beats between two looks at whether the server still thinks as we do of the picture. */
const RECALL = 50;
/** Most candidates kept for an offer that is not here yet. */
const EARLY = 100;

/** @typedef {import("./socket.js").Message} Message */
/** @typedef {import("./picture.js").Picture} Facts */
/** @typedef {import("./picture.js").PictureState} PictureState */
/**
 * @typedef {object} PictureHost
 * @property {() => Readonly<import("./session.js").View>} view
 * @property {(message: Message) => void} send kept until the server is there
 * @property {(message: Message) => void} offer lost when the server is not there
 * @property {() => void} changed
 * @property {(facts: Readonly<Facts>, state: PictureState, age: number | null) => void} onBeat ten times a second
 */

/** What this desk reports: a picture that was live when it came, and does not come to it either, is lost. Pure.
 * @param {PictureState} seen @param {boolean} live the server says so @param {number} waited milliseconds
 * @returns {PictureState} "none": nothing */
export function reported(seen, live, waited) {
  return seen === "none" && live && waited > MISSING ? "lost" : seen;
}

export class DeskPicture {
  #video;
  #host;
  #watch;
  /** @type {DeskPeer | null} */
  #peer = null;
  /** The page of the caller the connection is with. */
  #page = "";
  /** @type {MediaStreamTrack | null} */
  #face = null;
  /** @type {{session: string, ice: any, at: number} | null} */
  #ice = null;
  /** @type {(() => void)[]} */
  #iceWaiters = [];
  /** @type {Message[]} */
  #earlies = [];
  /** @type {{state: PictureState, age: number | null}} */
  #seen = { state: "none", age: null };
  /** Since when the picture is waited for. */
  #since = Date.now();
  #restartedAt = 0;
  #beats = 0;

  /** @param {HTMLVideoElement} video @param {PictureHost} host */
  constructor(video, host) {
    this.#video = video;
    this.#host = host;
    this.#watch = watch(video, {
      onState: (state, age) => this.#changed(state, age),
      onBeat: (facts, state, age) => this.#beat(facts, state, age),
    });
    video.addEventListener("pause", () => {
      if (video.srcObject) void video.play().catch(() => undefined);
    });
  }

  /** Whether there has been a picture since the connection was made. */
  get shows() {
    return this.#peer !== null && this.#seen.state !== "none";
  }

  get flows() {
    return this.#seen.state === "flowing";
  }

  /** @returns {RTCPeerConnection | null} the connection that brings the picture, for its statistics */
  get connection() {
    return this.#peer?.pc ?? null;
  }

  /** Whether the ICE servers must be asked for again. */
  get stale() {
    return !this.#ice || Date.now() - this.#ice.at > ICE_FRESH;
  }

  /** The ICE servers came: what waited for them goes on.
   * @param {string} session @param {any} ice */
  serve(session, ice) {
    this.#ice = { session, ice, at: Date.now() };
    this.#peer?.configure(ice);
    for (const go of this.#iceWaiters) go();
    this.#iceWaiters = [];
  }

  /** What the phone says of itself may have changed. */
  heed() {
    const { hidden, camera } = this.#host.view();
    this.#watch.tell({ type: "hidden", hidden });
    this.#watch.tell({ type: "camera", camera });
  }

  /** The picture is over: release everything, wait for the next. */
  leave() {
    this.close();
    this.#peer = null;
    this.#page = "";
    this.#ice = null;
    this.#earlies = [];
    this.#seen = { state: "none", age: null };
    this.#since = Date.now();
    this.#watch.use(null);
    if (this.#video.srcObject) this.#video.srcObject = null;
  }

  close() {
    this.#peer?.close();
  }

  /** The regulator's own picture, on this connection and on those that follow; null shows none.
   * @param {MediaStreamTrack | null} track @returns {Promise<void>} */
  async show(track) {
    this.#face = track;
    await this.#peer?.show(track);
  }

  /** @param {Message} message */
  async offered(message) {
    const { session } = message;
    if (session !== this.#watched || !connects()) return;
    if (!this.#ice || this.#ice.session !== session) await this.#iceKnown();
    if (session !== this.#watched) return;
    if (!this.#peer || this.#page !== message.page || !this.#peer.accepts(message.sdp)) this.#renew(session, message.page);
    void this.#peer?.offer(message.sdp, this.#face);
    const mine = this.#earlies.filter((one) => one.page === this.#page);
    this.#earlies = [];
    for (const one of mine) void this.#peer?.candidate(one.candidate ?? null);
  }

  /** @param {Message} message of a page whose offer may not be here yet */
  candidate(message) {
    if (message.session !== this.#watched) return;
    if (message.page === this.#page) {
      void this.#peer?.candidate(message.candidate ?? null);
      return;
    }
    this.#earlies.push(message);
    if (this.#earlies.length > EARLY) this.#earlies.shift();
  }

  /** Say what this desk sees. */
  report() {
    const { watch: session, taken } = this.#host.view();
    if (!session || taken !== null) return;
    const { age } = this.#seen;
    const state = reported(this.#seen.state, this.#live, Date.now() - this.#since);
    if (state === "none") return;
    this.#host.offer({ type: "media.report", session, state, ...(age === null ? {} : { age_ms: Math.round(age) }) });
  }

  get #watched() {
    return this.#host.view().watch;
  }

  /** Whether the server thinks that the picture flows. */
  get #live() {
    return shown(this.#host.view())?.state === "live";
  }

  /** @returns {Promise<void>} */
  #iceKnown() {
    return new Promise((resolve) => {
      this.#iceWaiters.push(resolve);
      setTimeout(resolve, ICE_WAIT);
    });
  }

  /** A page of the caller, or a new connection of it: the former one is gone.
   * @param {string} session @param {string} page */
  #renew(session, page) {
    this.close();
    this.#page = page;
    const made = new DeskPeer({
      ice: this.#ice?.ice,
      send: (message) => this.#host.send({ ...message, session, page }),
      onState: (state) => {
        if (this.#peer === made) this.#watch.tell({ type: "connection", state });
      },
      onStream: (stream) => {
        if (this.#peer === made) this.#attach(stream, made);
      },
    });
    this.#peer = made;
  }

  /** @param {MediaStream} stream @param {DeskPeer} made */
  #attach(stream, made) {
    this.#video.srcObject = stream;
    this.#watch.use(made.pc);
    void this.#video.play().catch(() => undefined);
  }

  /** @param {PictureState} state @param {number | null} age */
  #changed(state, age) {
    this.#seen = { state, age };
    this.report();
    this.#host.changed();
  }

  /** @param {Readonly<Facts>} facts @param {PictureState} state @param {number | null} age */
  #beat(facts, state, age) {
    this.#seen.age = age;
    this.#host.onBeat(facts, state, age);
    const meant = (shown(this.#host.view())?.rung ?? "video") === "video";
    if (age !== null && age > TOO_OLD && meant && !facts.hidden && !blind(facts.camera)) this.#restart();
    this.#beats += 1;
    if (this.#beats % RECALL === 0 && (state === "flowing") !== this.#live) this.report();
  }

  #restart() {
    const now = Date.now();
    const { watch: session, taken } = this.#host.view();
    if (!session || taken !== null || now - this.#restartedAt < RESTART_EVERY) return;
    this.#restartedAt = now;
    this.#host.offer({ type: "signal.restart", session });
  }
}
