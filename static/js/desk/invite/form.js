/** The invitation: one field or two, one gesture, one session; a second one for the same contact only on purpose. */
import { get, write } from "../../lib/dom.js";
import { Refused, mint } from "../../lib/socket.js";
import { proposed } from "../../watching/session.js";
import { once } from "../gestures.js";
import { sentence } from "../notice.js";
import { refusal, refusedField } from "../words.js";

const SAME_GESTURE_MS = 120_000;

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../lib/socket.js").Message} Message */
/**
 * @typedef {object} InviteHost
 * @property {() => Readonly<View>} view
 * @property {(message: Message) => Promise<any>} command
 * @property {(session: string) => void} onSent
 * @property {() => void} changed the form waits, or no longer
 * @property {(session: string) => void} take show this session here
 * @property {(session: string) => void} running an invitation was refused because this session has not ended
 */

export class InviteForm {
  #host;
  #form = get("invite-form", HTMLFormElement);
  #button = get("invite", HTMLButtonElement);
  #mobile = get("mobile", HTMLInputElement);
  #email = get("email", HTMLInputElement);
  #touched = false;
  #lastProposed = "";
  #busy = false;
  /** What our storage refused, and may all the same have kept: asked for again, it is the same command.
   * @type {{ to: string, id: string, at: number } | null} */
  #unsure = null;
  /** What was refused because a session for it has not ended. @type {{ to: string, session: string } | null} */
  #doubled = null;

  /** @param {InviteHost} host */
  constructor(host) {
    this.#host = host;
    this.#form.addEventListener("submit", (event) => void this.#submit(event));
    // One gesture is one SMS: the second half of a double click may come after the answer.
    this.#button.addEventListener("click", (event) => {
      if (event.detail > 1) event.preventDefault();
    });
    this.#mobile.addEventListener("input", () => {
      this.#touched = true;
      this.#clearErrors();
    });
    this.#email.addEventListener("input", () => this.#clearErrors());
    get("again-show", HTMLElement).addEventListener("click", () => this.#doubled && this.#host.take(this.#doubled.session));
    once(get("again-new", HTMLElement), () => this.#send(true));
  }

  focus() {
    this.#mobile.focus();
    this.#mobile.select();
  }

  /** @param {Readonly<View>} view @param {boolean} online the server is reachable */
  draw(view, online) {
    const locked = view.taken !== null;
    const number = proposed(view);
    // A field emptied on purpose stays empty until the telephone proposes something else.
    if (number !== this.#lastProposed && this.#mobile.value === "") this.#touched = false;
    this.#lastProposed = number;
    if (!this.#touched && !this.#busy && this.#doubled === null && this.#mobile.value !== number) {
      this.#mobile.value = number;
      // Somebody is about to type: what is typed replaces the number that came meanwhile, it is not added to it.
      if (document.activeElement === this.#mobile) this.#mobile.select();
    }
    this.#mobile.disabled = this.#email.disabled = this.#button.disabled = locked;
    this.#button.setAttribute("aria-busy", String(this.#busy));
    const busy = online ? "Envoi…" : "En attente du serveur…";
    write(get("invite-text", HTMLElement), this.#busy ? busy : "Lancer l’invitation");
    this.#drawDoubled(view);
  }

  /** The session that is in the way can be shown, or another one made on purpose, until it has ended.
   * @param {Readonly<View>} view */
  #drawDoubled(view) {
    const session = this.#doubled && view.server?.sessions.find((one) => one.id === this.#doubled?.session);
    if (session?.state === "ended") this.#clearErrors();
    get("again", HTMLElement).hidden = this.#doubled === null || view.taken !== null;
    get("again-show", HTMLElement).hidden = !session || view.watch === session.id;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    // Enter again for what was refused already: the answer would be the same, and stands below.
    if (this.#doubled?.to === this.#to) return;
    await this.#send(false);
  }

  get #to() {
    return `${this.#mobile.value.trim()} ${this.#email.value.trim()}`;
  }

  /** @param {boolean} newSession one of its own, on purpose, though another for this contact has not ended */
  async #send(newSession) {
    if (this.#busy || this.#host.view().taken !== null) return;
    this.#clearErrors();
    const mobile = this.#mobile.value.trim();
    const email = this.#email.value.trim();
    if (!mobile && !email) {
      this.#fieldError("mobile", "Saisissez un mobile ou une adresse e-mail.");
      return;
    }
    this.#wait(true);
    const to = this.#to;
    const id = this.#gesture(to);
    this.#unsure = null;
    try {
      const contacts = { ...(mobile ? { mobile } : {}), ...(email ? { email } : {}) };
      const result = await this.#host.command({ type: "invite", id, ...contacts, ...(newSession ? { new_session: true } : {}) });
      this.#rest();
      this.#host.onSent(typeof result.session === "string" ? result.session : result.session.id);
    } catch (error) {
      if (error instanceof Refused && error.code === "storage_unavailable") this.#unsure = { to, id, at: performance.now() };
      this.#refused(error, to);
    } finally {
      this.#wait(false);
    }
  }

  /** The invitation is on its way: nothing stays in the form that Enter could send again, and Enter is not pressed in it.
   * What is emptied here stays so until the telephone proposes something else. */
  #rest() {
    this.#mobile.value = this.#email.value = "";
    this.#touched = true;
    const { activeElement } = document;
    if (activeElement === document.body || this.#form.contains(activeElement)) get("panel", HTMLElement).focus({ preventScroll: true });
  }

  /** @param {string} to @returns {string} the id of the command: the former one where it is not known whether that was kept */
  #gesture(to) {
    const again = this.#unsure?.to === to && performance.now() - this.#unsure.at < SAME_GESTURE_MS;
    return again && this.#unsure ? this.#unsure.id : mint();
  }

  /** @param {boolean} busy */
  #wait(busy) {
    this.#busy = busy;
    this.#host.changed();
  }

  /** @param {unknown} error @param {string} to */
  #refused(error, to) {
    const running = refusal(error, this.#host.view().server);
    if (running && error instanceof Refused) {
      this.#doubled = { to, session: String(error.answer.session) };
      write(get("invite-error", HTMLElement), running);
      this.#host.running(this.#doubled.session);
      return;
    }
    const code = error instanceof Refused ? error.field ?? error.code : "";
    const said = error instanceof Refused && error.say ? ` Dites : « ${error.say} »` : "";
    const field = refusedField(code);
    if (field === "invite") write(get("invite-error", HTMLElement), sentence(error) + said);
    else this.#fieldError(field, sentence(error) + said);
  }

  /** @param {"mobile" | "email"} name @param {string} text */
  #fieldError(name, text) {
    const field = name === "mobile" ? this.#mobile : this.#email;
    write(get(`${name}-error`, HTMLElement), text);
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }

  #clearErrors() {
    this.#doubled = null;
    get("again", HTMLElement).hidden = true;
    for (const id of ["mobile-error", "email-error", "invite-error"]) write(get(id, HTMLElement), "");
    for (const field of [this.#mobile, this.#email]) field.removeAttribute("aria-invalid");
  }
}
