/** The link once more, while nobody has tapped it: one button where one looks, one key, one message a gesture. */
import { get, write } from "../../lib/dom.js";
import { shown } from "../../watching/session.js";
import { once } from "../gestures.js";
import { sentence } from "../notice.js";
import { resendable } from "../phones/phones.js";

/** Milliseconds after a message left during which the same order is taken for the end of the same gesture. */
const SAME_GESTURE = 5_000;

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../watching/session.js").Session} Session */
/**
 * @typedef {object} ResendHost
 * @property {() => Readonly<View>} view
 * @property {(message: import("../../lib/socket.js").Message) => Promise<any>} command
 * @property {(text: string) => void} notify
 * @property {() => void} changed
 */

export class Resend {
  #host;
  #button = get("resend", HTMLButtonElement);
  #busy = false;
  #sent = { session: "", at: -SAME_GESTURE };
  keys = [{ code: "KeyY", shown: "Y", does: "Renvoyer le lien au correspondant", act: () => void this.again(shown(this.#host.view())) }];

  /** @param {ResendHost} host */
  constructor(host) {
    this.#host = host;
    once(this.#button, () => this.again(shown(host.view())));
  }

  /** @param {Readonly<View>} view */
  draw(view) {
    const session = shown(view);
    this.#button.hidden = view.taken !== null || resendable(session).length === 0;
    const sent = session !== null && this.#rests(session.id);
    this.#button.setAttribute("aria-disabled", String(sent));
    write(get("resend-text", HTMLElement), sent ? "Lien renvoyé" : "Renvoyer le lien");
  }

  /** @param {Session | null} session the links of it are sent again, by each way it was invited */
  async again(session) {
    const links = resendable(session);
    if (!session || links.length === 0 || this.#host.view().taken !== null || this.#busy || this.#rests(session.id)) return;
    this.#busy = true;
    try {
      for (const invitation of links) {
        await this.#host.command({ type: "invitation.resend", invitation });
        this.#sent = { session: session.id, at: performance.now() }; // also when the next way is refused
      }
      setTimeout(() => this.#host.changed(), SAME_GESTURE);
    } catch (error) {
      this.#host.notify(sentence(error));
    } finally {
      this.#busy = false;
      this.#host.changed();
    }
  }

  /** @param {string} session @returns {boolean} its links have just been sent again */
  #rests(session) {
    return this.#sent.session === session && performance.now() - this.#sent.at < SAME_GESTURE;
  }
}
