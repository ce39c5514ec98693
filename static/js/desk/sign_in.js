/** Page B and its sign-in, which sign_in.js looks after on every professional page: they speak by events of the document. */

/** Ask whether this page is still signed in; the answer comes to whoever `followSignIn` told. */
export function checkSignIn() {
  document.dispatchEvent(new Event("visio15:check-sign-in"));
}

/** Whether a picture flows here: only then is a video said to go on.
 * @param {boolean} flows */
export function tellPicture(flows) {
  document.dispatchEvent(new CustomEvent("visio15:picture", { detail: { flows } }));
}

/** @param {{ended: () => void, holds: (renewed: boolean) => void}} desk `holds`: it is in force, perhaps renewed just now */
export function followSignIn({ ended, holds }) {
  document.addEventListener("visio15:sign-in", (event) => {
    const { stage, renewed } = /** @type {CustomEvent} */ (event).detail;
    if (stage === "ended") ended();
    else holds(renewed);
  });
}
