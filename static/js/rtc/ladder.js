/**
 * The ladder of a poor network, decided without a browser: video, low-rate stills, one photo. One measurement a second
 * in, the rung and what must run out; docs/adr/0009-ladder.md says why.
 */

/** Milliseconds without a connection to any desk before stills: ICE itself says "disconnected" after 5 s and rarely heals. */
export const LOST_AFTER = 8_000;
/** Milliseconds of a poor picture before stills: shorter dips are ordinary, and a rung costs a moment of picture. */
export const SLOW_AFTER = 5_000;
/** Frames a second under which a movement cannot be followed, and from which it can again: adapt.js asks for no fewer than 4. */
export const FEW_FRAMES = 3;
export const GOOD_FRAMES = 3.5;
/** kbit/s of estimate under which VP8 has no picture worth the name, and from which the last step of adapt.js has one. */
export const FEW_KBIT = 40;
export const GOOD_KBIT = 60;
/** Share of packets lost with which key frames no longer arrive whole, and with which they do. */
export const MUCH_LOST = 0.3;
export const LITTLE_LOST = 0.1;
/** Milliseconds a try of the video lasts, and of good picture that make it the rung again. */
export const TRY = 6_000;
export const GOOD_FOR = 3_000;
/** Milliseconds before the first try, and the most between two; each that fails doubles it. */
export const TRY_FIRST = 10_000;
export const TRY_MOST = 60_000;
/** Milliseconds of video after which the tries that failed are forgotten. */
export const STEADY = 60_000;
/** Milliseconds a still may wait for its acknowledgement before one photo is asked for: older it shows the past. */
export const ACK_FLOOR = 10_000;
/** Milliseconds with neither socket nor connection before it is asked for as well. */
export const NOTHING = 20_000;
/** Milliseconds within which two stills in a row must be acknowledged for stills to be the rung again. */
export const ACK_GOOD = 3_000;
/** Milliseconds between two stills: at rest, beside a try of the video, and when a photo is asked for. */
export const PACE = Object.freeze({ stills: 1_000, try: 3_000, photo: 3_000 });

/** @typedef {"video" | "stills" | "photo"} Rung */
/** @typedef {"" | "slow" | "lost" | "asked" | "recovered" | "stills_slow"} Why */
/**
 * @typedef {object} Sample what was measured in the last second
 * @property {number} now milliseconds, of a clock that nobody sets
 * @property {boolean} wanted camera on, page visible, a desk waits: else nothing is judged
 * @property {boolean} socket the server is reachable
 * @property {number} connected connections to desks that are up
 * @property {number | null} fps frames sent to the desk that gets most; null: not known, or few for another reason than the network
 * @property {number | null} kbit what the browser thinks can be sent, in kbit/s; null: it does not tell
 * @property {number | null} loss share of packets the far end lost, 0 to 1; null: it does not tell
 * @property {number} waits milliseconds the still on its way has waited for its acknowledgement; 0: none
 * @property {number[]} acks milliseconds each still took that was acknowledged since the last sample
 */
/**
 * @typedef {object} Ladder
 * @property {Rung} rung
 * @property {Why} why of the last step
 * @property {boolean} forced the desk wants stills
 * @property {boolean} trying the video runs, to see whether it passes
 * @property {number} since when the rung, or the try, or the pause between two tries, began
 * @property {number} wait milliseconds between two tries now
 * @property {number | null} poor since when the picture is poor
 * @property {number | null} lost since when no desk is connected
 * @property {number | null} good since when the picture that is tried is good
 * @property {number | null} tried since when the try has a connection
 * @property {number | null} cut since when neither socket nor connection is there
 * @property {number} quick stills in a row that were acknowledged quickly
 */

/** @type {Readonly<Ladder>} */
export const TOP = Object.freeze({
  rung: "video", why: "", forced: false, trying: false, since: 0, wait: TRY_FIRST,
  poor: null, lost: null, good: null, tried: null, cut: null, quick: 0,
});

