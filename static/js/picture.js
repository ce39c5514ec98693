/**
 * A still is never taken for live. The decision is pure: facts about the picture in, one of four
 * states out; `watch` gathers the facts from a video element, its connection and the phone's own words.
 */
import { BLACK, Darkness } from "./darkness.js";

/** Age in milliseconds beyond which the picture is frozen: with the 100 ms beat it shows within 1 s. */
export const FROZEN = 800;
/** Age in milliseconds beyond which it is lost. */
export const LOST = 3_000;
const BEAT = 100;

/** @typedef {"none" | "flowing" | "frozen" | "hidden" | "lost"} PictureState */
/**
 * @typedef {object} Picture
 * @property {number | null} last time of the last new frame, `null` before the first
 * @property {number} decoded frames decoded so far on this connection
 * @property {boolean} hidden the caller's page is in the background
 * @property {boolean} muted the caller's camera gives nothing
 * @property {boolean} dark the frames are black
 * @property {string} connection RTCPeerConnectionState, or "" without a connection
 */
/**
 * @typedef {{type: "frame", at: number}
 *   | {type: "decoded", at: number, count: number, counts: boolean}
 *   | {type: "dark", dark: boolean}
 *   | {type: "hidden", hidden: boolean}
 *   | {type: "muted", muted: boolean}
 *   | {type: "connection", state: string}
 *   | {type: "restart"}} Fact
 */

/** @type {Readonly<Picture>} */
export const NOTHING = Object.freeze({ last: null, decoded: 0, hidden: false, muted: false, dark: false, connection: "" });

/** Fold one fact in. `decoded` only moves the clock when it counts: where frames are presented, a decoder
 * that works behind a stuck video element must not make the still look fresh.
 * @param {Readonly<Picture>} picture @param {Fact} fact @returns {Picture} */
export function learn(picture, fact) {
  switch (fact.type) {
    case "frame":
      return { ...picture, last: Math.max(picture.last ?? 0, fact.at) };
    case "decoded": {
      const fresh = fact.counts && fact.count > picture.decoded;
      return { ...picture, decoded: fact.count, last: fresh ? fact.at : picture.last };
    }
    case "dark":
      return { ...picture, dark: fact.dark };
    case "hidden":
      return { ...picture, hidden: fact.hidden };
    case "muted":
      return { ...picture, muted: fact.muted };
    case "connection":
      return { ...picture, connection: fact.state };
    case "restart":
      return { ...NOTHING, hidden: picture.hidden };
  }
}

/** @param {Readonly<Picture>} picture @param {number} now @returns {number | null} milliseconds */
export function age(picture, now) {
  return picture.last === null ? null : Math.max(0, now - picture.last);
}

/** What may be said of the picture now.
 * @param {Readonly<Picture>} picture @param {number} now @returns {PictureState} */
export function judge(picture, now) {
  const old = age(picture, now);
  if (old === null) return "none";
  if (picture.hidden && old > FROZEN / 2) return "hidden";
  if (picture.connection === "failed" || picture.connection === "closed" || old > LOST) return "lost";
  return old > FROZEN || picture.muted ? "frozen" : "flowing";
}

/**
 * @typedef {object} Watch
 * @property {(fact: Fact) => void} tell
 * @property {(pc: RTCPeerConnection | null) => void} use the connection whose statistics count
 * @property {() => void} stop
 */

/** Watch a video element; `onState` at each change, `onBeat` ten times a second.
 * @param {HTMLVideoElement} video
 * @param {{onState: (state: PictureState, age: number | null) => void,
 *          onBeat: (picture: Readonly<Picture>, state: PictureState, age: number | null) => void}} told
 * @returns {Watch} */
export function watch(video, told) {
  /** @type {Picture} */
  let picture = { ...NOTHING };
  /** @type {PictureState} */
  let state = "none";
  /** @type {RTCPeerConnection | null} */
  let connection = null;
  let beats = 0;
  let stopped = false;
  const presents = "requestVideoFrameCallback" in video;
  const eye = new Darkness(video);

  const beat = () => {
    const now = performance.now();
    const judged = judge(picture, now);
    const old = age(picture, now);
    if (judged !== state) {
      state = judged;
      told.onState(state, old);
    }
    told.onBeat(picture, state, old);
    beats += 1;
    if (beats % 2 === 0) void count();
    if (beats % 5 === 0 && state === "flowing") picture = learn(picture, { type: "dark", dark: eye.level() < BLACK });
  };

  const count = async () => {
    const asked = connection;
    if (!asked || asked.connectionState === "closed") return;
    const report = await asked.getStats().catch(() => null);
    if (!report || asked !== connection || stopped) return;
    const at = performance.now();
    report.forEach((entry) => {
      if (entry.type !== "inbound-rtp" || entry.kind !== "video") return;
      const counts = !presents || document.hidden;
      picture = learn(picture, { type: "decoded", at, count: entry.framesDecoded ?? 0, counts });
    });
  };

  const presented = () => {
    if (stopped) return;
    picture = learn(picture, { type: "frame", at: performance.now() });
    video.requestVideoFrameCallback(presented);
  };
  if (presents) video.requestVideoFrameCallback(presented);
  const timer = setInterval(beat, BEAT);

  return {
    tell(fact) {
      picture = learn(picture, fact);
    },
    use(pc) {
      connection = pc;
      if (!pc) picture = learn(picture, { type: "restart" });
    },
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
