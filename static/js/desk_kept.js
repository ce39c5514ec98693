/** Which session this tab watches, kept across reloads of the tab. */

const KEPT = "visio15.watch";

/** @returns {string | null} */
export function remembered() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** @param {string | null} session */
export function remember(session) {
  try {
    if (session) sessionStorage.setItem(KEPT, session);
    else sessionStorage.removeItem(KEPT);
  } catch {
    // Without storage a reload shows the newest session: what most want anyway.
  }
}
