/** Who sees the picture: the same list for the desk and for the observers. */
import { el, icon } from "../lib/dom.js";
import { part, reconcile } from "../lib/rows.js";

/**
 * @typedef {object} Participant
 * @property {string} id
 * @property {string | null} name null once erased
 * @property {"desk" | "observer"} kind
 * @property {string} since
 * @property {"watching" | "invited" | "away" | "failed"} state
 * @property {"remove"[]} can
 */

const KIND = { desk: "régulation", observer: "observateur" };
const STATE = { watching: "voit l’image", invited: "invité", away: "n’est plus là", failed: "message non parti" };

/** @param {Participant} person @param {boolean} live there is a picture to see @returns {string} */
export function told(person, live) {
  const state = person.state === "watching" && !live ? "attend l’image" : STATE[person.state];
  return `${KIND[person.kind]} · ${state}`;
}

/** @param {Element} list @param {readonly Participant[]} people @param {boolean} live there is a picture to see
 * @param {((id: string) => Promise<unknown>) | null} onRemove null where nobody can be removed */
export function drawPeople(list, people, live, onRemove) {
  reconcile(list, people, (one) => one.id, (one) => make(one, onRemove), (node, one) => {
    const row = /** @type {HTMLElement} */ (node);
    row.dataset.state = one.state;
    part(row, "name", one.name ?? "nom effacé");
    part(row, "state", told(one, live));
    const button = row.querySelector("button");
    if (button) button.setAttribute("aria-label", `Retirer ${one.name ?? ""}`);
  });
}

/** @param {Participant} one @param {((id: string) => Promise<unknown>) | null} onRemove */
function make({ id, kind, can }, onRemove) {
  /** @param {Event} event */
  const click = (event) => {
    const pressed = /** @type {HTMLButtonElement} */ (event.currentTarget);
    pressed.disabled = true;
    void onRemove?.(id).finally(() => {
      pressed.disabled = false;
    });
  };
  const removable = onRemove !== null && can.includes("remove");
  return el("li", { "data-person": id, "data-kind": kind },
    icon(kind === "desk" ? "monitor" : "hand-helping"),
    el("b", { "data-part": "name" }), el("span", { class: "sub", "data-part": "state" }),
    removable && el("button", { type: "button", class: "small", click }, icon("x"), "Retirer"));
}
