/** The recordings of a call: on its clock, and heard from where the picture begins. */

/** @typedef {{begins: string, begin_known: boolean, stopped: string | null, seconds: number | null, status: string, erased: boolean, sureness: string}} Recording */

/** When it ends, as far as anybody told: its length counts from its first sound, where that is known.
 * @param {Recording} one @returns {string | null} */
export function soundEnd(one) {
  if (one.seconds === null || one.begin_known === false) return one.stopped;
  return new Date(Date.parse(one.begins) + one.seconds * 1000).toISOString();
}

/** @param {HTMLAudioElement} audio @param {number} seconds */
function hear(audio, seconds) {
  const jump = () => {
    audio.currentTime = seconds;
    audio.play().catch(() => undefined); // a browser that wants another press shows its own button
  };
  if (audio.readyState > 0) jump();
  else {
    audio.addEventListener("loadedmetadata", jump, { once: true });
    audio.preload = "metadata";
    audio.load();
  }
}

/** Ask why it cannot be heard, and say it in words.
 * @param {HTMLAudioElement} audio @param {Element} place */
async function explain(audio, place) {
  const answer = await fetch(audio.src, { headers: { Accept: "application/json", Range: "bytes=0-0" } }).catch(() => null);
  const told = answer && !answer.ok ? await answer.json().catch(() => null) : null;
  place.textContent = told?.error?.message ?? "Ce fichier ne peut pas être lu ici : téléchargez-le.";
  place.removeAttribute("hidden");
}

if (typeof document !== "undefined") {
  for (const card of document.querySelectorAll("[data-recording]")) {
    const audio = card.querySelector("audio");
    const place = card.querySelector("[role=alert]");
    if (!audio) continue;
    if (place) audio.addEventListener("error", () => void explain(audio, place));
    for (const button of card.querySelectorAll("[data-seek]")) {
      button.addEventListener("click", () => hear(audio, Number(button.getAttribute("data-seek"))));
    }
  }
}