/** Whether a connection brings no picture worth the name.
 * @param {Sample} sample @returns {boolean} */
export function poor({ fps, kbit, loss }) {
  return (fps !== null && fps < FEW_FRAMES) || (kbit !== null && kbit < FEW_KBIT) || (loss !== null && loss > MUCH_LOST);
}

/** Whether it brings one that will stay.
 * @param {Sample} sample @returns {boolean} */
export function good({ fps, kbit, loss }) {
  return (fps === null || fps >= GOOD_FRAMES) && (kbit === null || kbit >= GOOD_KBIT) && (loss === null || loss <= LITTLE_LOST);
}

/** The ladder after one second.
 * @param {Readonly<Ladder>} ladder @param {Sample} sample @returns {Ladder} */
export function climb(ladder, sample) {
  const { now } = sample;
  if (!sample.wanted) return { ...ladder, since: ladder.rung === "video" ? now : ladder.since, poor: null, lost: null, good: null, tried: null, cut: null };
  const reached = sample.connected > 0;
  const next = {
    ...ladder,
    lost: reached ? null : (ladder.lost ?? now),
    poor: reached && poor(sample) ? (ladder.poor ?? now) : null,
    cut: reached || sample.socket ? null : (ladder.cut ?? now),
  };
  if (ladder.rung === "video") return fromVideo(next, now);
  return ladder.rung === "stills" ? fromStills(next, sample) : fromPhoto(next, sample);
}

/** @param {Ladder} ladder @param {number} now @returns {Ladder} */
function fromVideo(ladder, now) {
  if (ladder.forced) return step(ladder, now, "stills", "asked");
  if (lasts(ladder.lost, now, LOST_AFTER)) return step(ladder, now, "stills", "lost");
  if (lasts(ladder.poor, now, SLOW_AFTER)) return step(ladder, now, "stills", "slow");
  return now - ladder.since > STEADY ? { ...ladder, wait: TRY_FIRST } : ladder;
}

/** @param {Ladder} ladder @param {Sample} sample @returns {Ladder} */
function fromStills(ladder, sample) {
  const { now } = sample;
  if (sample.socket && sample.waits > ACK_FLOOR) return step(ladder, now, "photo", "stills_slow");
  if (lasts(ladder.cut, now, NOTHING)) return step(ladder, now, "photo", "stills_slow");
  return ladder.forced ? { ...ladder, trying: false } : attempt(ladder, sample);
}

/** The video is tried beside the stills: it lasts as long as there is no connection, or no socket to send stills through.
 * @param {Ladder} ladder @param {Sample} sample @returns {Ladder} */
function attempt(ladder, sample) {
  const { now } = sample;
  if (!ladder.trying) {
    const again = ladder.lost !== null || !sample.socket || now - ladder.since >= ladder.wait;
    return again ? { ...ladder, trying: true, since: now, good: null, tried: null } : ladder;
  }
  if (ladder.lost !== null) return { ...ladder, good: null, tried: null };
  const next = { ...ladder, tried: ladder.tried ?? now, good: good(sample) ? (ladder.good ?? now) : null };
  if (lasts(next.good, now, GOOD_FOR)) return step(next, now, "video", "recovered");
  if (!sample.socket || !lasts(next.tried, now, TRY) || next.good !== null) return next;
  return { ...next, trying: false, since: now, wait: Math.min(TRY_MOST, ladder.wait * 2), poor: null };
}

/** @param {Ladder} ladder @param {Sample} sample @returns {Ladder} */
function fromPhoto(ladder, sample) {
  const quick = sample.acks.reduce((count, ms) => (ms <= ACK_GOOD ? count + 1 : 0), ladder.quick);
  const blind = !sample.socket && sample.connected > 0;
  if (quick >= 2 || blind) return step(ladder, sample.now, "stills", "recovered");
  return { ...ladder, quick };
}

