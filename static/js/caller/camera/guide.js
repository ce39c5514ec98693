/**
 * What went wrong with the camera, and what to do about it on this very phone: decided without a browser, from what it
 * calls itself and from the words of its refusal. Each guide is one to three short steps and one thing to press.
 */

/** @typedef {import("../phase.js").Place} Place */
/** @typedef {{icon: string, key: string}} Step */
/**
 * @typedef {object} Guide
 * @property {Step[]} steps
 * @property {"retry" | "reload" | "anyway"} again what the button for another try does; anyway: it is the lesser button
 * @property {boolean} outside there is a button that opens the real browser with this link
 * @property {boolean} copy there is a button that copies this link
 */

const NAMES = { safari: "Safari", chrome: "Chrome", samsung: "Samsung Internet", firefox: "Firefox", edge: "Edge", opera: "Opera", other: "Chrome" };

/** The name of the browser as its settings show it; in an application, of the one to go to.
 * @param {Place} place @returns {string} */
export function named(place) {
  if (place.inApp || place.browser === "other") return place.system === "ios" ? "Safari" : "Chrome";
  return NAMES[place.browser];
}

/** The address that opens this link in the real browser; "" where there is none.
 * @param {Place} place @param {string} href @returns {string} */
export function outside({ system }, href) {
  const { protocol, host, pathname } = new URL(href);
  const plain = `${protocol}//${host}${pathname}`;
  if (system === "ios") return `x-safari-${plain}`;
  if (system !== "android") return "";
  const fallback = encodeURIComponent(plain);
  return `intent://${host}${pathname}#Intent;scheme=${protocol.slice(0, -1)};package=com.android.chrome;S.browser_fallback_url=${fallback};end`;
}

const STEP = /** @type {const} */ ({
  retry: "refresh-cw", allow: "pointer", look: "search", sign: "sliders-horizontal", lock: "lock", click: "camera", permissions: "camera",
  choose: "toggle-right", blocked: "toggle-right", page_menu: "file-search", website: "settings", menu: "ellipsis-vertical",
  site_info: "toggle-right", settings: "settings", app: "layout-grid", camera_on: "toggle-right", app_camera: "toggle-right",
  privacy: "settings", privacy_camera: "toggle-right", close: "x", other_phone: "smartphone", exactly: "message-square",
  open: "external-link", app_menu: "ellipsis-vertical", paste: "copy", other_browser: "external-link", cookies: "toggle-right",
});
/** @typedef {keyof typeof STEP} StepName */

/** @param {...StepName} names @returns {Step[]} */
const steps = (...names) => names.map((name) => ({ icon: STEP[name], key: `do_${name}` }));

/** @param {Place} place @param {boolean} instant nobody was asked: it was decided before @returns {Guide} */
function denied({ system, browser: used }, instant) {
  // WebKit asks again once the page is loaded again, Firefox at once; Chrome and its kin never.
  if (system === "ios" && !instant) return guided(steps("retry", "allow"), "reload");
  if (used === "firefox" && !instant) return guided(steps("retry", "allow"));
  if (system === "ios" && used === "safari") return guided(steps("page_menu", "website", "choose"), "reload");
  if (system === "ios" && used === "chrome") return guided(steps("menu", "site_info"), "reload");
  if (system === "ios") return guided(steps("settings", "app", "camera_on"), "reload");
  if (system === "desktop") return guided(steps("click", "choose"));
  if (used === "firefox") return guided(steps("lock", "blocked"));
  return guided(steps(used === "samsung" ? "lock" : "sign", "permissions", "choose"));
}

/** @param {Step[]} found @param {Guide["again"]} [again] @param {{outside?: boolean, copy?: boolean}} [more] @returns {Guide} */
function guided(found, again = "retry", more = {}) {
  return { steps: found, again, outside: false, copy: false, ...more };
}

const IN_PLACE = new Set(["denied", "system", "dismissed", "none", "busy", "timeout"]);

/** @param {Place} place inside an application @returns {Guide} */
function inside({ system }) {
  if (system === "desktop") return guided(steps("paste"), "anyway", { copy: true });
  return guided(steps("open", "app_menu"), "anyway", { outside: true, copy: true });
}

/** What to do about a trouble here; null when it is not the camera's.
 * @param {string} why @param {Place} place @param {boolean} [instant] @returns {Guide | null} */
export function guide(why, place, instant = false) {
  // Whatever the camera says in an application, the browser is the better place.
  if (place.inApp && IN_PLACE.has(why)) return inside(place);
  switch (why) {
    case "denied":
      return denied(place, instant);
    case "system":
      if (place.system === "desktop") return guided(steps("privacy", "privacy_camera"));
      return guided(steps("settings", "app", place.system === "ios" ? "camera_on" : "app_camera"));
    case "dismissed":
      return guided(steps("retry", "allow"), place.system === "ios" ? "reload" : "retry");
    case "none":
      return guided(place.system === "desktop" ? steps("privacy_camera", "other_phone") : steps("other_phone"));
    case "busy":
      return guided(steps("close", "retry"));
    case "insecure":
      return guided(steps("exactly"), "reload");
    case "in_app":
      return inside(place);
    case "unable":
      return guided(steps("other_browser", "other_phone"), "reload", { copy: true });
    case "cookies":
      return guided(steps("other_browser", "cookies", "other_phone"), "reload", { copy: true });
    case "timeout":
      return guided(steps("look", "allow", "retry"));
    default:
      return null;
  }
}
