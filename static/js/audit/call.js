/** The record of one call: its picture, and a table that can be sifted. */
import { boot, get, write } from "../lib/dom.js";
import { draw, lay } from "./lanes.js";

function filter() {
  const words = get("filter", HTMLInputElement).value.toLocaleLowerCase("fr").split(/\s+/).filter(Boolean);
  const rows = [...document.querySelectorAll("#events tbody tr")];
  let left = 0;
  for (const one of rows) {
    const text = (one.textContent ?? "").toLocaleLowerCase("fr");
    const show = words.every((word) => text.includes(word));
    one.toggleAttribute("hidden", !show);
    if (show) left += 1;
  }
  write(get("filter-count", HTMLElement), words.length ? `${left} sur ${rows.length}` : String(rows.length));
}

const place = get("timeline", HTMLElement);
const plan = lay(boot(), Date.now());
/** Everything in the picture grows with the reader's own size of letters. */
const show = () => {
  const scale = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
  const width = Math.max(640, (place.clientWidth - 28) / scale);
  const picture = draw(plan, width);
  picture.setAttribute("width", String(width * scale));
  picture.removeAttribute("height");
  place.replaceChildren(picture);
};
show();
new ResizeObserver(show).observe(place);
get("filter", HTMLInputElement).addEventListener("input", filter);
get("print", HTMLElement).addEventListener("click", () => print());
addEventListener("beforeprint", () => get("timeline-alt", HTMLDetailsElement).setAttribute("open", ""));
