/** Stills of the caller's own picture: one on its way at a time, always the newest, as large as the network bears. */
import { ACK_FLOOR, FIRST_SIZE, SIZES, resize } from "../../rtc/ladder.js";

/** Milliseconds after which an acknowledgement is taken for lost: beyond where a photo is asked for. */
const GIVEN_UP = ACK_FLOOR + 2_000;
/** Milliseconds within which a desk had the last still, for the caller to be told so. */
const SEEN = 10_000;
/** Milliseconds between two looks whether it is time. */
const LOOK = 100;
/** Bytes that a still never exceeds: the server's limit is 60 kB. */
const MOST = 60_000;
const HEAD = 13;

/**
 * @typedef {object} StillsHost
 * @property {(bytes: Uint8Array<ArrayBuffer>) => boolean} ship send now, or say that it cannot be
 * @property {() => number | null} time the server's, in milliseconds
 */

export class Stills {
  #video;
  #host;
  #canvas = document.createElement("canvas");
  #seq = 0;
  /** @type {{seq: number, at: number} | null} on its way */
  #sent = null;
  /** @type {number[]} milliseconds of those acknowledged since they were last asked for */
  #acks = [];
  #seenAt = -Infinity;
  #startedAt = -Infinity;
  /** @type {number | null} */
  #pace = null;
  #busy = false;
  #measure = { size: FIRST_SIZE, early: 0 };

  /** @param {HTMLVideoElement} video @param {StillsHost} host */
  constructor(video, host) {
    this.#video = video;
    this.#host = host;
    setInterval(() => void this.#look(), LOOK);
  }

  /** Milliseconds the one on its way has waited. */
  get waits() {
    return this.#sent ? performance.now() - this.#sent.at : 0;
  }

  /** Whether a desk had one just now. */
  get seen() {
    return performance.now() - this.#seenAt < SEEN;
  }

  /** @param {number | null} pace milliseconds between two; null: none */
  run(pace) {
    if (pace === null && this.#pace !== null) this.forget();
    this.#pace = pace;
  }

  /** @returns {number[]} how long each took that was acknowledged meanwhile */
  taken() {
    const acks = this.#acks;
    this.#acks = [];
    return acks;
  }

  /** @param {number} seq @param {number} desks that it was handed to */
  acknowledged(seq, desks) {
    if (this.#sent?.seq !== seq) return;
    const took = this.waits;
    this.#sent = null;
    if (desks > 0) this.#seenAt = performance.now();
    this.#acks.push(took);
    this.#measure = resize(this.#measure, took);
  }

  /** The one on its way will not be acknowledged: another socket, or refused. */
  forget() {
    this.#sent = null;
  }

  async #look() {
    if (this.#pace === null || this.#busy) return;
    const now = performance.now();
    if (this.#sent && now - this.#sent.at < GIVEN_UP) return;
    if (now - this.#startedAt < this.#pace) return;
    const taken = this.#host.time();
    if (taken === null || !current(this.#video)) return;
    if (this.#sent) this.#measure = resize(this.#measure, GIVEN_UP);
    this.#busy = true;
    this.#startedAt = now;
    const size = SIZES[this.#measure.size];
    const picture = size ? await snap(this.#video, this.#canvas, size.edge, size.quality) : null;
    this.#busy = false;
    if (this.#pace === null || !picture) return;
    if (picture.size > MOST) {
      this.#measure = { size: Math.max(0, this.#measure.size - 1), early: 0 };
      return;
    }
    const bytes = await frame(this.#seq + 1, taken, picture);
    if (!this.#host.ship(bytes)) return;
    this.#seq += 1;
    this.#sent = { seq: this.#seq, at: performance.now() };
  }
}

/** Whether a video shows its camera. While another lens opens alone the former one is off, and its last frame stays there: the past.
 * @param {HTMLVideoElement} video @returns {boolean} */
export function current({ readyState, srcObject }) {
  return readyState >= 2 && srcObject instanceof MediaStream && srcObject.active;
}

/** What a video shows, as a JPEG whose longer edge is at most this.
 * @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas @param {number} edge @param {number} quality
 * @returns {Promise<Blob | null>} */
export function snap(video, canvas, edge, quality) {
  const { videoWidth, videoHeight } = video;
  return jpeg(video, videoWidth, videoHeight, canvas, edge, quality);
}

/** @param {CanvasImageSource} source @param {number} width @param {number} height @param {HTMLCanvasElement} canvas
 * @param {number} edge @param {number} quality @returns {Promise<Blob | null>} */
export function jpeg(source, width, height, canvas, edge, quality) {
  const scale = Math.min(1, edge / Math.max(width, height, 1));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext("2d", { alpha: false })?.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}

/** Kind, number, time of capture, picture (docs/protocol.md).
 * @param {number} seq @param {number} taken @param {Blob} picture @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function frame(seq, taken, picture) {
  const bytes = new Uint8Array(HEAD + picture.size);
  const view = new DataView(bytes.buffer);
  const millis = Math.floor(taken);
  view.setUint8(0, 1);
  view.setUint32(1, seq);
  view.setUint32(5, Math.floor(millis / 2 ** 32));
  view.setUint32(9, millis >>> 0);
  bytes.set(new Uint8Array(await picture.arrayBuffer()), HEAD);
  return bytes;
}
