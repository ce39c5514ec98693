/** Times are stored in UTC and read in the reader's own zone; the exact value stays in the title. */

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const STYLES = {
  full: { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  time: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  exact: { day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 },
};

/** @param {string} iso @param {string} [style] @returns {string} the same text when it is no time */
export function local(iso, style = "full") {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : date.toLocaleString("fr-FR", STYLES[style] ?? STYLES.full);
}

/** @param {ParentNode} [root] */
export function localise(root = document) {
  for (const node of root.querySelectorAll("time[datetime]")) {
    const iso = node.getAttribute("datetime") ?? "";
    node.textContent = local(iso, node.getAttribute("data-style") ?? "full");
    node.setAttribute("title", iso);
  }
}

if (typeof document !== "undefined") localise();
