/** Which call a video is about, as it is asked: the likeliest first, and rows that hold still while one chooses. Pure. */
import { away } from "../../watching/session.js";

/** @typedef {import("../../watching/session.js").Call} Call */
/** @typedef {import("../../watching/session.js").Session} Session */
/**
 * @typedef {object} Wanted what the choice is made for
 * @property {string | null} number the number that was invited
 * @property {import("../../watching/session.js").ServerView["station"]} station where it is asked
 */
/**
 * @typedef {object} Row
 * @property {Call} call as it is now, or as it was last
 * @property {boolean} fresh it came while the list was open: it stands below the others
 * @property {boolean} gone the station has it no more
 */

/** Live calls before ended ones; then the number that was invited, who talks here, the newest.
 * @param {readonly Call[]} calls @param {Wanted} wanted @returns {Call[]} */
export function ranked(calls, wanted) {
  /** @param {Call} call */
  const rank = (call) => [
    Number(call.state === "ended"),
    Number(!invited(call, wanted)),
    Number(call.state !== "talking" || away(call, wanted.station).length > 0),
    -(Date.parse(call.started ?? "") || 0),
  ];
  return [...calls].sort((a, b) => {
    const other = rank(b);
    return rank(a).map((value, place) => value - (other[place] ?? 0)).find((difference) => difference !== 0) ?? (a.id < b.id ? -1 : 1);
  });
}

/** Whether a call comes from the number that was invited.
 * @param {Call} call @param {Wanted} wanted @returns {boolean} */
export function invited(call, { number }) {
  return number !== null && call.number === number;
}

/** The rows of an open list after a view: none moves and none goes, those that are new stand below.
 * @param {readonly Row[]} rows those shown, none at the opening @param {readonly Call[]} calls @param {Wanted} wanted @returns {Row[]} */
export function held(rows, calls, wanted) {
  const now = new Map(calls.map((call) => [call.id, call]));
  const known = new Set(rows.map((row) => row.call.id));
  const fresh = ranked(calls.filter((call) => !known.has(call.id)), wanted);
  return [
    ...rows.map((row) => ({ ...row, call: now.get(row.call.id) ?? row.call, gone: !now.has(row.call.id) })),
    ...fresh.map((call) => ({ call, fresh: rows.length > 0, gone: false })),
  ];
}

/** The row that may be proposed with one key: the only live call of the number that was invited.
 * @param {readonly Row[]} rows @param {Wanted} wanted @returns {string | null} the call's id */
export function likeliest(rows, wanted) {
  const matching = rows.filter(({ call, gone }) => !gone && call.state !== "ended" && invited(call, wanted));
  return matching.length === 1 ? matching[0]?.call.id ?? null : null;
}

/** What is to be said quietly of the link of a session, as long as it is so.
 * @param {Session | null} session @returns {{ended: string | null, other: boolean}} when its call ended while the video
 *   goes on; whether another number was invited than the caller's */
export function remarks(session) {
  const { number = null, ended = null } = session?.link ?? {};
  return {
    ended: session?.state === "ended" ? null : ended,
    other: Boolean(number && session?.number && number !== session.number),
  };
}
