/** The few gestures every page makes on its document. */

/** The element with this id; its absence is a mistake of ours.
 * @template {Element} T
 * @param {string} id @param {new (...args: any[]) => T} kind @returns {T} */
export function get(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`#${id} is missing`);
  return found;
}

/** @param {string} name @returns {string} the content of a meta element, or "" */
export function meta(name) {
  return document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ?? "";
}

/** The data the server placed in the page.
 * @returns {any} */
export function boot() {
  return JSON.parse(document.getElementById("boot")?.textContent || "{}");
}

/** An element, its attributes, its children; strings become text, never markup.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, string | boolean | null | undefined | ((event: Event) => void)>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children @returns {HTMLElementTagNameMap[K]} */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} tag @param {Record<string, string | number>} [attributes] @param {...(Node | string)} children @returns {SVGElement} */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** @param {string} name an icon of the sprite @returns {SVGElement} */
export function icon(name) {
  const use = svg("use", { href: `${meta("sprite")}#${name}` });
  return svg("svg", { class: "icon", "aria-hidden": "true", focusable: "false" }, use);
}

/** Write only what changed: screen readers and selections are left in peace.
 * @param {Element} node @param {string} text */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** POST with the page's token.
 * @param {string} url @param {unknown} [body] @param {RequestInit} [more] @returns {Promise<Response>} */
export function post(url, body, more = {}) {
  return fetch(url, {
    method: "POST",
    headers: { "X-Xsrftoken": meta("xsrf"), "Content-Type": "application/json", Accept: "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
    ...more,
  });
}

/** As soon as somebody looks at the page.
 * @returns {Promise<void>} */
export function inFront() {
  return new Promise((resolve) => {
    const look = () => {
      if (document.visibilityState !== "visible") return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    look();
  });
}
