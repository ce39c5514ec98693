/** What a page that nobody signed asks for: said, and done only when the user wants it. */
import { get, write } from "../../lib/dom.js";

/** @typedef {import("../../watching/session.js").Proposed} Proposed */

/** @param {Proposed} proposed @returns {string} */
export function proposalText({ call, mobile, station, foreign }) {
  const parts = [mobile, call && `appel ${call}`, station && `poste ${station}`].filter(Boolean).join(", ");
  const from = foreign ? "Une page d’un autre site demande" : "Un lien sans signature demande";
  return `${from} : ${parts}. Rien n’est fait avant votre accord : acceptez seulement si vous venez d’ouvrir cet appel.`;
}

export class Proposal {
  /** @type {Proposed | null} */
  #shown = null;

  /** @param {{accept: (proposed: Proposed) => void, leave: () => void}} host */
  constructor({ accept, leave }) {
    get("proposal-take", HTMLElement).addEventListener("click", () => {
      if (this.#shown) accept(this.#shown);
    });
    get("proposal-leave", HTMLElement).addEventListener("click", leave);
  }

  /** @param {Readonly<import("../../watching/session.js").View>} view */
  draw(view) {
    const asked = view.taken === null ? view.server?.launch?.proposed ?? null : null;
    this.#shown = asked;
    get("proposal", HTMLElement).hidden = asked === null;
    if (asked) write(get("proposal-text", HTMLElement), proposalText(asked));
  }
}