/** @param {Ladder} ladder @param {number} now @param {Rung} rung @param {Why} why @returns {Ladder} */
function step(ladder, now, rung, why) {
  // Without a connection the video costs nothing: each new one is a try.
  const trying = rung === "stills" && why === "lost";
  return { ...TOP, forced: ladder.forced, wait: ladder.wait, lost: rung === "video" ? null : ladder.lost, rung, why, trying, since: now };
}

/** The desk asked: `stills` stay until it asks for `auto`, which also tries the video at once; a photo is asked for beside the rung.
 * @param {Readonly<Ladder>} ladder @param {string} asked @param {number} now @returns {Ladder} */
export function heed(ladder, asked, now) {
  if (asked === "stills") return ladder.rung === "video" ? step({ ...ladder, forced: true }, now, "stills", "asked") : { ...ladder, forced: true };
  if (asked !== "auto") return { ...ladder };
  const free = { ...ladder, forced: false };
  // Let the next second begin a try.
  return ladder.rung === "stills" && !ladder.trying ? { ...free, wait: TRY_FIRST, since: now - TRY_FIRST } : free;
}

/** Whether the encoder may use the uplink.
 * @param {Readonly<Ladder>} ladder @returns {boolean} */
export const films = (ladder) => ladder.rung === "video" || ladder.trying;

/** Milliseconds between two stills; null: none.
 * @param {Readonly<Ladder>} ladder @returns {number | null} */
export function pace(ladder) {
  if (ladder.rung === "video") return null;
  if (ladder.rung === "photo") return PACE.photo;
  return ladder.trying && ladder.tried !== null ? PACE.try : PACE.stills;
}

/** @param {number | null} since @param {number} now @param {number} ms @returns {boolean} */
function lasts(since, now, ms) {
  return since !== null && now - since >= ms;
}

/* ---------------------------------------------------------------- the size of a still */

/** From what passes at 10 kbit/s to what a desk's screen shows: longer edge in pixels, quality of the JPEG. */
export const SIZES = Object.freeze([
  { edge: 160, quality: 0.3 }, { edge: 240, quality: 0.4 }, { edge: 320, quality: 0.5 }, { edge: 400, quality: 0.5 },
  { edge: 512, quality: 0.5 }, { edge: 640, quality: 0.55 }, { edge: 800, quality: 0.6 }, { edge: 960, quality: 0.6 },
]);
export const FIRST_SIZE = 2;
/** Milliseconds a still should at most take to keep the pace, and so few that a larger one would as well. */
export const LATE = 1_100;
export const EARLY = 550;
/** Early stills in a row before a larger one is sent. */
const PATIENCE = 3;

/** @typedef {{size: number, early: number}} Measure */

/** The size of the next still, by how long the last one took.
 * @param {Measure} measure @param {number} ms @returns {Measure} */
export function resize({ size, early }, ms) {
  if (ms > LATE) return { size: Math.max(0, size - (ms > 3 * LATE ? 2 : 1)), early: 0 };
  if (ms > EARLY) return { size, early: 0 };
  return early + 1 < PATIENCE ? { size, early: early + 1 } : { size: Math.min(SIZES.length - 1, size + 1), early: 0 };
}

/* ---------------------------------------------------------------- the server's clock */

/** Milliseconds a difference between the clocks is remembered: clocks drift, and phones sleep. */
export const REMEMBERED = 60_000;

/** What is known of the server's clock: each tick took time to arrive, so the greatest difference is the closest.
 * @param {readonly {at: number, ahead: number}[]} ticks @param {number} server @param {number} at of the page's steady clock
 * @returns {{at: number, ahead: number}[]} */
export function hear(ticks, server, at) {
  return Number.isNaN(server) ? [...ticks] : [...ticks.filter((tick) => at - tick.at < REMEMBERED), { at, ahead: server - at }];
}

/** The server's time, never ahead of it; null before the first tick.
 * @param {readonly {at: number, ahead: number}[]} ticks @param {number} at @returns {number | null} */
export function serverTime(ticks, at) {
  return ticks.length === 0 ? null : at + Math.max(...ticks.map((tick) => tick.ahead));
}
