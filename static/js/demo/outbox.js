/** The demonstration's outbox keeps itself fresh without moving what is being read. */
import { localise } from "../lib/times.js";

const EVERY = 2_000;
const list = document.getElementById("messages");
let last = "";

async function refresh() {
  if (!list || document.hidden || list.contains(document.activeElement)) return;
  const response = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("messages");
  // The token of each form differs at every rendering: compare what is read.
  const now = fresh?.textContent ?? "";
  if (!fresh || now === last) return;
  last = now;
  list.replaceChildren(...fresh.childNodes);
  localise(list);
}

setInterval(() => void refresh(), EVERY);
