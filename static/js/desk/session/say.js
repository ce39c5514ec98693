/** What to read aloud now, of what the server sent once: the sentence changes at its second without a request. Pure. */

/** @typedef {import("../../watching/session.js").Say} Say */
/** @typedef {import("../../watching/session.js").SayLater} SayLater */

/** The sentence of this second: the last one whose time has come, unless this desk sees why the picture is bad.
 * @param {{say: Say | null, say_later?: readonly SayLater[], say_weak?: Say | null}} session
 * @param {number} now by the server's clock, in milliseconds @param {string | null} [weak] what holds the picture back
 * @returns {Say | null} */
export function sayNow({ say, say_later: later = [], say_weak: bad = null }, now, weak = null) {
  const usual = later.filter(({ at }) => Date.parse(at) <= now).pop() ?? say;
  if (!weak || !bad || usual?.stalled) return usual;
  return { ...bad, cause: `${weak.charAt(0).toUpperCase()}${weak.slice(1)}.` };
}

/** How long this sentence stays the right one.
 * @param {{say_later?: readonly SayLater[]}} session @param {number} now @returns {number | null} milliseconds; null: until the next view */
export function sayChange({ say_later: later = [] }, now) {
  const next = later.map(({ at }) => Date.parse(at)).filter((at) => at > now);
  return next.length > 0 ? Math.min(...next) - now : null;
}

const RTL = /^(ar|fa|he|ps|ur)\b/;

/** @param {string} language @returns {"rtl" | "ltr"} how it is written */
export function direction(language) {
  return RTL.test(language) ? "rtl" : "ltr";
}
