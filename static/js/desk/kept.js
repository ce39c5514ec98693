/**
 * What a desk keeps by itself. Of this tab, until it is closed or one signs out: the session it watches, its station,
 * an invitation half typed. Of this browser: the sound. No number and no address outlives the tab.
 */

const WATCH = "visio15.watch";
const STATION = "visio15.station";
const CHOSEN = "visio15.chosen";
const DRAFT = "visio15.draft";
const SOUND = "visio15.sound";

/** Without storage a reload shows the newest session and the PC's own station: what most want anyway.
 * @template T @param {() => T} act @param {T} otherwise @returns {T} */
function attempt(act, otherwise) {
  try {
    return act();
  } catch {
    return otherwise;
  }
}

/** @param {string} name @returns {string | null} */
const tab = (name) => attempt(() => sessionStorage.getItem(name), null);

/** @param {string} name @param {string | null} value null: forget it */
function keep(name, value) {
  attempt(() => {
    if (value) sessionStorage.setItem(name, value);
    else sessionStorage.removeItem(name);
  }, undefined);
}

/** @returns {string | null} the session watched */
export const remembered = () => tab(WATCH);

/** @param {string | null} session */
export const remember = (session) => keep(WATCH, session);

/** @returns {string | null} the station of this window, which may be another one than the PC's */
export const keptStation = () => tab(STATION);

/** @param {string | null} extension */
export const keepStation = (extension) => keep(STATION, extension);

/** The station of this window was chosen after a launch had named another one.
 * @param {string} extension @param {string} launch "" for none */
export function chooseStation(extension, launch) {
  keep(STATION, extension);
  keep(CHOSEN, launch);
}

/** @param {string | null} launch @returns {boolean} whether the station of this window goes before that of this launch */
export const chosenAfter = (launch) => launch !== null && tab(CHOSEN) === launch;

/** Give a window that was just opened a station of its own, and nothing else of ours.
 * @param {Window} other @param {string} extension */
export function giveStation(other, extension) {
  attempt(() => {
    for (const name of [WATCH, DRAFT]) other.sessionStorage.removeItem(name);
    other.sessionStorage.setItem(STATION, extension);
  }, undefined);
}

/** @typedef {{who: string, mobile: string, email: string}} Draft */

/** @returns {Draft | null} */
export function keptDraft() {
  return attempt(() => {
    const value = JSON.parse(tab(DRAFT) ?? "null");
    const whole = value && [value.who, value.mobile, value.email].every((text) => typeof text === "string");
    return whole ? value : null;
  }, null);
}

/** @param {Draft | null} draft */
export const keepDraft = (draft) => keep(DRAFT, draft && JSON.stringify(draft));

/** Signing out: nothing of the tab stays for the next one. */
export function forget() {
  for (const name of [WATCH, STATION, DRAFT]) keep(name, null);
}

/** @returns {boolean} */
export const keptSound = () => attempt(() => localStorage.getItem(SOUND) === "on", false);

/** @param {boolean} on */
export const keepSound = (on) => attempt(() => localStorage.setItem(SOUND, on ? "on" : "off"), undefined);
