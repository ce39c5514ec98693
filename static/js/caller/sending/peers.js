/** One connection for each desk that watches: made when both ends are there, made again when every remedy failed. */
import { PhonePeer } from "../../rtc/phone_peer.js";
import { fetched } from "../later.js";

/** @typedef {import("../../lib/socket.js").Message} Message */
/**
 * @typedef {object} PeersHost
 * @property {(message: Message) => void} send
 * @property {() => MediaStreamTrack | null} track the camera's, once it is on
 * @property {() => boolean} ready the camera is on, or being asked for
 * @property {() => boolean} over the video has ended: no connection any more
 * @property {(peers: Record<string, "connecting" | "up" | "deaf">) => void} onChanged a connection changed
 * @property {() => void} onDeaf nothing comes back: the network may be another one, without anybody having said so
 */

/** Most candidates kept for a connection that is not made yet. */
const EARLY = 100;
/** Milliseconds between two looks at what leaves the phone. */
const LOOK = 1_000;
/** Milliseconds without any answer to what leaves it, before new paths are sought; until the next such attempt; at most. */
const DEAF = 2_000;
const DEAF_AGAIN = 5_000;
const DEAF_MOST = 60_000;

export class Peers {
  #host;
  #doctor;
  /** @type {Map<string, PhonePeer>} */
  #peers = new Map();
  /** Desks that wait for the picture. @type {Set<string>} */
  #watchers = new Set();
  /** @type {Message[]} */
  #earlies = [];
  /** @type {any} */
  #ice = [];
  /** Reads what leaves the phone; loaded with the first connection. @type {import("../../rtc/uplink.js").Uplink | null} */
  #uplink = null;
  #asked = false;
  /** @type {import("../../rtc/adapt.js").Preference} */
  #preference = "balanced";
  /** When new paths were last sought for want of an answer, and how long nothing more is tried. */
  #deafAt = -DEAF_AGAIN;
  #deafFor = DEAF_AGAIN;
  #told = "{}";

