/** What is done about a camera that does not give its picture, decided without a browser. It is never given up. */

/** @typedef {import("../truth.js").Truth} Truth */
/**
 * @typedef {object} Act
 * @property {number | null} again milliseconds until it is asked for again; null: not by itself
 * @property {boolean} hand only the caller's hand brings it, or a permission that changes
 * @property {boolean} back one return to the page may ask as well
 */

/** @type {Readonly<Act>} */
const NOTHING = Object.freeze({ again: null, hand: false, back: false });
/** Milliseconds until the first try. One that ended is asked for at once; a telephone call is given time to end by itself.
 * @type {Readonly<Partial<Record<import("../truth.js").Track, number>>>} */
export const FIRST = Object.freeze({ asking: 5_000, still: 1_300, muted: 6_000, ended: 0, busy: 2_000, refused: 5_000, gone: 2_000 });
/** The least and the most milliseconds between two tries: each doubles it. */
export const LEAST = 2_000;
export const MOST = 30_000;

/** @param {Readonly<Truth>} truth @returns {Readonly<Act>} */
export function act({ track, tries, permission, late, back }) {
  const first = FIRST[track];
  if (first === undefined || (track === "asking" && !late)) return NOTHING;
  // Who has closed the question three times is never asked again by some browsers.
  if ((track === "asking" || track === "refused") && permission !== "granted") return { again: null, hand: true, back: !back };
  return { again: tries === 0 ? first : Math.min(MOST, Math.max(first, LEAST) * 2 ** (tries - 1)), hand: false, back: false };
}

/** Milliseconds without a new frame before the camera is called still: by what the connections take; by the preview, which may stall by itself. */
const STILL = 700;
const HANGS = 2_000;
/** Milliseconds after which some browsers, such as Firefox, send the last frame of a camera that hangs once more. */
const REPEATS = 1_000;

/**
 * @typedef {object} Flow
 * @property {"own" | "sent"} by whose frames are counted
 * @property {number[]} counts when they moved last
 * @property {number} since when that was
 * @property {boolean} still no new frame, until they move again
 */

/** @type {Readonly<Flow>} */
export const UNSEEN = Object.freeze({ by: "own", counts: [], since: 0, still: false });

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
  if (idle || others || moved) return { by, counts, since: now, still: flow.still && !moved };
  return { ...flow, still: flow.still || waited > (by === "sent" ? STILL : HANGS) };
}
