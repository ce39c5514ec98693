/** What a gesture on the desk means: a double click is one, and a dialog keeps the keys of the page to itself. */

/** Whether a dialog lies over the page; a sheet beside the picture leaves the rest of the page in use.
 * @returns {boolean} */
export function modalOpen() {
  return document.querySelector("dialog:modal") !== null;
}

/** Whether a click is the second half of a double click: it means the first.
 * @param {Event} event @returns {boolean} */
export function doubled(event) {
  return event instanceof MouseEvent && event.detail > 1;
}

/** Do what a button says once a gesture: not again for a double click, nor before the answer is there.
 * @param {HTMLElement} button @param {() => Promise<unknown>} act */
export function once(button, act) {
  button.addEventListener("click", (event) => {
    if (doubled(event) || button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    void act().finally(() => button.setAttribute("aria-busy", "false"));
  });
}