  /** @param {Doctor} doctor @param {PeersHost} host */
  constructor(doctor, host) {
    this.#doctor = doctor;
    this.#host = host;
    setInterval(() => void this.#measure(), LOOK);
  }

  /** Rather a sharp picture, or one that moves well: for all connections, those to come too.
   * @param {import("../../rtc/adapt.js").Preference} preference */
  prefer(preference) {
    this.#preference = preference;
    for (const peer of this.#peers.values()) void peer.prefer(preference);
  }

  async #measure() {
    if (this.#peers.size === 0) return;
    if (!this.#asked) {
      this.#asked = true;
      const { Uplink } = /** @type {typeof import("../../rtc/uplink.js")} */ (await fetched("rtc/uplink.js"));
      this.#uplink = new Uplink();
    }
    if (!this.#uplink) return;
    const each = await this.#uplink.sample(this.#peers.values());
    for (const peer of this.#peers.values()) {
      const read = each.get(peer);
      if (!read) continue;
      if (peer.connected) peer.adapt(read);
      peer.deaf = read.deaf > (navigator.onLine ? DEAF : 0);
      if (peer.deaf) this.#unheard(peer);
    }
    if (this.each.some((peer) => peer.connected && !peer.deaf)) this.#deafFor = DEAF_AGAIN;
    this.#tell();
  }

  /** Browsers need many seconds to notice that nothing comes back.
   * @param {PhonePeer} peer */
  #unheard(peer) {
    const now = performance.now();
    if (now - this.#deafAt < this.#deafFor) return;
    this.#deafAt = now;
    this.#deafFor = Math.min(DEAF_MOST, this.#deafFor * 2);
    this.#host.onDeaf();
    peer.restart();
  }

  /** Other servers, or other credentials: for what is connected from now on, and for the next restart.
   * @param {any} ice */
  configure(ice) {
    this.#ice = ice;
    for (const peer of this.#peers.values()) peer.configure(ice);
  }

  /** Who waits, by the first word of the server: the offers are prepared meanwhile.
   * @param {any} ice @param {string[]} watchers */
  expect(ice, watchers) {
    this.#ice = ice;
    for (const peer of watchers) this.watched(peer);
  }

  /** Who waits now. A desk that is missing here may only have lost its socket: its picture goes on until it says otherwise.
   * @param {any} ice @param {string[]} watchers */
  welcome(ice, watchers) {
    this.configure(ice);
    this.#watchers.clear();
    for (const peer of watchers) this.watched(peer);
  }

  /** @param {string} peer */
  watched(peer) {
    this.#watchers.add(peer);
    if (this.#host.ready()) this.#connect(peer);
  }

  /** @param {string} peer */
  unwatched(peer) {
    this.#watchers.delete(peer);
    this.#close(peer);
  }

  /** @param {Message} message */
  answer(message) {
    void this.#peers.get(message.peer)?.answer(message.sdp);
  }

  /** @param {Message} message */
  candidate(message) {
    const peer = this.#peers.get(message.peer);
    if (peer) void peer.candidate(message.candidate ?? null);
    else this.#earlies.push(message);
    if (this.#earlies.length > EARLY) this.#earlies.shift();
  }

  /** @param {string} peer */
  restart(peer) {
    const known = this.#peers.get(peer);
    if (known && !known.gone) known.restart();
    else this.watched(peer);
  }

  restartAll() {
    for (const peer of this.#peers.values()) peer.restart();
  }

  /** No network at all: nobody sees the picture, whatever the connections believe. */
  offline() {
    for (const peer of this.#peers.values()) peer.deaf = true;
    this.#tell();
  }

  connectAll() {
    if (!this.#host.ready()) return;
    for (const peer of this.#watchers) this.#connect(peer);
  }

  closeAll() {
    for (const peer of [...this.#peers.keys()]) this.#close(peer);
  }

  /** @param {MediaStreamTrack} track */
  show(track) {
    for (const peer of this.#peers.values()) void peer.show(track);
  }

  /** How many frames each connection has taken from the camera; null for one that does not tell.
   * @returns {Promise<(number | null)[]>} */
  taken() {
    return Promise.all([...this.#peers.values()].map((peer) => (peer.connected ? peer.taken() : null)));
  }

  /** @returns {PhonePeer[]} */
  get each() {
    return [...this.#peers.values()];
  }

  #tell() {
    /** @type {Record<string, "connecting" | "up" | "deaf">} */
    const each = {};
    for (const [name, peer] of this.#peers) each[name] = peer.connected ? (peer.deaf ? "deaf" : "up") : "connecting";
    const told = JSON.stringify(each);
    if (told === this.#told) return;
    this.#told = told;
    this.#host.onChanged(each);
  }

  /** A connection for this desk, unless one is alive; an unanswered offer is said again.
   * @param {string} peer */
  #connect(peer) {
    if (this.#host.over()) return;
    const former = this.#peers.get(peer);
    if (former?.alive) {
      former.resend();
      return;
    }
    former?.close();
    const made = new PhonePeer({
      ice: this.#ice,
      track: this.#host.track(),
      preference: this.#preference,
      send: (message) => this.#host.send({ ...message, peer }),
      onState: () => {
        if (this.#peers.get(peer) === made) this.#tell();
      },
      onStream: (stream) => this.#doctor.bring(peer, stream),
      onDead: () => this.#dead(peer, made),
    });
    this.#peers.set(peer, made);
    this.#tell();
    for (const early of this.#earlies.filter((message) => message.peer === peer)) void made.candidate(early.candidate ?? null);
    this.#earlies = this.#earlies.filter((message) => message.peer !== peer);
  }

  /** A desk that still answers gets a whole new connection; one that does not is gone until it says "watch".
   * @param {string} peer @param {PhonePeer} made */
  #dead(peer, made) {
    if (this.#peers.get(peer) !== made) return;
    const { reached } = made;
    this.#close(peer);
    if (reached && this.#watchers.has(peer)) this.#connect(peer);
    else this.#watchers.delete(peer);
  }

  /** @param {string} peer */
  #close(peer) {
    this.#doctor.forget(peer);
    this.#peers.get(peer)?.close();
    this.#peers.delete(peer);
    this.#tell();
  }
}

/** The doctor's own picture, when he shows himself: his word and his stream come in any order. */
export class Doctor {
  #video;
  /** @type {Map<string, MediaStream>} */
  #streams = new Map();
  /** Desks whose own picture is on. @type {Set<string>} */
  #showing = new Set();

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
  }

  /** @param {string} peer @param {MediaStream} stream */
  bring(peer, stream) {
    this.#streams.set(peer, stream);
    if (this.#showing.has(peer)) this.show(peer, true);
  }

  /** @param {string} peer @param {boolean} on */
  show(peer, on) {
    if (on) this.#showing.add(peer);
    else this.#showing.delete(peer);
    const stream = this.#streams.get(peer);
    if (on && stream) {
      this.#video.srcObject = stream;
      this.#video.dataset.peer = peer;
      this.#video.hidden = false;
      void this.#video.play().catch(() => undefined);
    } else if (!on && this.#video.dataset.peer === peer) {
      this.#video.hidden = true;
      this.#video.srcObject = null;
      delete this.#video.dataset.peer;
    }
  }

  /** @param {string} peer */
  forget(peer) {
    this.show(peer, false);
    this.#streams.delete(peer);
  }
}
