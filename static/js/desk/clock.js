/** The times that run on the desk: a node says from when in its data, one beat a second writes them all. */
import { get, write } from "../lib/dom.js";
import { duration, lapse } from "../watching/session.js";

/** Let a call's row say for how long, until the call ended.
 * @param {Element} row @param {import("../watching/session.js").Call} call */
export function runCall(row, call) {
  const age = /** @type {HTMLElement | null} */ (row.querySelector('[data-part="age"]'));
  if (!age) return;
  age.dataset.since = call.answered ?? call.started ?? "";
  if (call.state === "ended" && call.ended) age.dataset.until = call.ended;
  else delete age.dataset.until;
}

/** Let the time spent in a step run from `from`, or write what it took: "+3,1 s".
 * @param {HTMLElement} time @param {string | null} from @param {number | null | undefined} took seconds */
export function runStep(time, from, took) {
  if (from) {
    time.dataset.lapse = from;
    return;
  }
  delete time.dataset.lapse;
  write(time, took === null || took === undefined ? "" : `+${lapse(took)}`);
}

/** Write every time that runs.
 * @param {number} now by the server's clock, in milliseconds */
export function tick(now) {
  write(get("clock", HTMLElement), new Date(now).toLocaleTimeString("fr-FR"));
  for (const node of document.querySelectorAll("[data-since]")) {
    const { since, until } = /** @type {HTMLElement} */ (node).dataset;
    if (since) write(node, duration((until ? Date.parse(until) : now) - Date.parse(since)));
  }
  for (const node of document.querySelectorAll("[data-lapse]")) {
    const from = /** @type {HTMLElement} */ (node).dataset.lapse ?? "";
    write(node, `+${lapse(Math.max(0, now - Date.parse(from)) / 1000)}`);
  }
}

/** @param {string} iso @returns {string} "04:12", or "" when it is no time */
export function clock(iso) {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" });
}
