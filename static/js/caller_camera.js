/** The caller's own picture on the page: asked for in the gesture, got back when it was taken, never left hanging. */
import { Camera, countable, impossible } from "./camera.js";
import { get, write } from "./dom.js";
import { INSTANT, refusal } from "./phase.js";

/** Milliseconds before words are added to the permission screen, and before it is given up. */
const SLOW = 5_000;
const GIVE_UP = 20_000;
/** Milliseconds between two looks at the frames; without a new one before the desk is told; before the camera is opened again. */
const LOOK = 200;
const STILL = 700;
const HANGS = 2_000;
/** Milliseconds a camera may be muted with the page in front: then nobody else is using it, and it is asked for again. */
const MUTED = 6_000;
/** Milliseconds after which some browsers, such as Firefox, send the last frame of a camera that hangs once more. */
const REPEATS = 1_000;

/** @typedef {import("./socket.js").Message} Message */
/**
 * @typedef {object} CameraHost
 * @property {() => Readonly<import("./phase.js").Phase>} phase
 * @property {(key: string) => string} say a sentence in the caller's language
 * @property {(message: Message) => void} offer to the server, if it is there
 * @property {() => Promise<(number | null)[]>} sent frames each connection has taken
 * @property {(track: MediaStreamTrack) => void} onTrack
 * @property {() => void} onAsking
 * @property {() => void} onGranted
 * @property {(why: string, instant: boolean) => void} onStuck the camera is off, and why; instant: nobody was asked
 * @property {() => void} onLate no answer for a while: one that comes later is taken
 * @property {(muted: boolean) => void} onMuted
 * @property {() => Promise<unknown>} free resolved once the first picture is there
 * @property {string} kept where the lens is kept while the session lasts
 */

/**
 * @typedef {object} Flow
 * @property {"own" | "sent"} by whose frames are counted
 * @property {number[]} counts when they moved last
 * @property {number} since when that was
 * @property {boolean} still a desk is sent no new frame, until they move again
 * @property {boolean} hangs long enough for a remedy
 */

/** @type {Readonly<Flow>} */
export const UNSEEN = Object.freeze({ by: "own", counts: [], since: 0, still: false, hangs: false });

/** Fold a look at the frames in. The preview may move while nothing reaches the connection, so the connections' own
 * counts are the truth once there is one; a frame that may be sent once more is not counted. Pure.
 * @param {Readonly<Flow>} flow
 * @param {{sent: (number | null)[], shown: number, idle: boolean, now: number}} look `idle`: none are expected
 * @returns {Flow} */
export function flowing(flow, { sent, shown, idle, now }) {
  const told = sent.filter((count) => count !== null);
  const by = told.length > 0 ? "sent" : "own";
  const counts = by === "sent" ? told : [shown];
  const waited = now - flow.since;
  const again = by === "sent" ? 1 + Math.floor(waited / REPEATS) : 0;
  const others = by !== flow.by || counts.length !== flow.counts.length;
  const moved = !others && counts.some((count, i) => count - (flow.counts[i] ?? 0) > again || count < (flow.counts[i] ?? 0));
  if (idle || others || moved) return { by, counts, since: now, still: flow.still && !moved, hangs: false };
  const hangs = waited > HANGS;
  const still = flow.still || (by === "sent" && waited > STILL);
  return hangs ? { by, counts, since: now, still, hangs } : { ...flow, still, hangs };
}

export class CallerCamera {
  #host;
  #own;
  #camera;
  /** @type {Readonly<Flow>} */
  #flow = UNSEEN;
  /** Since when the camera gives nothing though the page is in front. @type {number | null} */
  #mutedAt = null;
  /** Frames of the preview, counted one by one: some browsers keep no count of a camera's. */
  #shown = 0;
  /** Which question is the current one: an answer to a former one is none. */
  #asking = 0;
  #words = get("asking-text", HTMLElement);

