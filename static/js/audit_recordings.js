/** The recordings of a call: on its clock, and heard from where the picture begins. */

/** @typedef {{begins: string, stopped: string | null, seconds: number | null, status: string, erased: boolean, sureness: string}} Recording */

const WORDS = /** @type {Record<string, string>} */ ({ present: "son", missing: "son, fichier absent", unknown: "son, fichier non vérifié" });

/** When it ends, as far as anybody told: its length counts from its first sound.
 * @param {Recording} one @returns {number} milliseconds, NaN when nobody did */
export function soundEnd(one) {
  if (one.seconds !== null) return Date.parse(one.begins) + one.seconds * 1000;
  return one.stopped ? Date.parse(one.stopped) : Number.NaN;
}

/** What the clock of a record has to cover for its sound.
 * @param {{recordings?: Recording[]}} record @returns {string[]} */
export function soundTimes(record) {
  return (record.recordings ?? []).flatMap((one) => {
    const end = soundEnd(one);
    return Number.isNaN(end) ? [one.begins] : [one.begins, new Date(end).toISOString()];
  });
}

/** One lane a recording; an end nobody told is left open at the end of what is known of it.
 * @param {{recordings?: Recording[], call?: {ended?: string | null} | null}} record */
export function soundLanes(record) {
  return (record.recordings ?? []).map((one, index) => {
    const from = Date.parse(one.begins);
    const told = soundEnd(one);
    const open = Number.isNaN(told);
    const to = open ? Math.max(from, Date.parse(record.call?.ended ?? "") || from) : told;
    const kind = one.status === "present" ? "sound" : "silent";
    return { name: `son ${index + 1}`, bars: [{ from, to, kind, text: WORDS[one.status] ?? "son", open }], marks: [] };
  });
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
