/** From lens to lens: each press leads to another one that gives frames. Loaded after the first picture; lenses.js knows the order. */
import { inFront } from "../lib/dom.js";
import { ask, countable, letGo } from "./camera.js";
import { better, lenses, round, same } from "./lenses.js";

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./camera.js").Kept} Kept */
/** @typedef {import("./lenses.js").Lens} Lens */

/** Milliseconds a lens is given for its first frame: beside the one that is on, and alone. */
const BESIDE = 1_500;
const ALONE = 2_000;
/** Milliseconds a camera is given to open: some never answer, and some browsers ask the caller about each lens. */
const OPENS = 20_000;
/** Refusals that another lens has nothing to do with, so that the one that is on is kept. */
const ABSENT = ["OverconstrainedError", "NotFoundError", "NotAllowedError", "SecurityError"];

export class LensSwitch {
  #camera;
  /** Those that were on in this round, or had their turn. @type {Set<string>} */
  #shown = new Set();
  /** Those that gave no frame, alone: not tried again on this page while another one works. @type {Set<string>} */
  #dead = new Set();
  /** Some phones open one lens at a time. */
  #single = false;
  /** The lens that stopped giving frames once. */
  #hung = "";
  /** One change after the other. @type {Promise<void>} */
  #last = Promise.resolve();

  /** @param {Camera} camera */
  constructor(camera) {
    this.#camera = camera;
  }

  /** The next lens that gives frames. */
  turn() {
    return this.#change((mine) => this.#next(mine));
  }

  /** The lens of this session, or the main one: the browser may have given another.
   * @param {Kept} wished the one that was asked for @param {MediaStream | null} given what came; nothing is done once another one was chosen */
  async settle(wished, given) {
    // Behind another page no lens gives anything: all would look dead.
    await inFront();
    await this.#change(async (mine) => {
      const camera = this.#camera;
      if (camera.stream !== given || !camera.works) return;
      const list = lenses(await countable());
      const lens = camera.chosen ? same(list, wished) : better(list, camera.device, lit(camera.track));
      if (lens && lens.id !== camera.device) await this.#open(lens, mine);
    });
  }

  /** The lens that hangs once more; one that hung before is left for another. */
  revive() {
    const { device } = this.#camera;
    return this.#change(async (mine) => {
      if (this.#hung === device) {
        this.#dead.add(device);
        await this.#next(mine);
        return;
      }
      this.#hung = device;
      const again = await soon({ deviceId: { exact: device } }).catch(() => null);
      if (again) this.#camera.take(again, mine);
    });
  }

  /** One change at a time; whatever comes of it, a camera that was on is on after it if any can be.
   * @param {(mine: number) => Promise<void>} act */
  #change(act) {
    this.#last = this.#last.then(() => this.#changed(act));
    return this.#last;
  }

  /** @param {(mine: number) => Promise<void>} act */
  async #changed(act) {
    const camera = this.#camera;
    if (!camera.stream) return;
    const mine = camera.generation;
    const former = camera.lens;
    const worked = camera.works;
    camera.switching = true;
    camera.since = performance.now();
    await act(mine).catch(() => undefined);
    // One that was over before is being asked for by the page already (caller/camera/ask_again.js).
    if (mine === camera.generation && worked && !camera.works) await this.#back(former, mine);
    camera.switching = false;
    const current = mine === camera.generation;
    if (current && camera.works) this.#keep();
    // One that was asked for meanwhile may be muted, and nothing was said of that.
    if (current || camera.works) camera.told.onState(camera.state);
  }

  /** @param {number} mine */
  async #next(mine) {
    const camera = this.#camera;
    const list = lenses(await countable());
    const now = camera.device;
    const { next, again } = round(list, now, this.#shown, this.#dead);
    if (again) this.#shown.clear();
    this.#shown.add(now);
    for (const lens of next) {
      this.#shown.add(lens.id);
      if (mine !== camera.generation || (await this.#open(lens, mine))) return;
    }
    // A browser that lists no other camera may have one all the same.
    if (next.length === 0) await this.#open({ id: "", side: camera.facing === "user" ? "rear" : "front" }, mine);
  }

  /** Beside the lens that is on, which goes on until the new one gives frames; else alone.
   * @param {Pick<Lens, "id" | "side">} lens by its side where it has no id @param {number} mine
   * @returns {Promise<boolean>} */
  async #open({ id, side }, mine) {
    const camera = this.#camera;
    const facing = side === "front" ? "user" : "environment";
    const way = id ? { deviceId: { exact: id } } : { facingMode: { exact: facing } };
    const beside = camera.works && !this.#single;
    if (beside) {
      try {
        return camera.take(await opened(way, BESIDE), mine, facing);
      } catch (error) {
        if (ABSENT.includes(error instanceof Error ? error.name : "")) return false;
      }
    }
    if (mine !== camera.generation) return false;
    camera.release();
    try {
      const stream = await opened(way, ALONE);
      this.#single ||= beside;
      return camera.take(stream, mine, facing);
    } catch (error) {
      if (error instanceof Error && error.name === "TimeoutError" && !document.hidden) this.#dead.add(id);
      return false;
    }
  }

  /** @param {Kept} former @param {number} mine */
  async #back({ id, facing }, mine) {
    const stream = await soon({ facingMode: { ideal: facing }, deviceId: { ideal: id } }).catch(() => null);
    if (stream) this.#camera.take(stream, mine, facing);
  }

  /** Found again by this page when it is loaded again; nothing stays after the end. */
  #keep() {
    const { told, lens } = this.#camera;
    this.#camera.chosen = true;
    try {
      if (told.kept) sessionStorage.setItem(told.kept, JSON.stringify(lens));
    } catch {
      // Then a page loaded again takes the main lens.
    }
  }
}

/** A camera that gives frames.
 * @param {MediaTrackConstraints} way @param {number} patience @returns {Promise<MediaStream>} */
async function opened(way, patience) {
  const stream = await soon(way);
  if (await delivers(stream, patience)) return stream;
  letGo(stream);
  throw new DOMException("no frame", "TimeoutError");
}

/** A camera that opens; one that does so too late is let go.
 * @param {MediaTrackConstraints} way @returns {Promise<MediaStream>} */
function soon(way) {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new DOMException("does not open", "TimeoutError"));
    }, OPENS);
    ask(way).then((stream) => (late ? letGo(stream) : resolve(stream)), reject).finally(() => clearTimeout(timer));
  });
}

/** Whether a picture comes out of this camera at all, in the time a person would wait: some lenses open and stay black.
 * @param {MediaStream} stream @param {number} patience @returns {Promise<boolean>} */
function delivers(stream, patience) {
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
    const late = setTimeout(() => say(false), patience);
    probe.onloadeddata = () => say(true);
    probe.srcObject = stream;
    void probe.play().catch(() => undefined);
  });
}

/** Whether this lens has a lamp.
 * @param {MediaStreamTrack | null} track @returns {boolean} */
function lit(track) {
  return typeof track?.getCapabilities === "function" && Boolean(/** @type {any} */ (track.getCapabilities()).torch);
}
