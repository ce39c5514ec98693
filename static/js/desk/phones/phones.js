/** Which phones concern this desk now: the tabs over the picture, and what becomes of a phone that is ready. Pure. */
import { blind } from "../../watching/camera_words.js";
import { ours, reach, shown } from "../../watching/session.js";

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../watching/session.js").ServerView} ServerView */
/** @typedef {import("../../watching/session.js").Session} Session */

/** The live videos that may be of the same event as the one shown, oldest first; none when it is alone. Those of its
 * call, those of the same number, and, where no call is known of one of the two, those of this station.
 * @param {Readonly<View>} view @returns {Session[]} */
export function together(view) {
  const open = shown(view);
  if (!open || open.state === "ended") return [];
  const here = view.server?.station?.extension ?? null;
  const found = (view.server?.sessions ?? []).filter((one) => one.state !== "ended" && (one.id === open.id || related(one, open, here)));
  return found.length > 1 ? found.reverse() : [];
}

/** @param {Session} one @param {Session} open @param {string | null} here @returns {boolean} */
function related(one, open, here) {
  if (one.link.call !== null && one.link.call === open.link.call) return true;
  if (one.station !== here || one.moved.length > 0) return false;
  return one.link.call === null || open.link.call === null || (one.number !== null && one.number === open.number);
}

/** The phones that are farther on than they were: tapped, connected, or back. Of a first view, all that are there.
 * @param {ServerView | null} before @param {ServerView | null} after @returns {string[]} sessions */
export function arrived(before, after) {
  const former = new Map((before?.sessions ?? []).map((one) => [one.id, reach(one)]));
  return (after?.sessions ?? []).filter((one) => reach(one) > (former.get(one.id) ?? 0)).map(({ id }) => id);
}

/** What to do about the phones that arrived and were not looked at since.
 * @param {Readonly<View>} view @param {ReadonlySet<string>} news their sessions
 * @param {boolean} seen there is something to see of the session that is open: it is never taken away
 * @param {boolean} asked a dialog is open: it speaks of the session that is open
 * @returns {{take: Session | null, tell: Session[]}} `take`: show this one now; `tell`: say that these are ready */
export function greeted(view, news, seen, asked) {
  if (view.taken !== null) return { take: null, tell: [] };
  const all = view.server?.sessions ?? [];
  const ready = all.filter((one) => news.has(one.id) && one.id !== view.watch && ours(view, one) && reach(one) > 0).reverse();
  const farthest = Math.max(0, ...ready.map(reach));
  const best = ready.find((one) => reach(one) === farthest) ?? null;
  const open = all.find((one) => one.id === view.watch && one.state !== "ended");
  const free = !seen && !asked && (!open || (reach(open) < 2 && reach(open) < farthest));
  return { take: free ? best : null, tell: free ? ready.filter((one) => one !== best) : ready };
}

/** What a person calls the phone of a session.
 * @param {Session} session @returns {string} */
export function phoneName({ number, invitations }) {
  return number ?? invitations[0]?.to ?? "code vocal";
}

/** What is true of a phone that is there.
 * @param {Pick<Session, "caller">} session @returns {string} */
export function readiness({ caller }) {
  return blind(caller.camera) ? "relié, sans image" : "prêt";
}

/** The links of a session that nobody tapped, which can be sent once more.
 * @param {Session | null} session @returns {string[]} invitations */
export function resendable(session) {
  if (session?.state !== "invited" && session?.state !== "opened") return [];
  return session.invitations.filter(({ can }) => can.includes("resend")).map(({ id }) => id);
}
