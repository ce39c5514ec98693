/** The caller's camera: asked once, in the gesture; switched without renegotiation; always released. Never a sound. */
import { connects } from "./peer.js";

/** @typedef {"environment" | "user"} Facing */

/** @param {MediaTrackConstraints} video @returns {Promise<MediaStream>} */
function ask(video) {
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
  /** @param {{onTrack: (track: MediaStreamTrack) => void, onState: (state: "live" | "muted" | "ended") => void}} told */
  constructor(told) {
    this.told = told;
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {Facing} */
    this.facing = "environment";
    this.switching = false;
    this.generation = 0;
    /** Lenses that stopped giving frames twice: not tried again on this page. @type {Set<string>} */
    this.dead = new Set();
    this.hung = "";
  }

  /** @returns {MediaStreamTrack | null} */
  get track() {
    return this.stream?.getVideoTracks()[0] ?? null;
  }

  get device() {
    return this.track?.getSettings().deviceId ?? "";
  }

  get works() {
    return this.track?.readyState === "live";
  }

  /** What the track says of itself. @returns {"live" | "muted" | "ended"} */
  get state() {
    if (!this.works) return "ended";
    return this.track?.muted ? "muted" : "live";
  }

  /** The back camera first. A camera granted after `stop` is released at once.
   * @returns {Promise<void>} */
  async start() {
    this.generation += 1;
    const mine = this.generation;
    const stream = await ask({ facingMode: { ideal: this.facing } });
    if (mine !== this.generation) {
      for (const track of stream.getTracks()) track.stop();
      throw new DOMException("released", "AbortError");
    }
    this.#adopt(stream);
  }

  /** The other camera; the former one comes back when the other refuses.
   * @returns {Promise<Facing>} the camera that is on */
  async turn() {
    if (this.switching || !this.stream) return this.facing;
    this.switching = true;
    const mine = this.generation;
    const wanted = this.facing === "environment" ? "user" : "environment";
    try {
      const stream = await this.#other(wanted);
      if (mine !== this.generation) {
        for (const track of stream.getTracks()) track.stop();
        return this.facing;
      }
      this.facing = facingOf(stream) ?? wanted;
      this.#adopt(stream);
    } catch {
      // Some phones open one camera at a time: the former one was let go, take it back.
      if (mine === this.generation && !this.works) {
        const back = await ask({ facingMode: { ideal: this.facing } }).catch(() => null);
        if (back && mine === this.generation) this.#adopt(back);
        else for (const track of back?.getTracks() ?? []) track.stop();
      }
    } finally {
      this.switching = false;
    }
    return this.facing;
  }

  /** No frame came for a while though the camera is on: open it again; if it hangs again, take another one.
   * @returns {Promise<void>} */
  async revive() {
    const { device } = this;
    if (this.switching || !device) return;
    if (this.hung !== device) {
      this.hung = device;
      this.switching = true;
      const mine = this.generation;
      const again = await ask({ deviceId: { exact: device } }).catch(() => null);
      this.switching = false;
      if (again && mine === this.generation) this.#adopt(again);
      else for (const track of again?.getTracks() ?? []) track.stop();
      return;
    }
    this.dead.add(device);
    await this.turn();
  }

  /** Camera light off. */
  stop() {
    this.generation += 1;
    this.#release();
  }

  /** The camera of that side, else the next one that really gives frames: some lenses open and stay black.
   * @param {Facing} wanted @returns {Promise<MediaStream>} */
  async #other(wanted) {
    const others = (await nextDevices(this.device)).filter((id) => !this.dead.has(id));
    const ways = [{ facingMode: { exact: wanted } }, ...others.map((deviceId) => ({ deviceId: { exact: deviceId } }))];
    const found = await firstThatDelivers(ways);
    if (found) return found;
    // Some phones open one camera at a time.
    this.#release();
    const alone = await firstThatDelivers(ways);
    if (alone) return alone;
    throw new DOMException("no other camera", "NotFoundError");
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

  #release() {
    if (this.stream) letGo(this.stream);
    this.stream = null;
  }
}

/** @param {MediaStream} stream */
function letGo(stream) {
  for (const track of stream.getTracks()) {
    track.onmute = track.onunmute = track.onended = null;
    track.stop();
  }
}

/** @param {MediaStream} stream @returns {Facing | null} */
function facingOf(stream) {
  const facing = stream.getVideoTracks()[0]?.getSettings().facingMode;
  return facing === "user" || facing === "environment" ? facing : null;
}

/** @param {MediaTrackConstraints[]} ways @returns {Promise<MediaStream | null>} */
async function firstThatDelivers(ways) {
  for (const way of ways) {
    const stream = await ask(way).catch(() => null);
    if (!stream) continue;
    if (await delivers(stream)) return stream;
    letGo(stream);
  }
  return null;
}

const PATIENCE = 1_500;

/** Whether a picture comes out of this camera at all, in the time a person would wait.
 * @param {MediaStream} stream @returns {Promise<boolean>} */
function delivers(stream) {
  const probe = document.createElement("video");
  probe.muted = true;
  probe.playsInline = true;
  return new Promise((resolve) => {
    /** @param {boolean} yes */
    const say = (yes) => {
      clearTimeout(late);
      probe.srcObject = null;
      resolve(yes);
    };
    const late = setTimeout(() => say(false), PATIENCE);
    probe.onloadeddata = () => say(true);
    probe.srcObject = stream;
    void probe.play().catch(() => undefined);
  });
}

/** The other cameras, those after the former one first.
 * @param {string | undefined} former @returns {Promise<string[]>} */
async function nextDevices(former) {
  const ids = (await countable()).map((camera) => camera.deviceId);
  const at = ids.indexOf(former ?? "");
  return [...ids.slice(at + 1), ...ids.slice(0, Math.max(0, at))];
}

/** @returns {Promise<MediaDeviceInfo[]>} */
export async function countable() {
  const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return all.filter((device) => device.kind === "videoinput");
}
