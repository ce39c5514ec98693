/** The patient's picture: the connection that brings it, what this desk reports of it, the remedies. */
import { DeskPeer } from "../rtc/desk_peer.js";
import { connects } from "../rtc/peer.js";
import { Player } from "../rtc/player.js";
import { blind } from "./camera_words.js";
import { watch } from "./picture.js";
import { shown } from "./session.js";
import { REMEDY, UNTRIED, phoneFirst, see, trouble, words } from "./sight.js";

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
/** States of a session in which a picture comes, or should. */
const EXPECTED = new Set(["connecting", "live", "interrupted"]);
/** Milliseconds a picture stays black before that is said in words: not for a hand that passes. */
const BLACK_FOR = 2_000;
/** Packets that make a frame, at most likely, where a browser counts no frames. */
const PACKETS = 3;
/** Most candidates kept for an offer that is not here yet. */
const EARLY = 100;

/** @typedef {import("../lib/socket.js").Message} Message */
/** @typedef {import("./picture.js").Picture} Facts */
/** @typedef {import("./picture.js").PictureState} PictureState */
/**
 * @typedef {object} PictureHost
 * @property {() => Readonly<import("./session.js").View>} view
 * @property {(message: Message) => void} send kept until the server is there
 * @property {(message: Message) => void} offer lost when the server is not there
 * @property {() => void} changed
 * @property {(facts: Readonly<Facts>, state: PictureState, age: number | null, own: Own | null) => void} onBeat ten times a second; `own`: this browser's own trouble
 */

/** @typedef {import("./sight.js").Words & {trouble: import("./sight.js").Trouble}} Own */

/** What this desk reports: a picture that was live when it came, and does not come to it either, is lost; at once where
 * this browser is known not to show it. Pure.
 * @param {PictureState} seen @param {boolean} live the server says so @param {number} waited milliseconds @param {boolean} [own] this browser is in trouble
 * @returns {PictureState} "none": nothing */
export function reported(seen, live, waited, own = false) {
  return seen === "none" && live && (own || waited > MISSING) ? "lost" : seen;
}

export class PatientPicture {
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
  /** Since when the picture is black. */
  #blackSince = Infinity;
  #black = false;
  #player;
  #sight = { ...UNTRIED, blind: !connects() };
  /** @type {import("./sight.js").Trouble | null} */
  #trouble = null;
  /** When this page began to mend a trouble by itself: once each. @type {Map<string, number>} */
  #mended = new Map();
  /** Codecs that this browser says it has and does not decode, for as long as the page is open. @type {Set<string>} */
  #broken = new Set();
  /** The codec of the picture that comes. */
  #codec = "";
  #painting = false;
  #addresses = 0;

