/** The caller's sentences, and the language they are in: changed in place, since loading the page again would lose the camera. */
import { get, write } from "../lib/dom.js";

/** @typedef {import("../lib/socket.js").Message} Message */
/**
 * @typedef {object} WordsHost
 * @property {Record<string, string>} strings every sentence, in the language the page came in
 * @property {Record<string, string>} words where those of each other language are
 * @property {() => void} onChanged draw again what says something by itself
 * @property {(language: string) => void} onChosen the caller took another language by hand
 */

export class Words {
  #host;
  #strings;
  #language = document.documentElement.lang;
  /** Chosen by hand, and not yet known to the server. */
  #told = !new URLSearchParams(location.search).has("lang");
  /** Changes begun: only the words of the last one are taken. */
  #begun = 0;

  /** @param {WordsHost} host */
  constructor(host) {
    this.#host = host;
    this.#strings = host.strings ?? {};
    const menu = get("languages", HTMLDetailsElement);
    menu.addEventListener("click", (event) => this.#clicked(event, menu));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") menu.open = false;
    });
    document.addEventListener("click", (event) => {
      if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
    });
  }

  /** Whether a hand chose it, and nobody else knows yet. */
  get chosen() {
    return !this.#told;
  }

  get language() {
    return this.#language;
  }

  /** @param {string} key @param {Record<string, string>} [names] fills {name} @returns {string} */
  say(key, names = {}) {
    return (this.#strings[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => names[name] ?? whole);
  }

  /** A part of the page: the server knows the language the regulator, or this caller elsewhere, has chosen.
   * @param {Message} message */
  heard({ type, language }) {
    if (type === "language") {
      this.#told = true;
      void this.#change(String(language));
    }
    if (type !== "welcome") return;
    if (!this.#told) this.#host.onChosen(this.#language);
    else if (language) void this.#change(String(language));
  }

  /** @param {Event} event @param {HTMLDetailsElement} menu */
  #clicked(event, menu) {
    const link = event.target instanceof Element ? event.target.closest("a[data-language]") : null;
    const language = link?.getAttribute("data-language") ?? "";
    if (!(language in this.#host.words)) return;
    event.preventDefault();
    menu.open = false;
    menu.querySelector("summary")?.focus();
    this.#told = false;
    this.#begun += 1;
    void this.#change(language).then((changed) => {
      if (changed) this.#host.onChosen(language);
    });
  }

  /** @param {string} language @returns {Promise<boolean>} false when the words cannot be had, or others were asked for since: the old ones stay */
  async #change(language) {
    const url = this.#host.words[language];
    if (!url) return false;
    if (language === this.#language) return true;
    const mine = (this.#begun += 1);
    const strings = await fetch(url).then((answer) => (answer.ok ? answer.json() : null), () => null);
    if (!strings || mine !== this.#begun) return false;
    this.#strings = strings;
    this.#language = language;
    this.#draw();
    this.#host.onChanged();
    return true;
  }

  #draw() {
    const chosen = document.querySelector(`a[data-language="${this.#language}"]`);
    document.documentElement.lang = this.#language;
    document.documentElement.dir = chosen?.getAttribute("dir") ?? "ltr";
    for (const node of document.querySelectorAll("[data-say]")) write(node, this.say(node.getAttribute("data-say") ?? ""));
    for (const node of document.querySelectorAll("[data-label]")) {
      node.setAttribute("aria-label", this.say(node.getAttribute("data-label") ?? ""));
    }
    for (const link of document.querySelectorAll("a[data-language]")) {
      if (link === chosen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    write(get("language-own", HTMLElement), chosen?.textContent ?? this.#language);
  }
}
