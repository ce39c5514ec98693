/** The seat of this page: another person's is taken on purpose only, and who lost one's own reads to whom. */
import { get, write } from "../../lib/dom.js";
import { clock } from "../clock.js";

/** @typedef {import("../../watching/session.js").Station} Station */

/** A station as one chooses it: who sits there since when, and whether a video is on.
 * @param {Station} station @returns {string} */
export function stationLabel({ extension, name, who, since, live }) {
  const sits = who ? ` — ${who}` + (since ? ` depuis ${clock(since)}` : "") : "";
  return `${extension} · ${name}${sits}${live ? " · vidéo en cours" : ""}`;
}

/** @param {{by?: string, since?: string, live?: boolean}} held @returns {string} */
export function heldText({ by, since, live }) {
  const from = since ? ` depuis ${clock(since)}` : "";
  return `${by || "Une autre personne"} y est${from}. ${live ? "Une vidéo y est en cours." : "Aucune vidéo n’y est en cours."}`;
}

/** @param {string} taken who sits here now @param {string | undefined} at since when @returns {string} */
export function pushedText(taken, at) {
  const since = at ? ` depuis ${clock(at)}` : "";
  return `Ce poste est tenu par ${taken}${since}. Cette page reste en lecture seule : reprenez-le seulement si vous y travaillez.`;
}

/** Asks before somebody else's desk is closed. */
export class SeatBox {
  #dialog = get("seat", HTMLDialogElement);
  /** Whether an answer is waited for: browsers let a second Escape close what must stay. */
  #asking = false;

  /** @param {{take: () => void, back: () => boolean}} host `take`: sit down all the same; `back`: to the station this
   *   page has already, false when it has none */
  constructor({ take, back }) {
    get("seat-take", HTMLElement).addEventListener("click", () => {
      this.close();
      take();
    });
    get("seat-other", HTMLElement).addEventListener("click", () => location.assign(`/desk/station${location.search}`));
    this.#dialog.addEventListener("close", () => {
      if (this.#asking && back()) this.#asking = false;
      if (this.#asking) this.#dialog.showModal();
    });
  }

  /** @param {import("../../watching/session.js").Message} refusal station_taken */
  ask(refusal) {
    const { station, by, since, live } = refusal;
    write(get("seat-title", HTMLElement), `Le poste ${station} est tenu`);
    write(get("seat-text", HTMLElement), heldText({ by, since, live }));
    this.#asking = true;
    if (this.#dialog.open) return;
    this.#dialog.showModal();
    get("seat-title", HTMLElement).focus();
  }

  close() {
    this.#asking = false;
    this.#dialog.close();
  }
}