  /** @param {HTMLVideoElement} video @param {PictureHost} host */
  constructor(video, host) {
    this.#video = video;
    this.#host = host;
    this.#watch = watch(video, {
      onState: (state, age) => this.#changed(state, age),
      onBeat: (facts, state, age) => this.#beat(facts, state, age),
      onCount: (row, report) => this.#count(row, report),
    });
    this.#player = new Player(video, (held) => {
      this.#sight = see(this.#sight, { type: "held", held });
    });
  }

  /** This browser's own trouble with the picture, with its words; null: it has none, or the phone says that it gives no picture.
   * @returns {Own | null} */
  get own() {
    const what = this.#trouble;
    const { hidden, camera } = this.#host.view();
    const session = shown(this.#host.view());
    if (!what || !this.#watched || !EXPECTED.has(session?.state ?? "") || (session?.rung ?? "video") !== "video") return null;
    if (phoneFirst(what, { hidden, camera, online: session?.caller.online ?? true })) return null;
    return { trouble: what, ...words(what, performance.now() - (this.#mended.get(what) ?? -Infinity) < REMEDY) };
  }

  /** Whether the picture that flows has been black for a while: nobody is seen. */
  get black() {
    return this.#black;
  }

  /** Play what this browser holds back. */
  play() {
    this.#player.play();
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
    this.#sight = see(this.#sight, { type: "source" });
    if (this.#video.srcObject) this.#video.srcObject = null;
    this.#player.rest();
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
    if (session !== this.#watched || this.#sight.blind) return;
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
    // A browser that never shows a video says nothing of one that another desk may see.
    if (!session || taken !== null || this.#sight.blind) return;
    const { age } = this.#seen;
    const state = reported(this.#seen.state, this.#live, Date.now() - this.#since, this.own !== null);
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
    this.#sight = see(this.#sight, { type: "source" });
    this.#addresses = 0;
    const made = new DeskPeer({
      ice: this.#ice?.ice,
      broken: () => this.#broken,
      send: (message) => {
        if (message.type === "signal.candidate" && this.#peer === made) this.#found(message.candidate);
        this.#host.send({ ...message, session, page });
      },
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
    this.#player.play();
  }

  /** The browser found an address of its own, or has found all there are.
   * @param {unknown} candidate null: it has looked everywhere */
  #found(candidate) {
    if (candidate) this.#addresses += 1;
    this.#sight = see(this.#sight, { type: "paths", at: performance.now(), none: !candidate && this.#addresses === 0 });
  }

  /** @param {any} row the statistics of the picture that comes @param {RTCStatsReport} report */
  #count(row, report) {
    const received = row.framesReceived ?? Math.floor((row.packetsReceived ?? 0) / PACKETS);
    this.#codec = /** @type {any} */ (report).get(row.codecId)?.mimeType ?? this.#codec;
    this.#sight = see(this.#sight, {
      type: "counted", at: performance.now(), received, decoded: row.framesDecoded ?? 0, lost: row.packetsLost ?? 0,
    });
  }

  /** Whether this browser itself stands in the way, and once a trouble what helps without a hand.
   * @param {Readonly<Facts>} facts */
  #look(facts) {
    const now = performance.now();
    if (facts.last !== null) this.#sight = see(this.#sight, { type: "drawn", at: facts.last });
    this.#paint();
    const found = this.#watched ? trouble(this.#sight, now, this.#peer ? facts.connection : "") : null;
    const before = this.own;
    this.#trouble = found;
    if ((found === "undecoded" || found === "undrawn") && this.own && !this.#mended.has(found)) {
      const tried = found === "undecoded" ? this.#recode() : this.#redraw();
      this.#mended.set(found, tried ? now : -Infinity);
    }
    const own = this.own;
    if (own?.text === before?.text && own?.act === before?.act) return;
    this.report();
    this.#host.changed();
  }

  /** Whether the page itself is drawn: where it is not, no picture of it is either. */
  #paint() {
    if (this.#painting) return;
    this.#painting = true;
    requestAnimationFrame(() => {
      this.#painting = false;
      this.#sight = see(this.#sight, { type: "painted", at: performance.now() });
    });
  }

  /** Ask for the picture in a format that this browser has not failed at.
   * @returns {boolean} whether there is one to try */
  #recode() {
    const broken = new Set([...this.#broken, this.#codec]);
    if (!this.#codec || !this.#peer?.offers(broken)) return false;
    this.#broken = broken;
    this.#ask();
    return true;
  }

  /** Give the picture to the video element anew.
   * @returns {boolean} */
  #redraw() {
    const stream = this.#video.srcObject;
    this.#video.srcObject = null;
    this.#video.srcObject = stream;
    this.#player.play();
    return true;
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
    this.#look(facts);
    const own = this.own;
    this.#host.onBeat(facts, state, age, own);
    this.#darken(state === "flowing" && facts.dark);
    const meant = (shown(this.#host.view())?.rung ?? "video") === "video";
    // A new path helps no picture that came to this browser already.
    if (!own && age !== null && age > TOO_OLD && meant && !facts.hidden && !blind(facts.camera)) this.#restart();
    this.#beats += 1;
    if (this.#beats % RECALL === 0 && (state === "flowing") !== this.#live) this.report();
  }

  /** @param {boolean} dark */
  #darken(dark) {
    const now = performance.now();
    this.#blackSince = dark ? Math.min(this.#blackSince, now) : Infinity;
    const black = now - this.#blackSince >= BLACK_FOR;
    if (black === this.#black) return;
    this.#black = black;
    this.#host.changed();
  }

  #restart() {
    if (Date.now() - this.#restartedAt >= RESTART_EVERY) this.#ask();
  }

  /** Ask the phone for another offer. */
  #ask() {
    const { watch: session, taken } = this.#host.view();
    if (!session || taken !== null) return;
    this.#restartedAt = Date.now();
    this.#host.offer({ type: "signal.restart", session });
  }
}