  /** @param {HTMLVideoElement} own @param {CameraHost} host */
  constructor(own, host) {
    this.#own = own;
    this.#host = host;
    this.#camera = new Camera({
      onTrack: (track) => this.#pictured(track),
      onMute: (muted) => this.#muted(muted),
      onLost: () => this.#lost(),
      free: host.free,
      kept: host.kept,
    });
    const presented = () => {
      this.#shown += 1;
      own.requestVideoFrameCallback(presented);
    };
    if ("requestVideoFrameCallback" in own) own.requestVideoFrameCallback(presented);
    setInterval(() => void this.#watchFrames(), LOOK);
    get("switch", HTMLElement).addEventListener("click", () => void this.turn());
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#count());
  }

  get track() {
    return this.#camera.track;
  }

  get facing() {
    return this.#camera.facing;
  }

  /** Ask for the camera: in the gesture itself, the browser wants it there. */
  async ask() {
    this.#asking += 1;
    const mine = this.#asking;
    const no = impossible();
    if (no) {
      this.#stuck(no, true);
      return;
    }
    const since = performance.now();
    this.#host.onAsking();
    this.#ask("asking");
    const slow = setTimeout(() => this.#ask("slow"), SLOW);
    const late = setTimeout(() => {
      if (mine === this.#asking && this.#host.phase().screen === "asking") this.#host.onLate();
    }, GIVE_UP);
    try {
      await this.#camera.start();
      this.#granted();
    } catch (error) {
      if (mine === this.#asking) this.#refused(error, performance.now() - since < INSTANT);
    } finally {
      clearTimeout(slow);
      clearTimeout(late);
    }
  }

  /** @param {"asking" | "slow"} key the sentence beside the question */
  #ask(key) {
    this.#words.dataset.say = key;
    write(this.#words, this.#host.say(key));
  }

  /** Camera light off; an answer that is still to come is none. */
  stop() {
    this.#asking += 1;
    this.#camera.stop();
  }

  /** The same, for good. */
  release() {
    this.stop();
    this.#own.srcObject = null;
  }

  /** The page is in front again. */
  wake() {
    void this.#own.play().catch(() => undefined);
    void this.#recover();
  }

  #granted() {
    if (this.#host.phase().screen === "ended") {
      this.#camera.stop();
      return;
    }
    this.#host.onGranted();
    this.#count();
  }

  /** With one camera there is no other. */
  #count() {
    void countable().then((cameras) => {
      get("switch", HTMLElement).hidden = cameras.length === 1;
    });
  }

  /** @param {unknown} error @param {boolean} instant */
  #refused(error, instant) {
    const { name = "", message = "" } = error instanceof Error ? error : {};
    if (name !== "AbortError") this.#stuck(refusal(name, message), instant);
    else if (this.#host.phase().screen === "asking") this.#stuck("busy", instant);
  }

  /** @param {string} why @param {boolean} instant */
  #stuck(why, instant) {
    this.#camera.stop();
    this.#host.onStuck(why, instant);
  }

  /** @param {MediaStreamTrack} track */
  #pictured(track) {
    this.#own.srcObject = this.#camera.stream;
    this.#own.classList.toggle("mirror", this.#camera.facing === "user");
    void this.#own.play().catch(() => undefined);
    this.#host.onTrack(track);
    this.#host.offer({ type: "facing", facing: this.facing });
  }

  /** @param {boolean} now */
  #muted(now) {
    this.#host.onMuted(now);
    this.#host.offer({ type: "media.report", state: now ? "muted" : "unmuted" });
  }

  /** Another app took the camera, or the system did: ask for it again as soon as the page is in front. */
  #lost() {
    this.#muted(true);
    void this.#recover();
  }

  async #recover() {
    const { works, switching, track } = this.#camera;
    if (this.#host.phase().screen !== "live" || document.hidden || switching) return;
    if (works && !track?.muted) return;
    await this.#camera.start().then(() => this.#muted(false), () => undefined);
  }

  /** Frames must leave the camera while it is on: some lenses hang, above all around telephone calls. */
  async #watchFrames() {
    const sent = await this.#host.sent();
    const { works, switching, track } = this.#camera;
    this.#unmute(Boolean(track?.muted) && !document.hidden);
    const idle = this.#host.phase().screen !== "live" || document.hidden || !works || switching || Boolean(track?.muted);
    const shown = this.#shown || this.#own.getVideoPlaybackQuality().totalVideoFrames;
    const { still } = this.#flow;
    this.#flow = flowing(this.#flow, { sent, shown, idle, now: performance.now() });
    if (still !== this.#flow.still) this.#host.offer({ type: "media.report", state: still ? "unmuted" : "muted" });
    if (this.#flow.hangs) void this.#camera.revive();
  }

  /** After a telephone call some systems never give the camera back by themselves.
   * @param {boolean} muted */
  #unmute(muted) {
    const now = performance.now();
    if (!muted) this.#mutedAt = null;
    else if (this.#mutedAt === null) this.#mutedAt = now;
    else if (now - this.#mutedAt > MUTED) {
      this.#mutedAt = now;
      void this.#recover();
    }
  }

  /** To the other camera, by the caller or by a desk.
   * @returns {Promise<boolean>} whether another one is on */
  async turn() {
    const button = get("switch", HTMLButtonElement);
    if (button.disabled) return false;
    button.disabled = true;
    const former = this.#camera.lens;
    const facing = await this.#camera.turn();
    button.disabled = false;
    return this.#camera.lens.id !== former.id || facing !== former.facing;
  }
}
