/** How many people see the picture, once it is more than the doctor alone. */
import { get, write } from "../lib/dom.js";

export class Viewers {
  #say;
  #count = 0;

  /** @param {(key: string, names: Record<string, string>) => string} say a sentence in the caller's language */
  constructor(say) {
    this.#say = say;
  }

  /** @param {import("../lib/socket.js").Message} message */
  heard(message) {
    if (message.type !== "viewers") return;
    this.#count = Number(message.count) || 0;
    this.drawn();
  }

  drawn() {
    const node = get("viewers", HTMLElement);
    node.hidden = this.#count < 2;
    write(node, node.hidden ? "" : this.#say("viewers", { n: String(this.#count) }));
  }
}
