/** The station of this window: two windows of one PC may work at two stations, though they share its cookie. */
import { get, write } from "../../lib/dom.js";
import { giveStation, keepStation } from "../kept.js";
import { stationLabel } from "./seat.js";

export class StationMenu {
  #menu = get("station-menu", HTMLDetailsElement);
  #select = get("station", HTMLSelectElement);
  #shown = "";

  #notify;

  /** @param {{command: (message: import("../../lib/socket.js").Message) => Promise<any>, notify: (text: string) => void}} host */
  constructor({ command, notify }) {
    this.#notify = notify;
    this.#menu.addEventListener("toggle", () => {
      if (this.#menu.open) command({ type: "station.list" }).then(({ stations }) => this.#tell(stations), () => undefined);
    });
    get("station-form", HTMLFormElement).addEventListener("submit", () => keepStation(this.#select.value));
    get("station-window", HTMLElement).addEventListener("click", () => this.#open());
    this.#menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
    });
    document.addEventListener("pointerdown", (event) => {
      if (event.target instanceof Node && !this.#menu.contains(event.target)) this.#menu.open = false;
    });
  }

  /** @param {Readonly<import("../../watching/session.js").View>} view */
  draw({ server }) {
    const here = server?.station?.extension;
    if (!here || here === this.#shown) return;
    this.#shown = here;
    keepStation(here);
    this.#select.value = here;
    write(get("station-text", HTMLElement), `poste ${here}`);
  }

  /** Say who sits where, before one changes over.
   * @param {import("../../watching/session.js").Station[]} stations the others */
  #tell(stations) {
    for (const station of stations) {
      const option = [...this.#select.options].find((one) => one.value === station.extension);
      if (option) write(option, stationLabel(station));
    }
  }

  #open() {
    const other = window.open("about:blank", "_blank");
    if (!other) {
      this.#notify("Ce navigateur bloque la nouvelle fenêtre : autorisez-la dans la barre d’adresse, puis réessayez.");
      return;
    }
    giveStation(other, this.#select.value);
    other.location.href = "/desk";
    this.#close();
  }

  #close() {
    this.#menu.open = false;
    this.#menu.querySelector("summary")?.focus();
  }
}
