/** The caller's camera: asked once, in the gesture; switched without renegotiation; always released. Never a sound. */
import { connects } from "./peer.js";

/** @typedef {"environment" | "user"} Facing */
/** @typedef {{id: string, label: string, facing: Facing}} Kept a lens, as it is found again */
/**
 * @typedef {object} Told
 * @property {(track: MediaStreamTrack) => void} onTrack
 * @property {(state: "live" | "muted" | "ended") => void} onState what the track says of itself
 * @property {string} [kept] where the lens is kept while the session lasts
 * @property {() => Promise<unknown>} [free] resolved once the first picture is there: until then nothing else is loaded
 */

/** @param {MediaTrackConstraints} video @returns {Promise<MediaStream>} */
export function ask(video) {
  return navigator.mediaDevices.getUserMedia({ video: { ...SIZE, ...video }, audio: false });
}

const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

/** Why no camera can even be asked for here, or "".
 * @returns {"" | "insecure" | "in_app" | "unable"} */
export function impossible() {
  if (typeof navigator.mediaDevices?.getUserMedia !== "function") return isSecureContext ? "in_app" : "insecure";
  return connects() ? "" : "unable";
}

export class Camera {
  /** @type {Promise<import("./lens_switch.js").LensSwitch> | null} */
  #lenses = null;
  #missed = 0;

  /** @param {Told} told */
  constructor(told) {
    this.told = told;
    /** @type {MediaStream | null} */
    this.stream = null;
    const kept = remembered(told.kept);
    /** Whether the lens is the one to be found again. */
    this.chosen = kept !== null;
    /** The lens that is on, or was on last. @type {Kept} */
    this.lens = kept ?? { id: "", label: "", facing: "environment" };
    this.switching = false;
    /** When it, or another lens, was asked for last. */
    this.since = 0;
    this.generation = 0;
  }

  /** @returns {MediaStreamTrack | null} */
  get track() {
    return this.stream?.getVideoTracks()[0] ?? null;
  }

  get facing() {
    return this.lens.facing;
  }

  get device() {
    return this.track?.getSettings().deviceId ?? "";
  }

  get works() {
    return this.track?.readyState === "live";
  }

  /** What the track says of itself. Some phones mute it while another lens opens.
   * @returns {"live" | "muted" | "ended"} */
  get state() {
    if (!this.works) return "ended";
    return this.track?.muted && !this.switching ? "muted" : "live";
  }

  /** The lens that was on, at first the back camera. A camera granted after `stop` is released at once.
   * @returns {Promise<void>} */
  async start() {
    this.generation += 1;
    this.since = performance.now();
    const mine = this.generation;
    const wished = this.lens;
    const stream = await ask({ facingMode: { ideal: wished.facing }, ...(wished.id ? { deviceId: { ideal: wished.id } } : {}) });
    if (!this.take(stream, mine)) throw new DOMException("released", "AbortError");
    void this.#settle(wished);
  }

  /** This stream from now on, unless the camera was let go or asked for again meanwhile.
   * @param {MediaStream} stream @param {number} mine @param {Facing} [facing] where the browser does not tell
   * @returns {boolean} */
  take(stream, mine, facing = this.facing) {
    if (mine !== this.generation) {
      letGo(stream);
      return false;
    }
    const [track] = stream.getVideoTracks();
    const { deviceId: id = "", facingMode } = track?.getSettings() ?? {};
    const told = facingMode === "user" || facingMode === "environment" ? facingMode : facing;
    this.lens = { id, label: track?.label ?? "", facing: told };
    this.#adopt(stream);
    return true;
  }

  /** Another lens; the former one comes back when no other works.
   * @returns {Promise<Facing>} the side of the one that is on */
  async turn() {
    await this.#load().then((lenses) => lenses.turn(), () => undefined);
    return this.facing;
  }

  /** No frame came for a while though the camera is on: open it again; if it hangs again, take another one.
   * @returns {Promise<void>} */
  async revive() {
    if (!this.switching && this.device) await this.#load().then((lenses) => lenses.revive(), () => undefined);
  }

  /** The right lens, once the first picture is there.
   * @param {Kept} wished */
  async #settle(wished) {
    const { stream } = this;
    await this.told.free?.();
    await this.#load().then((lenses) => lenses.settle(wished, stream), () => undefined);
  }

  /** What knows of lenses: loaded when it is first needed; when it did not come, by the next press, under another name.
   * @returns {Promise<import("./lens_switch.js").LensSwitch>} */
  #load() {
    this.#lenses ??= import(this.#missed ? `../../js-${this.#missed}/rtc/lens_switch.js` : "./lens_switch.js").then(
      ({ LensSwitch }) => new LensSwitch(this),
      (error) => {
        this.#lenses = null;
        this.#missed += 1;
        throw error;
      },
    );
    return this.#lenses;
  }

  /** Camera light off. */
  stop() {
    this.generation += 1;
    this.release();
  }

  /** @param {MediaStream} stream */
  #adopt(stream) {
    const former = this.stream;
    this.stream = stream;
    const track = stream.getVideoTracks()[0];
    if (!track) return;
    const tell = () => this.told.onState(this.state);
    track.onmute = track.onunmute = tell;
    track.onended = () => this.told.onState("ended");
    this.told.onTrack(track);
    if (former && former !== stream) letGo(former);
    // No event tells that it was muted, or over, when it was given.
    tell();
  }

  /** The same, for another one to be opened. */
  release() {
    if (this.stream) letGo(this.stream);
    this.stream = null;
  }
}

/** @param {string | undefined} key @returns {Kept | null} */
function remembered(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key ?? "") ?? "null");
  } catch {
    return null;
  }
}

/** @param {MediaStream} stream */
export function letGo(stream) {
  for (const track of stream.getTracks()) {
    track.onmute = track.onunmute = track.onended = null;
    track.stop();
  }
}

/** @returns {Promise<MediaDeviceInfo[]>} */
export async function countable() {
  const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return all.filter((device) => device.kind === "videoinput");
}
