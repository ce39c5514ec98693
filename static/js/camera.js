/** The caller's camera: asked once, in the gesture; switched without renegotiation; always released. Never a sound. */

/** @typedef {"environment" | "user"} Facing */

/** @param {MediaTrackConstraints} video @returns {Promise<MediaStream>} */
function ask(video) {
  return navigator.mediaDevices.getUserMedia({ video: { ...SIZE, ...video }, audio: false });
}

const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

/** Why no camera can even be asked for here, or "".
 * @returns {"" | "insecure" | "in_app"} */
export function impossible() {
  if (typeof navigator.mediaDevices?.getUserMedia === "function" && typeof RTCPeerConnection === "function") return "";
  return isSecureContext ? "in_app" : "insecure";
}

export class Camera {
  /** @param {{onTrack: (track: MediaStreamTrack) => void, onMute: (muted: boolean) => void, onLost: () => void}} told */
  constructor(told) {
    this.told = told;
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {Facing} */
    this.facing = "environment";
    this.switching = false;
    this.generation = 0;
  }

  /** @returns {MediaStreamTrack | null} */
  get track() {
    return this.stream?.getVideoTracks()[0] ?? null;
  }

  get works() {
    return this.track?.readyState === "live";
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

  /** Camera light off. */
  stop() {
    this.generation += 1;
    this.#release();
  }

  /** @param {Facing} wanted @returns {Promise<MediaStream>} */
  async #other(wanted) {
    const former = this.track?.getSettings().deviceId;
    try {
      return await ask({ facingMode: { exact: wanted } });
    } catch (error) {
      const next = await nextDevice(former);
      if (!next) throw error;
      try {
        return await ask({ deviceId: { exact: next } });
      } catch {
        this.#release();
        return ask({ deviceId: { exact: next } });
      }
    }
  }

  /** @param {MediaStream} stream */
  #adopt(stream) {
    const former = this.stream;
    this.stream = stream;
    const track = stream.getVideoTracks()[0];
    if (!track) return;
    track.onmute = () => this.told.onMute(true);
    track.onunmute = () => this.told.onMute(false);
    track.onended = () => this.told.onLost();
    this.told.onTrack(track);
    if (former && former !== stream) letGo(former);
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

/** @param {string | undefined} former @returns {Promise<string | null>} */
async function nextDevice(former) {
  const cameras = await countable();
  const at = cameras.findIndex((camera) => camera.deviceId === former);
  const next = cameras[(at + 1) % Math.max(1, cameras.length)];
  return next && next.deviceId !== former ? next.deviceId : null;
}

/** @returns {Promise<MediaDeviceInfo[]>} */
export async function countable() {
  const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return all.filter((device) => device.kind === "videoinput");
}
