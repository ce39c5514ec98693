/**
 * A still is never taken for live. The decision is pure: facts about the picture in, one of four
 * states out; `watch` gathers the facts from a video element, its connection and the phone's own words.
 */
import { BLACK, Darkness } from "../rtc/darkness.js";
import { blind } from "./camera_words.js";

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
 * @property {number | null} shown time of a frame of which it is not known yet whether it came from the phone
 * @property {boolean} hidden the caller's page is in the background
 * @property {string | null} camera how the caller's camera fares, by its own word
 * @property {boolean} dark the frames are black
 * @property {string} connection RTCPeerConnectionState, or "" without a connection
 */
/**
 * @typedef {{type: "frame", at: number, received: boolean}
 *   | {type: "decoded", at: number, count: number, counts: boolean}
 *   | {type: "dark", dark: boolean}
 *   | {type: "hidden", hidden: boolean}
 *   | {type: "camera", camera: string | null}
 *   | {type: "connection", state: string}
 *   | {type: "source"}
 *   | {type: "restart"}} Fact
 */

/** @type {Readonly<Picture>} */
export const NOTHING = Object.freeze({ last: null, decoded: 0, shown: null, hidden: false, camera: null, dark: false, connection: "" });

/** Fold one fact in. A frame counts when the phone sent it: in the place of a track that ended Chromium presents a black
 * one of its own. `decoded` only moves the clock when it counts: where frames are presented, a decoder that works behind
 * a stuck video element must not make the still look fresh.
 * @param {Readonly<Picture>} picture @param {Fact} fact @returns {Picture} */
export function learn(picture, fact) {
  switch (fact.type) {
    case "frame":
      if (!fact.received && picture.decoded === 0) return { ...picture, shown: fact.at };
      return { ...picture, last: Math.max(picture.last ?? 0, fact.at) };
    case "decoded": {
      const fresh = fact.counts && fact.count > picture.decoded;
      const proven = fact.count > 0 && picture.shown !== null && fact.at - picture.shown < FROZEN ? picture.shown : picture.last;
      return { ...picture, decoded: fact.count, last: fresh ? fact.at : proven, shown: fact.count > 0 ? null : picture.shown };
    }
    case "dark":
      return { ...picture, dark: fact.dark };
    case "hidden":
      return { ...picture, hidden: fact.hidden };
    case "camera":
      return { ...picture, camera: fact.camera };
    case "connection":
      return { ...picture, connection: fact.state };
    case "source":
      return { ...picture, decoded: 0, shown: null };
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
  return old > FROZEN || blind(picture.camera) ? "frozen" : "flowing";
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
 *          onCount?: (row: any, report: RTCStatsReport) => void,
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
      const counts = (!presents || document.hidden) && !video.paused;
      picture = learn(picture, { type: "decoded", at, count: entry.framesDecoded ?? 0, counts });
      told.onCount?.(entry, report);
    });
  };

  /** @param {number} _now @param {VideoFrameCallbackMetadata} frame */
  const presented = (_now, frame) => {
    if (stopped) return;
    // A video that does not play shows its first frame, and moves no more.
    if (!video.paused) picture = learn(picture, { type: "frame", at: performance.now(), received: frame.rtpTimestamp !== undefined });
    if (picture.shown !== null) void count();
    video.requestVideoFrameCallback(presented);
  };
  if (presents) video.requestVideoFrameCallback(presented);
  const timer = setInterval(beat, BEAT);

  return {
    tell(fact) {
      picture = learn(picture, fact);
    },
    use(pc) {
      if (pc !== connection) picture = learn(picture, { type: "source" });
      connection = pc;
      if (!pc) picture = learn(picture, { type: "restart" });
    },
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
